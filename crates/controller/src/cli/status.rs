//! `countersign status`: everything that waits, and for what.

use std::process::ExitCode;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::cli::cluster::{ClusterArgs, PolicyArgs, SigningArgs, failed, printed, wait_for};
use crate::cli::explain::Form;
use crate::cli::nodes::{self, NodesArgs};
use crate::explain::{Explanation, Oracle, State, Subject, json, table};

/// The words behind `countersign status`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct StatusArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub policy: PolicyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub signing: SigningArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub nodes: NodesArgs,
    /// Form of what is printed
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Prints what waits, the oldest first, or what kubelets serve with; on standard error why that is not known.
#[must_use]
pub fn run(args: &StatusArgs) -> ExitCode {
    if args.nodes.nodes {
        return nodes::run(args);
    }
    let waiting = match wait_for(waiting(args, OffsetDateTime::now_utc())).and_then(|waiting| waiting) {
        Ok(waiting) => waiting,
        Err(error) => return failed(&error),
    };
    let text = match args.output {
        Form::Json => json(&waiting).map_err(anyhow::Error::from),
        Form::Text if waiting.is_empty() => Ok("Nothing waits.\n".to_owned()),
        Form::Text => Ok(table(&waiting)),
    };
    printed(text, 0)
}

async fn waiting(args: &StatusArgs, now: OffsetDateTime) -> anyhow::Result<Vec<Explanation>> {
    let (policy, signing) = (args.policy.policy()?, args.signing.signing(args.policy.configuration()?)?);
    let cluster = args.cluster.connect(&policy, args.signing.serving_authority()?).await?;
    let mut objects = cluster.requests().await?;
    objects.retain(|object| State::of(object.progress()).waits());
    objects.sort_by_key(|object| object.progress().created);
    let oracle = Oracle::Live(Arc::new(cluster));
    let mut waiting = Vec::with_capacity(objects.len());
    for object in &objects {
        let subject = Subject { object, policy: &policy.approval, signing: &signing, now };
        waiting.push(Explanation::of(subject, &oracle).await);
    }
    Ok(waiting)
}

/// What the exit code means, for `--help`.
const EXIT_CODES: &str = "\
Exit code: 0 what waits is listed, with --nodes: every kubelet would be trusted; 1 an error; 2 with --nodes: some would not be.";
