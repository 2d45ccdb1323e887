//! Who was first with an address, and whose a key is, by the record in the cluster.

use anyhow::{Context as _, Result};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::{self, rcgen::KeyPair};
use countersign_e2e::{TestResult, quiescence};

use crate::stage::{Stage, on_stage};

const CONFLICT: &str = "kubelet-serving/address-conflict";

/// Asks for the name of a node and this address.
async fn ask(stage: &Stage<'_>, node: &str, address: &str) -> Result<String> {
    let kubelet = stage.kubelet(node).await?;
    requests::kubelet_serving(node, &[node, address])?.create(&kubelet).await
}

/// The line of a node in the record.
fn line(stage: &Stage<'_>, node: &str) -> Result<Option<(String, String)>> {
    let form = "--output=jsonpath={range .items[*]}{.metadata.name}{\"\\t\"}{.data}{\"\\n\"}{end}";
    let all = stage.cluster.kubectl(&["get", "configmaps", "--namespace=kube-system", form])?;
    let found = all.lines().find(|line| line.contains(&format!("\"{node}\":")));
    Ok(found.and_then(|line| line.split_once('\t')).map(|(name, data)| (name.to_owned(), data.to_owned())))
}

#[test]
fn an_owner_that_does_not_serve_keeps_its_address_after_a_restart_too() -> TestResult {
    const ADDRESS: &str = "203.0.113.50";
    on_stage(async |stage| {
        stage.node("owner", &["owner", ADDRESS]).await?;
        let first = ask(stage, "owner", ADDRESS).await?;
        outcome::reached(&stage.admin, &first, Outcome::Issued).await?;
        stage.node("thief", &["thief", ADDRESS]).await?;
        let claim = ask(stage, "thief", ADDRESS).await?;
        stage.holds(&claim, CONFLICT).await?;
        let renewed = ask(stage, "owner", ADDRESS).await?;
        outcome::reached(&stage.admin, &renewed, Outcome::Issued).await?;

        stage.restart().await?;
        stage.holds(&claim, CONFLICT).await?;
        let renewed = ask(stage, "owner", ADDRESS).await?;
        outcome::reached(&stage.admin, &renewed, Outcome::Issued).await?;
        stage.nothing_was_forbidden().await?;

        // It is the record that does it: without its line the owner is one of two.
        let (name, _) = line(stage, "owner")?.context("no line of the owner")?;
        let forget = r#"[{"op": "remove", "path": "/data/owner"}]"#;
        stage.cluster.kubectl(&[
            "patch",
            "configmap",
            &name,
            "--namespace=kube-system",
            "--type=json",
            "--patch",
            forget,
        ])?;
        stage.restart().await?;
        let forgotten = ask(stage, "owner", ADDRESS).await?;
        stage.holds(&forgotten, CONFLICT).await?;
        stage.cluster.kubectl(&["delete", "node", "owner"])?;
        outcome::reached(&stage.admin, &claim, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn the_address_of_an_owner_that_is_gone_goes_to_the_next() -> TestResult {
    const ADDRESS: &str = "203.0.113.51";
    on_stage(async |stage| {
        stage.node("owner", &["owner", ADDRESS]).await?;
        let first = ask(stage, "owner", ADDRESS).await?;
        outcome::reached(&stage.admin, &first, Outcome::Issued).await?;
        stage.node("next", &["next", ADDRESS]).await?;
        let next = ask(stage, "next", ADDRESS).await?;
        stage.holds(&next, CONFLICT).await?;
        stage.cluster.kubectl(&["delete", "node", "owner"])?;
        outcome::reached(&stage.admin, &next, Outcome::Issued).await?;

        // Who comes back with the name of the former owner is not that one.
        stage.node("owner", &["owner", ADDRESS]).await?;
        let back = ask(stage, "owner", ADDRESS).await?;
        stage.holds(&back, CONFLICT).await?;
        let renewed = ask(stage, "next", ADDRESS).await?;
        outcome::reached(&stage.admin, &renewed, Outcome::Issued).await?;
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn of_two_who_claim_what_nobody_owns_neither_gets_it_and_both_are_told() -> TestResult {
    const ADDRESS: &str = "203.0.113.52";
    on_stage(async |stage| {
        for node in ["left", "right"] {
            stage.node(node, &[node, ADDRESS]).await?;
        }
        for node in ["left", "right"] {
            let name = ask(stage, node, ADDRESS).await?;
            stage.holds(&name, CONFLICT).await?;
            let event = stage.event(&name).await?;
            assert!(event.starts_with("AddressConflict "), "{event}");
        }
        stage.counts("countersign_held{rule=\"kubelet-serving/address-conflict\"}", 2.0).await?;
        assert_eq!((line(stage, "left")?, line(stage, "right")?), (None, None));
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn a_key_is_one_nodes_alone() -> TestResult {
    on_stage(async |stage| {
        let key = KeyPair::generate()?;
        let ask = async |node: &str| -> Result<String> {
            let kubelet = stage.kubelet(node).await?;
            requests::kubelet_serving_with(node, &[node], &key)?.create(&kubelet).await
        };
        stage.node("original", &["original"]).await?;
        let first = ask("original").await?;
        outcome::reached(&stage.admin, &first, Outcome::Issued).await?;
        stage.node("clone", &["clone"]).await?;
        let reused = ask("clone").await?;
        stage.holds(&reused, "kubelet-serving/key-reused").await?;
        let again = ask("original").await?;
        outcome::reached(&stage.admin, &again, Outcome::Issued).await?;
        quiescence::turn(&stage.admin).await?;
        assert_eq!(stage.outcome(&reused).await?, Outcome::Pending);
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn without_the_record_nothing_is_approved_and_with_it_again() -> TestResult {
    on_stage(async |stage| {
        let binding = ["rolebinding", "countersign:kubelet-serving", "--namespace=kube-system"];
        stage.cluster.kubectl(&[&["delete"], &binding[..]].concat())?;
        stage.restart().await?;
        stage.node("waiting", &["waiting"]).await?;
        let name = {
            let kubelet = stage.kubelet("waiting").await?;
            requests::kubelet_serving("waiting", &["waiting"])?.create(&kubelet).await?
        };
        stage.holds(&name, "kubelet-serving/record").await?;
        stage.apply("deploy/kubelet-serving.yaml")?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        let (_, line) = line(stage, "waiting")?.context("no line of the node")?;
        stage.apply("deploy/kubelet-serving.yaml")?;
        let (_, kept) = self::line(stage, "waiting")?.context("what is applied again keeps its lines")?;
        assert_eq!(line, kept);
        Ok(())
    })
}
