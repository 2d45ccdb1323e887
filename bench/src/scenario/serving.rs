//! Nodes of a big cluster ask for serving certificates, and every name that they ask for is compared with everybody's.

use anyhow::Result;
use countersign_e2e::node_box::{self, NodeBox};
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{ControlPlane, Options, User, binaries};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Node;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use tokio::time::Instant;

use super::{note, warm_up_with};
use crate::contestant::{Contestant, Tuning};
use crate::draft::{self, Draft};
use crate::figures::Figure;
use crate::options::Plan;
use crate::trial::{Course, Heading, Trial};
use crate::{cluster, load};

const NODES: usize = 5000;
const REQUESTS: usize = 1000;
const CREATORS: usize = 8;
const PARALLEL: usize = 16;

/// Countersign alone: kube-controller-manager approves none. The API server publishes an address, as countersign looks at what
/// it presents there, and so has a network of its own.
pub(super) fn run(plan: &Plan) -> Result<Vec<Vec<Trial>>> {
    if let Some(obstacle) = node_box::obstacle() {
        note(format_args!("serving is not run: no network for the API server on this machine: {obstacle}"));
        return Ok(Vec::new());
    }
    let node_box = NodeBox::start()?;
    let trials = tokio::task::block_in_place(|| node_box.run(async || trials(&node_box, plan).await))??;
    Ok(vec![trials])
}

async fn trials(node_box: &NodeBox, plan: &Plan) -> Result<Vec<Trial>> {
    let options = Options::default().authority_key(KeyKind::Rsa2048).inside(node_box);
    let cluster = ControlPlane::start(options).await?;
    let roles = binaries::workspace().join("deploy/kubelet-serving.yaml");
    cluster.kubectl(&["apply", "--filename", &roles.display().to_string()])?;
    create_nodes(&cluster, NODES / plan.divide).await?;
    let kubelets = kubelets(&cluster, REQUESTS / plan.divide).await?;
    note(format_args!("serving: {} nodes are there, {} of them ask", NODES / plan.divide, kubelets.len()));
    let mut trials = Vec::new();
    for pair in 1..=plan.pairs {
        let heading = Heading { scenario: "serving", contestant: Contestant::Countersign, pair };
        let trial = one(&cluster, heading, &kubelets).await?;
        note(format_args!("serving {pair}: {:?}", trial.figures));
        trials.push(trial);
    }
    Ok(trials)
}

/// From the first request to the last certificate, every node once.
async fn one(cluster: &ControlPlane, heading: Heading, kubelets: &[Client]) -> Result<Trial> {
    let drafts = (0..kubelets.len()).map(|number| asks("node", number)).collect::<Result<Vec<_>>>()?;
    let tuning = Tuning { serving: true, ..Tuning::default() };
    let mut running = heading.contestant.start(cluster, tuning).await?;
    warm_up_with(cluster, &mut running, (&kubelets[0], "early"), &[asks("early", 0)?]).await?;
    let idle = running.usage()?.resident;
    let course = Course::begin(cluster, &mut running, "node").await?;
    let start = Instant::now();
    let sent = load::by_each(kubelets, &drafts, CREATORS).await?;
    let mut trial = course.end((&sent, start), &mut running, heading).await?;
    trial.figures.set(Figure::Idle, idle);
    running.stop().await?;
    cluster::delete(&cluster.admin().await?, &["early", "node"]).await?;
    Ok(trial)
}

/// Nodes as they are after they have registered.
async fn create_nodes(cluster: &ControlPlane, number: usize) -> Result<()> {
    let nodes: Api<Node> = Api::all(cluster.admin().await?);
    let mut creations = stream::iter(0..number)
        .map(async |number| -> Result<()> {
            let addresses = json!([
                { "type": "InternalIP", "address": address(number) },
                { "type": "Hostname", "address": name(number) },
            ]);
            let object =
                json!({ "metadata": { "name": name(number) }, "status": { "addresses": addresses } });
            nodes.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
            Ok(())
        })
        .buffer_unordered(PARALLEL);
    while creations.try_next().await?.is_some() {}
    Ok(())
}

/// The first of the nodes, each with its connection.
async fn kubelets(cluster: &ControlPlane, number: usize) -> Result<Vec<Client>> {
    let connections = stream::iter(0..number).map(async |number| -> Result<Client> {
        let client = cluster.client_for(&User::node(&name(number))).await?;
        client.apiserver_version().await?;
        Ok(client)
    });
    connections.buffered(PARALLEL).try_collect().await
}

fn asks(prefix: &str, number: usize) -> Result<Draft> {
    draft::serving(&format!("{prefix}-{number:06}"), &name(number), &address(number))
}

fn name(number: usize) -> String {
    format!("worker-{number}")
}

fn address(number: usize) -> String {
    format!("10.128.{}.{}", number / 250, number % 250 + 1)
}
