//! Real kubelets.

use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use http::Request;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::binaries::Binary;
use crate::control_plane::ControlPlane;
use crate::node_box::NodeBox;
use crate::process::Process;
use crate::user::User;
use crate::wait;

/// A running kubelet, with a container runtime that has nothing. Dropping it ends both.
#[derive(Debug)]
pub struct Kubelet {
    process: Process,
    _runtime: Process,
    node: String,
    certificates: PathBuf,
}

impl ControlPlane {
    /// Starts the kubelet of `node`, which joins as `user` and asks for client and serving certificates. The control plane
    /// must be [in a box](crate::Options::inside).
    ///
    /// # Errors
    /// When it, or its container runtime, does not start.
    pub async fn start_kubelet(&self, node: &str, user: &User) -> Result<Kubelet> {
        let node_box = self.node_box().context("a kubelet needs a control plane in a box")?;
        let address = node_box.node_address()?;
        let directory = self.directory().join(node);
        fs::create_dir(&directory)?;
        let runtime = start_runtime(node_box, &directory).await?;
        let certificates = directory.join("pki");
        let config = directory.join("config.json");
        fs::write(&config, self.kubelet_config(&directory, node_box, address).to_string())?;
        let state = directory.join("state");
        fs::create_dir(&state)?;
        let arguments = [
            "-c".to_owned(),
            ON_ITS_OWN_STATE.to_owned(),
            state.display().to_string(),
            Binary::Kubelet.locate()?.display().to_string(),
            format!("--config={}", config.display()),
            format!("--bootstrap-kubeconfig={}", self.kubeconfig_for(user)?.display()),
            format!("--kubeconfig={}", directory.join("kubeconfig").display()),
            format!("--cert-dir={}", certificates.display()),
            format!("--hostname-override={node}"),
            format!("--node-ip={address}"),
            "--v=2".to_owned(),
        ];
        let log = directory.join(format!("kubelet-{node}.log"));
        let process = Process::start_in(Some(node_box), Path::new("/bin/sh"), &arguments, log)?;
        Ok(Kubelet { process, _runtime: runtime, node: node.to_owned(), certificates })
    }

    /// What kubeadm sets, and what keeps a kubelet quiet and to itself.
    fn kubelet_config(&self, directory: &Path, node_box: &NodeBox, address: Ipv4Addr) -> Value {
        let small = json!({
            "memory.available": "1Mi", "nodefs.available": "1Mi", "nodefs.inodesFree": "1",
            "imagefs.available": "1Mi", "imagefs.inodesFree": "1",
        });
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": address,
            "port": PORT,
            "healthzPort": 0,
            "authentication": {
                "anonymous": { "enabled": false },
                "webhook": { "enabled": true },
                "x509": { "clientCAFile": self.authority_files().certificate },
            },
            "authorization": { "mode": "Webhook" },
            "rotateCertificates": true,
            "serverTLSBootstrap": true,
            "containerRuntimeEndpoint": format!("unix://{}", directory.join(SOCKET).display()),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": node_box.cgroup(),
            // Refusing version 1 is the default.
            "failCgroupV1": false,
            "enforceNodeAllocatable": [],
            "failSwapOn": false,
            "oomScoreAdj": 0,
            "maxOpenFiles": 20_000,
            "evictionHard": small,
            "imageGCHighThresholdPercent": 100,
            "makeIPTablesUtilChains": false,
            "podLogsDir": directory.join("logs"),
            "volumePluginDir": directory.join("plugins"),
            "resolvConf": "",
        })
    }
}

impl Kubelet {
    /// The node's name.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The user it is once it has joined.
    pub fn user_name(&self) -> String {
        format!("system:node:{}", self.node)
    }

    /// Waits until the Node exists and is ready.
    ///
    /// # Errors
    /// When the kubelet ends, or it is not so in time.
    pub async fn ready(&mut self, admin: &Client) -> Result<()> {
        let nodes: Api<Node> = Api::all(admin.clone());
        wait::until(&format!("{} is ready", self.node), async || {
            self.process.ensure_running()?;
            Ok(nodes.get_opt(&self.node).await?.as_ref().is_some_and(is_ready).then_some(()))
        })
        .await
    }

    /// The client certificate it uses and its key, in PEM, if it has one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn client_certificate(&self) -> Result<Option<Vec<u8>>> {
        match fs::read(self.certificates.join("kubelet-client-current.pem")) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            answer => Ok(Some(answer?)),
        }
    }

    /// What `/healthz` of its serving endpoint answers the API server, which looks at its serving certificate.
    ///
    /// # Errors
    /// What the API server says when it has not got through.
    pub async fn healthz(&self, cluster: &ControlPlane) -> Result<String> {
        let path = format!("/api/v1/nodes/{}/proxy/healthz", self.node);
        let request = Request::get(path).header("authorization", "Bearer admin-token").body(Vec::new())?;
        // Any other client takes the API server's 503 for its own and asks again.
        Ok(cluster.anonymous()?.request_text(request).await?)
    }
}

async fn start_runtime(node_box: &NodeBox, directory: &Path) -> Result<Process> {
    let socket = directory.join(SOCKET).display().to_string();
    let log = directory.join("fakecri.log");
    let mut runtime = Process::start_in(Some(node_box), &Binary::FakeCri.locate()?, &[socket], log)?;
    runtime.logs("listening on", 1).await?;
    Ok(runtime)
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Runs a command with a directory in place of the machine's /var/lib/kubelet, where a kubelet's socket for device plugins is,
/// whatever its flags: of two that make it at once one ends.
const ON_ITS_OWN_STATE: &str =
    r#"exec unshare --mount sh -c 'mount --bind "$0" /var/lib/kubelet && exec "$@"' "$0" "$@""#;

/// Where a kubelet serves, on each node's own address.
const PORT: u16 = 10_250;

/// The container runtime's socket, in the kubelet's directory.
const SOCKET: &str = "cri.sock";
