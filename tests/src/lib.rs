//! A real control plane for tests: etcd, kube-apiserver, kube-controller-manager and countersign on loopback.
//!
//! A test starts a [`ControlPlane`] of its own in three seconds, or shares one ([`Shared`]), runs a signer beside it, sends
//! [`requests`] and waits for their [`outcome`]. All that was started ends with the test, and when the test fails the logs
//! are shown:
//!
//! ```no_run
//! use countersign_e2e::{ControlPlane, Options, Outcome, TestResult, outcome, requests};
//!
//! # async fn example() -> TestResult {
//! let cluster = ControlPlane::start(Options::default()).await?;
//! let signer = cluster.start_signer().await?;
//! let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
//! let name = requests::kubelet_client("node-1")?.create(&kubelet).await?;
//! outcome::reached(&cluster.admin().await?, &name, Outcome::Issued).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Real kubelets join it where all of it runs in a [box](node_box): see [`nodes`].
//!
//! `COUNTERSIGN_E2E_SIGNER=kcm` puts kube-controller-manager in countersign's place, which tests the tests. The binaries
//! are built by `make controlplane`, or found in `$KUBEBUILDER_ASSETS`; countersign is `$COUNTERSIGN_BIN` or what cargo built.

mod apiserver;
pub mod approval;
pub mod binaries;
pub mod bindings;
pub mod certificate;
pub mod containers;
mod control_plane;
pub mod differential;
pub mod dns;
mod document;
mod failure;
pub mod faults;
mod kubeconfig;
mod kubelet;
mod machine;
pub mod node_box;
pub mod nodes;
mod options;
pub mod outcome;
pub mod pki;
mod port;
mod process;
pub mod quiescence;
pub mod requests;
mod shared;
mod signer;
mod spawner;
mod store;
pub mod tls;
mod user;
pub mod wait;

pub use apiserver::Kubelets;
pub use control_plane::{API_SERVER, ControlPlane, VIRTUAL_ADDRESS};
pub use document::Document;
pub use failure::{Failure, TestResult};
pub use kubelet::{Installation, Kubelet};
pub use options::Options;
pub use outcome::Outcome;
pub use process::{Process, Signal as UnixSignal};
pub use shared::Shared;
pub use signer::{Command, Program, Signer};
pub use user::User;
