//! `make bench`: countersign and kube-controller-manager on one API server, in one run.
//!
//! Each scenario lets the contestants do the same work in turn, in alternating order, several times over, and reads what it
//! took: how long each request waited, what the processes used up (/proc), and what the API server was asked (its own
//! counters). What is compared are ratios within a pair, for machines are noisy; from a run in which not every request got its
//! certificate there is no ratio. Raw figures and a plot go to a directory.

mod cluster;
mod contestant;
mod counters;
mod draft;
mod figures;
mod load;
mod observer;
mod options;
mod plot;
mod probe;
mod report;
mod scenario;
mod trial;
mod usage;

use anyhow::Result;
use clap::Parser as _;

use crate::options::{Options, Verb};

#[tokio::main]
async fn main() -> Result<()> {
    // Whoever comes first installs it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Options::parse().verb {
        Verb::Run(plan) => scenario::run(&plan).await,
        Verb::Probe(target) => probe::run(target).await,
    }
}
