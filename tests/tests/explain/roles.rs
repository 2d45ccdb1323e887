//! What a person may do who has the roles of deploy/explain.yaml and no others.

use anyhow::{Context as _, Result};
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::{ControlPlane, TestResult, User, requests, wait};
use serde_json::Value;

use crate::scene::{SERVING, Scene, apply, run, text};

/// A flag that makes us somebody of the group that the roles are bound to.
fn reader(cluster: &ControlPlane) -> Result<String> {
    let user = User::in_group("reader", "countersign:explain");
    Ok(format!("--kubeconfig={}", cluster.kubeconfig_for(&user)?.display()))
}

/// How many requests the API server has refused so far for want of a permission.
fn refused(cluster: &ControlPlane) -> Result<f64> {
    let metrics = cluster.kubectl(&["get", "--raw=/metrics"])?;
    // RBAC denies nothing: it has no opinion, and nobody else has one either.
    let is_refusal =
        |line: &&str| line.starts_with("authorization_attempts_total{") && !line.contains("allowed");
    let count = |line: &str| -> Result<f64> { Ok(line.rsplit(' ').next().context("a number")?.parse()?) };
    metrics.lines().filter(is_refusal).map(count).sum()
}

/// Waits until the API server has learned whether the reader may do this.
async fn learned(cluster: &ControlPlane, (verb, resource): (&str, &str), expected: bool) -> Result<()> {
    let identity = ["--as=reader", "--as-group=countersign:explain", "--namespace=default"];
    wait::until(&format!("{verb} {resource}: {expected}"), async || {
        let may = cluster.kubectl(&[&["auth", "can-i", verb, resource], &identity[..]].concat()).is_ok();
        Ok((may == expected).then_some(()))
    })
    .await
}

/// Takes a rule of the ClusterRole away.
async fn withdraw(cluster: &ControlPlane, (verb, resource): (&str, &str)) -> TestResult {
    apply(cluster, "deploy/explain.yaml")?;
    let role = cluster.kubectl(&["get", "clusterrole", "countersign:explain", "--output=json"])?;
    let mut role: Value = serde_json::from_str(&role)?;
    let rules = role["rules"].as_array_mut().context("rules")?;
    let before = rules.len();
    rules.retain(|rule| rule["resources"][0] != resource);
    assert_eq!(rules.len(), before - 1, "{resource}");
    let path = cluster.directory().join("role.json");
    std::fs::write(&path, role.to_string())?;
    cluster.kubectl(&["replace", "--filename", &path.display().to_string()])?;
    Ok(learned(cluster, (verb, resource), false).await?)
}

#[test]
fn the_shipped_roles_are_enough_for_explain_and_status() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        apply(cluster, "deploy/explain.yaml")?;
        for granted in [("list", "nodes"), ("watch", "endpointslices.discovery.k8s.io")] {
            learned(cluster, granted, true).await?;
        }
        scene.asks("fine", &["good", "203.0.113.1"]).await?;
        let reader = reader(cluster)?;
        let before = refused(cluster)?;
        let explained = run(&["explain", "fine", SERVING, &reader])?;
        assert_eq!(explained.status.code(), Some(0), "{explained:?}");
        let status = run(&["status", SERVING, &reader])?;
        assert_eq!(status.status.code(), Some(0), "{status:?}");
        assert!(text(&status)?.contains("approve"), "{status:?}");
        let nodes = run(&["status", "--nodes", &reader])?;
        assert_eq!(nodes.status.code(), Some(2), "nobody serves there, and that is known: {nodes:?}");
        assert_eq!(refused(cluster)?, before);

        // The count is one that can rise.
        let approval = run(&["approve", "fine", "--uid=none", &reader])?;
        assert_eq!(approval.status.code(), Some(3), "{approval:?}");
        let jane = requests::user("jane")?.named("jane").create(&cluster.admin().await?).await?;
        let explained: Value =
            serde_json::from_str(&text(&run(&["explain", &jane, &reader, "--output=json"])?)?)?;
        let uid = format!("--uid={}", explained["uid"].as_str().context("a uid")?);
        let approval = run(&["approve", &jane, &uid, &reader])?;
        assert_eq!(approval.status.code(), Some(1), "who may explain may not approve: {approval:?}");
        assert!(refused(cluster)? > before);
        Ok(())
    })
}

#[test]
fn what_may_not_be_read_is_named() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        scene.asks("fine", &["good", "203.0.113.1"]).await?;
        let reader = reader(cluster)?;
        for (verb, resource, code) in [
            ("list", "services", 2),
            ("list", "servicecidrs", 2),
            ("create", "subjectaccessreviews", 1),
            ("get", "certificatesigningrequests", 1),
        ] {
            withdraw(cluster, (verb, resource)).await?;
            let explained = run(&["explain", "fine", SERVING, &reader])?;
            let said = String::from_utf8([explained.stdout, explained.stderr].concat())?;
            assert_eq!(explained.status.code(), Some(code), "{resource}: {said}");
            assert!(said.contains(resource), "{resource}: {said}");
        }
        apply(cluster, "deploy/explain.yaml")?;
        cluster.kubectl(&["delete", "role", "countersign:explain", "--namespace=kube-system"])?;
        learned(cluster, ("list", "services"), true).await?;
        let explained = text(&run(&["explain", "fine", SERVING, &reader])?)?;
        assert!(explained.contains("kubelet-serving/record"), "{explained}");
        Ok(())
    })
}
