use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use csr::SignerName;

/// What this process has to do with every CertificateSigningRequest there is. A reload replaces the whole.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standings {
    /// Which of the three controllers run.
    pub duties: Duties,

    /// The signerNames that the approver has an opinion on.
    pub decided: BTreeSet<SignerName>,

    /// The signerNames that we sign for.
    pub signed: BTreeSet<SignerName>,

    /// How long finished and stale objects are kept.
    pub retention: Retentions,
}

/// What this process has to do with one CertificateSigningRequest: the same, narrowed to its signerName.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// What there is to do for a request of this signerName.
    pub duties: Duties,

    /// How long it is kept.
    pub retention: Retention,
}

/// The work of kube-controller-manager's csrapproving, csrsigning and csrcleaner.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Duties {
    /// Decide who may have a certificate.
    pub approve: bool,

    /// Sign what is approved.
    pub sign: bool,

    /// Delete what is finished or stale.
    pub clean: bool,
}

/// How long objects are kept, whoever's they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Retentions {
    /// Those of signerNames that have none of their own.
    pub general: Retention,

    /// Those of some signerNames, each in place of the general one.
    pub of_signers: BTreeMap<SignerName, Retention>,
}

/// How long an object is kept, by the clock that each cleaning rule looks at. A time that has exactly passed does not
/// count: it must be exceeded.
///
/// The defaults are kube-controller-manager's (`pkg/controller/certificates/cleaner/cleaner.go`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Approved, and the certificate issued: since its approval.
    pub issued: Duration,

    /// Denied: since its denial.
    pub denied: Duration,

    /// Failed: since its failure.
    pub failed: Duration,

    /// Without any condition: since its creation.
    pub pending: Duration,

    /// Approved, and no certificate yet: since its approval.
    pub approved: Duration,

    /// Approved, and the certificate expired: since then.
    pub expired: Duration,
}

impl Retentions {
    /// How long objects of this signerName are kept.
    pub fn of(&self, signer_name: &SignerName) -> Retention {
        *self.of_signers.get(signer_name).unwrap_or(&self.general)
    }
}

impl From<Retention> for Retentions {
    /// The same for every signerName.
    fn from(general: Retention) -> Self {
        Self { general, of_signers: BTreeMap::new() }
    }
}

impl Standings {
    /// What there is to do for a request of this signerName.
    pub fn of(&self, signer_name: &SignerName) -> Standing {
        Standing {
            duties: Duties {
                approve: self.duties.approve && self.decided.contains(signer_name),
                sign: self.duties.sign && self.signed.contains(signer_name),
                clean: self.duties.clean,
            },
            retention: self.retention.of(signer_name),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            issued: HOUR,
            denied: HOUR,
            failed: HOUR,
            pending: DAY,
            approved: DAY,
            expired: Duration::ZERO,
        }
    }
}
