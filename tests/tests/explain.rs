//! What `countersign explain` and `countersign status` say of a real cluster: the same as of files that hold its facts.
//!
//! No signer runs beside them, so that everything stays as it is.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::{ControlPlane, TestResult, User, VIRTUAL_ADDRESS, binaries, requests};
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// A cluster with a Node `good` that lists its name and these addresses.
struct Scene<'a> {
    cluster: &'a ControlPlane,
    good: Client,
    kubeconfig: String,
}

const LISTED: [&str; 3] = ["good", "203.0.113.1", VIRTUAL_ADDRESS];
const SERVING: &str = "--approve-kubelet-serving";

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
            found.map(|line| line.split_whitespace().skip(2).map(str::to_owned).collect::<Vec<_>>())
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
        let json: Value = serde_json::from_str(&text(&status("json")?)?)?;
        assert_eq!(json.as_array().map(Vec::len), Some(2), "{json}");
        Ok(())
    })
}

impl<'a> Scene<'a> {
    async fn start(cluster: &'a ControlPlane) -> Result<Self> {
        let manifest = binaries::workspace().join("deploy/kubelet-serving.yaml");
        cluster.kubectl(&["apply", "--filename", &manifest.display().to_string()])?;
        let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig_for(&User::admin())?.display());
        let good = cluster.client_for(&User::node("good")).await?;
        let nodes: Api<Node> = Api::all(good.clone());
        let node: Node = serde_json::from_value(json!({ "metadata": { "name": "good" } }))?;
        nodes.create(&PostParams::default(), &node).await?;
        let addresses = LISTED.map(|text| json!({ "type": "InternalIP", "address": text }));
        let status = json!({ "status": { "addresses": addresses } });
        nodes.patch_status("good", &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(Self { cluster, good, kubeconfig })
    }

    /// The Node asks for a serving certificate with these names.
    async fn asks(&self, name: &str, sans: &[&str]) -> Result<String> {
        requests::kubelet_serving("good", sans)?.named(name).create(&self.good).await
    }

    fn explain(&self, name: &str, flags: &[&str]) -> Result<Output> {
        run(&[&["explain", name, SERVING, self.kubeconfig.as_str()], flags].concat())
    }

    /// Writes what `kubectl get` shows to a file, and returns its path.
    fn save(&self, name: &str, what: &[&str]) -> Result<String> {
        let path = self.cluster.directory().join(format!("{name}.yaml"));
        let words = [&["get", "--output=yaml"], what].concat();
        std::fs::write(&path, self.cluster.kubectl(&words)?)?;
        Ok(path.display().to_string())
    }
}

fn run(words: &[&str]) -> Result<Output> {
    let mut command = Command::new(binaries::countersign()?);
    command.env_remove("KUBECONFIG").args(words).output().context("failed to run countersign")
}

fn text(output: &Output) -> Result<String> {
    ensure!(!output.stdout.is_empty(), "{output:?}");
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// What was decided and why, without what only a cluster vouches for.
fn decision(output: &Output) -> Result<Value> {
    let value: Value = serde_json::from_str(&text(output)?)?;
    Ok(json!({ "outcome": value["outcome"], "rule": value["rule"], "findings": value["findings"] }))
}
