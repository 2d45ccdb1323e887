//! A node joins: its kubelet asks for a client certificate and gets it without anybody's help.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Shared, TestResult, User, bindings, requests};
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::api::PostParams;
use kube::{Api, Client};

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_tokens_kubelet_gets_a_certificate_that_lets_it_in() -> TestResult {
    let cluster = Shared::cluster().await?;
    let kubelet = cluster.bootstrap_token().await?;
    joins(&cluster, &kubelet, "node-1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_tokens_kubelet_gets_a_certificate_that_lets_it_in() -> TestResult {
    let groups = ["system:bootstrappers", bindings::BOOTSTRAPPERS];
    let options = Options::default().token_user("static-token", "kubelet-bootstrap", &groups);
    let cluster = ControlPlane::start(options).await?;
    let _signer = cluster.start_signer().await?;
    joins(&cluster, &User::with_token("kubelet-bootstrap", "static-token"), "node-2").await
}

/// The request goes from Pending to Approved to Issued, and the certificate is the node's.
async fn joins(cluster: &ControlPlane, kubelet: &User, node: &str) -> TestResult {
    let admin = cluster.admin().await?;
    let draft = requests::kubelet_client(node)?;
    let name = draft.create(&cluster.client_for(kubelet).await?).await?;
    let issued = outcome::reached(&admin, &name, Outcome::Issued).await?;

    let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
    let message = "Auto approving kubelet client certificate after SubjectAccessReview.";
    assert_eq!(approval.reason.as_deref(), Some("AutoApproved"));
    assert_eq!(approval.message.as_deref(), Some(message));
    assert!(approval.last_update_time.is_some());

    let joined = User::with_certificate(draft.pair(&issued)?);
    let me = who(cluster.client_for(&joined).await?).await?;
    assert_eq!(me.username, Some(format!("system:node:{node}")));
    assert!(me.groups.unwrap_or_default().contains(&"system:nodes".to_owned()));
    Ok(())
}

async fn who(client: Client) -> Result<UserInfo, kube::Error> {
    let reviews = Api::<SelfSubjectReview>::all(client);
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    Ok(review.status.and_then(|status| status.user_info).unwrap_or_default())
}
