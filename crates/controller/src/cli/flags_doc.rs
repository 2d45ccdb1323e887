//! `docs/flags.md`, made of the flags themselves.

use std::fmt::Write;

use clap::Arg;

use crate::cli::kcm_controllers::KCM_CONTROLLERS;
use crate::cli::kcm_flags::KCM_FLAGS;
use crate::cli::{environment_variable, run_command};

/// The text of `docs/flags.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    let run = run_command();
    let mut heading = None;
    for arg in run.get_arguments().filter(|arg| arg.get_long().is_some()) {
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            push(&mut text, format_args!("\n## {}\n{TABLE_HEAD}", heading.unwrap_or_default()));
        }
        push(&mut text, format_args!("{}\n", row(arg)));
    }
    text.push_str(FOREIGN);
    for flag in KCM_FLAGS {
        push(&mut text, format_args!("- `--{}`\n", flag.name));
    }
    text.push_str(CONTROLLERS);
    for controller in KCM_CONTROLLERS {
        let alias = controller.alias.map(|alias| format!(" (`{alias}`)")).unwrap_or_default();
        push(&mut text, format_args!("- `{}`{alias}\n", controller.name));
    }
    text
}

/// One flag: its name with the kind of its value, its variable, its default, and what it is for.
fn row(arg: &Arg) -> String {
    let name = arg.get_long().unwrap_or_default();
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let value = arg.get_value_names().and_then(<[_]>::first).map_or("", |value| value.as_str());
    let default = arg.get_default_values().first().map(|value| format!("`{}`", value.to_string_lossy()));
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!(
        "| {short}`--{name}` {value} | `{}` | {} | {} |",
        environment_variable(name),
        default.unwrap_or_default(),
        help.replace('|', "\\|")
    )
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    // A String takes whatever is written to it.
    let _ = text.write_fmt(more);
}

const INTRODUCTION: &str = "\
# Flags of `countersign run`

<!-- Generated from the flags themselves: `BLESS=1 cargo test` writes this file, `cargo test` compares it. -->

A command line of kube-controller-manager (v1.37) is taken as it is: `countersign run --kubeconfig=…`, or without the `run`
when the first word is a flag. Names, defaults and meanings are kube-controller-manager's where it has the flag, but for
`--leader-elect-resource-name`, `--secure-port` and the limit on calls, so that both can run side by side.

- Each flag can also be given in the environment, by the name in the second column; the command line wins.
- An empty value counts as none. Of a flag given more than once the last counts; lists add up.
- A flag of kind BOOL may stand alone for `true`; its value follows behind `=`, never as the next word.
- DURATION is Go's: `8760h0m0s`, `1.5h`, `90s`.
- All mistakes of a command line are reported at once, before the API server is called.
- The port 10270 collides with none of Kubernetes' own, 10248 to 10260 among them.
";

const TABLE_HEAD: &str = "
| flag | environment | default | |
|---|---|---|---|
";

const FOREIGN: &str = "
## Accepted without effect

These flags of kube-controller-manager belong to controllers that do not run here. They are accepted and listed once in a
warning; `--strict-flags` makes them an error.

";

const CONTROLLERS: &str = "
## Controllers that `--controllers` knows

The first three run here; the others may be named, and nothing follows from it.

";
