//! The kinds of work, each in a file of its own.

mod backlog;
mod failover;
mod flood;
mod paced;
mod present;
mod serving;
mod storm;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum as _;
use countersign_e2e::ControlPlane;
use countersign_e2e::pki::KeyKind;
use kube::Client;

use crate::contestant::{Contestant, Running};
use crate::draft::Draft;
use crate::options::{Plan, Scenario};
use crate::trial::Course;
use crate::{draft, load, report};

/// Runs what the plan says, one scenario after the other.
pub(crate) async fn run(plan: &Plan) -> Result<()> {
    let scenarios = if plan.scenarios.is_empty() { Scenario::value_variants() } else { &plan.scenarios };
    for scenario in scenarios {
        let trials = match scenario {
            Scenario::Storm => storm::run(plan, ("storm", KeyKind::Rsa2048)).await?,
            Scenario::StormP256 => storm::run(plan, ("storm-p256", KeyKind::P256)).await?,
            Scenario::StormDefaults => storm::with_default_flags(plan).await?,
            Scenario::Paced => paced::run(plan).await?,
            Scenario::Backlog => backlog::run(plan).await?,
            Scenario::Present => present::run(plan).await?,
            Scenario::FloodJunk => flood::run(plan, flood::Kind::Junk).await?,
            Scenario::FloodValid => flood::run(plan, flood::Kind::Valid).await?,
            Scenario::Serving => serving::run(plan)?,
            Scenario::Failover => failover::run(plan).await?,
        };
        for trials in trials {
            report::write(&trials, &plan.out)?;
        }
    }
    Ok(())
}

/// Who comes first in one pair comes last in the next.
fn in_turn(pair: usize, contestants: &[Contestant]) -> Vec<Contestant> {
    let mut order = contestants.to_vec();
    if pair.is_multiple_of(2) {
        order.reverse();
    }
    order
}

/// One request goes before the others, so that connections are there and what was present is known.
async fn warm_up(
    cluster: &ControlPlane,
    running: &mut Running,
    (kubelet, prefix): (&Client, &'static str),
) -> Result<()> {
    warm_up_with(cluster, running, (kubelet, prefix), &draft::kubelets(prefix, 1)?).await
}

/// The same with this one request.
async fn warm_up_with(
    cluster: &ControlPlane,
    running: &mut Running,
    (kubelet, prefix): (&Client, &'static str),
    first: &[Draft],
) -> Result<()> {
    let mut course = Course::begin(cluster, running, prefix).await?;
    load::as_fast_as_answered(kubelet, first, 1).await?;
    ensure!(course.observer.wait_for(1, FIRST).await == 1, "the first request was not served in {FIRST:?}");
    Ok(())
}

/// How long the first request may take, the start of the program included.
const FIRST: Duration = Duration::from_secs(120);

/// Says on the terminal how it goes.
fn note(what: std::fmt::Arguments<'_>) {
    eprintln!("==> {what}");
}
