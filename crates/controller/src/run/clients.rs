//! The credentials for the API server, loaded with the flag at hand that names them.

use std::sync::Arc;

use super::RunError;
use crate::config::{ClientConfig, KubeconfigFile};
use crate::kube::access::{Access, AccessError};
use crate::kube::client::Clients;
use crate::serve::metrics::Metrics;

/// Those to work with. Nothing is sent.
pub(super) async fn load(config: &ClientConfig, metrics: &Arc<Metrics>) -> Result<Clients, RunError> {
    let kubeconfig = config.kubeconfig.as_ref();
    let access =
        Access { kubeconfig: kubeconfig.map(|file| file.path.clone()), master: config.master.clone() };
    let clients = Clients::load(access, Arc::clone(metrics)).await;
    clients.map_err(|error| match kubeconfig {
        Some(file) => named(file, error),
        None => error.into(),
    })
}

/// Those of a kubeconfig beside it, to ask about callers with. Nothing is sent.
pub(super) async fn load_delegate(
    kubeconfig: &KubeconfigFile,
    metrics: &Arc<Metrics>,
) -> Result<Clients, RunError> {
    let access = Access { kubeconfig: Some(kubeconfig.path.clone()), master: None };
    let clients = Clients::load(access, Arc::clone(metrics)).await;
    clients.map(Clients::without_expiry).map_err(|error| named(kubeconfig, error))
}

fn named(kubeconfig: &KubeconfigFile, source: AccessError) -> RunError {
    let KubeconfigFile { origin, path } = kubeconfig.clone();
    RunError::Kubeconfig { origin, path, source }
}
