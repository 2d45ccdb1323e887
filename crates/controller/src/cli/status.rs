//! `countersign status`: everything that waits, and for what.

use std::process::ExitCode;

use time::OffsetDateTime;

use crate::cli::cluster::{ClusterArgs, PolicyArgs, failed, printed, wait_for};
use crate::cli::explain::Form;
use crate::explain::{Explanation, Oracle, State, Subject, json, table};

/// The words behind `countersign status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub policy: PolicyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its help is its fields'")]
    pub cluster: ClusterArgs,
    /// Form of what is printed
    #[arg(long, short, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Prints what waits, the oldest first, or on standard error why that is not known. The exit code is 0 or 1.
#[must_use]
pub fn run(args: &StatusArgs) -> ExitCode {
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
    let policy = args.policy.policy()?;
    let cluster = args.cluster.connect(&policy).await?;
    let mut objects = cluster.requests().await?;
    objects.retain(|object| State::of(object.progress()).waits());
    objects.sort_by_key(|object| object.progress().created);
    let oracle = Oracle::Live(Box::new(cluster));
    let mut waiting = Vec::with_capacity(objects.len());
    for object in &objects {
        waiting.push(Explanation::of(Subject { object, policy: &policy.approval, now }, &oracle).await);
    }
    Ok(waiting)
}
