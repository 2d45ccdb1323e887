//! A server that shows its certificate and says nothing more.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::pki::Pair;

/// A listener. Dropping it ends it.
#[derive(Debug)]
pub struct Listener {
    state: Arc<State>,
    _task: JoinSet<()>,
}

struct State {
    acceptor: Mutex<TlsAcceptor>,
    connections: AtomicUsize,
}

impl Listener {
    /// Presents a certificate at an address.
    ///
    /// # Errors
    /// When the address is taken, or the certificate is none.
    pub async fn start(at: SocketAddr, pair: &Pair) -> Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let state =
            Arc::new(State { acceptor: Mutex::new(acceptor(pair)?), connections: AtomicUsize::default() });
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { state, _task: task })
    }

    /// Presents another certificate from now on.
    ///
    /// # Errors
    /// When it is none.
    pub fn presents(&self, pair: &Pair) -> Result<()> {
        *self.state.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor(pair)?;
        Ok(())
    }

    /// How often somebody has come.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("connections", &self.connections).finish_non_exhaustive()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((connection, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::Relaxed);
        let acceptor = state.acceptor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move { acceptor.accept(connection).await.is_ok() });
    }
}

/// What serves with a certificate and its key.
pub(crate) fn acceptor(pair: &Pair) -> Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
