//! The way over from kube-controller-manager as `countersign import` says it: beside it, then in its place.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use countersign_e2e::binaries::{self, Binary};
use countersign_e2e::{
    ControlPlane, Options, Outcome, Process, Program, TestResult, User, outcome, requests, wait,
};

#[tokio::test(flavor = "multi_thread")]
async fn with_the_changed_line_the_old_one_signs_nothing_and_the_imported_one_does() -> TestResult {
    if Program::under_test() == Program::KubeControllerManager {
        return Ok(()); // It imports nothing.
    }
    let cluster = ControlPlane::start(Options::default()).await?;
    let rbac = binaries::workspace().join("deploy/rbac.yaml");
    cluster.kubectl(&["apply", "--filename", &rbac.display().to_string()])?;
    let line = kubeadms_line(&cluster)?;
    let imported = Imported::of(&line)?;

    let mut old = line;
    old.retain(|word| !word.starts_with("--controllers="));
    old.push(imported.changed.clone());
    let log = cluster.directory().join("kcm.log");
    let mut kcm = Process::start(&Binary::KubeControllerManager.locate()?, &old, log)?;
    for controller in ["signing", "approving", "cleaner"] {
        let disabled = format!(
            "controller is disabled\" controller=\"certificatesigningrequest-{controller}-controller\""
        );
        kcm.logs(&disabled, 1).await?;
    }
    let kubelet = cluster.client_for(&cluster.bootstrap_token().await?).await?;
    signs_cluster_info(&cluster).await?;

    let name = requests::kubelet_client("node-1")?.create(&kubelet).await?;
    let script = imported.script.replacen(
        "countersign run",
        &format!("exec {} run --secure-port=0", binaries::countersign()?.display()),
        1,
    );
    let shell = ["-c".to_owned(), script];
    let ours = Process::start("/bin/sh".as_ref(), &shell, cluster.directory().join("ours.log"))?;
    let issued = outcome::reached(&cluster.admin().await?, &name, Outcome::Issued).await?;
    let writers = issued.metadata.managed_fields.unwrap_or_default();
    let writers: Vec<_> = writers.into_iter().filter(|entry| entry.subresource.is_some()).collect();
    assert!(!writers.is_empty(), "nobody wrote its status");
    for writer in writers {
        let manager = writer.manager.unwrap_or_default();
        assert_eq!(manager, "countersign", "{:?}", writer.subresource);
    }
    ours.stop().await?;
    kcm.stop().await?;
    Ok(())
}

/// Waits until bootstrapsigner, which kubeadm needs and `*` alone does not switch on, has signed cluster-info for the bootstrap
/// token that there is.
async fn signs_cluster_info(cluster: &ControlPlane) -> Result<()> {
    let about = ["--namespace=kube-public", "configmap", "cluster-info"];
    wait::until("cluster-info can be made", async || {
        let create = ["create", about[0], about[1], about[2], "--from-literal=kubeconfig=here"];
        Ok(cluster.kubectl(&create).ok())
    })
    .await?;
    wait::until("cluster-info is signed", async || {
        let found = cluster.kubectl(&["get", about[0], about[1], about[2], "--output=yaml"])?;
        Ok(found.contains("jws-kubeconfig-").then_some(()))
    })
    .await
}

/// What `countersign import` makes of a command line.
struct Imported {
    /// Our command line, for a shell.
    script: String,
    /// kube-controller-manager's own `--controllers`, as it says to change it.
    changed: String,
}

impl Imported {
    fn of(line: &[String]) -> Result<Self> {
        let words = ["import", "kube-controller-manager", "--form", "flags", "--", "kube-controller-manager"];
        let output = Command::new(binaries::countersign()?).args(words).args(line).output()?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{said}");
        let changed = said.lines().find_map(|line| line.trim().strip_prefix("- --controllers="));
        let changed = format!("--controllers={}", changed.with_context(|| said.clone())?);
        Ok(Self { script: String::from_utf8(output.stdout)?, changed })
    }
}

/// kubeadm's command line on this cluster, without the files of ServiceAccounts, which nobody here has.
fn kubeadms_line(cluster: &ControlPlane) -> Result<Vec<String>> {
    let kubeconfig = cluster.kubeconfig_for(&User::controller_manager())?;
    let authority = cluster.authority_files();
    let (certificate, key) = (authority.certificate.display(), authority.key.display());
    let kubeconfig = kubeconfig.display();
    Ok(vec![
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--client-ca-file={certificate}"),
        "--cluster-name=kubernetes".to_owned(),
        format!("--cluster-signing-cert-file={certificate}"),
        format!("--cluster-signing-key-file={key}"),
        "--controllers=*,bootstrapsigner,tokencleaner".to_owned(),
        format!("--kubeconfig={kubeconfig}"),
        "--leader-elect=true".to_owned(),
        // On a shared machine somebody else may have the usual one.
        "--secure-port=0".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
    ])
}
