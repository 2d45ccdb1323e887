//! The flags and controllers that countersign takes for kube-controller-manager's, held against the binary itself.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use controller::cli::kcm_controllers::KCM_CONTROLLERS;
use controller::cli::{Verb, kcm_flags, parse};
use countersign_e2e::binaries::Binary;

/// What `kube-controller-manager --help` says.
fn help() -> Result<String> {
    let output = Command::new(Binary::KubeControllerManager.locate()?).arg("--help").output()?;
    ensure!(output.status.success(), "kube-controller-manager --help failed: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The flags of a help text with whether each takes a value: pflag writes a flag's kind behind its name, and none behind that
/// of a boolean.
fn flags(help: &str) -> Vec<(&str, bool)> {
    let lines = help.lines().map(str::trim_start).map(|line| line.strip_prefix("-v, ").unwrap_or(line));
    let flags = lines.map(|line| line.strip_prefix("-h, ").unwrap_or(line));
    let flags = flags.filter_map(|line| line.strip_prefix("--"));
    let flags = flags.map(|line| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        (name, !rest.starts_with("  "))
    });
    flags.collect()
}

#[test]
fn every_flag_of_kube_controller_manager_is_known_with_its_kind() -> Result<()> {
    let help = help()?;
    let flags = flags(&help);
    ensure!(flags.len() > 140, "only {} flags found", flags.len());
    for &(flag, takes_value) in &flags {
        if flag == "help" || flag == "version" {
            continue;
        }
        // The kinds agree when the next word is taken for a value exactly where upstream does so.
        let words = ["countersign", "run", &format!("--{flag}"), "value"].map(Into::into);
        let Verb::Run(args) = parse(words)? else { anyhow::bail!("not a line of run") };
        ensure!(args.problems.len() == usize::from(!takes_value), "--{flag}: {:?}", args.problems);
        let ignored = kcm_flags::find(flag).is_some();
        ensure!(args.ignored_flags.iter().eq(ignored.then_some(flag)), "--{flag}: {:?}", args.ignored_flags);
    }
    Ok(())
}

#[test]
fn no_flag_is_taken_for_one_of_kube_controller_manager_that_it_does_not_have() -> Result<()> {
    // Deprecated, so the help text is silent about them.
    let hidden = ["allow-untagged-cloud", "node-sync-period"];
    let help = help()?;
    // Upstream wrote this one with underscores, which its parser takes for dashes.
    let known: BTreeSet<String> = flags(&help).iter().map(|(flag, _)| flag.replace('_', "-")).collect();
    for flag in kcm_flags::KCM_FLAGS {
        ensure!(known.contains(flag.name) || hidden.contains(&flag.name), "--{}", flag.name);
    }
    Ok(())
}

#[test]
fn every_controller_of_kube_controller_manager_is_known_with_its_default() -> Result<()> {
    let help = help()?;
    let list = |heading: &str| -> Result<BTreeSet<String>> {
        let line = help.lines().find_map(|line| line.trim_start().strip_prefix(heading));
        let names = line.with_context(|| format!("no line begins with {heading:?}"))?;
        let names = names.split(" (default").next().unwrap_or_default();
        Ok(names.split(", ").map(|name| name.trim().to_owned()).collect())
    };
    let ours = |on_by_default: Option<bool>| -> BTreeSet<String> {
        let listed =
            KCM_CONTROLLERS.iter().filter(|known| on_by_default.is_none_or(|on| known.on_by_default == on));
        listed.map(|known| known.name.to_owned()).collect()
    };
    ensure!(list("All controllers: ")? == ours(None), "the names differ");
    ensure!(list("Disabled-by-default controllers: ")? == ours(Some(false)), "the defaults differ");
    Ok(())
}
