//! The way to the API server: connections, and what every request carries.
//!
//! kube's own client passes each request through a queue to a task, and from there through spans that nobody reads. This is
//! the same stack without them: kube says whom to trust and who we are, hyper keeps the connections.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Bytes;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::{Body, ConfigExt};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::access::AccessError;

/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, std::io::Error>;

/// Sends requests to the API server. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Transport(pub(super) BoxCloneSyncService<Request<Body>, Response<Answer>, BoxError>);

impl Transport {
    /// Sends requests through `service`.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let boxed =
            |answer: Response<B>| answer.map(|body| body.map_err(std::io::Error::other).boxed_unsync());
        Self(BoxCloneSyncService::new(service.map_response(boxed).map_err(Into::into)))
    }

    /// Connections of its own to the API server of `config`. None is opened yet.
    ///
    /// # Errors
    /// When the credentials cannot be used, or a proxy is asked for.
    pub fn connecting(config: &Config) -> Result<Self, AccessError> {
        if let Some(proxy) = &config.proxy_url {
            return Err(AccessError::Proxy(Box::new(proxy.clone())));
        }
        let unusable = |error| AccessError::Client(Box::new(error));
        let connector = config.rustls_https_connector_with_connector(connector()).map_err(unusable)?;
        let mut connector = TimeoutConnector::new(connector);
        connector.set_connect_timeout(config.connect_timeout);
        connector.set_read_timeout(config.read_timeout);
        connector.set_write_timeout(config.write_timeout);
        connector.set_reset_reader_on_write(config.reset_reader_on_write);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            // Without a timer an idle connection stays until somebody looks for one.
            .pool_timer(TokioTimer::new())
            .http1_read_buf_exact_size(READ_AT_ONCE)
            .build::<_, Body>(connector);
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer().map_err(unusable)?)
            .layer(config.extra_headers_layer().map_err(unusable)?)
            .map_err(BoxError::from)
            .service(client);
        Ok(Self::new(service))
    }

    /// Sends one request, and returns the answer when its head is there.
    pub(crate) fn send(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Answer>, BoxError>> + Send + use<> {
        self.0.clone().oneshot(request)
    }
}

impl From<Transport> for kube::Client {
    fn from(transport: Transport) -> Self {
        Self::new(transport.0, "default")
    }
}

/// Opens TCP connections.
fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    // A new connection's first request follows the end of the handshake as a second small packet, which the system would
    // hold back until the first is acknowledged: 40 ms where the other side delays that.
    connector.set_nodelay(true);
    // The watch may be silent for a minute; a router that forgot the connection is found out before.
    connector.set_keepalive(Some(KEEP_ALIVE));
    connector.set_keepalive_interval(Some(KEEP_ALIVE));
    connector
}

/// How long a connection is kept that nobody uses: each costs memory here and there. The API server closes it after 90 s, so
/// that no request of ours meets a connection that is being closed.
const IDLE: Duration = Duration::from_secs(30);

/// What a connection reads at once, in bytes: most answers. Else its buffer grows with the answers, to 400 KiB, and stays.
const READ_AT_ONCE: usize = 8 << 10;

/// As Go's, which is what API servers and whatever stands before them mostly see.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_holds_back_no_small_packet() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let connection = connector().oneshot(address.parse().unwrap()).await.unwrap();
        assert!(connection.inner().nodelay().unwrap());
    }
}
