//! `countersign import` as a process: what goes where, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test whose binary does not run fails")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// What `countersign import` does with these words and this on its standard input.
fn import(words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_"))
    {
        command.env_remove(name);
    }
    command.arg("import").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not read it has closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const SETTINGS: &str = "PROVIDER_REGEX='^n[12]$'\nSKIP_DENY_STEP=true\nODD=1\n";

#[test]
fn what_is_made_goes_out_and_what_is_to_be_said_is_said() {
    let output = import(&["kubelet-csr-approver", "-"], SETTINGS);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let made = config::parse(text(&output.stdout)).unwrap();
    assert!(made.kubelet_serving.is_some_and(|serving| serving.enabled));
    assert!(text(&output.stderr).contains("not carried over: ODD: "), "{output:?}");

    let line = [
        "kube-controller-manager",
        "--form=flags",
        "--",
        "--kubeconfig=/k",
        "--controllers=*,-ttl",
        "--profiling",
    ];
    let output = import(&line, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).ends_with("countersign run \\\n  --kubeconfig=/k\n"), "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("not carried over: --profiling: "), "{said}");
    assert!(said.contains("- --controllers=*,-ttl,-csrsigning,-csrapproving,-csrcleaner\n"), "{said}");
}

#[test]
fn a_file_of_somebody_else_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countersign.yaml");
    let words = ["kubelet-csr-approver", "-", "--output", path.to_str().unwrap()];
    for _ in 0..2 {
        let output = import(&words, SETTINGS);
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b""[..]), "{output:?}");
    }
    let written = fs::read_to_string(&path).unwrap();
    let output = import(&words, "--level 3");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("is there already and says something else"), "{output:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
}

#[test]
fn what_cannot_be_imported_ends_badly_and_writes_nothing() {
    let nowhere = "/nonexistent/settings.yaml";
    for (words, input, code) in [
        (&["kubelet-csr-approver", "-"][..], "--nope", 1),
        (&["kubelet-csr-approver", nowhere], "", 1),
        (&["kube-controller-manager", "-"], "kind: [", 1),
        (&["kubelet-csr-approver", "-"], &"x".repeat((1 << 20) + 1), 1),
        (&["kubelet-csr-approver"], "", 2),
        (&["kubelet-csr-approver", "-", "--", "--level=0"], "", 2),
        (&["cfssl"], "", 2),
        (&[], "", 2),
    ] {
        let output = import(words, input);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}
