//! What is deleted while it waits for its turn is gone, and takes nothing with it.

use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, TestResult, requests};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;
use kube::api::DeleteParams;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_deleted_while_queued_is_no_error_and_delays_nobody() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let admin = cluster.admin().await?;
    // Two calls a second: whoever comes later has to queue.
    let slow = cluster.signer(Program::under_test()).flag("kube-api-qps", "2").flag("kube-api-burst", "1");
    let signer = slow.start().await?;

    let objects = Api::<CertificateSigningRequest>::all(admin.clone());
    let mut names = Vec::new();
    for _ in 0..8 {
        names.push(requests::kubelet_client("a")?.create(&admin).await?);
    }
    for name in names.drain(3..6) {
        objects.delete(&name, &DeleteParams::default()).await?;
    }
    for name in names {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    if Program::under_test() == Program::Countersign {
        assert_eq!(signer.metric("countersign_errors_total").await?, 0.0);
    }
    Ok(())
}
