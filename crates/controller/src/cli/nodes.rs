//! `countersign status --nodes`: which kubelets the API server would trust, if it looked.

use std::path::PathBuf;
use std::process::ExitCode;

use time::OffsetDateTime;

use crate::cli::cluster::{failed, printed, wait_for};
use crate::cli::explain::Form;
use crate::cli::input;
use crate::cli::status::StatusArgs;
use crate::explain::json;
use crate::explain::live::Cluster;
use crate::kubelets::{AddressType, Authorities, Kubelet, Verdict, report, survey};

/// The words behind `countersign status --nodes`.
#[derive(Clone, Debug, clap::Args)]
pub struct NodesArgs {
    /// List the Nodes in place of the requests, and whether the API server would trust the certificates that their kubelets serve
    /// with now, on the address that it dials
    #[arg(long)]
    pub nodes: bool,
    /// What the API server will have in its flag of this name (PEM) [default: --cluster-signing-cert-file, else the CA in the
    /// kubeconfig]
    #[arg(long, value_name = "FILE", requires = "nodes")]
    pub kubelet_certificate_authority: Option<PathBuf>,
    /// What the API server will have in its flag of this name. The default is what kubeadm and our guide set; an API server
    /// without the flag has Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP
    #[arg(
        long,
        value_name = "TYPES",
        value_delimiter = ',',
        default_value = "InternalIP,ExternalIP,Hostname"
    )]
    pub kubelet_preferred_address_types: Vec<AddressType>,
}

/// Prints what kubelets serve with. The exit code is 0 only when there are some and all of them would be trusted.
#[must_use]
pub fn run(args: &StatusArgs) -> ExitCode {
    let kubelets = match wait_for(found(args, OffsetDateTime::now_utc())).and_then(|found| found) {
        Ok(kubelets) => kubelets,
        Err(error) => return failed(&error),
    };
    let text = match args.output {
        Form::Json => json(&kubelets).map_err(anyhow::Error::from),
        Form::Text => Ok(report(&kubelets)),
    };
    printed(text, exit_code(&kubelets))
}

fn exit_code(kubelets: &[Kubelet]) -> u8 {
    let are_trusted = kubelets.iter().all(|kubelet| kubelet.verdict == Verdict::Verifies);
    // Of no Nodes at all nothing can be said.
    if are_trusted && !kubelets.is_empty() { 0 } else { 2 }
}

async fn found(args: &StatusArgs, now: OffsetDateTime) -> anyhow::Result<Vec<Kubelet>> {
    let cluster = args.cluster.connect(&args.policy.policy()?, None).await?;
    let authorities = Authorities::new(&trusted(args, &cluster)?, now)?;
    let nodes = cluster.nodes().await?;
    Ok(survey(nodes, &args.nodes.kubelet_preferred_address_types, &authorities).await)
}

/// Whom the API server will trust, in DER.
fn trusted(args: &StatusArgs, cluster: &Cluster) -> anyhow::Result<Vec<Vec<u8>>> {
    if let Some(path) = &args.nodes.kubelet_certificate_authority {
        return Ok(input::certificates(path)?);
    }
    let authority = args.signing.serving_authority()?;
    let trusted = authority.map_or_else(|| cluster.trusted(), |authority| vec![authority]);
    anyhow::ensure!(!trusted.is_empty(), "the kubeconfig has no CA: give --kubelet-certificate-authority");
    Ok(trusted)
}
