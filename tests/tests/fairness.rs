//! Nobody waits for ever for somebody else, and nobody's thousand requests go before everybody else's one.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{Command, ControlPlane, Options, Program, TestResult, User, bindings, requests, wait};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::{Api, Client};

/// Six nodes take turns, and a round of turns takes longer than an answer about a permission may wait.
#[tokio::test(flavor = "multi_thread")]
async fn requesters_who_wait_for_each_other_are_all_served() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let mut names = Vec::new();
    for number in 0..6 {
        let node = format!("n{number}");
        let client = cluster.client_for(&User::node(&node)).await?;
        names.push(requests::kubelet_client(&node)?.create(&client).await?);
    }
    let _signer = slow(&cluster, "2").start().await?;
    for name in names {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    Ok(())
}

/// The signer comes back to a crowd of one identity's requests, and to one request of somebody else, seen last.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_one_identity_waits_behind_itself_and_not_before_others() -> TestResult {
    const CROWD: usize = 120;
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let joining = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let draft =
            requests::kubelet_client(&format!("crowd-{number}"))?.named(&format!("crowd-{number:03}"));
        crowd.push(draft.create(&joining).await?);
    }
    let node = cluster.client_for(&User::node("n1")).await?;
    let single = requests::kubelet_client("n1")?.named("single").create(&node).await?;
    let _signer = slow(&cluster, "40").start().await?;
    let mut before = 0;
    outcome::reached(&admin, &single, Outcome::Issued).await?;
    let single = version(&admin, &single).await?;
    for name in &crowd {
        outcome::reached(&admin, name, Outcome::Issued).await?;
        before += usize::from(version(&admin, name).await? < single);
    }
    assert!(before < CROWD / 2, "{before} of the crowd of {CROWD} went before the single one");
    Ok(())
}

/// A kubelet that got no answer in 15 minutes asks again, and no longer looks at what it asked before.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_asked_last_is_answered_first() -> TestResult {
    const ASKED: usize = 8;
    let cluster = ControlPlane::start(Options::default().without_kubeadm_bindings()).await?;
    let admin = cluster.admin().await?;
    let signer = cluster.signer(Program::Countersign).flag("max-in-flight", "1").start().await?;
    let node = cluster.client_for(&User::node("n1")).await?;
    let mut names = Vec::new();
    for number in 0..ASKED {
        let draft = requests::kubelet_client("n1")?.named(&format!("asked-{number}"));
        names.push(draft.create(&node).await?);
    }
    wait::until("all are held for want of a permission", async || {
        Ok((signer.metric("countersign_held").await? == ASKED as f64).then_some(()))
    })
    .await?;
    // All are granted at once, by one answer.
    bindings::bind(&admin, "late", (bindings::SELF_NODE_CLIENT, "system:nodes")).await?;
    let mut versions = Vec::new();
    for name in &names {
        outcome::reached(&admin, name, Outcome::Issued).await?;
        versions.push((version(&admin, name).await?, name.as_str()));
    }
    versions.sort_unstable();
    // Each eighth turn is another rank's, whoever waits.
    let first_two: Vec<&str> = versions.iter().take(2).map(|(_, name)| *name).collect();
    assert!(first_two.contains(&"asked-7"), "the last was not answered first: {versions:?}");
    Ok(())
}

/// A signer that makes one call at a time, and so many a second.
fn slow<'a>(cluster: &'a ControlPlane, per_second: &str) -> Command<'a> {
    let one_at_a_time = cluster.signer(Program::Countersign).flag("max-in-flight", "1");
    one_at_a_time.flag("kube-api-qps", per_second).flag("kube-api-burst", "1")
}

async fn version(client: &Client, name: &str) -> anyhow::Result<u64> {
    let object = Api::<CertificateSigningRequest>::all(client.clone()).get(name).await?;
    Ok(object.metadata.resource_version.unwrap_or_default().parse()?)
}
