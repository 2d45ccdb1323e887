//! An API server whose lists and watches follow a script.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::kube::call::Caller;
use controller::kube::transport::Transport;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use serde_json::{Value, json};

type Stream = Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send>>;

/// One answer, to a list or to a watch.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A page of a list, of version 10, and where the next one begins.
    Page(Vec<Value>, &'static str),
    /// Lines of a watch, then its end.
    Lines(Vec<String>),
    /// Lines, then silence.
    LinesThenSilence(Vec<String>),
    /// Lines, then a broken connection.
    LinesThenBreak(Vec<String>),
    /// A status, and nothing else.
    Status(u16),
    /// Too many requests, and when to come back, in seconds.
    Busy(u32),
    /// No answer at all.
    Silence,
}

/// A script, and what was asked so far.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    script: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    /// An API server that gives these answers, one after the other, and is silent from then on.
    pub(crate) fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self { script: Arc::new(Mutex::new(script.into_iter().collect())), asked: Arc::default() }
    }

    /// Calls to it.
    pub(crate) fn caller(&self) -> Caller {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = api.next(&request);
            async move { give(answer).await }
        });
        Caller::new(Transport::new(service), Duration::from_secs(30))
    }

    /// What came after the question mark, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether every answer of the script was given.
    pub(crate) fn is_over(&self) -> bool {
        self.script.lock().unwrap().is_empty()
    }

    fn next(&self, request: &Request<Body>) -> Answer {
        let query = request.uri().query().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(query);
        self.script.lock().unwrap().pop_front().unwrap_or(Answer::Silence)
    }
}

async fn give(answer: Answer) -> Result<Response<StreamBody<Stream>>, Infallible> {
    let lines = |lines: Vec<String>| stream::iter(lines).map(|line| Ok(Frame::data(Bytes::from(line))));
    let (status, body): (u16, Stream) = match answer {
        Answer::Page(items, next) => {
            let metadata = json!({"resourceVersion": "10", "continue": next});
            let page = json!({"kind": "CertificateSigningRequestList", "metadata": metadata, "items": items});
            (200, lines(vec![page.to_string()]).boxed())
        }
        Answer::Lines(all) => (200, lines(all).boxed()),
        Answer::LinesThenSilence(all) => (200, lines(all).chain(stream::pending()).boxed()),
        Answer::LinesThenBreak(all) => {
            let broken = stream::once(async { Err(std::io::ErrorKind::ConnectionReset.into()) });
            (200, lines(all).chain(broken).boxed())
        }
        Answer::Status(code) => {
            let status = json!({"kind": "Status", "code": code, "message": "no"});
            (code, lines(vec![status.to_string()]).boxed())
        }
        Answer::Busy(seconds) => {
            let busy = Response::builder().status(429).header("retry-after", seconds);
            return Ok(busy.body(StreamBody::new(lines(Vec::new()).boxed())).unwrap());
        }
        Answer::Silence => std::future::pending().await,
    };
    Ok(Response::builder().status(status).body(StreamBody::new(body)).unwrap())
}
