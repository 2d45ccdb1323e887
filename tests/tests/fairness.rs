//! Nobody waits for ever for somebody else.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, TestResult, User, requests};

/// Six nodes take turns, and a round of turns takes longer than an answer about a permission may wait.
#[tokio::test(flavor = "multi_thread")]
async fn requesters_who_wait_for_each_other_are_all_served() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    let mut names = Vec::new();
    for number in 0..6 {
        let user = format!("--user=system:node:n{number}");
        let binding = format!("b{number}");
        cluster.kubectl(&[
            "create",
            "clusterrolebinding",
            &binding,
            "--clusterrole=system:node-bootstrapper",
            &user,
        ])?;
        let node = format!("n{number}");
        let client = cluster.client_for(&User::node(&node)).await?;
        names.push(requests::kubelet_client(&node)?.create(&client).await?);
    }
    let slow = cluster.signer(Program::Countersign).flag("max-in-flight", "1");
    let _signer = slow.flag("kube-api-qps", "2").flag("kube-api-burst", "1").start().await?;
    for name in names {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    Ok(())
}
