//! What operators type, on a real cluster: `countersign explain`, `status` and `approve`.
//!
//! No signer runs beside them, so that everything stays as it is.

mod approve;
mod kubelets;
mod roles;
mod scene;

use std::process::Output;

use anyhow::Result;
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::{ControlPlane, TestResult, VIRTUAL_ADDRESS, requests};
use scene::{SERVING, Scene, run, text};
use serde_json::{Value, json};

#[test]
fn files_with_the_clusters_facts_lead_to_the_same_decision() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let joining = cluster.client_for(&cluster.bootstrap_token().await?).await?;
        let rows = [
            (scene.asks("listed", &["good", "203.0.113.1"]).await?, "approve", 0),
            (scene.asks("service", &["10.96.0.1"]).await?, "hold", 2),
            (scene.asks("virtual", &[VIRTUAL_ADDRESS]).await?, "hold", 2),
            (scene.asks("unlisted", &["203.0.113.9"]).await?, "hold", 2),
            (scene.asks("wildcard", &["*.good"]).await?, "hold", 2),
            (requests::kubelet_client("new")?.named("join").create(&joining).await?, "approve", 0),
            (requests::user("jane")?.named("jane").create(&cluster.admin().await?).await?, "no-opinion", 2),
        ];
        let facts = scene
            .save("facts", &["nodes,services,endpointslices,servicecidrs,configmaps", "--all-namespaces"])?;
        for (name, outcome, code) in rows {
            let live = scene.explain(&name, &["--output=json"])?;
            assert_eq!(live.status.code(), Some(code), "{name}: {live:?}");
            let object = scene.save(&name, &["certificatesigningrequest", &name])?;
            let certificate = cluster.directory().join("apiserver.crt").display().to_string();
            let offline = run(&[
                "explain",
                SERVING,
                "--allowed=selfnodeserver,nodeclient",
                "--output=json",
                &format!("--filename={object}"),
                &format!("--facts={facts}"),
                &format!("--api-server-certificate={certificate}"),
            ])?;
            assert_eq!(offline.status.code(), Some(2), "{name}: {offline:?}");
            let (live, offline) = (decision(&live)?, decision(&offline)?);
            assert_eq!(live, offline, "{name}");
            assert_eq!(live["outcome"], outcome, "{name}: {live}");
        }
        Ok(())
    })
}

#[test]
fn an_inventory_in_the_cluster_is_read_there_and_from_files() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let config = by_inventory(cluster)?;
        let name = scene.asks("kept", &["good", "203.0.113.77"]).await?;
        let object = scene.save(&name, &["certificatesigningrequest", &name])?;
        let certificate = cluster.directory().join("apiserver.crt").display().to_string();
        let make = ["create", "configmap", "nodes", "--namespace=kube-system"];
        let rows = [
            (None, "hold", json!("kubelet-serving/facts")),
            (Some("--from-literal=good=good,203.0.113.77"), "approve", json!("kubelet-serving/permission")),
            (Some("--from-literal=good=good"), "hold", json!("kubelet-serving/san-justified")),
        ];
        for (data, outcome, rule) in rows {
            if let Some(data) = data {
                cluster.kubectl(&[
                    "delete",
                    "configmap",
                    "nodes",
                    "--namespace=kube-system",
                    "--ignore-not-found",
                ])?;
                cluster.kubectl(&[&make[..], &[data]].concat())?;
            }
            let kinds = "nodes,services,endpointslices,servicecidrs,configmaps";
            let facts = scene.save("facts", &[kinds, "--all-namespaces"])?;
            let live = decision(&scene.explain(&name, &["--output=json", &config])?)?;
            let offline = run(&[
                "explain",
                &config,
                "--allowed=selfnodeserver",
                "--output=json",
                &format!("--filename={object}"),
                &format!("--facts={facts}"),
                &format!("--api-server-certificate={certificate}"),
            ])?;
            assert_eq!((&live["outcome"], &live["rule"]), (&json!(outcome), &rule), "{live}");
            let offline = decision(&offline)?;
            assert_eq!((&offline["outcome"], &offline["rule"]), (&json!(outcome), &rule), "{offline}");
        }
        Ok(())
    })
}

#[test]
fn the_exit_code_follows_the_object_to_its_end() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let code = |name: &str| -> Result<Option<i32>> { Ok(scene.explain(name, &[])?.status.code()) };
        assert_eq!(code("nobody")?, Some(1), "there is no such object");
        let good = scene.asks("fine", &["good"]).await?;
        let reserved = scene.asks("reserved", &["10.96.0.1"]).await?;
        let denied = scene.asks("denied", &["good"]).await?;
        cluster.kubectl(&["certificate", "approve", &good, &reserved])?;
        cluster.kubectl(&["certificate", "deny", &denied])?;
        assert_eq!((code(&good)?, code(&reserved)?, code(&denied)?), (Some(0), Some(2), Some(3)));
        cluster.kubectl(&["delete", "clusterrolebinding", "countersign:selfnodeserver"])?;
        let unbound = scene.asks("unbound", &["good"]).await?;
        let said = text(&scene.explain(&unbound, &[])?)?;
        assert!(said.contains("kubectl apply -f deploy/kubelet-serving.yaml"), "{said}");
        Ok(())
    })
}

#[test]
fn what_waits_is_in_the_table_and_what_has_ended_is_not() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        scene.asks("fine", &["good"]).await?;
        scene.asks("reserved", &["10.96.0.1"]).await?;
        let denied = scene.asks("denied", &["good"]).await?;
        cluster.kubectl(&["certificate", "deny", &denied])?;
        let status = |form| run(&["status", SERVING, &scene.kubeconfig, &format!("--output={form}")]);
        let table = text(&status("text")?)?;
        let row = |name: &str| {
            let found = table.lines().find(|line| line.contains(&format!(" {name} ")));
            found.map(|line| line.split_whitespace().skip(2).take(5).map(str::to_owned).collect::<Vec<_>>())
        };
        let common = ["system:node:good", "kubernetes.io/kubelet-serving"];
        let expected = |rest: [&str; 3]| Some(common.iter().chain(&rest).map(ToString::to_string).collect());
        assert_eq!(row("fine"), expected(["approve", "kubelet-serving/permission", "nobody"]), "{table}");
        assert_eq!(
            row("reserved"),
            expected(["hold", "kubelet-serving/san-reserved", "administrator"]),
            "{table}"
        );
        assert_eq!(row("denied"), None, "{table}");
        assert!(table.lines().any(|line| line.ends_with(" by cleaning/pending")), "{table}");
        let all = text(&run(&["status", "--all", &scene.kubeconfig])?)?;
        let denied = all.lines().find(|line| line.contains(" denied "));
        assert!(denied.is_some_and(|line| line.ends_with("s by cleaning/denied")), "{all}");
        let json: Value = serde_json::from_str(&text(&status("json")?)?)?;
        assert_eq!(json.as_array().map(Vec::len), Some(2), "{json}");
        Ok(())
    })
}

/// A flag for a configuration by which the inventory in the cluster is believed, and nothing else.
fn by_inventory(cluster: &ControlPlane) -> Result<String> {
    let file = json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "CountersignConfiguration",
        "approval": { "kubeletServing": {
            "enabled": true,
            "accept": [["inventory"]],
            "inventoryConfigMap": { "namespace": "kube-system", "name": "nodes" },
        } },
    });
    let path = cluster.directory().join("countersign.yaml");
    std::fs::write(&path, file.to_string())?;
    Ok(format!("--config={}", path.display()))
}

/// What was decided and why, without what only a cluster vouches for.
fn decision(output: &Output) -> Result<Value> {
    let value: Value = serde_json::from_str(&text(output)?)?;
    Ok(json!({ "outcome": value["outcome"], "rule": value["rule"], "findings": value["findings"] }))
}
