//! A cluster to ask about.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use countersign_e2e::{ControlPlane, User, VIRTUAL_ADDRESS, binaries, requests};
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

/// A cluster with a Node `good` that lists its name and these addresses.
pub(crate) struct Scene<'a> {
    pub(crate) cluster: &'a ControlPlane,
    good: Client,
    pub(crate) kubeconfig: String,
}

const LISTED: [&str; 3] = ["good", "203.0.113.1", VIRTUAL_ADDRESS];
pub(crate) const SERVING: &str = "--approve-kubelet-serving";

impl<'a> Scene<'a> {
    pub(crate) async fn start(cluster: &'a ControlPlane) -> Result<Self> {
        apply(cluster, "deploy/kubelet-serving.yaml")?;
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
    pub(crate) async fn asks(&self, name: &str, sans: &[&str]) -> Result<String> {
        requests::kubelet_serving("good", sans)?.named(name).create(&self.good).await
    }

    pub(crate) fn explain(&self, name: &str, flags: &[&str]) -> Result<Output> {
        run(&[&["explain", name, SERVING, self.kubeconfig.as_str()], flags].concat())
    }

    /// Writes what `kubectl get` shows to a file, and returns its path.
    pub(crate) fn save(&self, name: &str, what: &[&str]) -> Result<String> {
        let path = self.cluster.directory().join(format!("{name}.yaml"));
        let words = [&["get", "--output=yaml"], what].concat();
        std::fs::write(&path, self.cluster.kubectl(&words)?)?;
        Ok(path.display().to_string())
    }
}

/// Applies a manifest that is shipped.
pub(crate) fn apply(cluster: &ControlPlane, manifest: &str) -> Result<()> {
    let path = binaries::workspace().join(manifest);
    cluster.kubectl(&["apply", "--filename", &path.display().to_string()]).map(drop)
}

pub(crate) fn run(words: &[&str]) -> Result<Output> {
    let mut command = Command::new(binaries::countersign()?);
    command.env_remove("KUBECONFIG").args(words).output().context("failed to run countersign")
}

pub(crate) fn text(output: &Output) -> Result<String> {
    ensure!(!output.stdout.is_empty(), "{output:?}");
    Ok(String::from_utf8(output.stdout.clone())?)
}
