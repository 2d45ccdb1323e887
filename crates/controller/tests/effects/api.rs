//! An API server that gives one answer to one request, and keeps the request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::kube::call::Caller;
use controller::kube::transport::Transport;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

/// How long a call may take in these tests, where time is virtual.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// What the API server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers with this status and body.
    Json(u16, Value),
    /// The same, with the header Retry-After.
    RetryAfter(u16, &'static str),
    /// Answers with this status, and something that is not JSON.
    Page(u16),
    /// Says nothing.
    Silence,
    /// Closes the connection.
    HangUp,
    /// Takes this long to answer.
    Late(Duration, Box<Self>),
    /// Is where a bug of ours strikes.
    Panic,
}

/// A request as the API server got it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) accept: String,
    pub(crate) body: Value,
}

/// The server's side of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Api(Arc<Mutex<Vec<Asked>>>);

impl Api {
    /// A caller whose every request gets `answer`.
    pub(crate) fn answering(answer: Answer) -> (Self, Caller) {
        let api = Self::default();
        let asked = api.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (asked, answer) = (asked.clone(), answer.clone());
            async move {
                asked.keep(request).await;
                answer.give().await
            }
        });
        (api, Caller::new(Transport::new(service), LIMIT))
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    async fn keep(&self, request: Request<Body>) {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
        let query = head.uri.query().unwrap_or_default().to_owned();
        let accept = head.headers.get("accept").map(|accept| accept.to_str().unwrap().to_owned());
        let accept = accept.unwrap_or_default();
        self.0.lock().unwrap().push(Asked { method, path, query, accept, body });
    }
}

impl Answer {
    /// A `metav1.Status` of this code.
    pub(crate) fn status(code: u16) -> Self {
        Self::Json(code, json!({"kind": "Status", "code": code, "message": format!("no: {code}")}))
    }

    /// The API server's 404: there is no object `name`.
    pub(crate) fn not_found(name: &str) -> Self {
        let details =
            json!({"name": name, "group": "certificates.k8s.io", "kind": "certificatesigningrequests"});
        Self::Json(404, json!({"kind": "Status", "message": "no", "reason": "NotFound", "details": details}))
    }

    async fn give(self) -> Result<Response<Body>, std::io::Error> {
        let response = |code: u16| Response::builder().status(StatusCode::from_u16(code).unwrap());
        let built = match self {
            Self::Json(code, body) => response(code).body(body.to_string().into_bytes().into()),
            Self::RetryAfter(code, seconds) => {
                response(code).header("retry-after", seconds).body(b"{}".to_vec().into())
            }
            Self::Page(code) => response(code).body(b"<html>".to_vec().into()),
            Self::Silence => std::future::pending().await,
            Self::HangUp => return Err(std::io::ErrorKind::ConnectionReset.into()),
            Self::Late(delay, answer) => {
                tokio::time::sleep(delay).await;
                return Box::pin(answer.give()).await;
            }
            Self::Panic => panic!("as a bug would"),
        };
        Ok(built.unwrap())
    }
}
