//! `countersign explain`: why a request stands where it stands, who has to act, and how.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ::config::KubeletServing;
use approver::Recognizer;
use clap::ValueEnum;
use csr::CertificateSigningRequest;
use time::OffsetDateTime;

use crate::cli::cluster::{ClusterArgs, PolicyArgs, SigningArgs, failed, printed, wait_for};
use crate::cli::input;
use crate::explain::recorded::Recorded;
use crate::explain::{Explanation, Oracle, Subject, json};
use crate::policy::Policy;

/// The words behind `countersign explain`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct ExplainArgs {
    /// Name of a CertificateSigningRequest in the cluster
    #[arg(value_name = "NAME", required_unless_present = "filename", conflicts_with = "filename")]
    pub name: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub policy: PolicyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub signing: SigningArgs,
    /// Ask no cluster: the CertificateSigningRequest is in this file, as JSON or YAML; '-' for standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["kubeconfig", "master"])]
    pub filename: Option<PathBuf>,
    /// What 'kubectl get nodes,services,endpointslices,servicecidrs,configmaps -A -o yaml' wrote; '-' for standard input
    #[arg(long, value_name = "FILE", requires = "filename")]
    pub facts: Option<PathBuf>,
    /// Certificate (PEM) that the API servers present
    #[arg(long, value_name = "FILE", requires = "facts")]
    pub api_server_certificate: Option<PathBuf>,
    /// Permissions that the requester has, separated by commas; empty for none
    #[arg(long, value_name = "PERMISSIONS", requires = "filename", value_delimiter = ',')]
    pub allowed: Option<Vec<AllowedArg>>,
    /// Form of what is printed
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Form {
    /// JSON, whose names stay
    Json,
    /// For people
    Text,
}

/// A permission of which a file says that the requester has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum AllowedArg {
    /// To have client certificates of kubelets approved
    NodeClient,
    /// To have its own client certificate approved
    SelfNodeClient,
    /// To have its own serving certificate approved
    SelfNodeServer,
    /// None at all
    None,
}

impl AllowedArg {
    fn recognizer(self) -> Option<Recognizer> {
        match self {
            Self::NodeClient => Some(Recognizer::NodeClient),
            Self::SelfNodeClient => Some(Recognizer::SelfNodeClient),
            Self::SelfNodeServer => Some(Recognizer::SelfNodeServer),
            Self::None => None,
        }
    }
}

/// Prints the explanation, or on standard error why there is none, and gives the exit code of what follows.
#[must_use]
pub fn run(args: &ExplainArgs) -> ExitCode {
    let now = OffsetDateTime::now_utc();
    let explained = match &args.name {
        Some(name) => wait_for(live(args, name, now)).and_then(|explained| explained),
        None => wait_for(offline(args, now)).and_then(|explained| explained),
    };
    let explanation = match explained {
        Ok(explanation) => explanation,
        Err(error) => return failed(&error),
    };
    let text = match args.output {
        Form::Text => Ok(explanation.text(std::io::stdout().is_terminal())),
        Form::Json => json(&explanation).map_err(anyhow::Error::from),
    };
    printed(text, explanation.advice.outcome.exit_code(explanation.attested))
}

async fn live(args: &ExplainArgs, name: &str, now: OffsetDateTime) -> anyhow::Result<Explanation> {
    let (policy, signing) = (args.policy.policy()?, args.signing.signing(args.policy.configuration()?)?);
    let cluster = args.cluster.connect(&policy, args.signing.serving_authority()?).await?;
    let object = cluster.request(name).await?;
    let retentions = &policy.standings.retention;
    let subject = Subject { object: &object, policy: &policy.approval, signing: &signing, retentions, now };
    Ok(Explanation::of(subject, &Oracle::Live(Arc::new(cluster))).await)
}

/// The explanation of what is in files, at this time.
///
/// # Errors
/// When one of them cannot be used.
pub async fn offline(args: &ExplainArgs, now: OffsetDateTime) -> anyhow::Result<Explanation> {
    let policy: Policy = args.policy.policy()?;
    let signing = args.signing.signing(args.policy.configuration()?)?;
    let object = request(args)?;
    let recorded = recorded(args, policy.kubelet_serving.as_deref().cloned())?;
    let retentions = &policy.standings.retention;
    let subject = Subject { object: &object, policy: &policy.approval, signing: &signing, retentions, now };
    Ok(Explanation::of(subject, &Oracle::Recorded(Box::new(recorded))).await)
}

fn request(args: &ExplainArgs) -> anyhow::Result<CertificateSigningRequest> {
    let stdin = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    anyhow::ensure!(
        !(stdin(&args.filename) && stdin(&args.facts)),
        "--filename and --facts cannot both be standard input"
    );
    let path = args.filename.clone().unwrap_or_default();
    let object = input::object(&path)?;
    let kind = object["kind"].as_str().unwrap_or_default();
    anyhow::ensure!(
        kind == "CertificateSigningRequest",
        "{} holds an object of kind {kind:?}, not one CertificateSigningRequest",
        path.display()
    );
    Ok(object.to_string().parse()?)
}

fn recorded(args: &ExplainArgs, serving: Option<KubeletServing>) -> anyhow::Result<Recorded> {
    let allowed = args.allowed.as_ref();
    let allowed =
        allowed.map(|given| given.iter().filter_map(|given| given.recognizer()).collect::<BTreeSet<_>>());
    let mut recorded = Recorded::new(allowed, serving);
    if let Some(path) = &args.facts {
        recorded.take_in(input::object(path)?)?;
    }
    if let Some(path) = &args.api_server_certificate {
        recorded.api_servers_present(&input::certificate(path)?)?;
    }
    Ok(recorded)
}

/// What the exit code means, for `--help`.
const EXIT_CODES: &str = "\
Exit code: 0 Countersign approves or signs it, or there is a certificate; 1 nobody can tell, or an error; 2 it waits: held, left
to another approver or signer; 3 it is or will be refused. From files (-f) it is never 0: nobody vouches for what they say.";
