//! A static pod of ours, with the files of the host that its flags name.

use std::collections::BTreeMap;
use std::path::Path;

use ::config::import::{Difference, Mount, Remark};
use serde_json::{Value, json};
use serde_saphyr::ser_error::Error as Unwritten;

use super::flags::Flags;
use super::{Change, script};

/// The pod.
pub(super) struct Pod<'a> {
    words: &'a [String],
    image: &'a str,
    /// Where each file or directory is in the container, and where on the host.
    files: BTreeMap<String, HostFile>,
    probe: Option<Value>,
    /// What is to be said of its files.
    pub(super) remarks: Vec<Remark>,
}

struct HostFile {
    path: String,
    is_file: bool,
}

impl<'a> Pod<'a> {
    /// The pod that runs `words`, from what kube-controller-manager's own sees of its host.
    pub(super) fn new(flags: &Flags, words: &'a [String], (mounts, image): (&[Mount], &'a str)) -> Self {
        let probe = probe(flags);
        let mut pod = Self { words, image, files: BTreeMap::new(), probe, remarks: Vec::new() };
        if flags.value("kubeconfig").is_none() {
            pod.remark("--kubeconfig", Difference::Other, NO_KUBECONFIG);
        }
        for flag in KUBECONFIGS.iter().filter(|flag| flags.value(flag).is_some()) {
            pod.add(flag, Path::new(flags.value(flag).unwrap_or_default()), mounts);
        }
        for flag in PAIRS {
            let Some(file) = flags.value(flag).map(Path::new) else { continue };
            let is_mount = mounts.iter().any(|mount| Path::new(&mount.path) == file);
            match file.parent().filter(|directory| !is_mount && directory.parent().is_some()) {
                Some(directory) => pod.add_directory(flag, directory, mounts),
                None => pod.add(flag, file, mounts),
            }
        }
        if pod.probe.is_none() {
            pod.remark("--authorization-always-allow-paths", Difference::Other, NO_PROBE);
        }
        pod
    }

    fn add_directory(&mut self, flag: &str, directory: &Path, mounts: &[Mount]) {
        let path = directory.display().to_string();
        if self.files.contains_key(&path) {
            return;
        }
        self.add(flag, directory, mounts);
        if let Some(found) = self.files.get_mut(&path) {
            found.is_file = false;
        }
        self.remark(&format!("--{flag}"), Difference::Other, &format!("{path}: {WHOLE_DIRECTORY}"));
    }

    fn add(&mut self, flag: &str, file: &Path, mounts: &[Mount]) {
        let path = file.display().to_string();
        let setting = format!("--{flag}");
        if !file.is_absolute() {
            return self.remark(
                &setting,
                Difference::LeftOut,
                "no absolute path: its volume is for you to add",
            );
        }
        let covering = mounts.iter().filter(|mount| file.starts_with(&mount.path));
        let mount = covering.max_by_key(|mount| Path::new(&mount.path).components().count());
        let host = mount.and_then(|mount| {
            let behind = file.strip_prefix(&mount.path).ok()?;
            let host = Path::new(&mount.host.as_ref()?.path).join(behind);
            Some(host.display().to_string().trim_end_matches('/').to_owned())
        });
        if host.is_none() && !mounts.is_empty() {
            self.remark(
                &setting,
                Difference::Other,
                "no volume of the host has it: taken to be there under the same path",
            );
        }
        let host = HostFile { path: host.unwrap_or_else(|| path.clone()), is_file: true };
        self.files.entry(path).or_insert(host);
    }

    fn remark(&mut self, setting: &str, difference: Difference, text: &str) {
        self.remarks.push(Remark::new(setting, difference, text));
    }

    fn object(&self) -> Value {
        let command = ["countersign", "run"].into_iter().chain(self.words.iter().map(String::as_str));
        let (mut mounts, mut volumes) = (Vec::new(), Vec::new());
        for (number, (path, host)) in self.files.iter().enumerate() {
            let name = format!("host-{number}");
            let kind = if host.is_file { "File" } else { "Directory" };
            mounts.push(json!({"name": name, "mountPath": path, "readOnly": true}));
            volumes.push(json!({"name": name, "hostPath": {"path": host.path, "type": kind}}));
        }
        let mut container = json!({
            "name": "countersign",
            "image": self.image,
            "command": command.collect::<Vec<_>>(),
            "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
            // The owner of the CA's key may read it without any capability (kubeadm leaves it to root alone).
            "securityContext": {
                "runAsUser": 0,
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
            },
            "volumeMounts": mounts,
        });
        if let Some(probe) = &self.probe {
            container["livenessProbe"] = probe.clone();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "countersign",
                "namespace": "kube-system",
                "labels": {"component": "countersign", "tier": "control-plane"},
            },
            "spec": {
                "hostNetwork": true,
                "priorityClassName": "system-node-critical",
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [container],
                "volumes": volumes,
            },
        })
    }
}

/// The manifest with what is to be known of it.
///
/// # Errors
/// When it has no form in YAML.
pub(super) fn text(pod: &Pod<'_>, remarks: &[Remark], change: &Change) -> Result<String, Unwritten> {
    let steps = format!(
        "Made by: countersign import kube-controller-manager.\n\
         1. kubectl apply -f deploy/rbac.yaml\n\
         2. Put this into /etc/kubernetes/manifests/countersign.yaml on each host that runs kube-controller-manager.\n{}",
        script::SWITCH
    );
    Ok(script::head(&steps, remarks, change) + &serde_saphyr::to_string(&pod.object())?)
}

/// How the kubelet sees that it lives: a path that is served to anyone, since the kubelet has no credentials for it.
fn probe(flags: &Flags) -> Option<Value> {
    let allowed = flags.values("authorization-always-allow-paths");
    let is_allowed = |path: &&str| {
        allowed.is_empty()
            || allowed.iter().flat_map(|paths| paths.split(',')).any(|allowed| {
                match allowed.strip_suffix('*') {
                    Some(start) => path.starts_with(start),
                    None => allowed == *path,
                }
            })
    };
    let path = ["/livez", "/healthz"].into_iter().find(is_allowed)?;
    let address = flags.value("bind-address").filter(|address| !["0.0.0.0", "::"].contains(address));
    let host = address.unwrap_or("127.0.0.1");
    Some(json!({
        "httpGet": {"host": host, "path": path, "port": 10270, "scheme": "HTTPS"},
        "initialDelaySeconds": 10,
        "timeoutSeconds": 15,
        "failureThreshold": 8,
    }))
}

const KUBECONFIGS: [&str; 3] = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];

/// Flags with the files of certificates and keys, which may be exchanged: a mount of one file would never show another.
const PAIRS: [&str; 12] = [
    "cluster-signing-cert-file",
    "cluster-signing-key-file",
    "cluster-signing-kubelet-serving-cert-file",
    "cluster-signing-kubelet-serving-key-file",
    "cluster-signing-kubelet-client-cert-file",
    "cluster-signing-kubelet-client-key-file",
    "cluster-signing-kube-apiserver-client-cert-file",
    "cluster-signing-kube-apiserver-client-key-file",
    "cluster-signing-legacy-unknown-cert-file",
    "cluster-signing-legacy-unknown-key-file",
    "tls-cert-file",
    "tls-private-key-file",
];

const NO_KUBECONFIG: &str =
    "a static pod has no ServiceAccount: give --kubeconfig, with the identity that it is to have";

const WHOLE_DIRECTORY: &str = "the whole directory is mounted, so that an exchanged CA is seen, with whatever else is in it (under \
    kubeadm the keys of ServiceAccounts, of etcd and of the front proxy). A directory with nothing but the CA is better";

const NO_PROBE: &str = "neither /livez nor /healthz is served to anyone, so the pod has no liveness probe";
