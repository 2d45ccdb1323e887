//! The identity kube-controller-manager has, and no more rights than the shipped manifest adds.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{
    Command, ControlPlane, Options, Program, TestResult, User, approval, binaries, quiescence, requests,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_in_needs_nothing_but_the_shipped_rbac() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let manifest = binaries::workspace().join("deploy/rbac.yaml");
    if Program::under_test() == Program::Countersign {
        cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()])?;
    }
    let _signer = drop_in(&cluster).flag("leader-elect", "true").start().await?;

    let admin = cluster.admin().await?;
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let name = requests::kubelet_client("node-1")?.create(&kubelet).await?;
    outcome::reached(&admin, &name, Outcome::Issued).await?;
    // Approves, fails and signs for the other signerNames as well.
    let wrong = requests::user("alice")?.usages(&["code signing"]).create(&admin).await?;
    approval::decide(&admin, &wrong, approval::Verdict::Approved).await?;
    outcome::reached(&admin, &wrong, Outcome::Failed).await?;
    quiescence::turn(&admin).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_signer_writes_as_the_controllers_service_account() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let _signer = drop_in(&cluster).start().await?;
    let admin = cluster.admin().await?;
    let name = requests::kubelet_client("node-1")?.create(&admin).await?;
    outcome::reached(&admin, &name, Outcome::Issued).await?;
    let account = cluster.kubectl(&["get", "serviceaccounts", "--namespace=kube-system", "--output=name"])?;
    assert!(account.contains("serviceaccount/certificate-controller"), "{account}");
    Ok(())
}

fn drop_in(cluster: &ControlPlane) -> Command<'_> {
    cluster
        .signer(Program::under_test())
        .identity(User::controller_manager())
        .flag("use-service-account-credentials", "true")
}
