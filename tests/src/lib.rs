//! A real control plane for tests: etcd, kube-apiserver, kube-controller-manager and countersign on loopback.

pub mod approval;
pub mod binaries;
pub mod bindings;
pub mod certificate;
mod control_plane;
pub mod differential;
mod failure;
pub mod faults;
mod kubeconfig;
mod options;
pub mod outcome;
pub mod pki;
mod port;
mod process;
pub mod quiescence;
pub mod requests;
mod shared;
mod signer;
mod store;
mod user;
pub mod wait;

pub use control_plane::ControlPlane;
pub use failure::{Failure, TestResult};
pub use options::Options;
pub use outcome::Outcome;
pub use process::{Process, Signal as UnixSignal};
pub use shared::Shared;
pub use signer::{Command, Program, Signer};
pub use user::User;
