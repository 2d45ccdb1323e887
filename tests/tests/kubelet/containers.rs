//! The whole way once, with a container: `kubectl logs` and `kubectl exec` through an API server that looks at certificates.

use anyhow::Result;
use countersign_e2e::containers::IMAGE;
use countersign_e2e::nodes::{self, on_own_cluster_with_containers};
use countersign_e2e::{ControlPlane, TestResult, wait};
use serde_json::json;

use super::serving::{SERVING, permit};

#[test]
fn kubectl_gets_to_a_container_once_the_serving_certificate_is_approved() -> TestResult {
    on_own_cluster_with_containers(async |cluster| {
        let admin = cluster.admin().await?;
        // It signs, and approves no serving certificates yet.
        let signer = nodes::start_signer(cluster, &[]).await?;
        let token = cluster.bootstrap_token().await?;
        let mut kubelet = cluster.kubelet("worker").with_containers().join(&token).await?;
        kubelet.ready(&admin).await?;
        run_pod(cluster, kubelet.node())?;
        let waits = ["wait", "pod/tiny", "--for=condition=Ready", "--timeout=60s"];
        cluster.kubectl(&waits)?;
        for refused in [logs(cluster), exec(cluster)] {
            let refusal = refused.err().ok_or("there is no certificate, and yet kubectl gets through")?;
            assert!(refusal.to_string().contains("tls: internal error"), "{refusal}");
        }

        signer.stop().await?;
        permit(cluster)?;
        let _signer = nodes::start_signer(cluster, SERVING).await?;
        let log = wait::until("kubectl gets the log", async || Ok(logs(cluster).ok())).await?;
        assert_eq!(log, "waiting\n");
        assert_eq!(exec(cluster)?, "good morning\n");
        Ok(())
    })
}

/// A pod on the node's own network, with nobody to schedule it.
fn run_pod(cluster: &ControlPlane, node: &str) -> Result<()> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "tiny" },
        "spec": {
            "nodeName": node,
            "hostNetwork": true,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{ "operator": "Exists" }],
            "containers": [{ "name": "tiny", "image": IMAGE, "imagePullPolicy": "Never" }],
        },
    });
    let file = cluster.directory().join("pod.json");
    std::fs::write(&file, pod.to_string())?;
    cluster.kubectl(&["apply", "--filename", &file.display().to_string()]).map(drop)
}

fn logs(cluster: &ControlPlane) -> Result<String> {
    cluster.kubectl(&["logs", "tiny"])
}

fn exec(cluster: &ControlPlane) -> Result<String> {
    cluster.kubectl(&["exec", "tiny", "--", "/tiny", "good", "morning"])
}
