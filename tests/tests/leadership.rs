//! One of several replicas signs, and another takes over when it goes.

use std::time::Instant;

use anyhow::{Context as _, Result};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{Command, ControlPlane, Options, Program, Signer, TestResult, requests, wait};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_when_its_lease_has_run_out() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let first = leader(&cluster, &admin).await?;
    let _second = replica(&cluster).await?;

    first.kill()?;
    let killed = Instant::now();
    issue(&admin).await?;
    println!("a killed leader was replaced after {:?}", killed.elapsed());
    Ok(())
}

/// The lease lasts far longer than anything is waited for, so it is handed over or nobody signs.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_stopped_hands_over_before_its_lease_runs_out() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let first = patient_replica(&cluster).await?;
    issue(&admin).await?;
    let _second = patient_replica(&cluster).await?;

    let status = first.stop().await?;
    let stopped = Instant::now();
    issue(&admin).await?;
    println!("a second replica signed {:?} after a graceful stop", stopped.elapsed());
    assert!(status.success(), "a graceful stop ends with {status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_loses_its_lease_ends_with_exit_code_1() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let mut first = leader(&cluster, &admin).await?;

    let stolen = json!({ "spec": { "holderIdentity": "somebody-else" } });
    leases(&admin).patch(lease_name(), &PatchParams::default(), &Patch::Merge(stolen)).await?;
    assert_eq!(first.process().exit().await?.code(), Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_requests_survives_the_leader() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    // Two calls a second: it cannot be done with them before it is killed.
    let first =
        electing(&cluster, SOON).flag("kube-api-qps", "2").flag("kube-api-burst", "1").start().await?;
    issue(&admin).await?;
    let _second = replica(&cluster).await?;

    let mut names = Vec::new();
    for _ in 0..100 {
        names.push(requests::kubelet_client("a")?.create(&admin).await?);
    }
    first.kill()?;
    assert!(outcome::waiting(&admin, &names).await? > 0, "the first had been done with all of them");
    for name in names {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    Ok(())
}

/// A replica that signs.
async fn leader(cluster: &ControlPlane, admin: &Client) -> Result<Signer> {
    let replica = replica(cluster).await?;
    issue(admin).await?;
    Ok(replica)
}

/// One of several, with a lease that soon runs out.
async fn replica(cluster: &ControlPlane) -> Result<Signer> {
    electing(cluster, SOON).start().await
}

/// One of several, with a lease that no test outlasts.
async fn patient_replica(cluster: &ControlPlane) -> Result<Signer> {
    electing(cluster, ("600s", "400s")).start().await
}

/// A lease's duration and renew deadline of which a test can see the end.
const SOON: (&str, &str) = ("4s", "3s");

fn electing<'a>(cluster: &'a ControlPlane, (duration, deadline): (&str, &str)) -> Command<'a> {
    cluster
        .signer(Program::under_test())
        .flag("leader-elect", "true")
        .flag("leader-elect-lease-duration", duration)
        .flag("leader-elect-renew-deadline", deadline)
        .flag("leader-elect-retry-period", "1s")
}

/// Sends a request and waits for its certificate.
async fn issue(admin: &Client) -> Result<()> {
    let name = requests::kubelet_client("a")?.create(admin).await?;
    outcome::reached(admin, &name, Outcome::Issued).await?;
    let holder = wait::until("somebody holds the lease", async || {
        let lease = leases(admin).get_opt(lease_name()).await?;
        Ok(lease.and_then(|lease| lease.spec).and_then(|spec| spec.holder_identity))
    });
    holder.await.map(drop).context("no leader")
}

fn leases(admin: &Client) -> Api<Lease> {
    Api::namespaced(admin.clone(), "kube-system")
}

fn lease_name() -> &'static str {
    match Program::under_test() {
        Program::Countersign => "countersign",
        Program::KubeControllerManager => "kube-controller-manager",
    }
}
