//! How long requests are kept, as people write it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails where something is missing")]

use std::time::Duration;

use config::parse;
use engine::{Retention, Retentions};

/// A file whose section `retention` begins in line 4.
fn with(section: &str) -> String {
    let lines = section.lines().map(|line| format!("  {line}\n"));
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nretention:\n";
    head.to_owned() + &lines.collect::<String>()
}

fn retentions(section: &str) -> Retentions {
    parse(&with(section)).unwrap_or_else(|mistakes| panic!("{section}\n{mistakes}")).retention
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

const EVERYTHING: &str = "\
issued: 1m
denied: 2m
failed: 3m
pending: 4m
approved: 5m
expired: 6m
signers:
  example.com/serving: {pending: 168h}
  kubernetes.io/kubelet-serving: {issued: 10m, denied: 11m, failed: 12m, pending: 13m, approved: 14m, expired: 0s}";

#[test]
fn what_is_not_said_is_as_upstream_has_it() {
    assert_eq!(retentions(""), Retentions::default());
    let expected = Retention { issued: minutes(30), ..Retention::default() };
    assert_eq!(retentions("issued: 30m"), expected.into());
}

#[test]
fn a_signer_has_its_own_spans_and_the_general_ones_for_the_rest() {
    let read = retentions(EVERYTHING);
    let general = Retention {
        issued: minutes(1),
        denied: minutes(2),
        failed: minutes(3),
        pending: minutes(4),
        approved: minutes(5),
        expired: minutes(6),
    };
    assert_eq!(read.general, general);
    assert_eq!(read.of(&"example.com/other".into()), general);
    let week = Retention { pending: minutes(168 * 60), ..general };
    assert_eq!(read.of(&"example.com/serving".into()), week);
    let own = Retention {
        issued: minutes(10),
        denied: minutes(11),
        failed: minutes(12),
        pending: minutes(13),
        approved: minutes(14),
        expired: minutes(0),
    };
    assert_eq!(read.of(&"kubernetes.io/kubelet-serving".into()), own);
}

#[test]
fn what_is_shown_is_a_file_that_means_the_same() {
    for section in ["", "denied: 90m", EVERYTHING] {
        let configuration = parse(&with(section)).unwrap();
        let yaml = serde_saphyr::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(parse(&yaml).unwrap().retention, configuration.retention, "{yaml}");
    }
}

#[test]
fn every_mistake_is_named_with_its_line_and_its_field() {
    for (section, expected) in [
        (
            "issued: 59s",
            "line 4, column 11: retention.issued: expected a duration of whole seconds, 1m at least, not \"59s\"",
        ),
        (
            "expired: -1s",
            "line 4, column 12: retention.expired: expected a duration of whole seconds, 0s at least, not \"-1s\"",
        ),
        (
            "pending: 1m0.5s",
            "line 4, column 12: retention.pending: expected a duration of whole seconds, 1m at least, not \"1m0.5s\"",
        ),
        (
            "denied: 1d",
            "line 4, column 11: retention.denied: expected a duration such as 24h or 1h30m: time: unknown unit \"d\" in duration \"1d\"",
        ),
        (
            "failed: 60",
            "line 4, column 11: retention.failed: expected a duration such as 24h or 1h30m, not 60",
        ),
        ("aproved: 1h", "line 4, column 3: retention.aproved: unknown field (did you mean approved?)"),
        (
            "signers: [a]",
            "line 4, column 12: retention.signers: expected a mapping of signerNames to how long their requests are kept, not a list",
        ),
        (
            "signers: {serving: {issued: 1h}}",
            "line 4, column 13: retention.signers.serving: expected a signerName such as example.com/serving, not \"serving\"",
        ),
        (
            "signers: {kubernetes.io/kubelet-servings: {}}",
            "line 4, column 13: retention.signers[\"kubernetes.io/kubelet-servings\"]: expected kubernetes.io/kubelet-serving, kubernetes.io/kube-apiserver-client-kubelet, kubernetes.io/kube-apiserver-client or kubernetes.io/legacy-unknown, not \"kubernetes.io/kubelet-servings\" (did you mean kubernetes.io/kubelet-serving?)",
        ),
        (
            "signers: {example.com/a: {signers: {}}}",
            "line 4, column 29: retention.signers[\"example.com/a\"].signers: unknown field",
        ),
    ] {
        let found = parse(&with(section)).expect_err(section).to_string();
        assert_eq!(found, expected, "{section}");
    }
}

#[test]
fn a_name_that_no_request_can_have_is_refused() {
    for name in [
        "example.com",
        "example/serving",
        "Example.com/a",
        "example.com/",
        "/a",
        "example.com/a/b",
        "*.com/a",
    ] {
        let found = parse(&with(&format!("signers: {{'{name}': {{}}}}"))).expect_err(name).to_string();
        assert!(found.contains("expected a signerName such as"), "{name}: {found}");
    }
}
