//! The program's own word on its flags: exit codes, and values from the environment.

#![allow(clippy::unwrap_used, reason = "a test whose binary does not run fails")]

use std::process::{Command, Output};

/// What `countersign` says to these words, with these variables set and no other of ours.
fn countersign(words: &[&str], variables: &[(&str, &str)]) -> Output {
    let ours = std::env::vars_os().map(|(name, _)| name);
    let ours = ours.filter(|name| name.to_string_lossy().starts_with("COUNTERSIGN_"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.args(words).envs(variables.iter().copied()).output().unwrap()
}

fn refusal(words: &[&str], variables: &[(&str, &str)]) -> String {
    let output = countersign(words, variables);
    assert_eq!(output.status.code(), Some(1), "{words:?} {variables:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_bad_value_in_the_environment_is_reported_by_its_variable() {
    let message = refusal(&["run"], &[("COUNTERSIGN_LEADER_ELECT", "maybe"), ("COUNTERSIGN_V", "much")]);
    for expected in [
        "invalid argument \"maybe\" for COUNTERSIGN_LEADER_ELECT: expected true or false",
        "invalid argument \"much\" for COUNTERSIGN_V: expected a whole number",
    ] {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_command_line_goes_before_the_environment() {
    let message = refusal(&["--secure-port=70000"], &[("COUNTERSIGN_SECURE_PORT", "80000")]);
    assert!(message.contains("--secure-port 70000 must be between"), "{message}");
    let message = refusal(&["run"], &[("COUNTERSIGN_SECURE_PORT", "80000")]);
    assert!(message.contains("COUNTERSIGN_SECURE_PORT 80000 must be between"), "{message}");
}

#[test]
fn a_variable_that_spoils_a_combination_of_flags_is_named() {
    let flags = ["--cluster-signing-cert-file=c", "--cluster-signing-key-file=k"];
    let message = refusal(&flags, &[("COUNTERSIGN_CLUSTER_SIGNING_KUBELET_CLIENT_KEY_FILE", "x")]);
    let variable = "(set in the environment: COUNTERSIGN_CLUSTER_SIGNING_KUBELET_CLIENT_KEY_FILE)";
    let half =
        format!("\"cluster-signing-kube-apiserver-client\": cannot specify key without cert {variable}");
    assert!(message.contains(&half), "{message}");
    let both = format!("and other --cluster-signing-*-file flags at the same time {variable}");
    assert!(message.contains(&both), "{message}");
}

#[test]
fn a_list_in_the_environment_is_one_too() {
    let message = refusal(&["run"], &[("COUNTERSIGN_CONTROLLERS", "*,-csrsigning,nope,-neither")]);
    for name in ["nope", "neither"] {
        assert!(message.contains(&format!("{name:?} is not in the list of known controllers")), "{message}");
    }
    let none = [("COUNTERSIGN_CONTROLLERS", "ttl")];
    let message = refusal(&["run"], &none);
    assert!(message.contains("COUNTERSIGN_CONTROLLERS leaves nothing to do"), "{message}");
}

#[test]
fn version_and_help_end_well_and_unknown_verbs_do_not() {
    for words in [&["version"][..], &["--version"], &["run", "--version"], &["--help"], &["run", "--help"]] {
        let output = countersign(words, &[]);
        assert!(output.status.success(), "{words:?}");
        assert!(!output.stdout.is_empty(), "{words:?}");
    }
    for words in [&[][..], &["sing"], &["sign"], &["sign", "--duration=0", "--request=-"]] {
        assert_eq!(countersign(words, &[]).status.code(), Some(2), "{words:?}");
    }
}
