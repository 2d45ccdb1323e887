//! A node's credentials, or less, are stolen: what they do not lead to.

use anyhow::Result;
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests;
use countersign_e2e::{API_SERVER, TestResult, User, VIRTUAL_ADDRESS, quiescence};
use kube::Client;
use serde_json::json;

use crate::stage::{Stage, on_stage};

#[test]
fn a_node_gets_nobody_elses_name_or_address() -> TestResult {
    on_stage(async |stage| {
        for service in [
            ["clusterip", "web", "--tcp=80", "--clusterip=10.96.7.7"].as_slice(),
            &["externalname", "outer", "--external-name=x.example.com"],
        ] {
            stage.cluster.kubectl(&[&["create", "service"], service].concat())?;
        }
        stage.node("victim", &["victim", "203.0.113.20"]).await?;
        for (san, rule) in [
            (API_SERVER, "san-reserved"),
            (VIRTUAL_ADDRESS, "san-reserved"),
            ("10.96.0.1", "san-reserved"),
            ("10.96.7.7", "san-reserved"),
            ("10.96.200.200", "san-reserved"),
            ("127.0.0.1", "san-reserved"),
            ("169.254.169.254", "san-reserved"),
            ("::ffff:127.0.0.1", "san-reserved"),
            ("64:ff9b::a60:1", "san-reserved"),
            ("localhost", "san-reserved"),
            ("kubernetes", "san-reserved"),
            ("kubernetes.default.svc", "san-reserved"),
            ("web.default.svc.cluster.local", "san-reserved"),
            ("web.default", "san-reserved"),
            ("victim", "san-reserved"),
            ("203.0.113.20", "address-conflict"),
            ("victim.example.com", "san-justified"),
            ("*.thief.example.com", "san-form"),
            ("0x7f000001", "san-form"),
        ] {
            let thief = thief_who_lists(stage, san).await?;
            let name = requests::kubelet_serving("thief", &["thief", san])?.create(&thief).await?;
            stage.holds(&name, &format!("kubelet-serving/{rule}")).await?;
        }
        stage.nothing_was_forbidden().await
    })
}

/// It says of itself whatever it asks for: only the rule is in its way.
async fn thief_who_lists(stage: &Stage<'_>, san: &str) -> Result<Client> {
    if let Ok(thief) = stage.node("thief", &["thief", san]).await {
        return Ok(thief);
    }
    let thief = stage.kubelet("thief").await?;
    stage.lists(&thief, "thief", &["thief", san]).await?;
    Ok(thief)
}

#[test]
fn where_nodes_join_no_node_serves() -> TestResult {
    on_stage(async |stage| {
        let thief = thief_who_lists(stage, JOINED_AT).await?;
        let asked =
            || async { requests::kubelet_serving("thief", &["thief", JOINED_AT])?.create(&thief).await };
        let before = asked().await?;
        outcome::reached(&stage.admin, &before, Outcome::Issued).await?;
        let server = format!("https://{JOINED_AT}:6443");
        let info = json!({ "clusters": [{ "name": "", "cluster": { "server": server } }] });
        let info = format!("--from-literal=kubeconfig={info}");
        stage.cluster.kubectl(&["create", "configmap", "cluster-info", "--namespace=kube-public", &info])?;
        stage.restart().await?;
        stage.holds(&asked().await?, "kubelet-serving/san-reserved").await?;
        stage.nothing_was_forbidden().await
    })
}

#[test]
fn who_is_not_the_node_gets_nothing_in_its_name() -> TestResult {
    on_stage(async |stage| {
        stage.node("victim", &["victim", "203.0.113.20"]).await?;
        // Another node does not get so far: NodeRestriction lets it ask in its own name only.
        let outsider = User::named("system:node:victim");
        for (client, rule) in [
            (stage.admin.clone(), "kubelet-serving/requester"),
            (
                stage.cluster.client_for(&stage.cluster.bootstrap_token().await?).await?,
                "kubelet-serving/requester",
            ),
        ] {
            let name =
                requests::kubelet_serving("victim", &["victim", "203.0.113.20"])?.create(&client).await?;
            stage.holds(&name, rule).await?;
        }
        // The name alone, registered with some authenticator, is not the group.
        stage.cluster.kubectl(&[
            "create",
            "clusterrolebinding",
            "anybody",
            "--clusterrole=system:node-bootstrapper",
            "--user=system:node:victim",
        ])?;
        let client = stage.cluster.client_for(&outsider).await?;
        let name = requests::kubelet_serving("victim", &["victim", "203.0.113.20"])?.create(&client).await?;
        stage.holds(&name, "kubelet-serving/group").await?;
        Ok(())
    })
}

#[test]
fn a_thousand_claims_disturb_nobody() -> TestResult {
    on_stage(async |stage| {
        let claims: Vec<_> =
            (0..1000).map(|number| format!("203.0.{}.{}", 113 + number / 250, number % 250)).collect();
        let greedy = stage.node("greedy", &claims.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let own = requests::kubelet_serving("greedy", &["203.0.113.30"])?.create(&greedy).await?;
        stage.holds(&own, "kubelet-serving/san-justified").await?;
        let kubelet = stage.node("modest", &["modest", "203.0.113.30"]).await?;
        let name = requests::kubelet_serving("modest", &["modest", "203.0.113.30"])?.create(&kubelet).await?;
        outcome::reached(&stage.admin, &name, Outcome::Issued).await?;
        Ok(())
    })
}

#[test]
fn what_somebody_else_approves_is_not_signed_for_a_reserved_name() -> TestResult {
    on_stage(async |stage| {
        let thief = stage.node("thief", &["thief", VIRTUAL_ADDRESS]).await?;
        let stolen = requests::kubelet_serving("thief", &["thief", VIRTUAL_ADDRESS])?.create(&thief).await?;
        stage.holds(&stolen, "kubelet-serving/san-reserved").await?;
        approval::decide(&stage.admin, &stolen, Verdict::Approved).await?;
        // What no source confirms a human may still approve.
        let unlisted = requests::kubelet_serving("thief", &["203.0.113.40"])?.create(&thief).await?;
        stage.holds(&unlisted, "kubelet-serving/san-justified").await?;
        approval::decide(&stage.admin, &unlisted, Verdict::Approved).await?;
        outcome::reached(&stage.admin, &unlisted, Outcome::Issued).await?;
        quiescence::turn(&stage.admin).await?;
        assert_eq!(stage.outcome(&stolen).await?, Outcome::Approved);
        Ok(())
    })
}

/// An address that no API server presents.
const JOINED_AT: &str = "203.0.113.66";
