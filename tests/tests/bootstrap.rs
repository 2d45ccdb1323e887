//! A node joins: its kubelet asks for a client certificate and gets it without anybody's help.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, TestResult, User, requests};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::Api;
use kube::api::PostParams;

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_tokens_kubelet_gets_a_certificate_that_lets_it_in() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let _signer = cluster.start_signer().await?;
    let admin = cluster.admin().await?;
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;

    let draft = requests::kubelet_client("node-1")?;
    let name = draft.create(&kubelet).await?;
    let issued = outcome::reached(&admin, &name, Outcome::Issued).await?;

    let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
    assert_eq!(approval.reason.as_deref(), Some("AutoApproved"));
    assert_eq!(
        approval.message.as_deref(),
        Some("Auto approving kubelet client certificate after SubjectAccessReview.")
    );
    let node = cluster.client_for(&User::with_certificate(draft.pair(&issued)?)).await?;
    let review = Api::<SelfSubjectReview>::all(node);
    let me = review.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    let me = me.status.and_then(|status| status.user_info).ok_or("no user")?;
    assert_eq!(me.username.as_deref(), Some("system:node:node-1"));
    assert!(me.groups.unwrap_or_default().contains(&"system:nodes".to_owned()));
    Ok(())
}
