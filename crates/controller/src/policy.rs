//! What this process works by at one moment: who signs with what, and what there is to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use csr::SignerName;
use engine::{Retention, Standings};
use signer::{CertificateAuthority, Profile, Signer};

use crate::config::Config;

/// One consistent whole. A reload replaces it by another one, and an effect takes it once: a profile and a CA that do not
/// belong together never meet.
#[derive(Debug, Default)]
pub struct Policy {
    /// Who signs for which signerName.
    pub signers: BTreeMap<SignerName, Signer>,

    /// What the approver works by.
    pub approval: approver::Policy,

    /// What there is to do for whom.
    pub standings: Standings,
}

/// The authority of each signerName.
pub type Authorities = BTreeMap<SignerName, Arc<CertificateAuthority>>;

impl Policy {
    /// What the command line asks for, with these authorities.
    #[must_use]
    pub fn new(config: &Config, authorities: &Authorities) -> Self {
        let signer = |(name, authority): (&SignerName, &Arc<CertificateAuthority>)| {
            let profile = Profile::built_in(name, config.duration)?;
            Some((name.clone(), Signer::new(name.clone(), profile, Arc::clone(authority))))
        };
        let signers: BTreeMap<_, _> = authorities.iter().filter_map(signer).collect();
        let serving = config.kubelet_serving.as_ref().map(|_| SignerName::KUBELET_SERVING);
        let decided = [SignerName::KUBE_APISERVER_CLIENT_KUBELET].into_iter().chain(serving);
        let standings = Standings {
            duties: engine::Duties {
                approve: config.duties.approve,
                sign: config.duties.sign,
                clean: config.duties.clean,
            },
            decided: decided.into_iter().map(SignerName::from).collect(),
            signed: signers.keys().cloned().collect(),
            retention: Retention::default(),
        };
        let approval = approver::Policy { node_server: config.kubelet_serving.clone() };
        Self { signers, approval, standings }
    }
}
