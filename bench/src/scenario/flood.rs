//! One bad neighbour.

use std::time::Duration;

use anyhow::{Result, ensure};
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{ControlPlane, Options, User, bindings};
use kube::Client;
use tokio::time::Instant;

use super::{in_turn, note};
use crate::contestant::{Contestant, Running, Tuning};
use crate::draft::{self, Draft};
use crate::figures::Figure;
use crate::load::{self, Flood};
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};

const NODES: usize = 100;
/// Renewals of each node.
const ROUNDS: usize = 2;
const PER_SECOND: f64 = 15.0;
const FLOOD_PER_SECOND: f64 = 500.0;

/// What the flood consists of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Requests that the requester may not have.
    Junk,
    /// Requests like those of joining nodes, all with one bootstrap token.
    Valid,
}

/// Nodes renew, each with its own identity, while one other identity floods the API. The probe serves the nodes alone: what it
/// reaches is what the API server, so flooded, allows.
pub(super) async fn run(plan: &Plan, kind: Kind) -> Result<Vec<Vec<Trial>>> {
    let mut trials = Vec::new();
    for pair in 1..=plan.pairs {
        for contestant in in_turn(pair, &[Contestant::Countersign, Contestant::Probe]) {
            // What a flood leaves behind would slow the next run down.
            let cluster = start().await?;
            let heading = Heading { scenario: kind.scenario(), contestant, pair };
            let trial = flood(&cluster, (heading, kind), NODES / plan.divide).await?;
            note(format_args!("{} {pair} {}: {:?}", kind.scenario(), contestant.label(), trial.figures));
            trials.push(trial);
        }
    }
    Ok(vec![trials])
}

async fn flood(cluster: &ControlPlane, (heading, kind): (Heading, Kind), nodes: usize) -> Result<Trial> {
    let flooder = cluster.client_for(&kind.user(cluster).await?).await?;
    let clients = identities(cluster, nodes).await?;
    let drafts = renewals(nodes)?;
    let seconds = drafts.len() as f64 / PER_SECOND;
    let flood = draft::kubelets("flood", ((seconds + LEAD.as_secs_f64() * 2.0) * FLOOD_PER_SECOND) as usize)?;
    let tuning = Tuning { only: "good", ..Tuning::default() };
    let mut running = heading.contestant.start(cluster, tuning).await?;
    let first = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    super::warm_up(cluster, &mut running, (&first, "good-early")).await?;
    let course = Course::begin(cluster, &mut running, "good").await?;
    let flood = Flood::start(flooder, flood, FLOOD_PER_SECOND);
    tokio::time::sleep(LEAD).await;
    let start = Instant::now();
    let sent = load::at_a_rate(|index| clients[index % nodes].clone(), drafts, PER_SECOND).await?;
    let flooded = flood.created() as f64 / (start.elapsed() + LEAD).as_secs_f64();
    let mut trial = course.end((&sent, start), &mut running, heading).await?;
    drop(flood);
    // The rest is the flood's as much as the nodes'.
    trial.figures.keep(&[Figure::P50, Figure::P99]);
    trial.figures.set(Figure::Flood, flooded);
    if let Some(wait) = first_call(&running).await? {
        trial.figures.set(Figure::FirstCall, wait);
    }
    running.stop().await?;
    Ok(trial)
}

impl Kind {
    fn scenario(self) -> &'static str {
        match self {
            Self::Junk => "flood-junk",
            Self::Valid => "flood-valid",
        }
    }

    async fn user(self, cluster: &ControlPlane) -> Result<User> {
        match self {
            Self::Junk => Ok(User::in_group("noise", NOISE)),
            Self::Valid => cluster.bootstrap_token().await,
        }
    }
}

/// A control plane where the noisy may create requests, and not have them approved.
async fn start() -> Result<ControlPlane> {
    let cluster = ControlPlane::start(Options::default().authority_key(KeyKind::Rsa2048)).await?;
    bindings::bind(&cluster.admin().await?, NOISE, ("system:node-bootstrapper", NOISE)).await?;
    Ok(cluster)
}

async fn identities(cluster: &ControlPlane, nodes: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for node in 0..nodes {
        let client = cluster.client_for(&User::node(&format!("good-{node}"))).await?;
        // Its connection is there before it is needed.
        client.apiserver_version().await?;
        clients.push(client);
    }
    Ok(clients)
}

/// In the order in which they are sent: every node once, and then again.
fn renewals(nodes: usize) -> Result<Vec<Draft>> {
    let number =
        |index: usize| draft::kubelet(&format!("good-{index:06}"), &format!("good-{}", index % nodes));
    (0..nodes * ROUNDS).map(number).collect()
}

/// What 99 of 100 nodes' requests did not exceed inside the process, by its own histogram, in milliseconds.
async fn first_call(running: &Running) -> Result<Option<f64>> {
    let Running::Signer(signer) = running else {
        return Ok(None);
    };
    let (status, text) = signer.get("/metrics", Some("admin-token")).await?;
    ensure!(status.is_success(), "/metrics answers {status}");
    let buckets = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("countersign_first_call_seconds_bucket{")?;
        let (labels, count) = rest.rsplit_once("} ")?;
        let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
        labels.contains("requester=\"node\"").then_some((bound.parse().ok()?, count.parse().ok()?))
    });
    let buckets: Vec<(f64, f64)> = buckets.collect();
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    if all == 0.0 {
        return Ok(None);
    }
    Ok(buckets.into_iter().find(|(_, count)| *count >= all * 0.99).map(|(bound, _)| bound * 1000.0))
}

/// A group of those who may ask and get nothing.
const NOISE: &str = "noise";

/// How long the flood has been going on when the nodes come.
const LEAD: Duration = Duration::from_secs(3);
