//! What goes wrong with a Lease, and what ends a term.

use std::fmt;
use std::time::Duration;

/// What was asked of the API server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Read the Lease.
    Get,
    /// Follow its changes.
    Watch,
    /// Make it, where it does not exist.
    Create,
    /// Write it with the resourceVersion seen.
    Update,
}

impl Verb {
    /// As RBAC spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why one attempt failed. All of it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody wrote it since we read it.
    #[error("the Lease changed in between")]
    Conflict,
    /// It was deleted.
    #[error("the Lease does not exist")]
    NotFound,
    /// We led, and somebody else does now.
    #[error("the Lease was taken by {holder:?}")]
    Taken {
        /// Who holds it.
        holder: String,
    },
    /// RBAC does not allow it.
    #[error("not allowed to {verb} leases")]
    Forbidden {
        /// What is not allowed.
        verb: Verb,
        /// The API server's words.
        message: String,
    },
    /// No answer. It may have been done all the same.
    #[error("no answer to {verb} within {limit:?}")]
    TimedOut {
        /// What was asked.
        verb: Verb,
        /// How long we waited.
        limit: Duration,
    },
    /// A watch ended, as all of them do.
    #[error("the watch of the Lease ended")]
    WatchEnded,
    /// Any other answer, or none.
    #[error("failed to {verb} the Lease")]
    Call {
        /// What was asked.
        verb: Verb,
        /// What came of it.
        #[source]
        source: Box<kube::Error>,
    },
}

impl LeaseError {
    pub(super) fn from_api(verb: Verb, source: kube::Error) -> Self {
        match source {
            kube::Error::Api(status) if status.code == 409 => Self::Conflict,
            kube::Error::Api(status) if status.code == 404 => Self::NotFound,
            kube::Error::Api(status) if status.code == 403 => {
                Self::Forbidden { verb, message: status.message }
            }
            // A resourceVersion too old to watch from: the next look brings a new one.
            kube::Error::Api(status) if status.code == 410 && verb == Verb::Watch => Self::WatchEnded,
            source => Self::Call { verb, source: Box::new(source) },
        }
    }
}

/// Why we lead no more. The process ends with it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeaseLost {
    /// It could not be renewed in time; nobody can have taken it yet.
    #[error("leader election lost: the lease could not be renewed for {limit:?}")]
    Expired {
        /// The renew deadline.
        limit: Duration,
    },
    /// Somebody else holds it.
    #[error("leader election lost: the lease was taken by {holder:?}")]
    Taken {
        /// Who holds it; empty when it was released by hand.
        holder: String,
    },
}
