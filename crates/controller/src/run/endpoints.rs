//! The endpoints of this process, from their start to their end.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{POLL, RunError, clients};
use crate::config::{KubeconfigFile, Serving, TlsFiles};
use crate::configuration::Effective;
use crate::driver::Watched;
use crate::kube::client::Clients;
use crate::pair::PairFiles;
use crate::serve::auth::{Delegates, Gate};
use crate::serve::metrics::Metrics;
use crate::serve::tls::{Tls, TlsError};
use crate::serve::{Served, Server};

/// Endpoints being served, where any are.
#[derive(Debug)]
pub(super) struct Endpoints(Option<(JoinHandle<()>, CancellationToken)>);

/// What is to be seen.
pub(super) struct Shown<'a> {
    pub(super) watched: &'a Watched,
    pub(super) configuration: watch::Receiver<Arc<Effective>>,
}

impl Endpoints {
    pub(super) async fn start(
        config: Option<&Serving>,
        shown: Shown<'_>,
        clients: &Clients,
        background: &mut JoinSet<()>,
    ) -> Result<Self, RunError> {
        let Some(config) = config else {
            return Ok(Self(None));
        };
        let Shown { watched, configuration } = shown;
        let tls = tls(config)?;
        let [authentication, authorization] = kubeconfigs(config);
        let authentication = delegate(authentication, watched, clients, background).await?;
        let authorization = delegate(authorization, watched, clients, background).await?;
        let delegates = Delegates { authentication, authorization };
        let served = Served {
            health: Arc::clone(&watched.health),
            metrics: Arc::clone(&watched.metrics),
            configuration,
            gate: Gate::delegated(&delegates, config.always_allow_paths.clone()),
        };
        let address = config.address;
        let server = Server::bind(address, tls, served).await;
        let server = server.map_err(|source| RunError::Listen { address, source })?;
        let cancel = CancellationToken::new();
        Ok(Self(Some((tokio::spawn(server.run(cancel.clone())), cancel))))
    }

    /// Returns when they have ended by themselves, which they should not.
    pub(super) async fn ended(&mut self) -> Result<(), JoinError> {
        match &mut self.0 {
            Some((server, _)) => server.await,
            None => std::future::pending().await,
        }
    }

    /// Returns when the last answer is given.
    pub(super) async fn stop(&mut self) {
        if let Some((server, cancel)) = self.0.take() {
            cancel.cancel();
            // How it ended makes no difference any more.
            let _ = server.await;
        }
    }
}

/// Reads what [`Endpoints::start`] would, and starts nothing.
pub(super) async fn check(config: &Serving, metrics: &Arc<Metrics>) -> Result<(), RunError> {
    tls(config)?;
    for kubeconfig in kubeconfigs(config).into_iter().flatten() {
        clients::load_delegate(kubeconfig, metrics).await?;
    }
    Ok(())
}

fn tls(config: &Serving) -> Result<Tls, TlsError> {
    let pair = |files: &TlsFiles| PairFiles { cert: files.certificate.clone(), key: files.key.clone() };
    Tls::new(config.tls.as_ref().map(pair))
}

/// Whom to ask who a caller is, and what it may do.
fn kubeconfigs(config: &Serving) -> [Option<&KubeconfigFile>; 2] {
    [config.authentication_kubeconfig.as_ref(), config.authorization_kubeconfig.as_ref()]
}

/// A client to ask about those who ask us.
async fn delegate(
    kubeconfig: Option<&KubeconfigFile>,
    watched: &Watched,
    clients: &Clients,
    background: &mut JoinSet<()>,
) -> Result<kube::Client, RunError> {
    let ours = clients.access().kubeconfig.as_ref();
    let Some(kubeconfig) = kubeconfig.filter(|file| ours != Some(&file.path)) else {
        return Ok(clients.client()?);
    };
    let clients = clients::load_delegate(kubeconfig, &watched.metrics).await?;
    let client = clients.client()?;
    background.spawn(clients.follow(POLL));
    Ok(client)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn a_server_that_ends_by_itself_is_noticed_and_none_never_ends() {
        assert!(poll!(pin!(Endpoints(None).ended())).is_pending());
        let server: JoinHandle<()> = tokio::spawn(std::future::pending());
        server.abort();
        let ended = Endpoints(Some((server, CancellationToken::new()))).ended().await;
        assert!(ended.is_err());
    }
}
