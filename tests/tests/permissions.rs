//! RBAC does not grant what the signer needs, and later does.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, TestResult, User, requests, wait};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_once_and_heals_when_it_is_granted() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    // It may list, watch and review, and may neither approve nor sign.
    let command = cluster.signer(Program::Countersign).identity(User::controller_manager());
    let mut signer = command.start().await?;
    let mut names = Vec::new();
    for node in ["a", "b", "c"] {
        names.push(requests::kubelet_client(node)?.create(&admin).await?);
    }
    wait::until("all have met the obstacle more than once", async || {
        let met = signer.metric("countersign_errors_total{error=\"forbidden\"}").await?;
        Ok((met >= 6.0).then_some(()))
    })
    .await?;
    let log = signer.process().log()?;
    let said: Vec<_> = log.lines().filter(|line| line.contains("RBAC does not allow")).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("verb=\"update\""), "{}", said[0]);
    assert!(
        said[0].contains("resource=\"certificates.k8s.io/certificatesigningrequests/approval\""),
        "{}",
        said[0]
    );

    cluster.kubectl(&[
        "create",
        "clusterrolebinding",
        "granted-late",
        "--clusterrole=system:controller:certificate-controller",
        "--user=system:kube-controller-manager",
    ])?;
    for name in names {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    Ok(())
}
