//! What others may ask of this process: is it alive, is it ready, what has it counted.
//!
//! One HTTPS port. The accept loop is our own, so that a caller who opens connections and says nothing costs a bounded number
//! of them for a bounded time, and keeps nobody else from an answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub mod auth;
mod client_certificate;
pub mod health;
pub mod metrics;
mod self_signed;
mod slots;
pub mod tls;

pub use self_signed::{SelfSignedError, self_signed};

use crate::configuration::Effective;
use auth::{Asked, Gate, Refusal};
use health::{Health, Probe, Report};
use metrics::Metrics;
use slots::{Slot, Slots};
use tls::Tls;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(5);
/// How long a connection may last in all.
const CONNECTION: Duration = Duration::from_secs(20);
/// How long a stopping server waits for answers under way.
const DRAIN: Duration = Duration::from_secs(5);
/// Bytes of a request that are read ahead; the headers must fit.
const BUFFER: usize = 32 * 1024;

/// What the endpoints show, and to whom.
#[derive(Debug)]
pub struct Served {
    /// For `/healthz`, `/livez` and `/readyz`.
    pub health: Arc<Health>,
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// For `/configz`.
    pub configuration: watch::Receiver<Arc<Effective>>,
    /// Who may see what.
    pub gate: Gate,
}

/// The secure port, bound and not yet served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    tls: Tls,
    router: Router,
}

/// The client certificate in a connection's handshake.
#[derive(Clone, Debug)]
struct Peer {
    certificates: Arc<[CertificateDer<'static>]>,
}

impl Server {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, tls: Tls, served: Served) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls, router: router(Arc::new(served)) })
    }

    /// The address that is bound.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until cancelled; answers under way are given a few seconds.
    pub async fn run(mut self, cancel: CancellationToken) {
        self.tls.watch(cancel.clone());
        let connections = TaskTracker::new();
        cancel.run_until_cancelled(self.accept(&connections)).await;
        drop(self.listener);
        connections.close();
        // What is not answered by then is cut off by the runtime's end.
        let _ = timeout(DRAIN, connections.wait()).await;
    }

    async fn accept(&self, connections: &TaskTracker) {
        let slots = Slots::default();
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Closed, not queued: whoever waits in line would wait behind those who say nothing.
                    let Some(slot) = slots.take(peer.ip()) else {
                        tracing::debug!(%peer, "too many connections, this one is closed");
                        continue;
                    };
                    let acceptor = TlsAcceptor::from(self.tls.current());
                    let router = self.router.clone();
                    connections
                        .spawn(connection(slot, timeout(CONNECTION, handle(stream, acceptor, router))));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: trying again at once would only burn the processor.
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "a connection could not be accepted"
                    );
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Keeps the slot until the connection has ended.
async fn connection<T>(slot: Slot, work: impl Future<Output = T>) {
    work.await;
    drop(slot);
}

/// One connection, one request: nobody can hold a slot by keeping it alive, and a probe or a scrape asks nothing more.
async fn handle(stream: TcpStream, acceptor: TlsAcceptor, router: Router) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default().into();
    let peer = Peer { certificates };
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .keep_alive(false)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection to the secure port ended early"
        );
    }
}

fn router(served: Arc<Served>) -> Router {
    let mut router = Router::new().route("/metrics", get(metrics)).route("/configz", get(configz));
    for probe in Probe::ALL {
        let path = format!("/{}", probe.label());
        router = router
            .route(&path, get(move |state: State<Arc<Served>>, uri: Uri| report(state, probe, uri)))
            .route(&format!("{path}/{{check}}"), get(move |state, check| single(state, probe, check)));
    }
    router.layer(from_fn_with_state(served.clone(), admit)).with_state(served)
}

/// Every path passes the gate, those too that do not exist.
async fn admit(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let verb = request.method().as_str().to_ascii_lowercase();
    let asked = Asked {
        path: request.uri().path(),
        verb: &verb,
        token: bearer(&request),
        certificates: &peer.certificates,
    };
    let admitted = served.gate.admit(asked).await;
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(&refusal),
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn refuse(refusal: &Refusal) -> Response {
    let text = format!("{refusal}\n");
    match refusal {
        Refusal::Unauthenticated => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], text).into_response()
        }
        Refusal::Forbidden { .. } => (StatusCode::FORBIDDEN, text).into_response(),
        Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, text).into_response(),
    }
}

async fn metrics(State(served): State<Arc<Served>>) -> Response {
    match served.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The configuration in use, as a file with the defaults filled in, and its digest.
async fn configz(State(served): State<Arc<Served>>) -> Response {
    let effective = Arc::clone(&served.configuration.borrow());
    let (digest, configuration) = (effective.digest(), effective.file());
    let text = format!("{:#}\n", serde_json::json!({ "configuration": configuration, "digest": digest }));
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

async fn report(State(served): State<Arc<Served>>, probe: Probe, uri: Uri) -> Response {
    answer(Report::new(&served.health, probe, uri.query()))
}

async fn single(State(served): State<Arc<Served>>, probe: Probe, Path(check): Path<String>) -> Response {
    match Report::single(&served.health, probe, &check) {
        Some(report) => answer(report),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(report: Report) -> Response {
    let code = if report.healthy { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    let plain = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (code, plain, report.text).into_response()
}
