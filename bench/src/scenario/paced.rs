//! An ordinary day: now and then a request.

use anyhow::Result;
use countersign_e2e::ControlPlane;
use countersign_e2e::pki::KeyKind;
use tokio::time::Instant;

use super::{in_turn, note};
use crate::contestant::{Contestant, Tuning};
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};
use crate::{cluster, draft, load};

const REQUESTS: usize = 200;
const PER_SECOND: f64 = 20.0;

pub(super) async fn run(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    let cluster = cluster::start(KeyKind::Rsa2048).await?;
    let contestants = [Contestant::Countersign, Contestant::KubeControllerManager, Contestant::Probe];
    let mut trials = Vec::new();
    for pair in 1..=plan.pairs {
        for contestant in in_turn(pair, &contestants) {
            let heading = Heading { scenario: "paced", contestant, pair };
            let trial = day(&cluster, heading, REQUESTS / plan.divide).await?;
            note(format_args!("paced {pair} {}: {:?}", contestant.label(), trial.figures));
            trials.push(trial);
        }
    }
    Ok(vec![trials])
}

async fn day(cluster: &ControlPlane, heading: Heading, requests: usize) -> Result<Trial> {
    let kubelets = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let drafts = draft::kubelets("node", requests)?;
    let mut running = heading.contestant.start(cluster, Tuning::default()).await?;
    super::warm_up(cluster, &mut running, (&kubelets, "early")).await?;
    let course = Course::begin(cluster, &mut running, "node").await?;
    let start = Instant::now();
    let sent = load::at_a_rate(|_| kubelets.clone(), drafts, PER_SECOND).await?;
    let trial = course.end((&sent, start), &mut running, heading).await?;
    running.stop().await?;
    cluster::delete(&cluster.admin().await?, &["early", "node"]).await?;
    Ok(trial)
}
