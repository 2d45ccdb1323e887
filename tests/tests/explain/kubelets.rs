//! `countersign status --nodes`: on a real kubelet, and on servers that present what no kubelet should.

use anyhow::Result;
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::nodes::{self, on_own_cluster};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::pki::{Authority, KeyKind};
use countersign_e2e::requests::KUBELET_SERVING;
use countersign_e2e::tls::Listener;
use countersign_e2e::{ControlPlane, TestResult, User, wait};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::scene::{run, text};

/// Exit code and rows.
fn status(cluster: &ControlPlane, flags: &[&str]) -> Result<(Option<i32>, Value)> {
    let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig_for(&User::admin())?.display());
    let ca = cluster.authority_files().certificate.display().to_string();
    let ca = format!("--kubelet-certificate-authority={ca}");
    let words = [&["status", "--nodes", "--output=json", &kubeconfig, &ca], flags].concat();
    let output = run(&words)?;
    Ok((output.status.code(), serde_json::from_str(&text(&output)?)?))
}

/// A Node that lists this, and says that its kubelet serves at this port.
async fn node(admin: &Client, name: &str, (kind, address, port): (&str, &str, u16)) -> TestResult {
    let nodes: Api<Node> = Api::all(admin.clone());
    let node = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
    nodes.create(&PostParams::default(), &node).await?;
    let status = json!({ "status": {
        "addresses": [{ "type": kind, "address": address }],
        "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
    } });
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

#[test]
fn a_real_kubelet_is_trusted_once_it_has_its_certificate_and_not_before() -> TestResult {
    on_own_cluster(async |cluster| {
        let admin = cluster.admin().await?;
        let _signer = nodes::start_signer(cluster, &[]).await?;
        assert_eq!(status(cluster, &[])?.0, Some(2), "of no Nodes nothing can be said");
        let mut kubelet = cluster.start_kubelet("server", &cluster.bootstrap_token().await?).await?;
        kubelet.ready(&admin).await?;
        let (code, rows) = status(cluster, &[])?;
        assert_eq!((code, &rows[0]["verdict"]), (Some(2), &json!("no-certificate")), "{rows}");

        let requests: Api<CertificateSigningRequest> = Api::all(admin.clone());
        let selector = ListParams::default().fields(&format!("spec.signerName={KUBELET_SERVING}"));
        let asked = wait::until("the kubelet asks for a serving certificate", async || {
            Ok(requests.list(&selector).await?.items.pop().and_then(|found| found.metadata.name))
        })
        .await?;
        approval::decide(&admin, &asked, Verdict::Approved).await?;
        outcome::reached(&admin, &asked, Outcome::Issued).await?;
        let rows = wait::until("the kubelet would be trusted", async || {
            let (code, rows) = status(cluster, &[])?;
            Ok((code == Some(0)).then_some(rows))
        })
        .await?;
        assert_eq!((&rows[0]["verdict"], &rows[0]["name"]), (&json!("verifies"), &json!("server")), "{rows}");
        // What is true of one address is not of all that the API server might dial.
        let (code, rows) = status(cluster, &["--kubelet-preferred-address-types=ExternalIP"])?;
        assert_eq!((code, &rows[0]["verdict"]), (Some(2), &json!("no-address")), "{rows}");
        Ok(())
    })
}

#[test]
fn each_kubelet_that_would_be_cut_off_is_named_with_the_reason() -> TestResult {
    on_own_cluster(async |cluster| {
        let admin = cluster.admin().await?;
        let other = Authority::new("other", KeyKind::P256)?;
        let ours = cluster.authority();
        let mut listeners = Vec::new();
        for (name, issuer, is_for_it) in
            [("good", ours, true), ("moved", ours, false), ("foreign", &other, true)]
        {
            let address = cluster.node_address()?;
            let text = address.to_string();
            let names = if is_for_it { vec![text.as_str()] } else { vec![] };
            listeners.push(Listener::start((address, 10_250).into(), &issuer.server(&names)?).await?);
            node(&admin, name, ("InternalIP", &text, 10_250)).await?;
        }
        let silent = cluster.node_address()?.to_string();
        node(&admin, "silent", ("InternalIP", &silent, 10_250)).await?;
        node(&admin, "itself", ("InternalIP", "127.0.0.1", 10_250)).await?;
        node(&admin, "unknown", ("ExternalDNS", "unknown.invalid", 10_250)).await?;

        let (code, rows) = status(cluster, &[])?;
        assert_eq!(code, Some(2), "{rows}");
        let found: Vec<_> =
            rows.as_array().into_iter().flatten().map(|row| (&row["name"], &row["verdict"])).collect();
        let expected = [
            ("foreign", "other-authority"),
            ("good", "verifies"),
            ("itself", "unreachable"),
            ("moved", "wrong-address"),
            ("silent", "unreachable"),
            ("unknown", "no-address"),
        ]
        .map(|(name, verdict)| (json!(name), json!(verdict)));
        assert!(found.iter().copied().eq(expected.iter().map(|(name, verdict)| (name, verdict))), "{rows}");

        let nodes: Api<Node> = Api::all(admin);
        for name in ["foreign", "itself", "moved", "silent", "unknown"] {
            nodes.delete(name, &DeleteParams::default()).await?;
        }
        let (code, rows) = status(cluster, &[])?;
        assert_eq!((code, rows.as_array().map(Vec::len)), (Some(0), Some(1)), "{rows}");
        Ok(())
    })
}
