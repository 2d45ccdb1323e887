//! The secure port as its callers see it: TLS, probes, and who may read the metrics.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::config::AllowedPath;
use controller::configuration::Effective;
use controller::pair::PairFiles;
use controller::serve::auth::{Delegates, Gate};
use controller::serve::health::Health;
use controller::serve::metrics::Metrics;
use controller::serve::tls::{Tls, TlsError};
use controller::serve::{Served, Server, self_signed};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use kube::client::Body;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// An API server that knows the tokens `good` (may read metrics) and `poor` (may not), and counts what it is asked.
#[derive(Clone, Debug, Default)]
struct ApiServer(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    down: bool,
    client_ca: String,
    asked: Vec<Value>,
}

impl ApiServer {
    fn client(&self) -> kube::Client {
        let server = self.clone();
        kube::Client::new(tower::service_fn(move |request| server.clone().answer(request)), "default")
    }

    fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    fn asked(&self) -> Vec<Value> {
        self.0.lock().unwrap().asked.clone()
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Full<Bytes>>, Infallible> {
        let method = request.method().clone();
        let body = request.into_body().collect_bytes().await.unwrap();
        if method == http::Method::GET {
            let state = self.0.lock().unwrap();
            let code = if state.down { 503 } else { 200 };
            let published = json!({"metadata": {"name": "extension-apiserver-authentication"}, "data": {"client-ca-file": state.client_ca}});
            return Ok(Response::builder().status(code).body(Full::from(published.to_string())).unwrap());
        }
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        let mut state = self.0.lock().unwrap();
        state.asked.push(review.clone());
        let reply = |code: u16, body: &Value| {
            Ok(Response::builder().status(code).body(Full::from(body.to_string())).unwrap())
        };
        if state.down {
            return reply(503, &json!({"kind": "Status", "status": "Failure", "code": 503}));
        }
        let spec = review["spec"].clone();
        review["status"] = if spec["token"].is_null() {
            json!({"allowed": spec["user"] == "good"})
        } else if ["good", "poor"].iter().any(|known| spec["token"] == *known) {
            json!({"authenticated": true, "user": {"username": spec["token"], "groups": ["system:authenticated"]}})
        } else {
            json!({"authenticated": false})
        };
        reply(201, &review)
    }
}

/// A client that trusts `roots`, and presents `pair` when it has one.
fn connector(
    roots: &RootCertStore,
    pair: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots.clone());
    let config = match pair {
        Some((cert, key)) => config.with_client_auth_cert(vec![cert], key).unwrap(),
        None => config.with_no_client_auth(),
    };
    Arc::new(config).into()
}

/// A CA for clients.
struct ClientCa {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl ClientCa {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "clients");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn pair(&self, user: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.distinguished_name.push(DnType::CommonName, user);
        params.distinguished_name.push(DnType::OrganizationName, "monitoring");
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        (cert, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }
}

/// A running server, and a client that trusts its certificate alone.
struct Running {
    address: SocketAddr,
    health: Arc<Health>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    connector: TlsConnector,
    roots: RootCertStore,
    _files: tempfile::TempDir,
}

fn open() -> Vec<AllowedPath> {
    let exactly = ["healthz", "livez", "readyz"].map(|path| AllowedPath::Exactly(path.to_owned()));
    let below = AllowedPath::StartsWith("readyz/".to_owned());
    exactly.into_iter().chain([below]).collect()
}

fn gate(api: &ApiServer) -> Gate {
    let delegates = Delegates { authentication: api.client(), authorization: api.client() };
    Gate::delegated(&delegates, open())
}

fn write_pair(files: &PairFiles, cert: &CertificateDer<'_>, key: &PrivateKeyDer<'_>) {
    std::fs::write(&files.cert, pem("CERTIFICATE", cert)).unwrap();
    std::fs::write(&files.key, pem("PRIVATE KEY", key.secret_der())).unwrap();
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

impl Running {
    async fn start(gate: Gate) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = PairFiles { cert: dir.path().join("tls.crt"), key: dir.path().join("tls.key") };
        let (cert, key) = self_signed(OffsetDateTime::now_utc()).unwrap();
        write_pair(&files, &cert, &key);
        let mut roots = RootCertStore::empty();
        roots.add(cert).unwrap();
        let connector = connector(&roots, None);
        let health = Health::new(Duration::from_secs(60));
        let metrics = Arc::new(Metrics::new(["kubernetes.io/kubelet-serving"]).unwrap());
        let effective = Arc::new(Effective::new(::config::Configuration::default()));
        let configuration = watch::Sender::new(effective).subscribe();
        let served = Served { health: health.clone(), metrics, configuration, gate };
        let tls = Tls::new(Some(files)).unwrap();
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), tls, served).await.unwrap();
        let (address, stop) = (server.address().unwrap(), CancellationToken::new());
        let task = tokio::spawn(server.run(stop.clone()));
        Self { address, health, stop, task, connector, roots, _files: dir }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }

    async fn send(&self, request: &str) -> (u16, String) {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The server closes after one answer; not every close is announced.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn get(&self, path: &str, authorization: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n")).await
    }
}

const GOOD: &str = "Authorization: Bearer good\r\n";
const POOR: &str = "Authorization: Bearer poor\r\n";

#[tokio::test]
async fn metrics_are_for_those_whom_the_api_server_knows_and_allows() {
    let running = Running::start(gate(&ApiServer::default())).await;
    let rows = [
        ("", 401),
        ("Authorization: Basic Z29vZA==\r\n", 401),
        ("Authorization: Bearer \r\n", 401),
        ("Authorization: Bearer unknown\r\n", 401),
        (POOR, 403),
        (GOOD, 200),
        ("authorization: bearer good\r\n", 200),
    ];
    for (header, expected) in rows {
        assert_eq!(running.get("/metrics", header).await.0, expected, "{header:?}");
    }
    let (_, text) = running.get("/metrics", GOOD).await;
    assert!(text.contains("countersign_build_info{version="), "{text}");
}

#[tokio::test]
async fn the_configuration_is_for_those_who_may_see_metrics_and_shows_its_digest() {
    let running = Running::start(gate(&ApiServer::default())).await;
    assert_eq!(running.get("/configz", "").await.0, 401);
    assert_eq!(running.get("/configz", POOR).await.0, 403);
    let (status, text) = running.get("/configz", GOOD).await;
    assert_eq!(status, 200);
    let shown: Value = serde_json::from_str(&text).unwrap();
    let effective = Effective::new(::config::Configuration::default());
    assert_eq!(shown["digest"], effective.digest());
    let read = ::config::parse(&shown["configuration"].to_string()).unwrap();
    assert_eq!(Effective::new(read).digest(), effective.digest());
}

#[tokio::test]
async fn the_review_is_for_the_path_and_the_verb_by_the_users_whole_identity() {
    let api = ApiServer::default();
    let running = Running::start(gate(&api)).await;
    assert_eq!(running.get("/metrics", GOOD).await.0, 200);
    let asked = api.asked();
    assert_eq!(asked[0]["spec"], json!({"token": "good"}));
    assert_eq!(
        asked[1]["spec"],
        json!({
            "user": "good",
            "groups": ["system:authenticated"],
            "nonResourceAttributes": {"path": "/metrics", "verb": "get"},
        })
    );
}

#[tokio::test]
async fn a_verdict_is_kept_and_a_failure_is_not() {
    let api = ApiServer::default();
    let running = Running::start(gate(&api)).await;
    api.set_down(true);
    assert_eq!(running.get("/metrics", GOOD).await.0, 503);
    assert_eq!(running.get("/healthz", "").await.0, 200, "health does not depend on the API server");
    api.set_down(false);
    assert_eq!(running.get("/metrics", GOOD).await.0, 200);
    let before = api.asked().len();
    for _ in 0..3 {
        assert_eq!(running.get("/metrics", GOOD).await.0, 200);
    }
    assert_eq!(api.asked().len(), before, "asked again within the time a verdict is kept");
    assert_eq!(running.get("/other", GOOD).await.0, 404);
    assert_eq!(api.asked().len(), before + 2, "a verdict is for one path");
}

#[tokio::test]
async fn a_client_certificate_of_the_clusters_ca_is_as_good_as_a_token() {
    let (ca, stranger, api) = (ClientCa::new(), ClientCa::new(), ApiServer::default());
    api.0.lock().unwrap().client_ca = ca.pem.clone();
    let mut running = Running::start(gate(&api)).await;
    for (issuer, user, header, expected) in [
        (&ca, "good", "", 200),
        (&ca, "poor", "", 403),
        (&ca, "poor", GOOD, 403),
        (&stranger, "good", "", 401),
        (&stranger, "good", GOOD, 200),
    ] {
        running.connector = connector(&running.roots, Some(issuer.pair(user)));
        assert_eq!(running.get("/metrics", header).await.0, expected, "{user} {header:?}");
    }
    let review = api.asked()[0]["spec"].clone();
    assert_eq!(review["groups"], json!(["monitoring", "system:authenticated"]));
}

#[tokio::test]
async fn a_client_certificate_says_nothing_while_the_clusters_ca_is_not_known() {
    let (ca, api) = (ClientCa::new(), ApiServer::default());
    api.0.lock().unwrap().client_ca = ca.pem.clone();
    let mut running = Running::start(gate(&api)).await;
    running.connector = connector(&running.roots, Some(ca.pair("good")));
    api.set_down(true);
    assert_eq!(running.get("/metrics", "").await.0, 503);
    assert_eq!(running.get("/livez", "").await.0, 200);
    api.set_down(false);
    assert_eq!(running.get("/metrics", "").await.0, 200);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_refused_before_it_is_missed() {
    let running = Running::start(gate(&ApiServer::default())).await;
    assert_eq!(running.get("/debug/pprof", "").await.0, 401);
    assert_eq!(running.get("/healthz/../metrics", "").await.0, 401);
    assert_eq!(running.get("/readyz/../metrics", "").await.0, 404);
    assert_eq!(
        running.send("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await.0,
        405
    );
}

#[tokio::test]
async fn probes_answer_without_a_token_and_in_kubernetes_form() {
    let running = Running::start(gate(&ApiServer::default())).await;
    assert_eq!(running.get("/livez", "").await, (200, "ok".to_owned()));
    let (code, text) = running.get("/readyz?verbose", "").await;
    assert_eq!(code, 500);
    assert!(text.contains("[-]first-list failed: the first list is not done\n"), "{text}");
    running.health.listed();
    assert_eq!(running.get("/readyz", "").await, (200, "ok".to_owned()));
    assert_eq!(running.get("/readyz/first-list", "").await.0, 200);
    assert_eq!(running.get("/readyz/nothing", "").await.0, 404);
}

#[tokio::test]
async fn a_caller_who_says_nothing_is_cut_off_and_others_are_served_meanwhile() {
    let running = Running::start(gate(&ApiServer::default())).await;
    let mut silent_tcp = TcpStream::connect(running.address).await.unwrap();
    let mut silent_tls = running.connect().await;
    silent_tls.write_all(b"GET /healthz HTT").await.unwrap();
    assert_eq!(running.get("/healthz", "").await.0, 200);
    let limit = Duration::from_secs(15);
    let mut rest = Vec::new();
    let _ = timeout(limit, silent_tcp.read_to_end(&mut rest)).await.expect("the handshake has a limit");
    let _ = timeout(limit, silent_tls.read_to_end(&mut rest)).await.expect("the headers have a limit");
}

#[tokio::test]
async fn any_number_of_silent_callers_keeps_nobody_else_from_an_answer() {
    let running = Running::start(gate(&ApiServer::default())).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
        silent.push(socket.connect(running.address).await.unwrap());
    }
    let answer = timeout(Duration::from_secs(4), running.get("/healthz", "")).await;
    assert_eq!(answer.expect("before any handshake has timed out"), (200, "ok".to_owned()));
    let last = silent.last_mut().unwrap();
    let closed = timeout(Duration::from_secs(4), last.read(&mut [0])).await.expect("beyond its share");
    assert!(!matches!(closed, Ok(1..)), "{closed:?}");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let running = Running::start(gate(&ApiServer::default())).await;
    let header = format!("X-Long: {}\r\n", "x".repeat(200_000));
    assert_eq!(running.get("/healthz", &header).await.0, 431);
}

#[tokio::test]
async fn a_stopped_server_closes_its_port() {
    let running = Running::start(gate(&ApiServer::default())).await;
    assert_eq!(running.get("/healthz", "").await.0, 200);
    running.stop.cancel();
    timeout(Duration::from_secs(6), running.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[test]
fn serving_files_that_are_of_no_use_are_named_by_their_flag() {
    let dir = tempfile::tempdir().unwrap();
    let files = PairFiles { cert: dir.path().join("tls.crt"), key: dir.path().join("tls.key") };
    let (cert, key) = self_signed(OffsetDateTime::now_utc()).unwrap();
    let (_, other) = self_signed(OffsetDateTime::now_utc()).unwrap();
    let result = || Tls::new(Some(files.clone()));
    assert!(matches!(result(), Err(TlsError::Files(_))));
    write_pair(&files, &cert, &other);
    assert!(matches!(result(), Err(TlsError::Pair(_))));
    std::fs::write(&files.key, "garbage").unwrap();
    assert!(matches!(result(), Err(TlsError::Pem { flag: "--tls-private-key-file", .. })));
    write_pair(&files, &cert, &key);
    assert!(result().is_ok());
    assert!(Tls::new(None).is_ok());
}
