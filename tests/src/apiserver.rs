//! kube-apiserver.

use std::path::PathBuf;

use anyhow::Result;
use tokio::sync::Mutex;

use crate::binaries::Binary;
use crate::control_plane::{API_SERVER, Place};
use crate::node_box::NodeBox;
use crate::process::Process;

/// A running API server.
#[derive(Debug)]
pub(crate) struct ApiServer {
    process: Mutex<Process>,
    node_box: Option<NodeBox>,
    directory: PathBuf,
    arguments: Vec<String>,
}

/// Which kubelets the API server of a [box](crate::Options::inside) talks to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kubelets {
    /// All, whatever they present: what kubeadm leaves it at.
    Any,
    /// Those whose serving certificate is the cluster's authority's, which tests begin with.
    Certified,
}

impl ApiServer {
    /// Starts one on this port, and gives its URL too.
    ///
    /// # Errors
    /// When it does not begin to serve.
    pub(crate) async fn start(place: &Place<'_>, storage: &[String], port: u16) -> Result<(Self, String)> {
        let mut arguments = [storage, &flags(place, port)].concat();
        arguments.extend(address_flags(place));
        let mut process = place.start(Binary::KubeApiserver, &arguments)?;
        process.logs(SERVES, 1).await?;
        let this = Self {
            process: Mutex::new(process),
            node_box: place.node_box.cloned(),
            directory: place.directory.to_owned(),
            arguments,
        };
        Ok((this, format!("https://127.0.0.1:{port}")))
    }

    /// Kills it and starts it anew.
    ///
    /// # Errors
    /// When it does not begin to serve.
    pub(crate) async fn restart(&self, kubelets: Kubelets) -> Result<()> {
        let wanted = |argument: &&String| match kubelets {
            Kubelets::Any => !argument.starts_with(KUBELET_AUTHORITY),
            Kubelets::Certified => true,
        };
        let arguments: Vec<String> = self.arguments.iter().filter(wanted).cloned().collect();
        let place = Place { node_box: self.node_box.as_ref(), directory: &self.directory };
        let mut process = self.process.lock().await;
        process.end()?;
        *process = place.start(Binary::KubeApiserver, &arguments)?;
        process.logs(SERVES, 1).await
    }

    /// All it has written since it was started, if nobody is about to start it.
    pub(crate) fn log(&self) -> String {
        self.process.try_lock().ok().and_then(|process| process.log().ok()).unwrap_or_default()
    }

    pub(crate) fn show_log(&self) {
        if let Ok(process) = self.process.try_lock() {
            process.show_log();
        }
    }
}

fn flags(place: &Place<'_>, port: u16) -> Vec<String> {
    let file = |name| place.file(name);
    vec![
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--enable-bootstrap-token-auth".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

/// Where it is reached; in a box also how it reaches kubelets, and knows them.
fn address_flags(place: &Place<'_>) -> Vec<String> {
    if place.node_box.is_none() {
        return vec![
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            // The default reconciler refuses to publish a loopback address.
            "--endpoint-reconciler-type=none".to_owned(),
        ];
    }
    vec![
        "--bind-address=0.0.0.0".to_owned(),
        format!("--advertise-address={API_SERVER}"),
        format!("{KUBELET_AUTHORITY}{}", place.file("ca.crt")),
        format!("--kubelet-client-certificate={}", place.file(&format!("{KUBELET_CLIENT}.crt"))),
        format!("--kubelet-client-key={}", place.file(&format!("{KUBELET_CLIENT}.key"))),
        // By default it asks for the node's name first, which nobody resolves.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
    ]
}

/// The files of the certificate that the API server presents to kubelets.
pub(crate) const KUBELET_CLIENT: &str = "apiserver-kubelet-client";

const KUBELET_AUTHORITY: &str = "--kubelet-certificate-authority=";

/// What it logs once it does.
const SERVES: &str = "Serving securely on";
