//! A real control plane for tests: etcd, kube-apiserver, kube-controller-manager and countersign on loopback.

pub mod binaries;
pub mod bindings;
mod control_plane;
mod kubeconfig;
mod options;
pub mod pki;
mod port;
mod process;
mod user;
pub mod wait;

pub use control_plane::ControlPlane;
pub use options::Options;
pub use process::{Process, Signal};
pub use user::User;
