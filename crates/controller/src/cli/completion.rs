//! `countersign completion`: what a shell needs to complete our words.

use std::io;
use std::process::ExitCode;

use clap::ValueEnum;
use clap_complete::{generate, shells};

/// The words behind `countersign completion`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct CompletionArgs {
    /// The shell
    pub shell: Shell,
}

/// A shell whose completion we know to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// Prints the script.
#[must_use]
pub fn run(args: CompletionArgs) -> ExitCode {
    let (mut command, name, mut out) = (super::command(), "countersign", io::stdout());
    match args.shell {
        Shell::Bash => generate(shells::Bash, &mut command, name, &mut out),
        Shell::Zsh => generate(shells::Zsh, &mut command, name, &mut out),
        Shell::Fish => generate(shells::Fish, &mut command, name, &mut out),
    }
    ExitCode::SUCCESS
}
