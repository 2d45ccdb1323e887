//! Whose CA a signer must not share: what the cluster trusts makes whoever it names a user, a group, or an API server.
//!
//! A custom signer with the client CA would be a way around every rule of the built-in ones: its requests may ask for the group
//! `system:masters`. So it signs nothing before it is known which CAs these are, and nothing while its own is one of them,
//! unless the configuration says that it may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ::config::Configuration;
use csr::{SignerName, pem};
use http::Request;
use serde::Deserialize;
use signer::CertificateAuthority;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::configuration::Effective;
use crate::kube::call::{CallError, Caller, Operation};
use crate::kube::client::Trusted;
use crate::log::OncePer;
use crate::policy::Authorities;

/// The certificates, in DER, of the CAs that the cluster trusts, those of the built-in signers apart.
pub type ClusterCas = Arc<BTreeSet<Vec<u8>>>;

/// Why a signer does not sign for now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Clash {
    /// It could be.
    #[error(
        "it is not known yet which CAs the cluster trusts (ConfigMap kube-system/extension-apiserver-authentication)"
    )]
    Unknown,

    /// It is.
    #[error("the cluster trusts its CA: give it another one, or set allowClusterCA")]
    Shared,
}

impl Clash {
    /// The clash in a word, for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unknown => "cluster_ca_unknown",
            Self::Shared => "cluster_ca",
        }
    }
}

/// The signers that must not sign: those that are not built in and not allowed to, whose CA the cluster trusts, as far as that is
/// known, or a built-in signer has.
pub(crate) fn clashes(
    configuration: &Configuration,
    authorities: &Authorities,
    cluster: Option<&ClusterCas>,
) -> BTreeMap<SignerName, Clash> {
    let built_in = |(name, _): &(&SignerName, _)| SignerName::BUILT_IN.contains(&name.as_str());
    let built_in = authorities.iter().filter(built_in).map(|(_, authority)| authority.certificate_der());
    let trusted = cluster.into_iter().flat_map(|cluster| cluster.iter().map(Vec::as_slice));
    let all: Vec<_> = built_in.chain(trusted).collect();
    let is_shared = |authority: &CertificateAuthority| {
        // What cannot be read may be anything.
        all.iter().any(|certificate| authority.is_trusted_with(certificate).unwrap_or(true))
    };
    let clash = |authority: &CertificateAuthority| match cluster {
        _ if is_shared(authority) => Some(Clash::Shared),
        None => Some(Clash::Unknown),
        Some(_) => None,
    };
    let guarded = configuration.signers.iter().filter(|signer| is_guarded(signer));
    guarded.filter_map(|signer| Some((signer.name.clone(), clash(authorities.get(&signer.name)?)?))).collect()
}

fn is_guarded(signer: &::config::Signer) -> bool {
    !signer.is_built_in() && !signer.allow_cluster_ca
}

/// Reads what the API server publishes of the CAs that it trusts.
#[derive(Debug)]
pub struct ClusterCaReader {
    caller: Caller,
    roots: Trusted,
    said: OncePer,
}

/// The ConfigMap, as far as it is read.
#[derive(Deserialize)]
struct Published {
    #[serde(default)]
    data: BTreeMap<String, String>,
}

impl ClusterCaReader {
    /// One that asks `caller`; `roots` are what API servers' certificates chain to.
    #[must_use]
    pub fn new(caller: Caller, roots: Trusted) -> Self {
        Self { caller, roots, said: OncePer::new(Duration::from_secs(600)) }
    }

    /// What the cluster trusts, once it is known and whenever it changes. Nothing is asked before a signer is configured for which
    /// it matters.
    pub fn start(
        self,
        configuration: watch::Receiver<Arc<Effective>>,
        background: &mut JoinSet<()>,
    ) -> watch::Receiver<Option<ClusterCas>> {
        let (current, subscriber) = watch::channel(None);
        background.spawn(self.follow(configuration, current));
        subscriber
    }

    async fn follow(
        self,
        mut configuration: watch::Receiver<Arc<Effective>>,
        current: watch::Sender<Option<ClusterCas>>,
    ) {
        let matters = |effective: &Arc<Effective>| effective.configuration().signers.iter().any(is_guarded);
        if configuration.wait_for(matters).await.is_err() {
            return std::future::pending().await;
        }
        loop {
            let pause = match self.read().await {
                Ok(found) => {
                    let found = Some(Arc::new(found));
                    current.send_if_modified(|current| {
                        let is_new = *current != found;
                        *current = found;
                        is_new
                    });
                    PERIOD
                }
                Err(error) => {
                    if self.said.permits("") {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "the CAs that the cluster trusts cannot be read");
                    }
                    AGAIN
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn read(&self) -> Result<BTreeSet<Vec<u8>>, CallError> {
        let answer = self.caller.call(READ, Request::get(PATH).body(Vec::new())).await?;
        let unreadable =
            |source: serde_json::Error| CallError::Unreadable { operation: READ, source: source.into() };
        let published: Published = serde_json::from_slice(&answer).map_err(unreadable)?;
        let bundles = BUNDLES.iter().filter_map(|key| published.data.get(*key));
        let certificates = bundles.flat_map(|bundle| {
            let blocks = pem::blocks(bundle.as_bytes()).filter(|block| block.label == b"CERTIFICATE");
            blocks.map(|block| block.contents.to_vec())
        });
        Ok(certificates.chain(self.roots.borrow().iter().cloned()).collect())
    }
}

const READ: Operation = Operation::new("get", "configmaps (kube-system/extension-apiserver-authentication)");
const PATH: &str = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
/// The CA that vouches for clients, and the one that vouches for those who vouch for others.
const BUNDLES: [&str; 2] = ["client-ca-file", "requestheader-client-ca-file"];

/// How often they are read. A CA is rotated over days.
const PERIOD: Duration = Duration::from_secs(60);

/// How soon again after a failure.
const AGAIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
