//! What ends the process.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::task::JoinError;

use crate::ca::LoadError;
use crate::config::Origin;
use crate::driver::DriverError;
use crate::kube::access::AccessError;
use crate::kube::lease::{LeaseConfigError, LeaseLost};
use crate::serve::tls::TlsError;

/// Why the process ends other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Metrics could not be set up.
    #[error("failed to set up metrics")]
    Metrics(#[from] prometheus::Error),

    /// A CA.
    #[error(transparent)]
    Authorities(#[from] LoadError),

    /// The API server's address, or who we are to it.
    #[error("failed to set up the connection to the API server")]
    Access(#[from] AccessError),

    /// A kubeconfig.
    #[error("{origin} {} cannot be used", path.display())]
    Kubeconfig {
        /// Where it was given.
        origin: Origin,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: AccessError,
    },

    /// The endpoints' certificate.
    #[error("failed to serve")]
    Serve(#[from] TlsError),

    /// The endpoints' port.
    #[error("failed to listen on {address} (--bind-address, --secure-port)")]
    Listen {
        /// What cannot be bound.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },

    /// The system did not give us what we need.
    #[error("failed to start")]
    System(#[from] std::io::Error),

    /// The election cannot be held so.
    #[error("failed to set up leader election")]
    Election(#[from] LeaseConfigError),

    /// We led, and lead no more.
    #[error("the lease is lost")]
    Lease(#[from] LeaseLost),

    /// The engine cannot go on.
    #[error("the engine has stopped")]
    Driver(#[from] DriverError),

    /// A task panicked.
    #[error("a task has ended by itself")]
    Task(#[source] Option<JoinError>),

    /// Told to stop a second time.
    #[error("stopped at once by a second signal")]
    Impatience,
}
