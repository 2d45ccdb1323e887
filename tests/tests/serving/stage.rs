//! A cluster with the signer under test, and nodes that are played.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::outcome::Outcome;
use countersign_e2e::{ControlPlane, Program, Signer, TestResult, User, binaries, wait};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// A cluster whose signer approves serving certificates, under the roles that are shipped.
pub(crate) struct Stage<'a> {
    pub(crate) cluster: &'a ControlPlane,
    pub(crate) admin: Client,
    signer: tokio::sync::Mutex<Option<Signer>>,
    flag: (String, String),
}

/// Runs `test` on a stage of its own.
pub(crate) fn on_stage<F: AsyncFnOnce(&Stage<'_>) -> TestResult + Send>(test: F) -> TestResult {
    on_own_cluster(async |cluster| {
        test(&Stage::start(cluster, ("approve-kubelet-serving", "true")).await?).await
    })
}

/// Puts a file in the place of the one that there is, as a whole.
fn configure(cluster: &ControlPlane, section: &Value) -> Result<()> {
    let file = json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "CountersignConfiguration",
        "approval": { "kubeletServing": section },
    });
    let fresh = cluster.directory().join("configuration.fresh");
    fs::write(&fresh, file.to_string())?;
    Ok(fs::rename(fresh, configuration(cluster))?)
}

fn configuration(cluster: &ControlPlane) -> PathBuf {
    cluster.directory().join("configuration.yaml")
}

fn apply(cluster: &ControlPlane, manifest: &str) -> Result<()> {
    let path = binaries::workspace().join(manifest);
    cluster.kubectl(&["apply", "--filename", &path.display().to_string()]).map(drop)
}

async fn signer(cluster: &ControlPlane, (flag, value): &(String, String)) -> Result<Signer> {
    let command = cluster
        .signer(Program::Countersign)
        .identity(User::controller_manager())
        .flag("use-service-account-credentials", "true")
        .flag(flag, value)
        .flag("log-level", "debug");
    command.start().await
}

impl<'a> Stage<'a> {
    /// A signer with this flag on a cluster.
    async fn start(cluster: &'a ControlPlane, (flag, value): (&str, &str)) -> Result<Self> {
        let admin = cluster.admin().await?;
        for manifest in ["deploy/rbac.yaml", "deploy/kubelet-serving.yaml"] {
            apply(cluster, manifest)?;
        }
        let flag = (flag.to_owned(), value.to_owned());
        let signer = tokio::sync::Mutex::new(Some(signer(cluster, &flag).await?));
        Ok(Self { cluster, admin, signer, flag })
    }

    /// Ends the signer, and starts another one in its place, which knows nothing but what the cluster holds.
    pub(crate) async fn restart(&self) -> Result<()> {
        let mut current = self.signer.lock().await;
        let former = current.take().context("no signer")?;
        ensure!(former.stop().await?.success(), "the signer did not end well");
        *current = Some(signer(self.cluster, &self.flag).await?);
        Ok(())
    }

    /// Waits until a metric has this value.
    pub(crate) async fn counts(&self, series: &str, expected: f64) -> Result<()> {
        wait::until(&format!("{series} is {expected}"), async || {
            let signer = self.signer.lock().await;
            let value = signer.as_ref().context("no signer")?.metric(series).await?;
            Ok((value == expected).then_some(()))
        })
        .await
    }

    /// A signer with this section `approval.kubeletServing` in its configuration file.
    pub(crate) async fn configured(cluster: &'a ControlPlane, section: &Value) -> Result<Self> {
        configure(cluster, section)?;
        Self::start(cluster, ("config", &configuration(cluster).display().to_string())).await
    }

    /// Replaces the section. The signer notices by itself, later.
    pub(crate) fn configure(&self, section: &Value) -> Result<()> {
        configure(self.cluster, section)
    }

    /// The kubelet of a node, by its client certificate.
    pub(crate) async fn kubelet(&self, node: &str) -> Result<Client> {
        self.cluster.client_for(&User::node(node)).await
    }

    /// A node that has registered itself and lists these names and addresses.
    pub(crate) async fn node(&self, name: &str, addresses: &[&str]) -> Result<Client> {
        let kubelet = self.kubelet(name).await?;
        let node: Node = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
        Api::all(kubelet.clone()).create(&PostParams::default(), &node).await?;
        self.lists(&kubelet, name, addresses).await?;
        Ok(kubelet)
    }

    /// Has a node write its own status.
    pub(crate) async fn lists(&self, kubelet: &Client, name: &str, addresses: &[&str]) -> Result<()> {
        let address = |text: &&str| {
            let is_address = text.parse::<std::net::IpAddr>().is_ok();
            json!({ "type": if is_address { "InternalIP" } else { "Hostname" }, "address": text })
        };
        let listed: Vec<_> = addresses.iter().map(address).collect();
        let status = json!({ "status": { "addresses": listed } });
        let nodes: Api<Node> = Api::all(kubelet.clone());
        nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(())
    }

    /// Waits until the signer has said of a request that this rule does not hold, and checks that it is not approved.
    pub(crate) async fn holds(&self, name: &str, rule: &str) -> Result<()> {
        self.says(name, rule).await?;
        let outcome = self.outcome(name).await?;
        ensure!(outcome == Outcome::Pending, "{name} is {outcome:?}");
        Ok(())
    }

    /// Waits until the signer has said something of a request with this rule.
    pub(crate) async fn says(&self, name: &str, rule: &str) -> Result<()> {
        self.notes(name, &format!("rule=\"{rule}\"")).await
    }

    /// Waits until the signer has noted this of a request.
    pub(crate) async fn notes(&self, name: &str, note: &str) -> Result<()> {
        let name = format!("csr.name=\"{name}\"");
        wait::until(&format!("{name} meets {note}"), async || {
            let log = self.signer.lock().await.as_mut().context("no signer")?.process().log()?;
            Ok(log.lines().any(|line| line.contains(&name) && line.contains(note)).then_some(()))
        })
        .await
    }

    /// Waits until a metric has this value.
    pub(crate) async fn shows(&self, metric: &str, value: f64) -> Result<()> {
        wait::until(&format!("{metric} is {value}"), async || {
            let shown = self.signer.lock().await.as_ref().context("no signer")?.metric(metric).await?;
            Ok((shown == value).then_some(()))
        })
        .await
    }

    /// Puts this into the ConfigMap of the inventory, which is made where it is not there.
    pub(crate) fn inventory(&self, data: &Value) -> Result<()> {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "namespace": "kube-system", "name": "countersign-inventory" },
            "data": data,
        });
        let path = self.cluster.directory().join("inventory.json");
        fs::write(&path, object.to_string())?;
        self.cluster.kubectl(&["apply", "--filename", &path.display().to_string()]).map(drop)
    }

    /// Reason and message of the Event that tells of a request, once there is one.
    pub(crate) async fn event(&self, name: &str) -> Result<String> {
        let (selector, form) = (
            format!("--field-selector=involvedObject.name={name}"),
            "--output=jsonpath={.items[*].reason} {.items[*].message}",
        );
        wait::until("an Event tells why", async || {
            let event = self.cluster.kubectl(&["get", "events", "--namespace=default", &selector, form])?;
            Ok((!event.trim().is_empty()).then_some(event))
        })
        .await
    }

    pub(crate) async fn outcome(&self, name: &str) -> Result<Outcome> {
        let requests: Api<CertificateSigningRequest> = Api::all(self.admin.clone());
        Ok(Outcome::of(&requests.get(name).await?))
    }

    pub(crate) fn apply(&self, manifest: &str) -> Result<()> {
        apply(self.cluster, manifest)
    }

    /// The shipped roles are enough: nothing was refused to the signer.
    pub(crate) async fn nothing_was_forbidden(&self) -> TestResult {
        let signer = self.signer.lock().await;
        let signer = signer.as_ref().context("no signer")?;
        let forbidden = signer.metric("countersign_errors_total{error=\"forbidden\"}").await;
        assert_eq!(forbidden.context("metrics")?, 0.0);
        Ok(())
    }
}
