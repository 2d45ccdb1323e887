//! What is written into the record, how often, and what the answers mean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use approver::{Answer, Question, San};
use controller::facts::record::{Approval, Entry, NAMESPACE, SHARDS, shard_name, shard_of};
use controller::facts::{Facts, Feed, KeepError};
use controller::kube::call::Caller;
use controller::kube::transport::Transport;
use controller::policy::Policy;
use controller::serve::metrics::Metrics;
use csr::PublicKey;
use futures::future::join_all;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::fixed;

/// An API server with the ConfigMaps of the record and nothing else, whose writes wait for a permit.
#[derive(Clone)]
struct Store {
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
    writes: Arc<Mutex<Vec<String>>>,
    permits: Arc<Semaphore>,
}

/// The record in a store, and who follows it.
struct Kept {
    store: Store,
    facts: Arc<Facts>,
    _following: JoinSet<()>,
}

impl Store {
    fn new() -> Self {
        let object = |number: usize| {
            let name = shard_name(number);
            let metadata = json!({"namespace": NAMESPACE, "name": name, "resourceVersion": "1"});
            (name, json!({"metadata": metadata}))
        };
        Self {
            objects: Arc::new(Mutex::new((0..SHARDS).map(object).collect())),
            writes: Arc::default(),
            permits: Arc::new(Semaphore::new(0)),
        }
    }

    fn caller(&self) -> Caller {
        let store = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let store = store.clone();
            async move { Ok::<_, std::io::Error>(store.answer(request).await) }
        });
        Caller::new(Transport::new(service), Duration::from_secs(30))
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let name = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let answer = |code: StatusCode, body: &Value| {
            Response::builder().status(code).body(body.to_string().into_bytes().into()).unwrap()
        };
        let nothing = |code| answer(code, &json!({"kind": "Status", "message": "no"}));
        if head.method == Method::GET {
            let found = self.objects.lock().unwrap().get(&name).cloned();
            return found
                .map_or_else(|| nothing(StatusCode::NOT_FOUND), |object| answer(StatusCode::OK, &object));
        }
        self.writes.lock().unwrap().push(name.clone());
        self.permits.acquire().await.unwrap().forget();
        let sent: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        let mut objects = self.objects.lock().unwrap();
        let Some(stored) = objects.get_mut(&name) else { return nothing(StatusCode::NOT_FOUND) };
        if stored["metadata"]["resourceVersion"] != sent["metadata"]["resourceVersion"] {
            return nothing(StatusCode::CONFLICT);
        }
        *stored = sent;
        advance(stored);
        answer(StatusCode::OK, stored)
    }

    /// Somebody else writes this line.
    fn write(&self, node: &str, names: &[&str]) {
        let mut objects = self.objects.lock().unwrap();
        let object = objects.get_mut(&shard_name(shard_of(node))).unwrap();
        let line = json!({"uid": "u", "key": node, "names": names}).to_string();
        object["data"][node] = line.into();
        advance(object);
    }

    fn line(&self, node: &str) -> Option<String> {
        let objects = self.objects.lock().unwrap();
        objects[&shard_name(shard_of(node))]["data"][node].as_str().map(str::to_owned)
    }

    fn writes(&self) -> usize {
        self.writes.lock().unwrap().len()
    }
}

fn advance(object: &mut Value) {
    let version: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    object["metadata"]["resourceVersion"] = (version + 1).to_string().into();
}

impl Kept {
    async fn start() -> Self {
        let store = Store::new();
        let serving = Some(Arc::new(config::KubeletServing::default()));
        let policy = fixed(Policy { kubelet_serving: serving, ..Policy::default() });
        let facts = Facts::new(store.caller(), policy);
        let metrics = Arc::new(Metrics::new(["s"]).unwrap());
        let trusted = tokio::sync::watch::channel(Vec::new()).1;
        let changed = mpsc::unbounded_channel().0;
        let feed = Feed { caller: store.caller(), trusted, changed, metrics };
        let mut following = JoinSet::new();
        following.spawn(Arc::clone(&facts).follow(feed));
        while !is_read(&facts) {
            tokio::task::yield_now().await;
        }
        Self { store, facts, _following: following }
    }
}

fn is_read(facts: &Facts) -> bool {
    let key = Question::Record(Arc::new(PublicKey::Unsupported));
    matches!(facts.known(&key), Some(Answer::Record(Some(_))))
}

/// An approval of a node for its name and these.
fn approval(node: &str, names: &[&str]) -> Approval {
    let names: BTreeSet<_> = names.iter().chain([&node]).map(|text| San::from_text(text).unwrap()).collect();
    let owners = names.iter().map(|san| (san.clone(), BTreeSet::new())).collect();
    let entry = Entry { uid: "u".into(), key: node.into(), names };
    Approval { node: node.into(), entry, owners, key_holders: BTreeSet::new() }
}

/// Names of nodes whose lines are in one ConfigMap.
fn together() -> impl Iterator<Item = String> {
    (0..).map(|number| format!("n{number}")).filter(|name| shard_of(name) == 0)
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_one_is_written_goes_with_all_others_that_do() {
    let Kept { store, facts, _following } = Kept::start().await;
    let nodes: Vec<_> = together().take(21).collect();
    let later = async {
        while store.writes() == 0 {
            tokio::task::yield_now().await;
        }
        let others = join_all(nodes[1..].iter().map(|node| facts.keep(approval(node, &[]))));
        let permit = async { store.permits.add_permits(100) };
        tokio::join!(others, permit).0
    };
    let (first, others) = tokio::join!(facts.keep(approval(&nodes[0], &[])), later);
    assert!(first.is_ok() && others.iter().all(Result::is_ok));
    assert_eq!(store.writes(), 2);
    facts.keep(approval(&nodes[0], &[])).await.unwrap();
    assert_eq!(store.writes(), 2, "what is on record already is not written again");
}

#[tokio::test(start_paused = true)]
async fn of_two_who_take_one_name_at_the_same_moment_the_later_is_decided_again() {
    let Kept { store, facts, _following } = Kept::start().await;
    let later = async {
        while store.writes() == 0 {
            tokio::task::yield_now().await;
        }
        let both =
            ["n1", "n2"].map(|node| approval(node, &["10.0.0.1"])).map(|approval| facts.keep(approval));
        let permit = async { store.permits.add_permits(100) };
        tokio::join!(join_all(both), permit).0
    };
    let (first, both) = tokio::join!(facts.keep(approval("n0", &[])), later);
    assert!(first.is_ok() && both[0].is_ok() && matches!(both[1], Err(KeepError::Changed)), "{both:?}");
    assert_eq!(store.line("n2"), None);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_somebody_else_has_changed_is_read_before_anything_is_decided_by_it() {
    let Kept { store, facts, _following } = Kept::start().await;
    store.permits.add_permits(100);
    let mut nodes = together();
    let (other, node) = (nodes.next().unwrap(), nodes.next().unwrap());
    store.write(&other, &["10.0.0.1"]);
    let kept = facts.keep(approval(&node, &[])).await;
    assert!(matches!(kept, Err(KeepError::Changed)), "{kept:?}");
    facts.keep(approval(&node, &[])).await.unwrap();
    assert!(store.line(&node).is_some() && store.line(&other).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_lead_writes_nothing_before_all_is_read_anew() {
    let Kept { store, facts, _following } = Kept::start().await;
    store.permits.add_permits(100);
    facts.begin_term();
    let kept = facts.keep(approval("n1", &[])).await;
    assert!(matches!(kept, Err(KeepError::Changed)), "{kept:?}");
    assert_eq!(store.writes(), 0);
    while !is_read(&facts) {
        tokio::task::yield_now().await;
    }
    facts.keep(approval("n1", &[])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_our_failure() {
    let Kept { store, facts, _following } = Kept::start().await;
    store.permits.add_permits(100);
    store.objects.lock().unwrap().remove(&shard_name(shard_of("n1")));
    let kept = facts.keep(approval("n1", &[])).await;
    assert!(matches!(kept, Err(KeepError::Call(_))), "{kept:?}");
}
