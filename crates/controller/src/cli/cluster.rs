//! What the commands that look at a cluster share: how it is reached, and by what its controller works.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ::config::{Configuration, duration};
use anyhow::Context as _;
use csr::SignerName;
use engine::Standings;

use crate::cli::input;
use crate::config::given::{non_empty, parse_ranges};
use crate::config::{ApprovalFlags, Origin};
use crate::configuration;
use crate::explain::Signing;
use crate::explain::live::Cluster;
use crate::kube::access::Access;
use crate::policy::Policy;

/// How the cluster is reached.
#[derive(Clone, Debug, clap::Args)]
pub struct ClusterArgs {
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod's own credentials]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Address of the API server; goes before that of the kubeconfig file
    #[arg(long, value_name = "URL")]
    pub master: Option<String>,
}

/// By what the controller signs, as far as that can be told without a key.
#[derive(Clone, Debug, clap::Args)]
pub struct SigningArgs {
    /// CA certificate (PEM) that signs: no certificate outlasts it, and kubelets' certificates are known by it
    #[arg(long, value_name = "FILE", conflicts_with = "cluster_signing_kubelet_serving_cert_file")]
    pub cluster_signing_cert_file: Option<PathBuf>,
    /// The same, where it signs for kubernetes.io/kubelet-serving alone
    #[arg(long, value_name = "FILE")]
    pub cluster_signing_kubelet_serving_cert_file: Option<PathBuf>,
    /// Longest lifetime of a certificate, and that of one whose request asks for none
    #[arg(long, value_name = "DURATION", default_value = "8760h", value_parser = lifetime, allow_hyphen_values = true)]
    pub cluster_signing_duration: time::Duration,
}

/// By what the controller works.
#[derive(Clone, Debug, clap::Args)]
pub struct PolicyArgs {
    /// The configuration file of the controller
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The controller approves the serving certificates of kubelets
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = clap::ArgAction::Set)]
    pub approve_kubelet_serving: bool,
    /// Ranges from which Services get their addresses, as the controller has them
    #[arg(long, value_name = "RANGES")]
    pub service_cluster_ip_range: Option<String>,
    /// The controller approves the client certificates of kubelets for members of this group
    #[arg(long, value_name = "GROUP")]
    pub insecure_experimental_approve_all_kubelet_csrs_for_group: Option<String>,
}

impl PolicyArgs {
    /// What a controller with the same flags works by, but for its authorities.
    ///
    /// # Errors
    /// When the configuration file cannot be used.
    pub fn policy(&self) -> anyhow::Result<Policy> {
        let configuration = self.configuration()?;
        let kubelet_serving =
            configuration.kubelet_serving.clone().filter(|serving| serving.enabled).map(Arc::new);
        let standings = Standings { retention: configuration.retention.clone(), ..Standings::default() };
        Ok(Policy { approval: configuration.approval(), kubelet_serving, standings, ..Policy::default() })
    }

    /// What the file and the flag amount to.
    ///
    /// # Errors
    /// When the configuration file cannot be used.
    pub fn configuration(&self) -> anyhow::Result<Configuration> {
        let mut configuration = Configuration::default();
        if let Some(path) = &self.config {
            let parsed = configuration::read(path).and_then(|text| Ok(::config::parse(&text)?));
            configuration = parsed.map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
        }
        let flag = Origin::Flag("approve-kubelet-serving");
        let ranges = non_empty(&self.service_cluster_ip_range).map(parse_ranges).transpose();
        let flags = ApprovalFlags {
            approve_kubelet_serving: self.approve_kubelet_serving.then_some(flag),
            service_ranges: ranges.context("--service-cluster-ip-range")?.unwrap_or_default(),
            trusted_group: self.insecure_experimental_approve_all_kubelet_csrs_for_group.clone(),
        };
        Ok(flags.meet(configuration)?)
    }
}

impl SigningArgs {
    /// What a signer with the same flags and this configuration does.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub fn signing(&self, configuration: Configuration) -> anyhow::Result<Signing> {
        let given = [
            (&self.cluster_signing_cert_file, &SignerName::BUILT_IN[..]),
            (&self.cluster_signing_kubelet_serving_cert_file, &[SignerName::KUBELET_SERVING]),
        ];
        let mut signing = Signing {
            lifetime: self.cluster_signing_duration,
            configuration,
            ca_not_after: Default::default(),
        };
        for (path, signers) in given {
            let Some(path) = path else { continue };
            let end = signer::ca_not_after(&input::certificate(path)?)
                .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            signing.ca_not_after.extend(signers.iter().map(|name| (SignerName::from(*name), end)));
        }
        Ok(signing)
    }

    /// The CA certificate, in DER, that signs for kubelets' serving certificates, where it is given.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn serving_authority(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let own = self.cluster_signing_kubelet_serving_cert_file.as_deref();
        Ok(own.or(self.cluster_signing_cert_file.as_deref()).map(input::certificate).transpose()?)
    }
}

impl ClusterArgs {
    /// The cluster, for a controller that works by `policy`. Kubelets' live certificates are `authority`'s, in DER. Nothing is sent
    /// yet.
    ///
    /// # Errors
    /// When files or credentials cannot be used.
    pub async fn connect(&self, policy: &Policy, authority: Option<Vec<u8>>) -> anyhow::Result<Cluster> {
        let kubeconfig = self.kubeconfig.clone().or_else(|| match self.master {
            Some(_) => None,
            None => usual_kubeconfig(),
        });
        let access = Access { kubeconfig, master: self.master.clone() };
        let policy = Policy {
            approval: policy.approval.clone(),
            kubelet_serving: policy.kubelet_serving.clone(),
            ..Policy::default()
        };
        Ok(Cluster::connect(access, policy, authority).await?)
    }
}

/// A lifetime as the flag of `run` has it.
fn lifetime(text: &str) -> Result<time::Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// Runs something to its end on a runtime of its own.
///
/// # Errors
/// When there is no runtime.
pub(super) fn wait_for<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    // The first one wins, and there is no other.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}

/// Prints to standard output, and gives this exit code.
pub(super) fn printed(text: anyhow::Result<String>, exit_code: u8) -> ExitCode {
    let written = text.and_then(|text| Ok(io::stdout().write_all(text.as_bytes())?));
    match written {
        Ok(()) => exit_code.into(),
        Err(error) => failed(&error),
    }
}

/// Says what went wrong.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", crate::explain::escaped(&format!("{error:#}")));
    ExitCode::FAILURE
}

/// Where kubectl looks: the first file of `$KUBECONFIG` that exists, or else the one in the home directory.
fn usual_kubeconfig() -> Option<PathBuf> {
    match env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty()) {
        Some(paths) => {
            let all: Vec<PathBuf> = env::split_paths(&paths).collect();
            all.iter().find(|path| path.exists()).or_else(|| all.first()).cloned()
        }
        None => Some(env::home_dir()?.join(".kube/config")).filter(|path| path.exists()),
    }
}
