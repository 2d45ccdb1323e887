//! The documents that are generated are what the code says. `BLESS=1 cargo test` writes them.

#![allow(clippy::unwrap_used, reason = "a document that cannot be written fails the test")]

use std::fmt::Write as _;
use std::path::Path;

use csr::Rule;

fn assert_document(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&path, generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == generated, "docs/{name} is not what the code says: BLESS=1 cargo test writes it");
}

#[test]
fn docs_flags_md_is_what_the_flags_say() {
    assert_document("flags.md", &controller::cli::flags_doc::markdown());
}

#[test]
fn docs_configuration_schema_json_is_what_the_files_types_say() {
    assert_document("configuration.schema.json", &controller::cli::config::schema());
}

#[test]
fn docs_metrics_md_is_what_the_metrics_say() {
    assert_document("metrics.md", &controller::serve::metrics::documentation());
}

#[test]
fn docs_rules_md_is_what_the_rules_say() {
    assert_document("rules.md", &rules_document());
}

#[test]
fn no_two_rules_have_the_same_id() {
    let mut ids: Vec<_> = sections().into_iter().flat_map(|(_, rules)| rules).map(|rule| rule.id).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

fn sections() -> [(&'static str, Vec<&'static Rule>); 4] {
    [
        ("Who may have a certificate (approver)", approver::RULES.iter().collect()),
        ("What a kubelet may ask for (approver and signer)", csr::kubelet::RULES.to_vec()),
        ("What other signers demand (signer)", signer::RULES.to_vec()),
        ("What is cleaned, and when (engine)", engine::RULES.iter().collect()),
    ]
}

fn rules_document() -> String {
    let mut text = String::from(INTRODUCTION);
    for (heading, rules) in sections() {
        write!(
            text,
            "\n## {heading}\n\n| id | holds when | when it does not | who acts |\n|---|---|---|---|\n"
        )
        .unwrap();
        for Rule { id, title, remedy, next_actor } in rules {
            writeln!(text, "| `{id}` | {title} | {remedy} | {} |", next_actor.label()).unwrap();
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Rules

<!-- Generated from the rules themselves: `BLESS=1 cargo test` writes this file, `cargo test` compares it. -->

Every decision names its rule by the same id in logs, metrics and explanations. Messages in conditions are
kube-controller-manager's own.
";
