//! Which CA files kube-controller-manager loads and which it refuses, recorded, against what we do with them.
#![expect(clippy::disallowed_methods, reason = "the recorded verdicts are files")]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use signer::{AuthorityError, CertificateAuthority};

#[derive(Deserialize)]
struct Verdict {
    id: String,
    certificate: String,
    key: String,
    exception: Option<String>,
    outcome: Outcome,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    loaded: bool,
    signature_algorithm: Option<String>,
}

/// What we load and upstream does not: several certificates, of which exactly one belongs to the key.
const CHAINS: [&str; 3] = [
    "certificate-form/chain",
    "certificate-form/chain-right-one-last",
    "certificate-form/chain-with-text-between",
];

#[test]
fn every_ca_loads_or_not_as_it_does_upstream() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verdicts/authority.jsonl");
    let text = std::fs::read_to_string(path).expect("recorded verdicts");
    let verdicts: Vec<Verdict> =
        text.lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect();
    assert!(verdicts.len() >= 100, "{} verdicts", verdicts.len());
    let mut wrong = Vec::new();
    for verdict in &verdicts {
        let decode = |base64: &str| BASE64_STANDARD.decode(base64).expect("base64");
        let ours = CertificateAuthority::from_pem(&decode(&verdict.certificate), &decode(&verdict.key));
        if !agrees(verdict, &ours) {
            wrong.push(format!("{}: {:?}\n    but {ours:?}", verdict.id, verdict.outcome));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), verdicts.len(), wrong.join("\n"));
}

fn agrees(verdict: &Verdict, ours: &Result<CertificateAuthority, AuthorityError>) -> bool {
    match ours {
        _ if verdict.exception.is_some() => matches!(ours, Err(AuthorityError::Unsupported(_))),
        Ok(_) if CHAINS.contains(&verdict.id.as_str()) => !verdict.outcome.loaded,
        Ok(authority) => {
            let ours = authority.key().algorithm().signature_name();
            let theirs = verdict.outcome.signature_algorithm.as_deref();
            verdict.outcome.loaded && theirs.is_none_or(|theirs| theirs == ours)
        }
        Err(_) => !verdict.outcome.loaded,
    }
}
