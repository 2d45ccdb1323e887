//! What documents tell administrators to do, done: their very commands on the hosts of real kubelets.

use anyhow::Result;
use countersign_e2e::nodes::{self, on_own_cluster, on_shared_cluster};
use countersign_e2e::requests::KUBELET_SERVING;
use countersign_e2e::{ControlPlane, Document, Kubelet, Kubelets, TestResult, wait};

use super::serving::{FORGET, SERVING, permit};
use super::{USUAL, current, issuance, pending};

#[test]
fn the_guide_to_serving_certificates_breaks_nothing_on_the_way_nor_back() -> TestResult {
    on_own_cluster(async |cluster| {
        let guide = Document::open("docs/install/kubelet-serving.md")?;
        assert_eq!(guide.names(), ["allow", "enable", "requests", "verify", "disable", "forbid"]);
        let signer = nodes::start_signer(cluster, &[]).await?;
        let mut kubelets = two_that_sign_for_themselves(cluster).await?;
        // In the wrong order: an API server as tests begin with, and nodes as they are.
        for kubelet in &kubelets {
            let refusal = kubelet.healthz(cluster).await.err().ok_or("the API server does not look")?;
            assert!(refusal.to_string().contains("failed to verify certificate"), "{refusal}");
        }
        cluster.restart_apiserver(Kubelets::Any).await?;
        all_reached(cluster, &kubelets).await?;

        kubelets[0].play(guide.commands("allow")?, &[]).await?;
        signer.stop().await?;
        let signer = nodes::start_signer(cluster, SERVING).await?;
        for node in 0..kubelets.len() {
            shown(&mut kubelets[node], &guide, "self-signed").await?;
            kubelets[node].play(guide.commands("enable")?, &[]).await?;
            issued(&mut kubelets[node], &guide).await?;
            shown(&mut kubelets[node], &guide, "verifies").await?;
            all_reached(cluster, &kubelets).await?;
        }
        kubelets[0].play(guide.commands("verify")?, &[]).await?;
        cluster.restart_apiserver(Kubelets::Certified).await?;
        all_reached(cluster, &kubelets).await?;

        cluster.restart_apiserver(Kubelets::Any).await?;
        for node in 0..kubelets.len() {
            kubelets[node].play(guide.commands("disable")?, &[]).await?;
            all_reached(cluster, &kubelets).await?;
            shown(&mut kubelets[node], &guide, "self-signed").await?;
        }
        signer.stop().await?;
        let _signer = nodes::start_signer(cluster, &[]).await?;
        kubelets[0].play(guide.commands("forbid")?, &[]).await?;
        all_reached(cluster, &kubelets).await?;
        Ok(())
    })
}

#[test]
fn the_guides_look_at_nodes_does_not_take_no_certificate_for_a_good_one() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| {
        let guide = Document::open("docs/install/kubelet-serving.md")?;
        let mut kubelet = cluster.start_kubelet("uncertified", &cluster.bootstrap_token().await?).await?;
        kubelet.administrate(cluster)?;
        pending(&cluster.admin().await?, &kubelet, KUBELET_SERVING).await?;
        shown(&mut kubelet, &guide, "no certificate yet").await?;
        Ok(())
    })
}

#[test]
fn the_runbook_for_expired_certificates_brings_a_kubelet_back_and_the_rest_heals() -> TestResult {
    on_own_cluster(async |cluster| {
        let runbook = Document::open("docs/runbooks/cluster-expired.md")?;
        assert_eq!(runbook.names(), ["see", "sign", "install", "check"]);
        permit(cluster)?;
        let admin = cluster.admin().await?;
        let signer = nodes::start_signer(cluster, SERVING).await?;
        let mut kubelet = cluster.start_kubelet("control-plane-1", &cluster.bootstrap_token().await?).await?;
        kubelet.administrate(cluster)?;
        kubelet.is_reached(cluster).await?;
        // It is a pod of this node, and not there without its kubelet.
        signer.stop().await?;
        kubelet.play(FORGET, &[]).await?;
        kubelet.play("systemctl stop kubelet", &[]).await?;
        kubelet.expire(cluster)?;
        kubelet.play("systemctl start kubelet", &[]).await?;
        let end = kubelet.process()?.exit().await?;
        assert!(!end.success(), "a kubelet whose certificate has expired does not start");

        let seen = kubelet.play(runbook.commands("see")?, &[]).await?;
        for sign in ["system:node:control-plane-1", "Certificate will expire", "is expired", "unable to load"]
        {
            assert!(seen.contains(sign), "{sign}: {seen}");
        }
        // Renewed at once, in place of some 40 minutes later.
        let variables = [("node", "control-plane-1"), ("lifetime", "30s")];
        for step in ["sign", "install"] {
            kubelet.play(runbook.commands(step)?, &variables).await?;
        }
        let by_hand = current(&kubelet)?;
        let _signer = nodes::start_signer(cluster, SERVING).await?;
        let renewal = wait::until("the kubelet renews what was made by hand", async || {
            let pem = current(&kubelet)?;
            Ok(if pem == by_hand { None } else { issuance(&admin, &pem).await? })
        });
        assert_eq!(renewal.await?.spec.username, Some(kubelet.user_name()));
        kubelet.is_reached(cluster).await?;
        let requests = kubelet.play(runbook.commands("check")?, &variables).await?;
        assert!(!requests.contains("Pending"), "{requests}");
        Ok(())
    })
}

#[test]
fn a_kubelet_whose_certificates_have_expired_joins_again_with_a_bootstrap_token() -> TestResult {
    on_shared_cluster(USUAL, async |cluster| {
        let admin = cluster.admin().await?;
        let mut kubelet =
            cluster.kubelet("again").self_signed().join(&cluster.bootstrap_token().await?).await?;
        kubelet.ready(&admin).await?;
        kubelet.play("systemctl stop kubelet", &[]).await?;
        kubelet.expire(cluster)?;
        let expired = current(&kubelet)?;
        kubelet.play("systemctl start kubelet", &[]).await?;
        let again = wait::until("the kubelet joins again", async || {
            let pem = current(&kubelet)?;
            Ok(if pem == expired { None } else { issuance(&admin, &pem).await? })
        });
        let username = again.await?.spec.username.unwrap_or_default();
        assert!(username.starts_with("system:bootstrap:"), "{username}");
        Ok(())
    })
}

/// Ready nodes as kubeadm leaves them, with an administrator at each.
async fn two_that_sign_for_themselves(cluster: &ControlPlane) -> Result<[Kubelet; 2]> {
    let (admin, token) = (cluster.admin().await?, cluster.bootstrap_token().await?);
    let mut kubelets = [
        cluster.kubelet("guide-1").self_signed().join(&token).await?,
        cluster.kubelet("guide-2").self_signed().join(&token).await?,
    ];
    for kubelet in &mut kubelets {
        kubelet.ready(&admin).await?;
        kubelet.administrate(cluster)?;
    }
    Ok(kubelets)
}

async fn all_reached(cluster: &ControlPlane, kubelets: &[Kubelet]) -> Result<()> {
    for kubelet in kubelets {
        kubelet.is_reached(cluster).await?;
    }
    Ok(())
}

/// Waits until the guide's list of requests shows that of this node as issued.
async fn issued(kubelet: &mut Kubelet, guide: &Document) -> Result<()> {
    let (commands, requester) = (guide.commands("requests")?, kubelet.user_name());
    wait::until("its request is issued", async || {
        let requests = kubelet.play(commands, &[]).await?;
        let issued = |line: &str| line.contains(&requester) && line.contains("Approved,Issued");
        Ok(requests.lines().any(issued).then_some(()))
    })
    .await
}

/// Waits until the guide's look at all nodes shows this verdict of one. It fails as long as one of them would not be trusted.
async fn shown(kubelet: &mut Kubelet, guide: &Document, verdict: &str) -> Result<()> {
    let (commands, node) = (guide.commands("verify")?, kubelet.node().to_owned());
    wait::until(&format!("{node} is shown as {verdict:?}"), async || {
        let table = match kubelet.play(commands, &[]).await {
            Ok(table) => table,
            Err(failure) => failure.to_string(),
        };
        let is_row = |line: &str| line.contains(&node) && line.contains(verdict);
        Ok(table.lines().any(is_row).then_some(()))
    })
    .await
}
