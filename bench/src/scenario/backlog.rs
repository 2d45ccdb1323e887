//! The controller comes back after a long time.

use anyhow::Result;
use countersign_e2e::pki::KeyKind;
use tokio::time::Instant;

use super::{in_turn, note};
use crate::contestant::{Contestant, Tuning};
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};
use crate::{cluster, draft, load};

const REQUESTS: usize = 10_000;
const CREATORS: usize = 16;
const CONTESTANTS: [Contestant; 2] = [Contestant::Countersign, Contestant::KubeControllerManager];

/// From the start of the process to the last certificate. Each run has an API server of its own: a store full of history is slower.
pub(super) async fn run(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    let mut trials = Vec::new();
    let drafts = draft::kubelets("node", REQUESTS / plan.divide)?;
    for pair in 1..=plan.pairs {
        for contestant in in_turn(pair, &CONTESTANTS) {
            let cluster = cluster::start(KeyKind::Rsa2048).await?;
            let kubelets = cluster.client_for(&cluster.bootstrap_token().await?).await?;
            let mut sent = load::as_fast_as_answered(&kubelets, &drafts, CREATORS).await?;
            let observed = Course::begin_before(&cluster, "node").await?;
            let start = Instant::now();
            // They wait since long; what counts is how long from now on.
            sent.iter_mut().for_each(|sent| sent.at = start);
            let mut running = contestant.spawn(&cluster, Tuning::default())?;
            let heading = Heading { scenario: "backlog", contestant, pair };
            let trial = observed.end((&sent, start), &mut running, heading).await?;
            note(format_args!("backlog {pair} {}: {:?}", contestant.label(), trial.figures));
            trials.push(trial);
            running.stop().await?;
        }
    }
    Ok(vec![trials])
}
