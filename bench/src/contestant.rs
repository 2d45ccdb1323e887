//! Who is measured.

use anyhow::{Result, bail};
use countersign_e2e::{Command, ControlPlane, Process, Program, Signer, User};
use serde::Serialize;

use crate::usage::Usage;

/// A program that gives requests their certificates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contestant {
    Countersign,
    KubeControllerManager,
    /// Three bare calls for each request, 64 at a time: what the API server itself allows.
    Probe,
}

/// How it is run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tuning {
    /// Every flag is what it is by default; else there is no limit on the client's side.
    pub(crate) default_flags: bool,
    /// Of countersign: approve kubelets' serving certificates.
    pub(crate) serving: bool,
    /// Of the probe: serve only requests whose names begin so.
    pub(crate) only: &'static str,
}

/// A running contestant. Dropping it ends it.
#[derive(Debug)]
pub(crate) enum Running {
    Signer(Signer),
    Probe(Process),
}

impl Contestant {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Countersign => "countersign",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Probe => "probe",
        }
    }

    /// Starts it, and waits until it says that it works.
    pub(crate) async fn start(self, cluster: &ControlPlane, tuning: Tuning) -> Result<Running> {
        match self {
            Self::Countersign => Ok(Running::Signer(countersign(cluster, tuning).start().await?)),
            Self::KubeControllerManager => Ok(Running::Signer(kcm(cluster, tuning).start().await?)),
            Self::Probe => probe(cluster, tuning).await,
        }
    }

    /// Starts it, and waits for nothing. The probe, which knows nothing of what was there before it, is not for this.
    pub(crate) fn spawn(self, cluster: &ControlPlane, tuning: Tuning) -> Result<Running> {
        Ok(Running::Signer(match self {
            Self::Countersign => countersign(cluster, tuning).spawn()?,
            Self::KubeControllerManager => kcm(cluster, tuning).spawn()?,
            Self::Probe => bail!("the probe serves no backlog"),
        }))
    }
}

impl Running {
    pub(crate) fn usage(&mut self) -> Result<Usage> {
        Usage::of(match self {
            Self::Signer(signer) => signer.process().id(),
            Self::Probe(process) => process.id(),
        })
    }

    pub(crate) async fn stop(self) -> Result<()> {
        match self {
            Self::Signer(signer) => signer.stop().await?,
            Self::Probe(process) => process.stop().await?,
        };
        Ok(())
    }
}

fn countersign(cluster: &ControlPlane, tuning: Tuning) -> Command<'_> {
    let command = cluster.signer(Program::Countersign);
    if tuning.serving { command.flag("approve-kubelet-serving", "true") } else { command }
}

fn kcm(cluster: &ControlPlane, tuning: Tuning) -> Command<'_> {
    let command = cluster.signer(Program::KubeControllerManager);
    if tuning.default_flags {
        return command;
    }
    command.flag("kube-api-qps", UNLIMITED).flag("kube-api-burst", UNLIMITED)
}

async fn probe(cluster: &ControlPlane, tuning: Tuning) -> Result<Running> {
    let kubeconfig = cluster.kubeconfig_for(&User::admin())?;
    let arguments = [
        "probe".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--certificate={}", cluster.authority_files().certificate.display()),
        format!("--only={}", tuning.only),
    ];
    let log = cluster.directory().join("probe.log");
    let mut process = Process::start(&std::env::current_exe()?, &arguments, log)?;
    process.logs("watching", 1).await?;
    Ok(Running::Probe(process))
}

/// Calls per second that nobody reaches.
const UNLIMITED: &str = "10000";
