//! A whole cluster boots.

use anyhow::Result;
use countersign_e2e::ControlPlane;
use countersign_e2e::pki::KeyKind;
use tokio::time::Instant;

use super::{in_turn, note};
use crate::contestant::{Contestant, Tuning};
use crate::figures::Figure;
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};
use crate::{cluster, draft, load};

const REQUESTS: usize = 2000;
const CREATORS: usize = 8;

/// Nobody holds himself back.
pub(super) async fn run(plan: &Plan, (scenario, key): (&'static str, KeyKind)) -> Result<Vec<Vec<Trial>>> {
    let contestants = [Contestant::Countersign, Contestant::KubeControllerManager, Contestant::Probe];
    storms(plan, (scenario, key), (&contestants, Tuning::default())).await
}

/// Everybody as he is without a flag.
pub(super) async fn with_default_flags(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    let contestants = [Contestant::Countersign, Contestant::KubeControllerManager];
    let tuning = Tuning { default_flags: true, ..Tuning::default() };
    storms(plan, ("storm-defaults", KeyKind::Rsa2048), (&contestants, tuning)).await
}

async fn storms(
    plan: &Plan,
    (scenario, key): (&'static str, KeyKind),
    (contestants, tuning): (&[Contestant], Tuning),
) -> Result<Vec<Vec<Trial>>> {
    let cluster = cluster::start(key).await?;
    let mut trials = Vec::new();
    for pair in 1..=plan.pairs {
        for contestant in in_turn(pair, contestants) {
            let heading = Heading { scenario, contestant, pair };
            let trial = among_others(&cluster, (heading, tuning), REQUESTS / plan.divide).await?;
            note(format_args!("{scenario} {pair} {}: {:?}", contestant.label(), trial.figures));
            trials.push(trial);
        }
    }
    Ok(vec![trials])
}

/// One storm, from the first request to the last certificate, among whatever objects there are.
pub(super) async fn among_others(
    cluster: &ControlPlane,
    (heading, tuning): (Heading, Tuning),
    requests: usize,
) -> Result<Trial> {
    let kubelets = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let drafts = draft::kubelets("node", requests)?;
    let mut running = heading.contestant.start(cluster, tuning).await?;
    super::warm_up(cluster, &mut running, (&kubelets, "early")).await?;
    let idle = running.usage()?.resident;
    let course = Course::begin(cluster, &mut running, "node").await?;
    let start = Instant::now();
    let sent = load::as_fast_as_answered(&kubelets, &drafts, CREATORS).await?;
    let mut trial = course.end((&sent, start), &mut running, heading).await?;
    trial.figures.set(Figure::Idle, idle);
    running.stop().await?;
    cluster::delete(&cluster.admin().await?, &["early", "node"]).await?;
    Ok(trial)
}
