//! A real container runtime for one node: containerd, with one image of ours and nothing to be fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use crate::binaries::Binary;
use crate::kubelet::SOCKET;
use crate::machine::Machine;
use crate::process::Process;

/// The only image that there is: [`Binary::Tiny`], as `/tiny`.
pub const IMAGE: &str = "local.test/tiny:1";

/// Why no containers can be run on this machine, if none can.
pub fn obstacle() -> Option<String> {
    let missing = ["containerd", "ctr", "runc"].into_iter().find(|program| find(program).is_none());
    missing.map(|program| format!("no {program} on this machine"))
}

/// Starts containerd on a machine, with the image.
pub(crate) async fn start(machine: &Machine) -> Result<Process> {
    let directory = machine.directory();
    let config = directory.join("containerd.toml");
    fs::write(&config, configuration(directory))?;
    fs::create_dir(directory.join("cni"))?;
    fs::write(directory.join("cni/10-loopback.conflist"), network().to_string())?;
    let program = find("containerd").context("containerd is not installed")?;
    let arguments = ["--config".to_owned(), config.display().to_string()];
    let log = directory.join("containerd.log");
    let mut runtime = Process::start_in(Some(machine.node_box()), &program, &arguments, log)?;
    runtime.logs("containerd successfully booted", 1).await?;
    let image = write_image(directory)?;
    let script = "ctr --address \"$socket\" --namespace k8s.io images import --snapshotter native \"$image\"";
    let (socket, image) = (directory.join(SOCKET).display().to_string(), image.display().to_string());
    let output = machine.shell(script, &[("socket", &socket), ("image", &image)])?.wait_with_output()?;
    ensure!(output.status.success(), "ctr: {}", String::from_utf8_lossy(&output.stderr));
    Ok(runtime)
}

/// All of its files are the test's. A snapshot is a copy: layers cannot be on a layer, which a directory of a container is.
fn configuration(directory: &Path) -> String {
    let place = directory.display();
    format!(
        r#"version = 2
root = "{place}/containerd/root"
state = "{place}/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{place}/{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}"
  # Who may not lower the score of a process would fail to start any.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "{place}/cni"
"#
    )
}

/// A node is not ready without a network for pods. Those on the node's own use none, so no plugin is ever called.
fn network() -> serde_json::Value {
    json!({ "cniVersion": "0.4.0", "name": "none", "plugins": [{ "type": "loopback" }] })
}

/// The image in an archive as `docker save` writes it: one layer with one program.
fn write_image(directory: &Path) -> Result<PathBuf> {
    let content = directory.join("image");
    fs::create_dir(&content)?;
    fs::copy(Binary::Tiny.locate()?, content.join("tiny"))?;
    archive(&content, "layer.tar", &["tiny"])?;
    let layer = digest(&SHA256, &fs::read(content.join("layer.tar"))?);
    let layer: String = layer.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": ["/tiny"] },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
    });
    fs::write(content.join("config.json"), config.to_string())?;
    let manifest = json!([{ "Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"] }]);
    fs::write(content.join("manifest.json"), manifest.to_string())?;
    archive(&content, "image.tar", &["manifest.json", "config.json", "layer.tar"])?;
    Ok(content.join("image.tar"))
}

fn archive(directory: &Path, name: &str, files: &[&str]) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--file").arg(directory.join(name)).arg("--directory").arg(directory).args(files);
    let output = tar.output().context("failed to run tar")?;
    ensure!(output.status.success(), "tar: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// This machine's, in the words of Go.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}
