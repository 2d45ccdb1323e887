//! A big cluster, where finished requests lie about until they are cleaned.

use anyhow::Result;
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{ControlPlane, outcome, outcome::Outcome};

use super::{in_turn, note};
use crate::contestant::{Contestant, Tuning};
use crate::options::Plan;
use crate::trial::{Heading, Trial};
use crate::{cluster, draft, load};

const FEW: usize = 1000;
const MANY: usize = 50_000;
const NEW: usize = 2000;

/// Memory after the start, and the work for each new request, with few and with many finished ones about.
pub(super) async fn run(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    let cluster = cluster::start(KeyKind::Rsa2048).await?;
    issue_model(&cluster).await?;
    let few = finished(&cluster, plan, ("present-few", 0..FEW / plan.divide)).await?;
    let many = finished(&cluster, plan, ("present-many", FEW / plan.divide..MANY / plan.divide)).await?;
    Ok(vec![few, many])
}

/// Adds finished requests, and lets everybody work among them.
async fn finished(
    cluster: &ControlPlane,
    plan: &Plan,
    (scenario, added): (&'static str, std::ops::Range<usize>),
) -> Result<Vec<Trial>> {
    cluster.copy_object(MODEL, added.map(|number| format!("done-{number:06}"))).await?;
    let mut trials = Vec::new();
    for pair in 1..=plan.pairs {
        for contestant in in_turn(pair, &[Contestant::Countersign, Contestant::KubeControllerManager]) {
            let heading = Heading { scenario, contestant, pair };
            let tuned = (heading, Tuning::default());
            let trial = super::storm::among_others(cluster, tuned, NEW / plan.divide).await?;
            note(format_args!("{scenario} {pair} {}: {:?}", contestant.label(), trial.figures));
            trials.push(trial);
        }
    }
    Ok(trials)
}

/// A finished request to make copies of.
async fn issue_model(cluster: &ControlPlane) -> Result<()> {
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let signer = Contestant::Countersign.start(cluster, Tuning::default()).await?;
    load::as_fast_as_answered(&kubelet, &[draft::kubelet(MODEL, "model")?], 1).await?;
    outcome::reached(&cluster.admin().await?, MODEL, Outcome::Issued).await?;
    signer.stop().await
}

/// As long as the names of its copies.
const MODEL: &str = "done-model0";
