//! The shell: everything that watches, writes, reads files and serves, and the binary countersign.

pub mod kube;
pub mod log;
pub mod serve;
