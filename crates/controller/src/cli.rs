//! The command line: what was typed, in the words of kube-controller-manager.
//!
//! `countersign run` takes a command line of kube-controller-manager as it is; so does `countersign` alone when its first
//! word is a flag, so that in a manifest the name of the program is all that changes. What the values mean, and whether they
//! go together, is [`crate::config`]'s.

pub mod approve;
pub mod args;
pub mod cluster;
mod command_line;
pub mod completion;
pub mod config;
pub mod explain;
pub mod flags_doc;
pub mod import;
pub mod input;
pub mod kcm_controllers;
pub mod kcm_flags;
pub mod nodes;
pub mod sign;
pub mod status;
pub mod version;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli::approve::ApproveArgs;
use crate::cli::args::Args;
use crate::cli::command_line::CommandLine;
use crate::cli::completion::CompletionArgs;
use crate::cli::config::ConfigArgs;
use crate::cli::explain::ExplainArgs;
use crate::cli::import::ImportArgs;
use crate::cli::sign::SignArgs;
use crate::cli::status::StatusArgs;

/// What the program is asked to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Run the controllers against an API server
    Run(Box<Args>),
    /// Sign one request offline, with a CA at hand and no cluster
    Sign(Box<SignArgs>),
    /// Look at a configuration file, with no cluster
    Config(ConfigArgs),
    /// Say why a request stands where it stands, who has to act, and how
    Explain(Box<ExplainArgs>),
    /// Approve one request by hand, if nothing speaks against its name or identity
    Approve(Box<ApproveArgs>),
    /// List the requests that wait, and for what, or what kubelets serve with
    Status(Box<StatusArgs>),
    /// Make our configuration, command line or static pod of another tool's settings
    Import(Box<ImportArgs>),
    /// Print a script with which a shell completes our words
    Completion(CompletionArgs),
    /// Print what this is and what it was made of
    Version,
}

/// Approves, signs and cleans up the CertificateSigningRequests of a Kubernetes cluster, in place of
/// kube-controller-manager
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true)]
#[command(after_help = "The first word may be a flag: then the line is that of 'run'.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// Reads the words of a command line, the program's name first.
///
/// Mistakes in the flags of `run` are not errors here: they are in [`Args::problems`], to be reported with all others.
///
/// # Errors
/// When help or the version is asked for, or the verb or its flags are not understood; clap's error knows its exit code.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Verb, clap::Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    match flags_of_run(&words) {
        Some(flags) => run(flags).map(|args| Verb::Run(Box::new(args))),
        None => {
            let command = command().bin_name(called(&words));
            Cli::from_arg_matches(&command.try_get_matches_from(words)?).map(|cli| cli.verb)
        }
    }
}

/// As what we were called: kubectl runs a plugin by the name of its file.
fn called(words: &[OsString]) -> &'static str {
    let file = words.first().and_then(|word| Path::new(word).file_stem());
    if file.is_some_and(|name| name == "kubectl-countersign") { "kubectl countersign" } else { "countersign" }
}

/// The exit code when a line is not understood. Where 2 has a meaning of its own it is 1.
#[must_use]
pub fn usage_exit_code(words: &[OsString], error: &clap::Error) -> u8 {
    let explains =
        words.get(1).is_some_and(|verb| ["explain", "status", "approve"].iter().any(|known| verb == known));
    match error.use_stderr() {
        true if explains => 1,
        true => 2,
        false => 0,
    }
}

/// The words behind `run`, where the line is one of `run`.
fn flags_of_run(words: &[OsString]) -> Option<Vec<OsString>> {
    let first = words.get(1)?.to_string_lossy();
    match &*first {
        "run" => Some(words[2..].to_vec()),
        "-h" | "--help" | "-V" | "--version" => None,
        flag if flag.starts_with('-') => Some(words[1..].to_vec()),
        _ => None,
    }
}

fn run(flags: Vec<OsString>) -> Result<Args, clap::Error> {
    let mut command = run_command();
    let line = CommandLine::read(flags, &command);
    let words = std::iter::once("countersign run".to_owned()).chain(line.words);
    let matches = command.try_get_matches_from_mut(words)?;
    let mut args = Args::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    args.ignored_flags = line.ignored;
    args.problems = line.problems;
    args.from_environment = from_environment(&command, &matches);
    Ok(args)
}

fn from_environment(command: &clap::Command, matches: &ArgMatches) -> BTreeSet<String> {
    command
        .get_arguments()
        .filter(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::EnvVariable))
        .filter_map(|arg| arg.get_long().map(str::to_owned))
        .collect()
}

/// The whole command, each flag of `run` readable from the environment too.
fn command() -> clap::Command {
    Cli::command().mut_subcommand("run", |run| {
        let run = run.args_override_self(true).version(version::text());
        run.mut_args(|arg| match arg.get_long().map(environment_variable) {
            Some(variable) => arg.env(variable),
            None => arg,
        })
    })
}

/// `countersign run`, as a command of its own.
fn run_command() -> clap::Command {
    let mut command = command();
    let run = command.find_subcommand_mut("run").map(std::mem::take);
    run.unwrap_or_default().bin_name("countersign run")
}

/// The environment variable of a flag: `COUNTERSIGN_` and its name.
#[must_use]
pub fn environment_variable(flag: &str) -> String {
    format!("COUNTERSIGN_{}", flag.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests;
