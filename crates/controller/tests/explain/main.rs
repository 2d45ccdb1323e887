//! What `countersign explain` says: each outcome once, as files that `BLESS=1 cargo test` writes, and what holds of all of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod desk;
mod foreseen;

use std::path::Path;
use std::process::Command;

use controller::explain::{Outcome, json};
use desk::{Desk, FACTS, Sample};
use serde_json::{Value, json};

const SERVING: &str = "--approve-kubelet-serving";
const SELF_SERVER: &str = "--allowed=selfnodeserver";

/// Compares what docs/explain.md shows with the goldens, each between a line that names it and the end of a block of text.
fn assert_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = root.join("../../docs/explain.md");
    let written = std::fs::read_to_string(&page).unwrap();
    let mut sections = written.split("<!-- golden: ");
    let mut text = sections.next().unwrap().to_owned();
    let mut shown = 0;
    for section in sections {
        let (name, rest) = section.split_once(" -->\n```text\n").unwrap();
        let (_, rest) = rest.split_once("\n```\n").unwrap();
        let golden = std::fs::read_to_string(root.join("tests/explain/goldens").join(name)).unwrap();
        text.push_str(&format!("<!-- golden: {name} -->\n```text\n{golden}```\n{rest}"));
        shown += 1;
    }
    assert_eq!(shown, 4, "{page:?} shows the commonest questions");
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&page, text).unwrap();
    }
    assert!(text == written, "docs/explain.md is not what is said: BLESS=1 cargo test writes it");
}

fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain/goldens").join(name);
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{name} is another now: BLESS=1 cargo test writes it\n{text}");
}

#[test]
fn every_outcome_is_explained() {
    let desk = Desk::new();
    let all: &[&str] = &[SERVING, SELF_SERVER, FACTS];
    let good = Sample::serving(&["worker-1", "203.0.113.1"]);
    let approved = |sample: Sample| sample.with("Approved", "KubectlApprove", "fine");
    let rows: [(&str, Sample, &[&str], Outcome); 17] = [
        ("approve", good.clone(), all, Outcome::Approve),
        ("hold-reserved", Sample::serving(&["worker-1", "10.96.0.1"]), all, Outcome::Hold),
        ("hold-unlisted", Sample::serving(&["203.0.113.9"]), all, Outcome::Hold),
        ("hold-permission", good.clone(), &[SERVING, "--allowed=none", FACTS], Outcome::Hold),
        (
            "hold-api-servers-certificate",
            good.clone(),
            &[SERVING, SELF_SERVER, "--facts=FILE"],
            Outcome::Hold,
        ),
        ("not-known", Sample::serving(&["203.0.113.7"]), all, Outcome::NotKnown),
        ("serving-is-off", good.clone(), &[], Outcome::NoOpinion),
        ("join", Sample::joining(), &["--allowed=nodeclient"], Outcome::Approve),
        ("join-permission", Sample::joining(), &["--allowed=none"], Outcome::Hold),
        ("another-signer", Sample::foreign(), &[], Outcome::NoOpinion),
        ("deny", Sample::serving(&["*.example.com"]), &["--config=FILE", SELF_SERVER, FACTS], Outcome::Deny),
        ("denied", good.clone().with("Denied", "KubectlDeny", "not today"), all, Outcome::Denied),
        ("failed", good.clone().with("Failed", "SignerValidationFailure", "no"), all, Outcome::Failed),
        ("sign", approved(good.clone()), all, Outcome::Sign),
        ("will-fail", approved(Sample { usages: &["client auth"], ..good.clone() }), &[], Outcome::Fail),
        ("unsigned-reserved", approved(Sample::serving(&["198.51.100.250"])), all, Outcome::Hold),
        ("other-signer-approved", approved(Sample::foreign()), all, Outcome::OtherSigner),
    ];
    let configuration = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n\
        approval: {kubeletServing: {enabled: true, deny: [kubelet-serving/san-form]}}\n";
    std::fs::write(desk.path("config.yaml"), configuration).unwrap();
    let config = format!("--config={}", desk.path("config.yaml").display());
    let facts = format!("--facts={}/tests/explain/facts.yaml", env!("CARGO_MANIFEST_DIR"));
    for (name, sample, flags, outcome) in rows {
        let flags: Vec<_> = flags
            .iter()
            .map(|flag| match *flag {
                "--config=FILE" => config.as_str(),
                "--facts=FILE" => facts.as_str(),
                flag => flag,
            })
            .collect();
        let explanation = desk.explain(&sample, &flags);
        assert_golden(&format!("{name}.txt"), &explanation.text(false));
        assert_eq!(explanation.advice.outcome, outcome, "{name}");
        let refused = matches!(outcome, Outcome::Deny | Outcome::Denied | Outcome::Fail | Outcome::Failed);
        assert_eq!(explanation.advice.outcome.exit_code(false), if refused { 3 } else { 2 }, "{name}");
    }
    assert_shown();
}

#[test]
fn an_issued_certificate_is_the_end() {
    let sample = Sample { status: json!({"certificate": "eA=="}), ..Sample::joining() };
    let explanation = Desk::new().explain(&sample, &[]);
    assert_eq!(explanation.advice.outcome, Outcome::Issued);
    assert_eq!(explanation.advice.outcome.exit_code(true), 0);
    assert_eq!(explanation.findings.len(), 0);
}

#[test]
fn exit_codes_tell_outcomes_apart_where_a_cluster_vouches() {
    for (outcome, code) in [
        (Outcome::Approve, 0),
        (Outcome::Sign, 0),
        (Outcome::Issued, 0),
        (Outcome::NotKnown, 1),
        (Outcome::Hold, 2),
        (Outcome::NoOpinion, 2),
        (Outcome::OtherSigner, 2),
        (Outcome::Deny, 3),
        (Outcome::Fail, 3),
        (Outcome::Denied, 3),
        (Outcome::Failed, 3),
    ] {
        assert_eq!(outcome.exit_code(true), code, "{outcome:?}");
        assert_ne!(outcome.exit_code(false), 0, "{outcome:?}");
    }
}

#[test]
fn json_has_names_that_stay() {
    let desk = Desk::new();
    let explanation = desk.explain(&Sample::serving(&["10.96.0.1"]), &[SERVING, SELF_SERVER, FACTS]);
    let text = json(&explanation).unwrap();
    assert_golden("hold-reserved.json", &text);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["outcome"], "hold");
    assert_eq!(value["rule"], "kubelet-serving/san-reserved");
    assert_eq!(value["nextActor"], "administrator");
    assert_eq!(value["attested"], false);
}

#[test]
fn nobody_is_talked_past_a_name_or_an_identity() {
    let desk = Desk::new();
    let flags: &[&str] = &[SERVING, SELF_SERVER, FACTS];
    let named = |name| Sample { name, ..Sample::foreign() };
    for (sample, flags, command) in [
        (Sample::serving(&["10.96.0.1"]), flags, None),
        (Sample { username: "mallory", ..Sample::serving(&["worker-1"]) }, flags, None),
        (Sample::serving(&["worker-1"]), &[], None),
        // Somebody asks for a node's identity.
        (Sample { username: "mallory", groups: &["developers"], ..Sample::joining() }, flags, None),
        (Sample { organization: "system:masters", ..Sample::foreign() }, flags, None),
        (Sample { common_name: "kubeadm:x", ..Sample::foreign() }, flags, None),
        // The cluster's CA would vouch for a server.
        (
            Sample { signer: "kubernetes.io/legacy-unknown", sans: &["kubernetes"], ..Sample::foreign() },
            flags,
            None,
        ),
        // A shell would run it.
        (named("x;reboot"), flags, None),
        (named("$(reboot)"), flags, None),
        (named("--all"), flags, None),
        (Sample::foreign(), flags, Some("countersign approve jane --uid=u-1 --digest=")),
    ] {
        let explanation = desk.explain(&sample, flags);
        let digest = &explanation.request_digest;
        let command = command.map(|command| format!("{command}{digest}"));
        assert_eq!(explanation.advice.command, command, "{sample:?}");
        assert_eq!(explanation.text(false).contains("approve jane"), command.is_some());
        assert!(!explanation.text(false).contains("kubectl certificate approve jane"));
    }
}

#[test]
fn what_others_wrote_moves_no_terminal() {
    let desk = Desk::new();
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\r\n\u{7}";
    let sample = Sample {
        name: hostile,
        signer: hostile,
        username: hostile,
        common_name: hostile,
        organization: hostile,
        groups: &["\u{1b}[2J\u{202e}"],
        sans: &["\u{1b}]0;title\u{7}"],
        ..Sample::serving(&[])
    };
    let rows = [
        sample.clone(),
        Sample { signer: "kubernetes.io/kubelet-serving", ..sample.clone() },
        sample.clone().with(hostile, hostile, hostile),
        sample.clone().with("Approved", hostile, hostile),
        sample.clone().with("Denied", hostile, hostile),
        // Its signer quotes the usage.
        Sample {
            name: "a",
            common_name: "a",
            organization: "a",
            signer: "kubernetes.io/kube-apiserver-client",
            usages: &["\u{1b}[2J\u{202e}"],
            ..sample
        },
        Sample::serving(&["\u{1b}]0;title\u{7}"]),
    ];
    for sample in rows {
        let explanation = desk.explain(&sample, &[SERVING, SELF_SERVER, FACTS]);
        let table = controller::explain::table(std::slice::from_ref(&explanation));
        let is_harmless = |character: char| character == '\n' || (' '..='~').contains(&character);
        for text in [explanation.text(false), table, json(&explanation).unwrap()] {
            assert!(text.chars().all(is_harmless), "{text:?}");
        }
        assert_eq!(explanation.text(false).lines().filter(|line| line.starts_with("Outcome")).count(), 1);
    }
}

fn countersign(words: &[String]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).args(words).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_program_exits_as_its_help_says() {
    let desk = Desk::new();
    let good = Sample::serving(&["worker-1", "203.0.113.1"]);
    let (code, out, _) = countersign(&desk.words(&good, &[SERVING, SELF_SERVER, FACTS]));
    assert_eq!(code, Some(2), "{out}");
    assert!(out.contains("Outcome: approve") && out.contains("not attested"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours where it is no terminal: {out}");

    let denied = good.with("Denied", "KubectlDeny", "no");
    assert_eq!(countersign(&desk.words(&denied, &["--output=json"])).0, Some(3));

    let nonsense = ["explain", "--filename=/nonexistent"].map(str::to_owned);
    assert_eq!(countersign(&nonsense).0, Some(1));
    assert_eq!(countersign(&["explain".to_owned()]).0, Some(1), "a wrong line is no hold");
    let (code, help, _) = countersign(&["explain", "--help"].map(str::to_owned));
    assert_eq!(code, Some(0));
    assert!(help.contains("Exit code: 0"), "{help}");
}

#[test]
fn a_chain_names_every_rule_that_is_asked_in_its_order() {
    let explanation = Desk::new().explain(&Sample::serving(&["worker-1"]), &[SERVING, SELF_SERVER, FACTS]);
    let policy =
        approver::Policy { node_server: Some(approver::NodeServer::default()), ..Default::default() };
    let chain = approver::chain(&csr::SignerName::KUBELET_SERVING.into(), &policy);
    let asked: Vec<_> = explanation.findings.iter().map(|found| (found.rule, found.holds)).collect();
    assert_eq!(asked, chain.iter().map(|rule| (rule.id, Some(true))).collect::<Vec<_>>());
}

#[test]
fn a_plugin_of_kubectl_says_so_and_shells_learn_our_words() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    let plugin = desk.path("kubectl-countersign");
    symlink(env!("CARGO_BIN_EXE_countersign"), &plugin).unwrap();
    for (words, usage) in [
        (&["--help"][..], "Usage: kubectl countersign"),
        (&["explain", "--help"], "Usage: kubectl countersign explain"),
    ] {
        let output = Command::new(&plugin).args(words).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(usage), "{help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = countersign(&["completion", shell].map(str::to_owned));
        assert_eq!(code, Some(0), "{shell}");
        assert!(script.contains("approve-kubelet-serving") && script.contains("explain"), "{shell}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let desk = Desk::new();
    let good = Sample::serving(&["worker-1"]);
    for (content, said) in [
        ("kind: Pod", "kind \"Pod\""),
        ("{", "is not JSON"),
        ("a: [", "is not YAML"),
        ("kind: CertificateSigningRequest\nmetadata: {}", "no spec"),
    ] {
        std::fs::write(desk.path("bad.yaml"), content).unwrap();
        let (code, _, error) =
            countersign(&["explain".to_owned(), format!("--filename={}", desk.path("bad.yaml").display())]);
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(said), "{error}");
    }
    let facts = |content: &str| {
        std::fs::write(desk.path("bad.yaml"), content).unwrap();
        let flag = format!("--facts={}", desk.path("bad.yaml").display());
        countersign(&desk.words(&good, &[SERVING, SELF_SERVER, &flag]))
    };
    assert!(facts("just a text").2.contains("no kind is named"));
    let (code, _, error) = facts("kind: List\nitems: [{kind: Node, metadata: {name: [x]}}]");
    assert!(code == Some(1) && error.contains("failed to read the Node"), "{error}");
}
