//! `countersign approve`: one request approved by hand, the very one that was looked at, and only where `countersign explain` says
//! that somebody may.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use csr::{CertificateSigningRequest, Condition, ConditionType};
use http::StatusCode;
use time::OffsetDateTime;

use crate::cli::cluster::{ClusterArgs, PolicyArgs, SigningArgs, failed, printed, wait_for};
use crate::explain::live::Cluster;
use crate::explain::{Explanation, Oracle, Subject, escaped};

/// The words behind `countersign approve`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct ApproveArgs {
    /// Name of a CertificateSigningRequest in the cluster
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its metadata.uid: an object that was deleted and created again under the same name is another one
    #[arg(long, value_name = "UID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub uid: String,
    /// SHA-256 of its spec.request, in hexadecimal, to be compared as well
    #[arg(long, value_name = "SHA256")]
    pub digest: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub policy: PolicyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub signing: SigningArgs,
}

/// What came of it.
#[derive(Debug)]
enum Approval {
    /// It is approved.
    Given,
    /// Nobody is to approve it as it stands.
    Refused(Box<Explanation>),
    /// It is not, or no longer, what was looked at.
    Other(String),
}

/// Approves, or says why not, and gives the exit code of that.
#[must_use]
pub fn run(args: &ApproveArgs) -> ExitCode {
    let name = escaped(&args.name);
    match wait_for(approval(args, OffsetDateTime::now_utc())).and_then(|approval| approval) {
        Ok(Approval::Given) => printed(Ok(format!("{name} is approved\n")), 0),
        Ok(Approval::Refused(explanation)) => {
            let text = explanation.text(std::io::stdout().is_terminal());
            eprintln!("{name} is not approved: nobody may by this command, as explained on standard output");
            printed(Ok(text), 2)
        }
        Ok(Approval::Other(why)) => {
            eprintln!("{name} is not approved: {}", escaped(&why));
            ExitCode::from(3)
        }
        Err(error) => failed(&error),
    }
}

async fn approval(args: &ApproveArgs, now: OffsetDateTime) -> anyhow::Result<Approval> {
    let (policy, signing) = (args.policy.policy()?, args.signing.signing(args.policy.configuration()?)?);
    let cluster = Arc::new(args.cluster.connect(&policy, args.signing.serving_authority()?).await?);
    let object = match cluster.request(&args.name).await {
        Err(error) if error.is_gone(&args.name) => return Ok(Approval::Other("it is gone".to_owned())),
        object => object?,
    };
    let retentions = &policy.standings.retention;
    let subject = Subject { object: &object, policy: &policy.approval, signing: &signing, retentions, now };
    let explanation = Explanation::of(subject, &Oracle::Live(Arc::clone(&cluster))).await;
    if let Some(why) = mismatch(args, &explanation) {
        return Ok(Approval::Other(why));
    }
    if !explanation.advice.approvable {
        return Ok(Approval::Refused(Box::new(explanation)));
    }
    write(&cluster, &object).await
}

/// In what the object is not the one that was looked at.
fn mismatch(args: &ApproveArgs, found: &Explanation) -> Option<String> {
    if found.uid != args.uid {
        return Some(format!("it is another object, with uid {:?}", found.uid));
    }
    let given = args.digest.as_ref().filter(|given| !given.eq_ignore_ascii_case(&found.request_digest));
    given.map(|_| format!("it holds another request, with SHA-256 {}", found.request_digest))
}

/// Writes the approval of the object in the version that was explained.
async fn write(cluster: &Cluster, object: &CertificateSigningRequest) -> anyhow::Result<Approval> {
    let condition = Condition {
        kind: ConditionType::Approved,
        reason: "ApprovedByOperator",
        message: "An operator has approved this request with countersign approve.".to_owned(),
        last_update_time: None,
    };
    match cluster.approve(object, &condition).await {
        Ok(_) => Ok(Approval::Given),
        Err(error) if error.code() == Some(StatusCode::CONFLICT) => {
            Ok(Approval::Other("it has changed meanwhile: explain it again".to_owned()))
        }
        Err(error) if error.is_gone(object.name()) => Ok(Approval::Other("it is gone".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// What the exit code means, for `--help`.
const EXIT_CODES: &str = "\
Exit code: 0 it is approved; 1 an error; 2 refused: it is not for anybody to approve by hand, or stands approved, denied or failed;
3 it is another object or another request than was looked at, it has changed meanwhile, or it is gone.";
