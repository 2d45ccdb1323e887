//! A proxy in front of the API server that misbehaves on demand.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::control_plane::ControlPlane;
use crate::tls::acceptor;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The API server is not asked; the answer is this, with `Retry-After: 1` where it is usual.
    Status(StatusCode),
    /// The API server is not asked; the answer is this and not the API's own, as from a proxy on the way.
    Foreign(StatusCode),
    /// The API server is not asked, and the connection is cut.
    Refused,
    /// The API server does what is asked, but the connection is cut before the answer.
    Lost,
    /// The call takes this long.
    Slow(Duration),
    /// The resourceVersion that a watch starts from is too old.
    Expired,
}

/// Which calls go wrong, and how often.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Their method.
    pub method: Method,
    /// Words that their path and query contain.
    pub path: &'static str,
    /// What goes wrong.
    pub fault: Fault,
    /// How many of them.
    pub times: usize,
}

/// A call that was made, and the answer its caller got: none if the connection was cut.
pub type Call = (Method, String, Option<StatusCode>);

/// A running proxy; dropping it cuts all connections.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    cut: broadcast::Sender<()>,
}

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Proxy {
    /// Starts a proxy in front of `cluster`, with no faults yet.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(cluster: &ControlPlane) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        // Clients send their credentials over TLS only.
        let tls = acceptor(&cluster.serving_pair()?)?;
        let url = format!("https://{}", listener.local_addr()?);
        let upstream = cluster.anonymous()?;
        let (cut, _) = broadcast::channel(1);
        let state = Arc::new(State { rules: Mutex::default(), calls: Mutex::default(), cut });
        let task = tokio::spawn(accept((listener, tls), upstream, Arc::clone(&state)));
        Ok(Self { url, state, task })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets some of the calls to come go wrong. Of several rules for a call the first applies.
    pub fn add(&self, method: Method, path: &'static str, (fault, times): (Fault, usize)) {
        lock(&self.state.rules).push(Rule { method, path, fault, times });
    }

    /// How many calls have yet to go wrong.
    pub fn left(&self) -> usize {
        lock(&self.state.rules).iter().map(|rule| rule.times).sum()
    }

    /// Lets everything go well again.
    pub fn heal(&self) {
        lock(&self.state.rules).clear();
    }

    /// Cuts all answers that are being sent, watches above all.
    pub fn cut(&self) {
        // Nobody listening means that there is nothing to cut.
        let _ = self.state.cut.send(());
    }

    /// The calls so far whose path and query contain every word of `path`.
    pub fn calls(&self, method: &Method, path: &str) -> Vec<Call> {
        let calls = lock(&self.state.calls);
        calls.iter().filter(|call| call.0 == *method && contains(&call.1, path)).cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

impl State {
    /// The fault of a call, used up by it.
    fn fault(&self, method: &Method, target: &str) -> Option<Fault> {
        let mut rules = lock(&self.rules);
        let matches =
            |rule: &&mut Rule| rule.times > 0 && rule.method == *method && contains(target, rule.path);
        let rule = rules.iter_mut().find(matches)?;
        rule.times -= 1;
        Some(rule.fault)
    }

    /// Answers a call, or fails for the connection to be cut.
    async fn call(self: Arc<Self>, upstream: Client, request: Request<Incoming>) -> Result<Answer, BoxError> {
        let method = request.method().clone();
        let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let fault = self.fault(&method, &target);
        let answer = self.answer(&upstream, request, fault).await;
        let status = answer.as_ref().ok().map(Response::status);
        lock(&self.calls).push((method, target, status));
        answer
    }

    async fn answer(
        &self,
        upstream: &Client,
        request: Request<Incoming>,
        fault: Option<Fault>,
    ) -> Result<Answer, BoxError> {
        match fault {
            None => self.forward(upstream, request).await,
            Some(Fault::Status(status)) => Ok(refusal(status)?),
            Some(Fault::Foreign(status)) => {
                Ok(Response::builder().status(status).body(text("no such page".to_owned()))?)
            }
            Some(Fault::Refused) => Err("refused".into()),
            Some(Fault::Lost) => {
                self.forward(upstream, request).await?.into_body().collect().await?;
                Err("lost".into())
            }
            Some(Fault::Slow(delay)) => {
                sleep(delay).await;
                self.forward(upstream, request).await
            }
            Some(Fault::Expired) => Ok(expired()?),
        }
    }

    async fn forward(&self, upstream: &Client, request: Request<Incoming>) -> Result<Answer, BoxError> {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(header::HOST);
        let body = body.collect().await?.to_bytes();
        let answer = upstream.send(Request::from_parts(parts, Body::from(body.to_vec()))).await?;
        let mut cut = self.cut.subscribe();
        Ok(answer.map(|body| {
            let frames = BodyStream::new(body).map(|frame| frame.map_err(BoxError::from));
            let frames = frames.take_until(async move { cut.recv().await.ok() });
            StreamBody::new(frames).boxed_unsync()
        }))
    }
}

async fn accept((listener, tls): (TcpListener, TlsAcceptor), upstream: Client, state: Arc<State>) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(serve(tls.accept(connection), upstream.clone(), Arc::clone(&state)));
    }
}

async fn serve(connection: Accept<TcpStream>, upstream: Client, state: Arc<State>) {
    let Ok(connection) = connection.await else { return };
    let service = service_fn(|request| Arc::clone(&state).call(upstream.clone(), request));
    // A connection that ends badly is what the proxy is for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

fn contains(target: &str, words: &str) -> bool {
    words.split_whitespace().all(|word| target.contains(word))
}

/// What the API server says when it will not do something.
fn refusal(status: StatusCode) -> Result<Answer> {
    let reason = match status {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::GONE => "Expired",
        _ => "InternalError",
    };
    let object = status_object(status, reason);
    let mut answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        answer = answer.header(header::RETRY_AFTER, "1");
    }
    Ok(answer.body(text(object.to_string()))?)
}

/// A watch whose first event is that it cannot go on from there.
fn expired() -> Result<Answer> {
    let event = json!({ "type": "ERROR", "object": status_object(StatusCode::GONE, "Expired") });
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
    Ok(answer.body(text(format!("{event}\n")))?)
}

fn status_object(status: StatusCode, reason: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": "made up by a test", "reason": reason, "code": status.as_u16(),
    })
}

fn text(text: String) -> UnsyncBoxBody<Bytes, BoxError> {
    Full::from(text).map_err(|never: Infallible| match never {}).boxed_unsync()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
