//! What goes wrong with a Lease, and what ends a term.

use std::fmt;
use std::io;
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
            // Nothing happened for as long as its client waits (see `LeaseConfig::client_config`), as on any quiet watch.
            kube::Error::ReadEvents(silence) if has_timed_out(&silence) => Self::WatchEnded,
            source => Self::Call { verb, source: Box::new(source) },
        }
    }
}

/// Whether a limit of time is at the bottom of an error; HTTP wraps it more than once.
fn has_timed_out(error: &io::Error) -> bool {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |&cause| cause.source());
    causes.any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
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

#[cfg(test)]
mod tests {
    use futures::{StreamExt, TryStreamExt};
    use k8s_openapi::api::coordination::v1::Lease;
    use kube::Api;
    use kube::api::WatchParams;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_watch_on_which_nothing_happens_has_ended_when_its_client_waits_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let silent = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            assert_ne!(connection.read(&mut [0; 4096]).await.unwrap(), 0, "the question");
            connection.write_all(head.as_bytes()).await.unwrap();
            let _ = connection.read_to_end(&mut Vec::new()).await;
        });
        let mut config = kube::Config::new(url.parse().unwrap());
        config.read_timeout = Some(Duration::from_millis(200));
        let leases: Api<Lease> = Api::namespaced(kube::Client::try_from(config).unwrap(), "kube-system");
        let mut changes = leases.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let end = changes.try_next().await.map_err(|source| LeaseError::from_api(Verb::Watch, source));
        assert!(matches!(end, Err(LeaseError::WatchEnded)), "{end:?}");
        silent.abort();
    }
}
