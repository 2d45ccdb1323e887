//! Real kubelets, on hosts as kubeadm leaves them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use http::Request;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::task::spawn_blocking;

use crate::binaries::Binary;
use crate::containers;
use crate::control_plane::ControlPlane;
use crate::machine::Machine;
use crate::process::Process;
use crate::user::User;
use crate::wait;

/// A kubelet on its host. Dropping it ends all that runs there.
#[derive(Debug)]
pub struct Kubelet {
    process: Option<Process>,
    node: String,
    machine: Machine,
}

/// A node to be, made by [`ControlPlane::kubelet`].
#[derive(Clone, Debug)]
pub struct Installation<'a> {
    cluster: &'a ControlPlane,
    node: &'a str,
    self_signed: bool,
    containers: bool,
}

impl ControlPlane {
    /// A node to be. The control plane must be [in a box](crate::Options::inside).
    pub fn kubelet<'a>(&'a self, node: &'a str) -> Installation<'a> {
        Installation { cluster: self, node, self_signed: false, containers: false }
    }

    /// Starts the kubelet of `node`, which joins as `user` and asks for client and serving certificates.
    ///
    /// # Errors
    /// When it, or its container runtime, does not start.
    pub async fn start_kubelet(&self, node: &str, user: &User) -> Result<Kubelet> {
        self.kubelet(node).join(user).await
    }
}

impl Installation<'_> {
    /// Lets it serve with a certificate that it signs itself, as it does unless it is told otherwise.
    #[must_use]
    pub fn self_signed(mut self) -> Self {
        self.self_signed = true;
        self
    }

    /// Lets it run containers. Otherwise it has a container runtime that has nothing.
    #[must_use]
    pub fn with_containers(mut self) -> Self {
        self.containers = true;
        self
    }

    /// Starts it, for it to join as `user`.
    ///
    /// # Errors
    /// When it, or its container runtime, does not start.
    pub async fn join(self, user: &User) -> Result<Kubelet> {
        let mut machine = Machine::start(self.cluster, self.node).await?;
        let runtime = match self.containers {
            true => containers::start(&machine).await?,
            false => start_empty_runtime(&machine).await?,
        };
        machine.run_containers_with(runtime);
        let directory = machine.directory();
        fs::write(directory.join("state/config.yaml"), yaml(&config(&machine, self.self_signed)))?;
        let arguments = format!("--hostname-override={} --node-ip={}", self.node, machine.address());
        let environment = format!("KUBELET_KUBEADM_ARGS=\"{arguments}\"\n");
        fs::write(directory.join("state/kubeadm-flags.env"), environment)?;
        let bootstrap = self.cluster.kubeconfig_for(user)?;
        fs::copy(bootstrap, directory.join("kubernetes/bootstrap-kubelet.conf"))?;
        let mut kubelet = Kubelet { process: None, node: self.node.to_owned(), machine };
        kubelet.start()?;
        Ok(kubelet)
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

    /// The address it has been given.
    pub fn address(&self) -> String {
        self.machine.address().to_string()
    }

    /// Makes its host the administrator's too: the key of the cluster's authority is there, and a kubeconfig.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn administrate(&self, cluster: &ControlPlane) -> Result<()> {
        self.machine.administrate(cluster)
    }

    /// Waits until the Node exists and is ready.
    ///
    /// # Errors
    /// When the kubelet ends, or it is not so in time.
    pub async fn ready(&mut self, admin: &Client) -> Result<()> {
        let nodes: Api<Node> = Api::all(admin.clone());
        wait::until(&format!("{} is ready", self.node), async || {
            self.process()?.ensure_running()?;
            Ok(nodes.get_opt(&self.node).await?.as_ref().is_some_and(is_ready).then_some(()))
        })
        .await
    }

    /// Its process, to signal it or read its log.
    ///
    /// # Errors
    /// When it has been stopped.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().with_context(|| format!("the kubelet of {} has been stopped", self.node))
    }

    /// The client certificate it uses and its key, in PEM, if it has one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn client_certificate(&self) -> Result<Option<Vec<u8>>> {
        let directory = self.machine.directory().join("state/pki");
        // Where it points to is a path on the host.
        let current = match fs::read_link(directory.join("kubelet-client-current.pem")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        Ok(Some(fs::read(directory.join(current.file_name().context("it points to no file")?))?))
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

    /// Waits until the API server gets through to it.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn is_reached(&self, cluster: &ControlPlane) -> Result<()> {
        let what = format!("the API server gets through to {}", self.node);
        let health = wait::until(&what, async || Ok(self.healthz(cluster).await.ok())).await?;
        ensure!(health == "ok", "{} answers {health}", self.node);
        Ok(())
    }

    /// Puts certificates in place of its own that have expired, for its next start.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn expire(&self, cluster: &ControlPlane) -> Result<()> {
        let pair = cluster.authority().expired_client(&self.user_name(), "system:nodes")?;
        let directory = self.machine.directory().join("state/pki");
        fs::write(directory.join("expired.pem"), [pair.certificate, pair.key].concat())?;
        for current in ["kubelet-client-current.pem", "kubelet-server-current.pem"] {
            let fresh = directory.join("expired.link");
            symlink("expired.pem", &fresh)?;
            fs::rename(fresh, directory.join(current))?;
        }
        Ok(())
    }

    /// The certificate in PEM that it presents at `address`, when OpenSSL trusts it there for the cluster's authority.
    ///
    /// # Errors
    /// When it presents none, or one that is not to be trusted.
    pub async fn presented(&mut self, address: &str) -> Result<String> {
        self.play(PRESENTED, &[("address", address)]).await
    }

    /// Executes `script` with `variables` on its host, as root's shell would, and returns what it prints. `systemctl` there
    /// starts, stops and restarts this kubelet, and `journalctl` has its log since the last start.
    ///
    /// # Errors
    /// When a command fails; the error is what it says.
    pub async fn play(&mut self, script: &str, variables: &[(&str, &str)]) -> Result<String> {
        // Open for both, as neither side is to wait for the other to open it, or to see it end.
        let mut pipe = pipe::OpenOptions::new();
        let pipe = pipe.read_write(true);
        let orders = pipe.open_receiver(self.machine.directory().join("orders"))?;
        let mut orders = BufReader::new(orders).lines();
        let mut answers = pipe.open_sender(self.machine.directory().join("answers"))?;
        let shell = self.machine.shell(script, variables)?;
        let mut end = spawn_blocking(move || shell.wait_with_output());
        let output = loop {
            tokio::select! {
                output = &mut end => break output??,
                order = orders.next_line() => {
                    self.obey(order?.as_deref().unwrap_or_default()).await?;
                    answers.write_all(b"done\n").await?;
                }
            }
        };
        let (said, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{script}\nends with {}:\n{said}{complaint}", output.status);
        Ok(said.into_owned())
    }

    async fn obey(&mut self, order: &str) -> Result<()> {
        match order {
            "start" if self.process().is_ok_and(|process| process.ensure_running().is_ok()) => Ok(()),
            "start" => self.start(),
            "stop" => self.stop().await,
            "restart" => {
                self.stop().await?;
                self.start()
            }
            other => bail!("nobody plays systemctl {other}"),
        }
    }

    async fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            if process.ensure_running().is_ok() {
                process.stop().await?;
            }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        let kubelet = Binary::Kubelet.locate()?.display().to_string();
        let arguments = [
            "-c",
            // As kubeadm's drop-in for systemd does.
            r#". /var/lib/kubelet/kubeadm-flags.env; exec "$0" "$@" $KUBELET_KUBEADM_ARGS"#,
            &kubelet,
            "--config=/var/lib/kubelet/config.yaml",
            "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
            "--kubeconfig=/etc/kubernetes/kubelet.conf",
            "--v=2",
        ]
        .map(str::to_owned);
        let log = self.machine.directory().join(format!("kubelet-{}.log", self.node));
        let node_box = Some(self.machine.node_box());
        self.process = Some(Process::start_in(node_box, Path::new("/bin/sh"), &arguments, log)?);
        Ok(())
    }
}

/// What kubeadm sets, and what keeps a kubelet quiet and to itself.
fn config(machine: &Machine, self_signed: bool) -> Value {
    let directory = machine.directory();
    let small = json!({
        "memory.available": "1Mi", "nodefs.available": "1Mi", "nodefs.inodesFree": "1",
        "imagefs.available": "1Mi", "imagefs.inodesFree": "1",
    });
    let mut config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.address(),
        "port": PORT,
        "healthzPort": 0,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": "/etc/kubernetes/pki/ca.crt" },
        },
        "authorization": { "mode": "Webhook" },
        "rotateCertificates": true,
        "nodeStatusUpdateFrequency": "1s",
        "containerRuntimeEndpoint": format!("unix://{}", directory.join(SOCKET).display()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": machine.node_box().cgroup(),
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
    });
    if !self_signed {
        config["serverTLSBootstrap"] = json!(true);
    }
    config
}

/// One setting a line, for an administrator to add to.
fn yaml(config: &Value) -> String {
    let settings = config.as_object().into_iter().flatten();
    settings.map(|(name, value)| format!("{name}: {value}\n")).collect()
}

async fn start_empty_runtime(machine: &Machine) -> Result<Process> {
    let socket = machine.directory().join(SOCKET).display().to_string();
    let log = machine.directory().join("fakecri.log");
    let mut runtime =
        Process::start_in(Some(machine.node_box()), &Binary::FakeCri.locate()?, &[socket], log)?;
    runtime.logs("listening on", 1).await?;
    Ok(runtime)
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Where a kubelet serves, on each node's own address.
const PORT: u16 = 10_250;

/// Prints what is presented to whoever looks as the API server does.
const PRESENTED: &str = r#"
shown=$(openssl s_client -connect "$address:10250" -CAfile /etc/kubernetes/pki/ca.crt \
    -verify_ip "$address" -verify_return_error </dev/null)
echo "$shown" | openssl x509
"#;

/// The container runtime's socket, in the directory of the machine.
pub(crate) const SOCKET: &str = "cri.sock";
