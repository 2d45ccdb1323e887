//! Serving certificates of real kubelets, from the first to the one after a long absence, approved by countersign.

use anyhow::{Context as _, Result};
use countersign_e2e::nodes::{self, Flags, on_own_cluster, on_shared_cluster};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::{KUBELET_CLIENT, KUBELET_SERVING};
use countersign_e2e::{ControlPlane, Kubelet, Kubelets, TestResult, binaries, wait};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::{Api, Client};
use serde_json::json;

use super::{issuance, pending};

/// Flags of a signer that approves serving certificates.
pub(crate) const SERVING: Flags = &[("approve-kubelet-serving", "true")];

/// The same, for certificates that kubelets renew each second.
const HURRIED: Flags = &[("approve-kubelet-serving", "true"), ("cluster-signing-duration", "15s")];

#[test]
fn a_kubelet_serves_without_anybodys_help() -> TestResult {
    on_shared_cluster(SERVING, async |cluster| {
        permit(cluster)?;
        let mut kubelet = cluster.start_kubelet("server-2", &cluster.bootstrap_token().await?).await?;
        kubelet.is_reached(cluster).await?;
        let address = kubelet.address();
        let presented = kubelet.presented(&address).await?;
        was_approved_for(&cluster.admin().await?, &kubelet, &presented).await
    })
}

#[test]
fn a_kubelet_renews_its_serving_certificate_and_stays_trusted() -> TestResult {
    on_own_cluster(async |cluster| {
        permit(cluster)?;
        let admin = cluster.admin().await?;
        let signer = nodes::start_signer(cluster, HURRIED).await?;
        let mut kubelet = cluster.start_kubelet("server-3", &cluster.bootstrap_token().await?).await?;
        kubelet.is_reached(cluster).await?;
        signer.stop().await?;
        let address = kubelet.address();
        let before = kubelet.presented(&address).await?;

        let _signer = nodes::start_signer(cluster, SERVING).await?;
        let after = wait::until("the kubelet presents another certificate", async || {
            let presented = kubelet.presented(&address).await?;
            Ok((presented != before).then_some(presented))
        })
        .await?;
        was_approved_for(&admin, &kubelet, &after).await?;
        // It looks at a certificate when it connects, and not again.
        cluster.restart_apiserver(Kubelets::Certified).await?;
        kubelet.is_reached(cluster).await?;
        Ok(())
    })
}

#[test]
fn a_kubelet_with_another_address_waits_until_its_node_lists_it() -> TestResult {
    on_own_cluster(async |cluster| {
        permit(cluster)?;
        let admin = cluster.admin().await?;
        let signer = nodes::start_signer(cluster, SERVING).await?;
        let mut kubelet = cluster.start_kubelet("mover", &cluster.bootstrap_token().await?).await?;
        kubelet.is_reached(cluster).await?;
        signer.stop().await?;

        // A kubelet asks once the API server has taken its status, so that somebody else has to put the old one back.
        let (old, new) = (kubelet.address(), cluster.node_address()?.to_string());
        kubelet.play(MOVE, &[("old", &old), ("new", &new)]).await?;
        let name = pending(&admin, &kubelet, KUBELET_SERVING).await?;
        let veto = Veto::on(cluster, (kubelet.node(), &new)).await?;
        list(cluster, (kubelet.node(), &old), &[])?;
        let _signer = nodes::start_signer(cluster, SERVING).await?;
        let event = event(cluster, &name).await?;
        assert!(event.starts_with("Held kubelet-serving/san-justified does not hold"), "{event}");
        assert!(event.contains(&format!("{new} is not confirmed by node-status")), "{event}");
        let csr = Api::<CertificateSigningRequest>::all(admin.clone()).get(&name).await?;
        assert_eq!(Outcome::of(&csr), Outcome::Pending);

        veto.lift()?;
        outcome::reached(&admin, &name, Outcome::Issued).await?;
        kubelet.is_reached(cluster).await?;
        let presented = kubelet.presented(&new).await?;
        was_approved_for(&admin, &kubelet, &presented).await
    })
}

#[test]
fn a_kubelet_whose_certificates_expired_while_nobody_signed_recovers() -> TestResult {
    on_own_cluster(async |cluster| {
        permit(cluster)?;
        let admin = cluster.admin().await?;
        let signer = nodes::start_signer(cluster, HURRIED).await?;
        let mut kubelet = cluster.start_kubelet("patient", &cluster.bootstrap_token().await?).await?;
        kubelet.is_reached(cluster).await?;
        kubelet.play(FORGET, &[]).await?;
        kubelet.ready(&admin).await?;
        signer.stop().await?;
        pending(&admin, &kubelet, KUBELET_CLIENT).await?;
        pending(&admin, &kubelet, KUBELET_SERVING).await?;
        let address = kubelet.address();
        wait::until("its serving certificate expires", async || Ok(kubelet.presented(&address).await.err()))
            .await?;
        let node = [("node", "patient")];
        wait::until("its client certificate expires", async || Ok(kubelet.play(ASK, &node).await.err()))
            .await?;

        let _signer = nodes::start_signer(cluster, SERVING).await?;
        wait::until("it has a certificate again", async || Ok(kubelet.presented(&address).await.ok()))
            .await?;
        kubelet.is_reached(cluster).await?;
        wait::until("it is known as a node", async || Ok(kubelet.play(ASK, &node).await.ok())).await?;
        kubelet.process()?.ensure_running()?;
        Ok(())
    })
}

/// Keeps a Node from listing an address, whoever says so.
struct Veto<'a>(&'a ControlPlane);

impl<'a> Veto<'a> {
    /// Returns once the API server obeys.
    async fn on(cluster: &'a ControlPlane, (node, address): (&str, &str)) -> Result<Self> {
        let file = cluster.directory().join("veto.yaml");
        std::fs::write(&file, VETO.replace("ADDRESS", address))?;
        cluster.kubectl(&["apply", "--filename", &file.display().to_string()])?;
        wait::until("nobody may list the address", async || {
            Ok(list(cluster, (node, address), &["--dry-run=server"]).err())
        })
        .await?;
        Ok(Self(cluster))
    }

    fn lift(self) -> Result<()> {
        self.0.kubectl(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "veto"])?;
        Ok(())
    }
}

/// Says that a Node has this address and no other.
fn list(cluster: &ControlPlane, (node, address): (&str, &str), flags: &[&str]) -> Result<()> {
    let status = json!({ "status": { "addresses": [
        { "type": "InternalIP", "address": address },
        { "type": "Hostname", "address": node },
    ] } });
    let (patch, status) =
        (["patch", "node", node, "--subresource=status", "--type=merge"], status.to_string());
    cluster.kubectl(&[&patch, flags, &["--patch", &status]].concat()).map(drop)
}

/// Grants what `--approve-kubelet-serving` needs.
pub(crate) fn permit(cluster: &ControlPlane) -> Result<()> {
    let manifest = binaries::workspace().join("deploy/kubelet-serving.yaml");
    cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()]).map(drop)
}

/// The certificate is what a request of this kubelet led to, which countersign approved.
async fn was_approved_for(admin: &Client, kubelet: &Kubelet, pem: &str) -> TestResult {
    let csr = issuance(admin, pem.as_bytes()).await?.context("no request led to the certificate")?;
    assert_eq!(csr.spec.username, Some(kubelet.user_name()));
    assert_eq!(csr.spec.signer_name, KUBELET_SERVING);
    let approval = outcome::condition(&csr, "Approved").context("no approval")?;
    assert_eq!(approval.reason.as_deref(), Some("AutoApproved"));
    Ok(())
}

/// Reason and message of the Event that tells of a request, once there is one.
async fn event(cluster: &ControlPlane, name: &str) -> Result<String> {
    let selector = format!("--field-selector=involvedObject.name={name}");
    let form = "--output=jsonpath={.items[*].reason} {.items[*].message}";
    wait::until("an Event tells why", async || {
        let event = cluster.kubectl(&["get", "events", "--namespace=default", &selector, form])?;
        Ok((!event.trim().is_empty()).then_some(event))
    })
    .await
}

/// Gives a kubelet another address, as a host has after a move.
const MOVE: &str = r#"
sed -i "s/$old/$new/" /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env
systemctl restart kubelet
"#;

/// Takes the bootstrap token away, as kubeadm does on a node that has joined.
pub(crate) const FORGET: &str = "rm /etc/kubernetes/bootstrap-kubelet.conf && systemctl restart kubelet";

/// Asks something with the kubelet's own credentials.
const ASK: &str = "kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node $node";

/// Refuses the status of a Node with an address.
const VETO: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: veto }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [nodes/status] }
  validations:
    - expression: "!object.status.addresses.exists(a, a.address == 'ADDRESS')"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: veto }
spec: { policyName: veto, validationActions: [Deny] }
"#;
