//! `countersign config`: a configuration file looked at before it is used, by what `countersign run` reads it with.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::config::Configuration;
use ::config::file::CountersignConfiguration;
use clap::{Subcommand, ValueEnum};

use crate::configuration::{self, FileFault};

/// The words behind `countersign config`.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

/// What is to be done with a configuration file.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigVerb {
    /// Check a configuration file and report all that is wrong with it
    Check {
        /// The file; '-' for standard input
        file: PathBuf,
    },
    /// Print the JSON schema of configuration files
    Schema,
    /// Print what a configuration file amounts to, defaults filled in
    Show {
        /// The file; '-' for standard input
        file: PathBuf,
        /// Form of what is printed
        #[arg(long, short, value_name = "FORM", default_value = "yaml")]
        output: Form,
    },
}

/// How a configuration is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Form {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileFault),
    /// The configuration has no form in YAML.
    #[error("failed to write YAML")]
    Yaml(#[from] serde_saphyr::ser_error::Error),
    /// The configuration has no form in JSON.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
}

/// Prints what was asked for, says on standard error what is wrong with the file, and gives the exit code: 0 for a good file, 1
/// for one that cannot be used.
#[must_use]
pub fn run(args: &ConfigArgs) -> ExitCode {
    let (file, printed) = match &args.verb {
        ConfigVerb::Schema => (None, Ok(schema())),
        ConfigVerb::Check { file } => (Some(file), check(file)),
        ConfigVerb::Show { file, output } => (Some(file), show(file, *output)),
    };
    let printed = printed.map(|text| io::stdout().write_all(text.as_bytes()));
    match printed {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => eprintln!("error: failed to write to standard output: {error}"),
        Err(error) => report(file.map(PathBuf::as_path), error),
    }
    ExitCode::FAILURE
}

/// The schema, as it is in `docs/configuration.schema.json`.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", ::config::schema())
}

fn check(file: &Path) -> Result<String, ShowError> {
    read(file)?;
    Ok(format!("{} is good\n", name(file)))
}

fn show(file: &Path, form: Form) -> Result<String, ShowError> {
    let effective = ::config::effective(&read(file)?);
    written(&effective, form)
}

fn written(effective: &CountersignConfiguration, form: Form) -> Result<String, ShowError> {
    match form {
        Form::Json => Ok(serde_json::to_string_pretty(effective)? + "\n"),
        Form::Yaml => Ok(serde_saphyr::to_string(effective)?),
    }
}

fn read(file: &Path) -> Result<Configuration, FileFault> {
    let text = match file.as_os_str() == "-" {
        true => configuration::read_from(io::stdin())?,
        false => configuration::read(file)?,
    };
    Ok(::config::parse(&text)?)
}

/// One mistake a line, each with the file before it.
fn report(file: Option<&Path>, error: ShowError) {
    let name = file.map(name).unwrap_or_default();
    match error {
        ShowError::File(FileFault::Mistakes(mistakes)) => {
            for mistake in mistakes.0 {
                eprintln!("{name}: {mistake}");
            }
        }
        error => eprintln!("error: {name}: {:#}", anyhow::Error::from(error)),
    }
}

fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}
