//! Kubelets' serving certificates, approved by `--approve-kubelet-serving` under the shipped roles and nothing more.
//!
//! The nodes are played with the credentials that theirs would have, against a real API server whose address is published; real
//! kubelets are in `kubelet.rs`.

mod attacks;
mod owners;
mod sources;
mod stage;

use anyhow::Result;
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests;
use countersign_e2e::{API_SERVER, TestResult, certificate};
use stage::on_stage;

#[test]
fn good_nodes_get_their_certificates() -> TestResult {
    on_stage(async |stage| {
        for (node, addresses, names) in [
            ("plain", &["plain", "203.0.113.1"][..], &["plain", "203.0.113.1"][..]),
            ("dual", &["dual", "203.0.113.2", "2001:db8::2"], &["dual", "203.0.113.2", "2001:db8::2"]),
            (
                "several",
                &["several", "203.0.113.3", "203.0.113.4"],
                &["several", "203.0.113.3", "203.0.113.4"],
            ),
            (
                "host.example",
                &["host.example", "host", "203.0.113.5"],
                &["host", "host.example", "203.0.113.5"],
            ),
            ("address", &["address", "203.0.113.6"], &["203.0.113.6"]),
            ("name", &["name", "203.0.113.7"], &["name"]),
            ("windows", &["WINDOWS", "203.0.113.8"], &["WINDOWS", "203.0.113.8"]),
        ] {
            let kubelet = stage.node(node, addresses).await?;
            let name = requests::kubelet_serving(node, names)?.create(&kubelet).await?;
            let issued = outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
            let pem = outcome::certificate(&issued).ok_or("no certificate")?;
            assert!(certificate::is_signed_by(pem, stage.cluster.authority())?, "{node}");
            let approval = outcome::condition(&issued, "Approved").ok_or("no approval")?;
            assert_eq!(approval.reason.as_deref(), Some("AutoApproved"), "{node}");
        }
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn an_address_that_comes_later_is_held_and_then_approved() -> TestResult {
    on_stage(async |stage| {
        let kubelet = stage.node("late", &["late"]).await?;
        let draft = requests::kubelet_serving("late", &["late", "203.0.113.9"])?;
        let name = draft.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/san-justified").await?;
        let event = stage.event(&name).await?;
        assert!(event.starts_with("Held kubelet-serving/san-justified does not hold"), "{event}");
        assert!(event.contains("203.0.113.9 is not confirmed by node-status"), "{event}");
        stage.lists(&kubelet, "late", &["late", "203.0.113.9"]).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn a_request_that_comes_before_its_node_is_held_until_there_is_one() -> TestResult {
    on_stage(async |stage| {
        let kubelet = stage.kubelet("early").await?;
        let name = requests::kubelet_serving("early", &["early"])?.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/node").await?;
        stage.node("early", &["early"]).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn a_reused_address_waits_until_the_former_node_is_gone() -> TestResult {
    on_stage(async |stage| {
        stage.node("former", &["former", "203.0.113.10"]).await?;
        let kubelet = stage.node("successor", &["successor", "203.0.113.10"]).await?;
        let name =
            requests::kubelet_serving("successor", &["successor", "203.0.113.10"])?.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/address-conflict").await?;
        stage.cluster.kubectl(&["delete", "node", "former"])?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn a_control_plane_node_serves_at_the_api_servers_address() -> TestResult {
    on_stage(async |stage| {
        let kubelet = stage.node("master", &["master", API_SERVER]).await?;
        let ask = async || -> Result<String> {
            requests::kubelet_serving("master", &["master", API_SERVER])?.create(&kubelet).await
        };
        let name = ask().await?;
        stage.holds(&name, "kubelet-serving/san-reserved").await?;
        stage.cluster.kubectl(&["label", "node", "master", "node-role.kubernetes.io/control-plane="])?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        let again = ask().await?;
        outcome::reached(&stage.admin, &again, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn what_is_missing_is_permission_and_then_it_is_not() -> TestResult {
    on_stage(async |stage| {
        stage.cluster.kubectl(&["delete", "clusterrolebinding", "countersign:selfnodeserver"])?;
        let kubelet = stage.node("unbound", &["unbound"]).await?;
        let name = requests::kubelet_serving("unbound", &["unbound"])?.create(&kubelet).await?;
        stage.holds(&name, "kubelet-serving/permission").await?;
        stage.apply("deploy/kubelet-serving.yaml")?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        Ok(())
    })
}
