//! The leader goes in the middle of a storm.

use std::time::Duration;

use anyhow::{Result, ensure};
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{Command, ControlPlane, Program};
use tokio::time::{Instant, sleep};

use super::note;
use crate::contestant::{Contestant, Running};
use crate::figures::Figure;
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};
use crate::{cluster, draft, load};

const REQUESTS: usize = 1000;
const PER_SECOND: f64 = 100.0;
/// When the leader goes.
const MIDDLE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
enum End {
    /// It is asked to stop, and gives its Lease back.
    Graceful,
    /// It is killed, and its Lease runs out.
    Killed,
}

/// Two replicas of countersign, of which one leads.
pub(super) async fn run(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    let cluster = cluster::start(KeyKind::Rsa2048).await?;
    let mut all = Vec::new();
    for (scenario, end) in [("failover-graceful", End::Graceful), ("failover-killed", End::Killed)] {
        let mut trials = Vec::new();
        for pair in 1..=plan.pairs {
            let heading = Heading { scenario, contestant: Contestant::Countersign, pair };
            let trial = failover(&cluster, (heading, end), REQUESTS / plan.divide).await?;
            note(format_args!("{scenario} {pair}: {:?}", trial.figures));
            trials.push(trial);
        }
        all.push(trials);
    }
    Ok(all)
}

async fn failover(cluster: &ControlPlane, (heading, end): (Heading, End), requests: usize) -> Result<Trial> {
    let kubelets = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let drafts = draft::kubelets("node", requests)?;
    let mut leader = Running::Signer(replica(cluster).start().await?);
    super::warm_up(cluster, &mut leader, (&kubelets, "early")).await?;
    let follower = replica(cluster).start().await?;
    let mut running = Running::Signer(follower);
    let course = Course::begin(cluster, &mut running, "node").await?;
    let start = Instant::now();
    let going = async {
        sleep(MIDDLE).await;
        let gone = Instant::now();
        goes(leader, end).await?;
        anyhow::Ok(gone)
    };
    let (sent, gone) = tokio::try_join!(load::at_a_rate(|_| kubelets.clone(), drafts, PER_SECOND), going)?;
    let mut trial = course.end((&sent, start), &mut running, heading).await?;
    trial.figures.set(Figure::Gap, gap(&trial, (gone - start).as_secs_f64()));
    // What the replica that was left used up says nothing of both.
    trial.figures.keep(&[Figure::P50, Figure::P99, Figure::Gap]);
    running.stop().await?;
    cluster::delete(&cluster.admin().await?, &["early", "node"]).await?;
    ensure!(trial.replaced == 0, "a certificate was replaced");
    Ok(trial)
}

async fn goes(leader: Running, end: End) -> Result<()> {
    match (leader, end) {
        (Running::Signer(signer), End::Killed) => signer.kill(),
        (leader, _) => leader.stop().await,
    }
}

fn replica(cluster: &ControlPlane) -> Command<'_> {
    let command = cluster.signer(Program::Countersign).flag("leader-elect", "true");
    let command = command.flag("leader-elect-lease-duration", "4s");
    command.flag("leader-elect-renew-deadline", "3s").flag("leader-elect-retry-period", "500ms")
}

/// The longest time without a certificate after the leader was told to go, `gone` seconds after the start.
fn gap(trial: &Trial, gone: f64) -> f64 {
    let mut times: Vec<f64> = trial.waits.iter().map(|(sent, waited)| sent + waited).collect();
    times.sort_by(f64::total_cmp);
    let after = times.windows(2).filter(|pair| pair[1] > gone);
    after.map(|pair| pair[1] - pair[0].max(gone)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;

    #[test]
    fn the_gap_is_the_longest_silence_after_the_end() {
        let (contestant, figures) = (Contestant::Countersign, Figures::default());
        let waits = vec![(0.0, 0.5), (3.0, 0.1), (3.2, 2.0), (5.0, 0.5)];
        let trial =
            Trial { scenario: "s", contestant, pair: 1, sent: 4, issued: 4, replaced: 0, figures, waits };
        assert!((gap(&trial, 4.0) - 1.2).abs() < 1e-9);
    }
}
