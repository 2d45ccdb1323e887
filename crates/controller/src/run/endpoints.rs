//! The endpoints of this process, from their start to their end.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::config::Serving;
use crate::driver::Watched;
use crate::kube::access::{Access, AccessError};
use crate::kube::client::Clients;
use crate::pair::PairFiles;
use crate::serve::auth::{Delegates, Gate};
use crate::serve::tls::Tls;
use crate::serve::{Served, Server};

/// Endpoints being served, where any are.
#[derive(Debug)]
pub(super) struct Endpoints(Option<(JoinHandle<()>, CancellationToken)>);

impl Endpoints {
    pub(super) async fn start(
        config: Option<&Serving>,
        watched: &Watched,
        clients: &Clients,
    ) -> Result<Self, RunError> {
        let Some(config) = config else {
            return Ok(Self(None));
        };
        let files = config
            .tls
            .as_ref()
            .map(|files| PairFiles { cert: files.certificate.clone(), key: files.key.clone() });
        let tls = Tls::new(files).map_err(|error| RunError::Serve(error.into()))?;
        let delegates = Delegates {
            authentication: delegate(config.authentication_kubeconfig.as_ref(), watched, clients).await?,
            authorization: delegate(config.authorization_kubeconfig.as_ref(), watched, clients).await?,
        };
        let served = Served {
            health: Arc::clone(&watched.health),
            metrics: Arc::clone(&watched.metrics),
            gate: Gate::delegated(&delegates, config.always_allow_paths.clone()),
        };
        let server = Server::bind(config.address, tls, served).await;
        let server = server.map_err(|error| RunError::Serve(error.into()))?;
        let cancel = CancellationToken::new();
        Ok(Self(Some((tokio::spawn(server.run(cancel.clone())), cancel))))
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

/// A client to ask about those who ask us.
async fn delegate(
    kubeconfig: Option<&PathBuf>,
    watched: &Watched,
    clients: &Clients,
) -> Result<kube::Client, AccessError> {
    let Some(kubeconfig) = kubeconfig.filter(|path| clients.access().kubeconfig.as_ref() != Some(path))
    else {
        return clients.client();
    };
    let access = Access { kubeconfig: Some(kubeconfig.clone()), master: None };
    Clients::load(access, Arc::clone(&watched.metrics)).await?.client()
}
