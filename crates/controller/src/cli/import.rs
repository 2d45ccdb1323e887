//! `countersign import`: the way over from other tools, their settings in and ours out. It calls nobody and changes nothing but the
//! file that it is told to write.

mod kcm;
mod output;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::config::import::{ApproverError, Options, Remark, Source, kubelet_csr_approver, visible};
use clap::Subcommand;

pub use self::kcm::{Change, Form, KcmError, Migration, kube_controller_manager};
pub use self::output::OutputError;

/// The words behind `countersign import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// From which tool.
    #[command(subcommand)]
    pub tool: Tool,
}

/// The tool to come over from.
#[derive(Clone, Debug, Subcommand)]
pub enum Tool {
    /// Make a configuration file of the settings of postfinance/kubelet-csr-approver
    ///
    /// FILE is the manifest of its Deployment, the values of its Helm chart, or a list of its variables (NAME=value) and flags. What
    /// does not mean quite the same is a comment in the file that is made, and a line on standard error.
    #[command(after_help = APPROVER_EXAMPLES)]
    KubeletCsrApprover {
        /// Where its settings are.
        #[command(flatten)]
        input: InputArgs,
        /// A domain in which nodes have names in DNS, <node>.<domain>; may be given more than once [default: those that the
        /// regular expression for names shows]
        #[arg(long, value_name = "DOMAIN")]
        dns_domain: Vec<String>,
    },
    /// Make a command line or a static pod of the flags of kube-controller-manager, and say what to change in its own
    ///
    /// FILE is the manifest of its static pod, or its command line. What is not carried over, and why, is a comment in what is
    /// made, and a line on standard error.
    #[command(after_help = KCM_EXAMPLES)]
    KubeControllerManager {
        /// Where its flags are.
        #[command(flatten)]
        input: InputArgs,
        /// What is made of it
        #[arg(long, value_name = "FORM", default_value = "manifest")]
        form: Form,
        /// Image of the static pod
        #[arg(long, value_name = "IMAGE", default_value = concat!("countersign:", env!("CARGO_PKG_VERSION")))]
        image: String,
    },
}

/// Where settings are read from, and where what is made of them goes.
#[derive(Clone, Debug, clap::Args)]
pub struct InputArgs {
    /// The file with the settings; '-' for standard input
    #[arg(required_unless_present = "line", conflicts_with = "line")]
    pub file: Option<PathBuf>,
    /// Where it goes; a file that is there already and says something else is left as it is, and that is an error [default:
    /// standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The settings themselves, as on a command line, behind '--'
    #[arg(last = true, value_name = "WORD")]
    pub line: Vec<String>,
}

/// Why nothing is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The settings cannot be read.
    #[error("failed to read {}", path.display())]
    Unreadable {
        /// The file, or `-`.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The settings are not those of kubelet-csr-approver.
    #[error(transparent)]
    Approver(#[from] ApproverError),
    /// The flags are not those of kube-controller-manager.
    #[error(transparent)]
    Kcm(#[from] KcmError),
    /// What was made could not be handed over.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Writes what was asked for, explains on standard error, and gives the exit code: 0 when it is written, 1 when not.
#[must_use]
pub fn run(args: &ImportArgs) -> ExitCode {
    match import(&args.tool) {
        Ok(notes) => {
            notes.iter().for_each(|note| eprintln!("{}", visible(note)));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {:#}", anyhow::Error::from(error));
            ExitCode::FAILURE
        }
    }
}

/// Writes what is made of the settings; what is to be said about it is returned.
fn import(tool: &Tool) -> Result<Vec<String>, ImportError> {
    match tool {
        Tool::KubeletCsrApprover { input, dns_domain } => {
            let options = Options { dns_domains: dns_domain.clone() };
            let imported = kubelet_csr_approver(&source(input)?, &options)?;
            output::write(input.output.as_deref(), &imported.text)?;
            Ok(imported.remarks.iter().map(Remark::to_string).collect())
        }
        Tool::KubeControllerManager { input, form, image } => {
            let migration = kube_controller_manager(&source(input)?, *form, image)?;
            output::write(input.output.as_deref(), &migration.text)?;
            let remarks = migration.remarks.iter().map(Remark::to_string);
            Ok(remarks.chain(migration.change.instructions()).collect())
        }
    }
}

fn source(input: &InputArgs) -> Result<Source, ImportError> {
    let Some(file) = &input.file else {
        return Ok(Source::Words(input.line.clone()));
    };
    let text = read(file).map_err(|source| ImportError::Unreadable { path: file.clone(), source })?;
    Ok(Source::Text(text))
}

fn read(file: &Path) -> io::Result<String> {
    let input: Box<dyn io::Read> = match file.as_os_str().as_encoded_bytes() {
        b"-" => Box::new(io::stdin()),
        _ => Box::new(std::fs::File::open(file)?),
    };
    let mut text = String::new();
    input.take(LIMIT + 1).read_to_string(&mut text)?;
    match text.len() as u64 {
        ..=LIMIT => Ok(text),
        _ => Err(io::Error::other("it is longer than 1 MiB")),
    }
}

/// Longer is no manifest and no command line.
const LIMIT: u64 = 1 << 20;

const APPROVER_EXAMPLES: &str = "\
Examples:
  kubectl -n kube-system get deployment kubelet-csr-approver -o yaml | countersign import kubelet-csr-approver -
  countersign import kubelet-csr-approver values.yaml --dns-domain int.example.com --output countersign.yaml
  countersign import kubelet-csr-approver -- --provider-regex '^node-[\\w-]*\\.int\\.example\\.com$' --skip-deny-step

docs/install/from-kubelet-csr-approver.md is the whole way, and back.";

const KCM_EXAMPLES: &str = "\
Examples:
  countersign import kube-controller-manager /etc/kubernetes/manifests/kube-controller-manager.yaml --image IMAGE
  countersign import kube-controller-manager --form flags -- --kubeconfig=/etc/kubernetes/controller-manager.conf ...

docs/install/from-kube-controller-manager.md is the whole way, and back.";
