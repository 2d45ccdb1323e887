use csr::Progress;
use serde::Serialize;

/// Where an object stands, in a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has said anything.
    Pending,
    /// It may be signed.
    Approved,
    /// It must not be signed.
    Denied,
    /// The signer has refused it.
    Failed,
    /// There is a certificate.
    Issued,
}

impl State {
    /// What the facts of an object amount to.
    #[must_use]
    pub fn of(progress: Progress) -> Self {
        if progress.certificate.is_present() {
            Self::Issued
        } else if progress.denied.is_some() {
            Self::Denied
        } else if progress.failed_effective {
            Self::Failed
        } else if progress.approved.is_some() {
            Self::Approved
        } else {
            Self::Pending
        }
    }

    /// The word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Issued => "issued",
        }
    }

    /// Whether somebody has still to do something.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}
