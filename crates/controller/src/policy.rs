//! What this process works by at one moment: who signs with what, and what there is to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::config::{Configuration, KubeletServing};
use csr::SignerName;
use engine::Standings;
use signer::{CertificateAuthority, Profile, Signer};
use time::Duration;

use crate::cluster_ca::{self, Clash, ClusterCas};
use crate::config::Config;

/// One consistent whole. A reload replaces it by another one, and an effect takes it once: a profile and a CA that do not
/// belong together never meet.
#[derive(Debug, Default)]
pub struct Policy {
    /// Who signs for which signerName.
    pub signers: BTreeMap<SignerName, Signer>,

    /// What the approver works by.
    pub approval: approver::Policy,

    /// Whether and how kubelets' serving certificates are approved, with what the facts for it are looked up by.
    pub kubelet_serving: Option<Arc<KubeletServing>>,

    /// Signers that must not sign for now, for their CA may be one that the cluster trusts.
    pub clashes: BTreeMap<SignerName, Clash>,

    /// What there is to do for whom.
    pub standings: Standings,
}

/// The authority of each signerName.
pub type Authorities = BTreeMap<SignerName, Arc<CertificateAuthority>>;

impl Policy {
    /// What the command line and the configuration file ask for, with these authorities.
    #[must_use]
    pub fn new(
        config: &Config,
        configuration: &Configuration,
        authorities: &Authorities,
        cluster: Option<&ClusterCas>,
    ) -> Self {
        let signer = |(name, authority): (&SignerName, &Arc<CertificateAuthority>)| {
            let profile = profile(configuration, name, config.duration)?;
            Some((name.clone(), Signer::new(name.clone(), profile, Arc::clone(authority))))
        };
        let signers: BTreeMap<_, _> = authorities.iter().filter_map(signer).collect();
        let kubelet_serving =
            configuration.kubelet_serving.clone().filter(|serving| serving.enabled).map(Arc::new);
        let standings = Standings {
            duties: engine::Duties {
                approve: config.duties.approve,
                sign: config.duties.sign,
                clean: config.duties.clean,
            },
            decided: decided(kubelet_serving.is_some()),
            signed: signers.keys().cloned().collect(),
            retention: configuration.retention.clone(),
        };
        let clashes = cluster_ca::clashes(configuration, authorities, cluster);
        Self { signers, approval: configuration.approval(), kubelet_serving, clashes, standings }
    }
}

/// By what the requests for a signer are judged and its certificates made, where certificates last as long as `flag`
/// (`--cluster-signing-duration`) unless the file says something else; `None` for a name that nobody here signs for.
#[must_use]
pub fn profile(configuration: &Configuration, name: &SignerName, flag: Duration) -> Option<Profile> {
    let upstream = Profile::built_in(name, flag);
    let Some(signer) = configuration.signer(name) else {
        return upstream;
    };
    let (limits, terms) = (signer.limits.clone(), signer.terms(flag));
    Some(match upstream {
        Some(upstream) => upstream.narrowed(limits, terms),
        None if signer.allow_cluster_ca => Profile::custom(limits, terms).sharing_cluster_ca(),
        None => Profile::custom(limits, terms),
    })
}

/// The signerNames whose requests are approved here.
fn decided(kubelet_serving: bool) -> BTreeSet<SignerName> {
    let serving = kubelet_serving.then_some(SignerName::KUBELET_SERVING);
    let names = [SignerName::KUBE_APISERVER_CLIENT_KUBELET].into_iter().chain(serving);
    names.map(SignerName::from).collect()
}
