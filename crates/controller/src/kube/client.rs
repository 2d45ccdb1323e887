//! Clients of the API server whose credentials follow their files.
//!
//! A kubeconfig may name a client certificate that somebody renews while we run; kube reads it once. So the files are looked
//! at again now and then, and every client that was handed out uses what they say now, without anybody having to ask for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use kube::client::Body;
use kube::config::AuthInfo;
use kube::{Client, Config};
use tokio::sync::watch;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service};

use super::access::{Access, AccessError, Credentials};
use super::token::Tokens;
use super::transport::{Answer, Transport};
use crate::log::OncePer;
use crate::serve::metrics::Metrics;

/// What a transport makes of the credentials before it uses them.
type Shape = fn(&Config) -> Config;

/// The authorities, in DER, to which API servers' certificates chain, now and whenever there are others.
pub type Trusted = watch::Receiver<Vec<Vec<u8>>>;

/// Hands out clients, and renews their credentials.
#[derive(Debug)]
pub struct Clients {
    access: Access,
    credentials: watch::Sender<Arc<Credentials>>,
    trusted: watch::Sender<Vec<Vec<u8>>>,
    metrics: Arc<Metrics>,
    shows_expiry: bool,
}

impl Clients {
    /// Loads the credentials, and makes sure that a client can be made of them. Nothing is sent.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub async fn load(access: Access, metrics: Arc<Metrics>) -> Result<Self, AccessError> {
        let credentials = access.load().await?;
        Transport::connecting(&credentials.config)?;
        let trusted = watch::Sender::new(authorities(&credentials));
        let credentials = watch::Sender::new(Arc::new(credentials));
        Ok(Self { access, credentials, trusted, metrics, shows_expiry: true })
    }

    /// The same, but for the metric of the client certificate's expiry, which has room for one kubeconfig.
    #[must_use]
    pub fn without_expiry(self) -> Self {
        Self { shows_expiry: false, ..self }
    }

    /// Where the credentials are from.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The authorities to which API servers' certificates chain, as the files say now and later.
    #[must_use]
    pub fn trusted(&self) -> Trusted {
        self.trusted.subscribe()
    }

    /// A way to the API server, with connections of its own.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub fn transport(&self) -> Result<Transport, AccessError> {
        self.shaped(Config::clone, None)
    }

    /// The same for whoever `tokens` are for, and nobody else.
    ///
    /// # Errors
    /// When the address or the trusted CA cannot be used.
    pub fn transport_as(&self, tokens: Tokens) -> Result<Transport, AccessError> {
        self.shaped(anonymous, Some(tokens))
    }

    /// kube's client, with connections of its own.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub fn client(&self) -> Result<Client, AccessError> {
        self.client_with(Config::clone)
    }

    /// The same, and `shape` applied to its configuration.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub fn client_with(&self, shape: Shape) -> Result<Client, AccessError> {
        self.shaped(shape, None).map(Client::from)
    }

    fn shaped(&self, shape: Shape, tokens: Option<Tokens>) -> Result<Transport, AccessError> {
        let credentials = self.credentials.subscribe();
        let transport = Transport::connecting(&shape(&credentials.borrow().config))?;
        let current = Arc::new(Mutex::new(Current { credentials, shape, transport }));
        Ok(Transport(BoxCloneSyncService::new(Following { current, tokens })))
    }

    /// Looks at the files again every `interval`, for ever. Files that cannot be used change nothing.
    pub async fn follow(self, interval: Duration) {
        let said = OncePer::new(Duration::from_secs(300));
        self.count();
        if !self.credentials.borrow().may_be_replaced() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(interval).await;
            match self.renewed().await {
                Ok(None) => (),
                Ok(Some(credentials)) => {
                    self.trusted.send_if_modified(|trusted| {
                        let former = std::mem::replace(trusted, authorities(&credentials));
                        former != *trusted
                    });
                    self.credentials.send_replace(Arc::new(credentials));
                    self.count();
                    tracing::info!("the credentials for the API server were replaced");
                }
                Err(error) => {
                    self.metrics.failed("credentials");
                    if said.permits("credentials") {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the credentials for the API server changed and cannot be used, keeping the last ones"
                        );
                    }
                }
            }
        }
    }

    async fn renewed(&self) -> Result<Option<Credentials>, AccessError> {
        let found = self.access.load().await?;
        if found.is_same_as(&self.credentials.borrow()) {
            return Ok(None);
        }
        Transport::connecting(&found.config)?;
        Ok(Some(found))
    }

    fn count(&self) {
        if let Some(not_after) = self.credentials.borrow().not_after.filter(|_| self.shows_expiry) {
            self.metrics.client_certificate(not_after.unix_timestamp());
        }
    }
}

fn authorities(credentials: &Credentials) -> Vec<Vec<u8>> {
    credentials.config.root_cert.clone().unwrap_or_default()
}

/// Where the API server is and whom to trust, but not who we are.
fn anonymous(config: &Config) -> Config {
    let mut config = config.clone();
    config.auth_info = AuthInfo::default();
    config
}

/// Sends each request with the credentials of the moment.
#[derive(Clone)]
struct Following {
    current: Arc<Mutex<Current>>,
    tokens: Option<Tokens>,
}

/// The way that goes with the credentials of the moment; all clones of a [`Following`] share it.
struct Current {
    credentials: watch::Receiver<Arc<Credentials>>,
    shape: Shape,
    transport: Transport,
}

impl Current {
    fn send(
        &mut self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Answer>, BoxError>> + Send + use<> {
        if self.credentials.has_changed().unwrap_or(false) {
            let config = (self.shape)(&self.credentials.borrow_and_update().config);
            // It was tried out before it was published.
            if let Ok(transport) = Transport::connecting(&config) {
                self.transport = transport;
            }
        }
        self.transport.send(request)
    }
}

impl Following {
    async fn send(self, mut request: Request<Body>) -> Result<Response<Answer>, BoxError> {
        let Some(tokens) = &self.tokens else {
            return self.sent(request).await;
        };
        let token = tokens.current().await?;
        request.headers_mut().insert(header::AUTHORIZATION, token.header());
        let response = self.sent(request).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            tokens.refused(&token);
        }
        Ok(response)
    }

    /// Nothing is locked while the answer is waited for.
    fn sent(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Answer>, BoxError>> + Send + use<> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).send(request)
    }
}

impl Service<Request<Body>> for Following {
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Answer>, BoxError>>;
    type Response = Response<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
