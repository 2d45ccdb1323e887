//! The shell: everything that watches, writes, reads files and serves, and the binary countersign.

pub mod answers;
pub mod ca;
mod chain;
pub mod cli;
pub mod cluster_ca;
pub mod config;
pub mod configuration;
pub mod driver;
pub mod executor;
pub mod explain;
pub mod facts;
pub mod kube;
pub mod kubelets;
pub mod log;
pub mod pair;
pub mod policy;
pub mod run;
pub mod serve;
pub mod signing_threads;
