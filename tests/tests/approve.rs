//! Who approves: the signer where the API server's authorizer allows it, humans everything.

use std::time::Duration;

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{
    ControlPlane, Options, Shared, TestResult, User, bindings, quiescence, requests, wait,
};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_granted_late_heals_what_waited_for_it() -> TestResult {
    let cluster = ControlPlane::start(Options::default().without_kubeadm_bindings()).await?;
    let _signer = cluster.start_signer().await?;
    let admin = cluster.admin().await?;
    let may_ask = ("system:node-bootstrapper", bindings::BOOTSTRAPPERS);
    bindings::bind(&admin, "may-ask", may_ask).await?;
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    let mut names = Vec::new();
    for node in ["node-1", "node-2", "node-3"] {
        names.push(requests::kubelet_client(node)?.create(&kubelet).await?);
    }

    quiescence::settle(&admin).await?;
    let objects = Api::<CertificateSigningRequest>::all(admin.clone());
    for name in &names {
        assert_eq!(Outcome::of(&objects.get(name).await?), Outcome::Pending);
    }

    bindings::bind(&admin, "late", (bindings::NODE_CLIENT, bindings::BOOTSTRAPPERS)).await?;
    for name in &names {
        outcome::reached(&admin, name, Outcome::Issued).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_renews_its_own_certificate() -> TestResult {
    let cluster = Shared::cluster().await?;
    let node = cluster.client_for(&User::node("renewing")).await?;
    let name = requests::kubelet_client("renewing")?.create(&node).await?;
    let issued = outcome::reached(&cluster.admin().await?, &name, Outcome::Issued).await?;
    let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
    let message = "Auto approving self kubelet client certificate after SubjectAccessReview.";
    assert_eq!(approval.message.as_deref(), Some(message));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_approves_with_kubectl_and_sees_it_issued() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let node = cluster.client_for(&User::node("serving")).await?;
    let name = requests::kubelet_serving("serving", &["serving", "192.0.2.7"])?.create(&node).await?;
    assert!(cluster.kubectl(&["get", "csr", &name])?.contains("Pending"));

    cluster.kubectl(&["certificate", "approve", &name])?;
    let issued = outcome::reached(&admin, &name, Outcome::Issued).await?;
    let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
    assert_eq!(approval.reason.as_deref(), Some("KubectlApprove"));
    assert!(cluster.kubectl(&["get", "csr", &name])?.contains("Approved,Issued"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_human_denies_is_never_signed() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let name = requests::user("alice")?.create(&admin).await?;
    cluster.kubectl(&["certificate", "deny", &name])?;
    unchanged(&cluster, &name, Outcome::Denied).await?;
    assert!(cluster.kubectl(&["get", "csr", &name])?.contains("Denied"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_signers_request_is_left_alone() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    for signer in ["example.com/foo", "kubernetes.io/no-such-signer"] {
        let name = requests::user("alice")?.signer(signer).create(&admin).await?;
        cluster.kubectl(&["certificate", "approve", &name])?;
        unchanged(&cluster, &name, Outcome::Approved).await?;
    }
    Ok(())
}

/// Lets the signer have its turn and expects it to have written nothing.
async fn unchanged(cluster: &ControlPlane, name: &str, outcome: Outcome) -> TestResult {
    let admin = cluster.admin().await?;
    let before = outcome::reached(&admin, name, outcome).await?.metadata.resource_version;
    quiescence::turn(&admin).await?;
    let objects = Api::<CertificateSigningRequest>::all(admin);
    wait::never(Duration::from_secs(1), "the object changes", async || {
        let now = objects.get_metadata(name).await?.metadata.resource_version;
        Ok((now != before).then_some(()))
    })
    .await?;
    Ok(())
}
