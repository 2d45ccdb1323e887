//! Real kubelets: they join, renew their certificates and serve with them, and countersign issues all of it.

mod containers;
mod documents;
mod serving;

use anyhow::{Context as _, Result};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::nodes::{self, Flags, on_own_cluster, on_shared_cluster};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::{KUBELET_CLIENT, KUBELET_SERVING};
use countersign_e2e::{ControlPlane, Kubelet, TestResult, User, certificate, wait};
use futures::future::try_join_all;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};

/// Flags of the signer that tests share. Serving certificates are approved by hand.
const USUAL: Flags = &[];

/// A kubelet renews after 70 to 90 % of the time between NotBefore, which is five minutes ago, and NotAfter. With a lifetime
/// this short that moment is always past: it renews at once, and each second again.
const HURRIED: Flags = &[("cluster-signing-duration", "30s")];

#[test]
fn a_kubelet_with_a_bootstrap_token_joins() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| {
        joins(cluster, &cluster.bootstrap_token().await?, "token-1").await
    })
}

#[test]
fn a_kubelet_with_a_static_token_joins() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| joins(cluster, &nodes::static_token(), "static-1").await)
}

#[test]
fn ten_kubelets_join_at_once() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| {
        let (admin, token) = (cluster.admin().await?, cluster.bootstrap_token().await?);
        let names: Vec<_> = (0..10).map(|number| format!("crowd-{number}")).collect();
        let mut kubelets = try_join_all(names.iter().map(|name| cluster.start_kubelet(name, &token))).await?;
        try_join_all(kubelets.iter_mut().map(|kubelet| kubelet.ready(&admin))).await?;
        Ok(())
    })
}

#[test]
fn a_kubelet_renews_its_client_certificate() -> TestResult {
    on_own_cluster(async |cluster| {
        let admin = cluster.admin().await?;
        let _signer = nodes::start_signer(cluster, HURRIED).await?;
        let kubelet = cluster.start_kubelet("renewer", &cluster.bootstrap_token().await?).await?;

        let renewal = wait::until("the kubelet has a certificate that it asked for as a node", async || {
            let Some(pem) = kubelet.client_certificate()? else { return Ok(None) };
            let issued = issuance(&admin, &pem).await?;
            Ok(issued.filter(|csr| csr.spec.username == Some(kubelet.user_name())))
        })
        .await?;
        let approval = outcome::condition(&renewal, "Approved").context("no approval")?;
        let message = "Auto approving self kubelet client certificate after SubjectAccessReview.";
        assert_eq!(approval.message.as_deref(), Some(message));
        assert!(certificate::is_signed_by(&current(&kubelet)?, cluster.authority())?);
        Ok(())
    })
}

#[test]
fn a_kubelet_that_renews_while_nobody_signs_waits_for_the_signer() -> TestResult {
    on_own_cluster(async |cluster| {
        let admin = cluster.admin().await?;
        let signer = nodes::start_signer(cluster, HURRIED).await?;
        let mut kubelet = cluster.start_kubelet("waiter", &cluster.bootstrap_token().await?).await?;
        kubelet.ready(&admin).await?;
        signer.stop().await?;

        let pending = pending(&admin, &kubelet, KUBELET_CLIENT).await?;
        let before = current(&kubelet)?;
        let _signer = nodes::start_signer(cluster, HURRIED).await?;
        outcome::reached(&admin, &pending, Outcome::Issued).await?;
        wait::until("the kubelet has what it was waiting for", async || {
            Ok((current(&kubelet)? != before).then_some(()))
        })
        .await?;
        Ok(())
    })
}

#[test]
fn a_kubelet_serves_with_the_certificate_it_is_given() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| {
        let admin = cluster.admin().await?;
        let kubelet = cluster.start_kubelet("server-1", &cluster.bootstrap_token().await?).await?;
        let name = pending(&admin, &kubelet, KUBELET_SERVING).await?;

        let refusal =
            kubelet.healthz(cluster).await.err().ok_or("there is no certificate, and yet it answers")?;
        assert!(refusal.to_string().contains("tls: internal error"), "{refusal}");

        approval::decide(&admin, &name, Verdict::Approved).await?;
        outcome::reached(&admin, &name, Outcome::Issued).await?;
        kubelet.is_reached(cluster).await?;
        Ok(())
    })
}

/// Its request is approved and issued without anybody's help, and the node becomes ready with that certificate.
async fn joins(cluster: &ControlPlane, user: &User, node: &str) -> TestResult {
    let admin = cluster.admin().await?;
    let mut kubelet = cluster.start_kubelet(node, user).await?;
    kubelet.ready(&admin).await?;
    let pem = current(&kubelet)?;
    assert!(certificate::is_signed_by(&pem, cluster.authority())?);
    issuance(&admin, &pem).await?.context("no request led to the certificate")?;
    Ok(())
}

fn current(kubelet: &Kubelet) -> Result<Vec<u8>> {
    kubelet.client_certificate()?.context("the kubelet has no client certificate")
}

/// The request that a kubelet's certificate was issued for; the certificate comes first in the file of the kubelet.
async fn issuance(admin: &Client, pem: &[u8]) -> Result<Option<CertificateSigningRequest>> {
    let led_to =
        |csr: &CertificateSigningRequest| outcome::certificate(csr).is_some_and(|it| pem.starts_with(it));
    Ok(all(admin).await?.into_iter().find(led_to))
}

/// The name of a request that a joined node has sent and nobody has decided.
async fn pending(admin: &Client, kubelet: &Kubelet, signer_name: &str) -> Result<String> {
    let requester = Some(kubelet.user_name());
    let is_it = |csr: &CertificateSigningRequest| {
        let spec = &csr.spec;
        spec.username == requester && spec.signer_name == signer_name && Outcome::of(csr) == Outcome::Pending
    };
    let what = format!("{} asks {signer_name}", kubelet.node());
    wait::until(&what, async || {
        Ok(all(admin).await?.iter().find(|csr| is_it(csr)).map(ResourceExt::name_any))
    })
    .await
}

async fn all(admin: &Client) -> Result<Vec<CertificateSigningRequest>> {
    let objects: Api<CertificateSigningRequest> = Api::all(admin.clone());
    Ok(objects.list(&ListParams::default()).await?.items)
}
