//! An API server that knows one Lease: compare-and-swap on resourceVersion, watches, and whatever can go wrong on the way to it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::{StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;

type Stream = Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;
type Answer = Response<StreamBody<Stream>>;

/// What a candidate's way to the API server does to its calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Link {
    #[default]
    Up,
    /// Every call is answered 503.
    Unavailable,
    /// No call arrives, none is answered.
    Cut,
    /// Writes are done, and their answers never come.
    AnswersLost,
    /// Watching is forbidden.
    NoWatch,
    /// RBAC knows nothing of us.
    Forbidden,
}

#[derive(Debug, Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    watches: Vec<mpsc::UnboundedSender<Value>>,
    calls: Vec<String>,
}

/// The API server; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiServer(Arc<Mutex<State>>);

/// A candidate's way to the API server; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<Link>>);

impl Wire {
    pub(crate) fn set(&self, link: Link) {
        *self.0.lock().unwrap() = link;
    }

    fn get(&self) -> Link {
        *self.0.lock().unwrap()
    }
}

impl ApiServer {
    /// With a Lease as the chart makes it: there, and nothing in it.
    pub(crate) fn with_empty_lease() -> Self {
        let server = Self::default();
        server
            .edit(|lease| *lease = json!({"metadata": {"name": "countersign", "namespace": "kube-system"}}));
        server
    }

    pub(crate) fn client(&self, wire: Wire) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request| server.clone().answer(wire.clone(), request));
        kube::Client::new(service, "default")
    }

    pub(crate) fn lease(&self) -> Option<Value> {
        self.state().lease.clone()
    }

    pub(crate) fn holder(&self) -> String {
        let lease = self.lease().unwrap_or_default();
        lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        self.state().calls.iter().filter(|made| *made == call).count()
    }

    /// A change by someone else.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let mut lease = state.lease.take().unwrap_or_default();
        change(&mut lease);
        state.store(lease, "MODIFIED");
    }

    pub(crate) fn delete(&self) {
        let mut state = self.state();
        state.version += 1;
        if let Some(lease) = state.lease.take() {
            state.notify("DELETED", &lease);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn answer(self, wire: Wire, request: Request<Body>) -> Result<Answer, Infallible> {
        let link = wire.get();
        let watching = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let method = request.method().clone();
        let body = request.into_body().collect_bytes().await.unwrap_or_default();
        let refused = match link {
            Link::Cut => return std::future::pending().await,
            Link::Unavailable => Some(StatusCode::SERVICE_UNAVAILABLE),
            Link::Forbidden => Some(StatusCode::FORBIDDEN),
            Link::NoWatch if watching => Some(StatusCode::FORBIDDEN),
            Link::Up | Link::NoWatch | Link::AnswersLost => None,
        };
        self.state().calls.push(if watching { "watch".to_owned() } else { method.to_string() });
        if let Some(code) = refused {
            return Ok(status(code));
        }
        let answer = if watching { self.state().watch() } else { self.state().call(&method, &body) };
        if link == Link::AnswersLost && method != Method::GET {
            return std::future::pending().await;
        }
        Ok(answer)
    }
}

impl State {
    fn call(&mut self, method: &Method, body: &Bytes) -> Answer {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let held = self.lease.clone();
        match (method.as_str(), held) {
            ("GET", Some(lease)) => object(&lease),
            ("GET" | "PUT", None) => status(StatusCode::NOT_FOUND),
            ("POST", None) => self.store(sent, "ADDED"),
            ("PUT", Some(lease)) if version(&lease) == version(&sent) => self.store(sent, "MODIFIED"),
            ("PUT" | "POST", Some(_)) => status(StatusCode::CONFLICT),
            _ => status(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn store(&mut self, mut lease: Value, event: &str) -> Answer {
        self.version += 1;
        lease["apiVersion"] = json!("coordination.k8s.io/v1");
        lease["kind"] = json!("Lease");
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.notify(event, &lease);
        let answer = object(&lease);
        self.lease = Some(lease);
        answer
    }

    fn notify(&mut self, event: &str, lease: &Value) {
        let line = json!({"type": event, "object": lease});
        self.watches.retain(|watch| watch.send(line.clone()).is_ok());
    }

    /// Sends what happens from now on, and the present state first, as it may have changed since the caller looked.
    fn watch(&mut self) -> Answer {
        let (sender, receiver) = mpsc::unbounded_channel();
        if let Some(lease) = &self.lease {
            let _ = sender.send(json!({"type": "MODIFIED", "object": lease}));
        }
        self.watches.push(sender);
        let lines = stream::unfold(receiver, |mut receiver| async {
            let line: Value = receiver.recv().await?;
            Some((Ok(Frame::data(Bytes::from(format!("{line}\n")))), receiver))
        });
        Response::new(StreamBody::new(lines.boxed()))
    }
}

fn version(lease: &Value) -> &Value {
    &lease["metadata"]["resourceVersion"]
}

fn object(body: &Value) -> Answer {
    reply(StatusCode::OK, body)
}

fn status(code: StatusCode) -> Answer {
    let reason = code.canonical_reason().unwrap_or_default().replace(' ', "");
    let message = "as the test wants it";
    reply(
        code,
        &json!({"kind": "Status", "status": "Failure", "code": code.as_u16(), "reason": reason, "message": message}),
    )
}

fn reply(code: StatusCode, body: &Value) -> Answer {
    let frame = Frame::data(Bytes::from(body.to_string()));
    let mut answer = Response::new(StreamBody::new(stream::iter([Ok(frame)]).boxed()));
    *answer.status_mut() = code;
    answer
}
