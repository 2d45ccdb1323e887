use std::convert::Infallible;

use approver::{Answer, Question, Reservation};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Bytes;
use kube::client::Body;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::*;
use crate::facts::Change;
use crate::facts::object::ApiServers;
use crate::facts::peer::tests::{Authority, named};
use crate::kube::call::Caller;
use crate::kube::transport::Transport;
use crate::policy::Policy;
use crate::serve::metrics::Metrics;

/// An API server that never answers.
fn silent() -> Caller {
    let service = tower::service_fn(|_: Request<Body>| async {
        std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>().await
    });
    Caller::new(Transport::new(service), Duration::from_secs(30))
}

/// After a rotation, the certificates of API servers chain to another CA.
#[tokio::test]
async fn authorities_that_are_trusted_later_count_from_then_on() {
    let ours = Authority::new();
    let at = ours.issue(&named("kube-apiserver", &["203.0.113.100"])).serve().await;
    let policy = Policy { kubelet_serving: Some(Arc::default()), ..Policy::default() };
    let facts = Facts::new(silent(), watch::Sender::new(Arc::new(policy)).subscribe());
    let slice: ApiServers = serde_json::from_value(json!({
        "metadata": {"namespace": "default", "name": "kubernetes"},
        "endpoints": [{"addresses": [at.ip()]}], "ports": [{"port": at.port()}],
    }))
    .unwrap();
    facts.index.write().unwrap().put(&slice);
    let (changed, mut changes) = mpsc::unbounded_channel();
    let (trust, trusted) = watch::channel(Vec::new());
    let metrics = Arc::new(Metrics::new(["any"]).unwrap());
    let task = tokio::spawn(follow(Arc::clone(&facts), Feed { caller: silent(), trusted, changed, metrics }));
    tokio::task::yield_now().await;
    trust.send_replace(vec![ours.der.clone()]);
    let told = timeout(Duration::from_secs(60), changes.recv()).await.unwrap();
    assert_eq!(told, Some(Change::Everything));
    let question = Question::Claims(San::ip("203.0.113.100".parse().unwrap()));
    let Some(Answer::Claims(claims)) = facts.known(&question) else { panic!("the index knows") };
    assert_eq!(claims.reservations, [Reservation::ApiServerCertificate]);
    task.abort();
}
