//! Nobody waits for ever for somebody else, and nobody's thousand requests go before everybody else's one.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{Command, ControlPlane, Options, Program, TestResult, User, requests};
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
    outcome::reached(&admin, &single, Outcome::Issued).await?;
    let waiting = outcome::waiting(&admin, &crowd).await?;
    assert!(waiting > CROWD / 2, "only {waiting} of the crowd of {CROWD} still wait");
    for name in &crowd {
        outcome::reached(&admin, name, Outcome::Issued).await?;
    }
    Ok(())
}

/// A kubelet that got no answer in 15 minutes asks again, and no longer looks at what it asked before.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_asked_last_is_answered_first() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let node = cluster.client_for(&User::node("n1")).await?;
    let mut names = Vec::new();
    for number in 0..8 {
        let draft = requests::kubelet_client("n1")?.named(&format!("asked-{number}"));
        names.push(draft.create(&node).await?);
    }
    let _signer = slow(&cluster, "10").start().await?;
    let last = names.last().map(String::as_str).unwrap_or_default();
    let mut versions = Vec::new();
    for name in &names {
        outcome::reached(&admin, name, Outcome::Issued).await?;
        versions.push((version(&admin, name).await?, name.as_str()));
    }
    // The first may be under way before the others are known.
    versions.sort_unstable();
    let place = versions.iter().position(|(_, name)| *name == last);
    assert!(place <= Some(1), "the last was answered as number {place:?} of {versions:?}");
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
