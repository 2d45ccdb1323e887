//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures countersign beside kube-controller-manager.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run scenarios and print what was measured.
    Run(Plan),

    /// Be the bare probe: for each request three calls and no judgement. Started by `run`.
    #[command(hide = true)]
    Probe(Target),
}

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// The scenarios, all of them when none is named.
    #[arg(value_enum)]
    pub(crate) scenarios: Vec<Scenario>,

    /// Runs of each contestant in each scenario; with an even number each goes first as often as the others.
    #[arg(long, default_value = "6", value_parser = at_least_one)]
    pub(crate) pairs: usize,

    /// Divides the number of requests, for a quick look.
    #[arg(long, default_value = "1", value_parser = at_least_one)]
    pub(crate) divide: usize,

    /// Where raw figures and plots go.
    #[arg(long, default_value = "target/bench")]
    pub(crate) out: PathBuf,
}

/// Where the probe works.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    #[arg(long)]
    pub(crate) kubeconfig: PathBuf,

    /// What every request gets.
    #[arg(long)]
    pub(crate) certificate: PathBuf,

    /// Serve only requests whose names begin so.
    #[arg(long, default_value = "")]
    pub(crate) only: String,
}

/// A kind of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Scenario {
    /// 2,000 requests as fast as 8 creators can, without client-side limits.
    Storm,
    /// The same with an ECDSA CA.
    StormP256,
    /// The same with every flag at its default.
    StormDefaults,
    /// 20 requests a second.
    Paced,
    /// 10,000 requests wait when the contestant starts.
    Backlog,
    /// Memory and work with 1,000 and with 50,000 finished requests about.
    Present,
    /// One identity floods the API with what it may not have, while 100 nodes renew.
    FloodJunk,
    /// The same with requests like everybody's.
    FloodValid,
    /// 1,000 nodes among 5,000 ask for serving certificates, which countersign approves. It takes root, for a network of its own.
    Serving,
    /// The leader goes in the middle of a storm.
    Failover,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}
