//! Who we are to the API server, and how that changes while we run.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use controller::kube::access::{Access, AccessError};
use controller::kube::call::Caller;
use controller::kube::client::Clients;
use controller::kube::token::{TokenSource, Tokens};
use controller::kube::transport::Transport;
use controller::kube::write::Requests;
use controller::serve::metrics::Metrics;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Every Authorization header that an API server on loopback has seen.
type Seen = Arc<Mutex<Vec<String>>>;

async fn api_server() -> (String, Seen) {
    let seen = Seen::default();
    let remember = |State(seen): State<Seen>, headers: HeaderMap| async move {
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        seen.lock().unwrap().push(authorization.unwrap_or_default());
        "{}"
    };
    let router = Router::new().fallback(remember).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

fn kubeconfig(path: &Path, url: &str, token: &str) -> Access {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(path, config.to_string()).unwrap();
    Access { kubeconfig: Some(path.into()), master: None }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(["s"]).unwrap())
}

async fn ask(client: &Client) {
    client.request_text(Request::get("/x").body(Vec::new()).unwrap()).await.unwrap();
}

/// Asks until the API server sees `authorization`.
async fn becomes(client: &Client, seen: &Seen, authorization: &str) {
    let sees = async {
        loop {
            ask(client).await;
            if seen.lock().unwrap().last().unwrap() == authorization {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), sees).await.unwrap();
}

#[tokio::test]
async fn a_kubeconfig_that_is_replaced_is_used_by_every_client_handed_out() {
    let (url, seen) = api_server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    let clients = Clients::load(kubeconfig(&path, &url, "one"), metrics()).await.unwrap();
    let (first, second) = (clients.client().unwrap(), clients.transport().unwrap().into());
    tokio::spawn(clients.follow(Duration::from_millis(10)));
    becomes(&first, &seen, "Bearer one").await;
    kubeconfig(&path, &url, "two");
    becomes(&first, &seen, "Bearer two").await;
    becomes(&second, &seen, "Bearer two").await;
}

/// Writes a kubeconfig that trusts a CA of its own, and returns that in DER.
fn trusting(path: &Path) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let data = BASE64_STANDARD.encode(authority.pem());
    kubeconfig(path, "https://127.0.0.1:1", "one");
    let mut config: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["certificate-authority-data"] = json!(data);
    std::fs::write(path, config.to_string()).unwrap();
    authority.der().to_vec()
}

#[tokio::test]
async fn a_ca_that_is_replaced_is_told_to_who_looks_at_api_servers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    let first = trusting(&path);
    let access = Access { kubeconfig: Some(path.clone()), master: None };
    let clients = Clients::load(access, metrics()).await.unwrap();
    let mut trusted = clients.trusted();
    assert_eq!(*trusted.borrow_and_update(), [first]);
    tokio::spawn(clients.follow(Duration::from_millis(10)));
    let second = trusting(&path);
    tokio::time::timeout(Duration::from_secs(30), trusted.changed()).await.unwrap().unwrap();
    assert_eq!(*trusted.borrow_and_update(), [second]);
}

/// An API server on loopback, and where each of its requests came from.
async fn peers() -> (String, Arc<Mutex<Vec<SocketAddr>>>) {
    let peers = Arc::<Mutex<Vec<SocketAddr>>>::default();
    let seen = Arc::clone(&peers);
    let remember = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
        seen.lock().unwrap().push(peer);
        "{}"
    };
    let router = Router::new().fallback(remember).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, peers)
}

#[tokio::test]
async fn calls_share_connections_until_the_kubeconfig_is_replaced_and_from_then_on_others() {
    let (url, peers) = peers().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    let clients = Clients::load(kubeconfig(&path, &url, "one"), metrics()).await.unwrap();
    let requests = Requests::new(Caller::new(clients.transport().unwrap(), Duration::from_secs(30)));
    // What the answer holds is no matter here.
    let ask = async || drop(requests.clone().read("a").await);
    for _ in 0..5 {
        ask().await;
    }
    let first = peers.lock().unwrap().clone();
    assert_eq!(first, [first[0]; 5]);
    tokio::spawn(clients.follow(Duration::from_millis(10)));
    kubeconfig(&path, &url, "two");
    let others = async {
        while peers.lock().unwrap().last() == first.last() {
            ask().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), others).await.unwrap();
    ask().await;
    let peers = peers.lock().unwrap();
    assert_eq!(peers[peers.len() - 1], peers[peers.len() - 2]);
}

#[tokio::test]
async fn a_kubeconfig_that_breaks_changes_nothing_until_it_is_whole_again() {
    let (url, seen) = api_server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    let (access, metrics) = (kubeconfig(&path, &url, "one"), metrics());
    let clients = Clients::load(access, Arc::clone(&metrics)).await.unwrap();
    let client = clients.client().unwrap();
    tokio::spawn(clients.follow(Duration::from_millis(10)));
    std::fs::write(&path, "{").unwrap();
    let noticed = async {
        while !String::from_utf8(metrics.text().unwrap()).unwrap().contains("error=\"credentials\"") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noticed).await.unwrap();
    ask(&client).await;
    assert_eq!(seen.lock().unwrap().last().unwrap(), "Bearer one");
    kubeconfig(&path, &url, "two");
    becomes(&client, &seen, "Bearer two").await;
}

#[tokio::test(start_paused = true)]
async fn the_expiry_of_a_client_certificate_is_shown_for_one_kubeconfig_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let pair = rcgen::generate_simple_self_signed(["us".to_owned()]).unwrap();
    std::fs::write(file("cert"), pair.cert.pem()).unwrap();
    std::fs::write(file("key"), pair.signing_key.serialize_pem()).unwrap();
    let user = json!({"client-certificate": file("cert"), "client-key": file("key")});
    let access = kubeconfig(&file("config"), "http://127.0.0.1:1", "one");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(file("config")).unwrap()).unwrap();
    config["users"][0]["user"] = user;
    std::fs::write(file("config"), config.to_string()).unwrap();
    for (shown, metrics) in [(true, metrics()), (false, metrics())] {
        let clients = Clients::load(access.clone(), Arc::clone(&metrics)).await.unwrap();
        let clients = if shown { clients } else { clients.without_expiry() };
        let _ = tokio::time::timeout(Duration::ZERO, clients.follow(Duration::from_secs(10))).await;
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        let value = text.lines().find(|line| line.starts_with("countersign_client_certificate_expiry"));
        assert_eq!(value.is_some_and(|line| !line.ends_with(" 0")), shown, "{value:?}");
    }
}

#[tokio::test]
async fn master_goes_before_the_kubeconfigs_server() {
    let (url, seen) = api_server().await;
    let directory = tempfile::tempdir().unwrap();
    let access = kubeconfig(&directory.path().join("config"), "http://127.0.0.1:1", "one");
    let access = Access { master: Some(url), ..access };
    let clients = Clients::load(access, metrics()).await.unwrap();
    ask(&clients.client().unwrap()).await;
    assert_eq!(*seen.lock().unwrap(), ["Bearer one"]);
}

#[tokio::test]
async fn a_proxy_is_an_error_and_not_passed_by() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    let access = kubeconfig(&path, "https://127.0.0.1:1", "one");
    for proxy in ["http://127.0.0.1:2", "https://127.0.0.1:2", "socks5://127.0.0.1:2"] {
        let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        config["clusters"][0]["cluster"]["proxy-url"] = proxy.into();
        std::fs::write(&path, config.to_string()).unwrap();
        let error = Clients::load(access.clone(), metrics()).await.unwrap_err();
        assert!(matches!(&error, AccessError::Proxy(named) if **named == proxy), "{error:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_loaded_is_named() {
    let master = |address: &str| Access { kubeconfig: None, master: Some(address.into()) };
    let missing = Access { kubeconfig: Some("/no/such/file".into()), master: None };
    let error = missing.load().await.unwrap_err();
    assert_eq!(error.to_string(), "failed to load kubeconfig /no/such/file");
    assert!(matches!(master("http://[").load().await, Err(AccessError::Master { .. })));
    assert!(matches!(Access::default().load().await, Err(AccessError::NotInCluster(_))));
}

/// An API server that gives these answers to requests for tokens and accounts, then fails, and what it was asked.
fn token_server(
    script: impl IntoIterator<Item = (u16, Value)>,
) -> (TokenSource, Tokens, Arc<Mutex<Vec<String>>>) {
    let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        log.lock().unwrap().push(request.uri().path().to_owned());
        let (code, body) = script.lock().unwrap().pop_front().unwrap_or((500, Value::Null));
        let body = Body::from(body.to_string().into_bytes());
        async move { Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap()) }
    });
    let source = TokenSource::new(Caller::new(Transport::new(service), Duration::from_secs(30)));
    let tokens = source.tokens();
    (source, tokens, asked)
}

fn token(token: &str, seconds: u32) -> (u16, Value) {
    (201, json!({"spec": {"expirationSeconds": seconds}, "status": {"token": token}}))
}

async fn current(tokens: &Tokens) -> String {
    tokens.current().await.unwrap().header().to_str().unwrap().to_owned()
}

/// When the token becomes `expected`, counted from now.
async fn until(tokens: &Tokens, expected: &str) -> Duration {
    let start = Instant::now();
    while current(tokens).await != expected {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_when_a_fifth_of_its_time_is_left() {
    let (source, tokens, _) = token_server([token("one", 1000), token("two", 1000)]);
    tokio::spawn(source.run());
    assert_eq!(current(&tokens).await, "Bearer one");
    let after = until(&tokens, "Bearer two").await.as_secs();
    assert!((799..=802).contains(&after), "{after}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_replaced_soon_and_not_at_every_refusal() {
    let (source, tokens, asked) = token_server([token("one", 3600), token("two", 3600)]);
    tokio::spawn(source.run());
    let one = tokens.current().await.unwrap();
    for _ in 0..100 {
        tokens.refused(&one);
    }
    let after = until(&tokens, "Bearer two").await.as_secs();
    assert!(after <= 11, "{after}");
    for _ in 0..100 {
        tokens.refused(&one);
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(asked.lock().unwrap().len(), 2, "an old token's refusal says nothing of the new one");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_exist_is_created() {
    let account = "/api/v1/namespaces/kube-system/serviceaccounts";
    let request = "/api/v1/namespaces/kube-system/serviceaccounts/certificate-controller/token";
    for created in [201, 409] {
        let script = [(404, Value::Null), (created, Value::Null), token("one", 3600)];
        let (source, tokens, asked) = token_server(script);
        tokio::spawn(source.run());
        assert_eq!(current(&tokens).await, "Bearer one");
        assert_eq!(*asked.lock().unwrap(), [request, account, request]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_said_to_be_one() {
    for answer in [(403, Value::Null), (500, Value::Null), (201, json!({})), token("two\nlines", 3600)] {
        let (source, tokens, asked) = token_server([answer, token("one", 3600)]);
        tokio::spawn(source.run());
        assert_eq!(current(&tokens).await, "Bearer one");
        assert_eq!(asked.lock().unwrap().len(), 2);
        assert_eq!(format!("{:?}", tokens.current().await.unwrap()), "Token(..)");
    }
}
