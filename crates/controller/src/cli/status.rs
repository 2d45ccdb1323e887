//! `countersign status`: everything that waits, and for what; and when it is deleted.

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
    /// List what is finished too, until it is deleted
    #[arg(long, conflicts_with = "nodes")]
    pub all: bool,
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
    let found = match wait_for(found(args, OffsetDateTime::now_utc())).and_then(|found| found) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let text = match args.output {
        Form::Json => json(&found).map_err(anyhow::Error::from),
        Form::Text if found.is_empty() => Ok("Nothing waits.\n".to_owned()),
        Form::Text => Ok(table(&found)),
    };
    printed(text, 0)
}

async fn found(args: &StatusArgs, now: OffsetDateTime) -> anyhow::Result<Vec<Explanation>> {
    let (policy, signing) = (args.policy.policy()?, args.signing.signing(args.policy.configuration()?)?);
    let cluster = args.cluster.connect(&policy, args.signing.serving_authority()?).await?;
    let mut objects = cluster.requests().await?;
    objects.retain(|object| args.all || State::of(object.progress()).waits());
    objects.sort_by_key(|object| object.progress().created);
    let oracle = Oracle::Live(Arc::new(cluster));
    let retentions = &policy.standings.retention;
    let mut found = Vec::with_capacity(objects.len());
    for object in &objects {
        let subject = Subject { object, policy: &policy.approval, signing: &signing, retentions, now };
        found.push(Explanation::of(subject, &oracle).await);
    }
    Ok(found)
}

/// What the exit code means, for `--help`.
const EXIT_CODES: &str = "\
Exit code: 0 what waits is listed, with --nodes: every kubelet would be trusted; 1 an error; 2 with --nodes: some would not be.";
