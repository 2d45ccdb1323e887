//! Hosts of nodes: what kubeadm leaves on one, at its usual place, and commands as an administrator types them there.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use crate::binaries::{self, Binary};
use crate::control_plane::ControlPlane;
use crate::node_box::NodeBox;
use crate::process::Process;
use crate::user::User;

/// The host of one node. Dropping it ends its container runtime.
#[derive(Debug)]
pub(crate) struct Machine {
    runtime: Option<Process>,
    node_box: NodeBox,
    address: Ipv4Addr,
    directory: PathBuf,
    // Who its mounts are there for.
    _mounts: Process,
}

impl Machine {
    /// A host called `name`, with a container runtime yet to come.
    ///
    /// # Errors
    /// When the control plane is in no box, or the host cannot be made.
    pub(crate) async fn start(cluster: &ControlPlane, name: &str) -> Result<Self> {
        let node_box = cluster.node_box().context("a kubelet needs a control plane in a box")?;
        let address = node_box.node_address()?;
        let directory = cluster.directory().join(name);
        for part in ["kubernetes/pki", "state", "bin"] {
            fs::create_dir_all(directory.join(part))?;
        }
        fs::copy(cluster.authority_files().certificate, directory.join("kubernetes/pki/ca.crt"))?;
        install_programs(&directory, name)?;
        let script = binaries::workspace().join("tests/src/machine.sh").display().to_string();
        let arguments = [script, directory.display().to_string()];
        let log = directory.join(format!("machine-{name}.log"));
        let mut mounts = Process::start_in(Some(node_box), Path::new("/bin/sh"), &arguments, log)?;
        mounts.logs("the machine stands", 1).await?;
        let node_box = node_box.seen_by(mounts.id());
        Ok(Self { runtime: None, node_box, address, directory, _mounts: mounts })
    }

    /// Lets it have this container runtime for as long as it is there.
    pub(crate) fn run_containers_with(&mut self, runtime: Process) {
        self.runtime = Some(runtime);
    }

    /// Leaves on it what an administrator's machine has: the key of the cluster's authority, and a kubeconfig.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn administrate(&self, cluster: &ControlPlane) -> Result<()> {
        let kubernetes = self.directory.join("kubernetes");
        fs::copy(cluster.authority_files().key, kubernetes.join("pki/ca.key"))?;
        fs::copy(cluster.kubeconfig_for(&User::admin())?, kubernetes.join("admin.conf"))?;
        Ok(())
    }

    /// The first address it got.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Where its files are for the test.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The box as it is seen there.
    pub(crate) fn node_box(&self) -> &NodeBox {
        &self.node_box
    }

    /// Starts a shell there, to execute `script` with `variables` up to the first command that fails.
    ///
    /// # Errors
    /// When there is no shell.
    pub(crate) fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Result<Child> {
        let mut command = self.node_box.command(OsStr::new("sh"));
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-euc", &format!("cd \"$HOME\"\n{script}")])
            .env("PATH", format!("{}:{path}", self.directory.join("bin").display()))
            .env("HOME", &self.directory)
            .env("KUBECONFIG", "/etc/kubernetes/admin.conf")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.node_box.spawn(command)
    }
}

/// What an administrator calls. In place of systemd there is the test, which holds the kubelet.
fn install_programs(directory: &Path, name: &str) -> Result<()> {
    let bin = directory.join("bin");
    symlink(Binary::Kubectl.locate()?, bin.join("kubectl"))?;
    // For commands that are given in the root of the repository.
    symlink(binaries::workspace().join("deploy"), directory.join("deploy"))?;
    // Tests of the tests have none.
    if let Ok(countersign) = binaries::countersign() {
        symlink(fs::canonicalize(countersign)?, bin.join("countersign"))?;
    }
    let place = directory.display();
    let systemctl = format!(
        "#!/bin/sh\nset -eu\n[ \"$2\" = kubelet ]\necho \"$1\" >'{place}/orders'\nread -r answer <'{place}/answers'\n"
    );
    let journalctl = format!("#!/bin/sh\ncat '{place}/kubelet-{name}.log'\n");
    for (program, text) in [("systemctl", systemctl), ("journalctl", journalctl)] {
        let path = bin.join(program);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
