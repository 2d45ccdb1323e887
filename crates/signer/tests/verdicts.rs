//! What kube-controller-manager's own packages made of a request, recorded, against what we make of it: the same
//! certificate but for the signature, the same rejection, or the same error.
#![expect(clippy::disallowed_methods, reason = "the recorded verdicts are files")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use csr::asn1::Elements;
use csr::{Request, SignerName, Spec};
use serde::Deserialize;
use signer::{Approval, CertificateAuthority, Profile, SerialNumber, Signer};
use time::{Duration, OffsetDateTime};

#[derive(Deserialize)]
struct Verdict {
    id: String,
    ca: String,
    request: String,
    signer_name: String,
    usages: Vec<String>,
    expiration_seconds: Option<i32>,
    cluster_signing_duration: i64,
    now: i64,
    exception: Option<String>,
    outcome: Outcome,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    issued: Option<String>,
    rejected: Option<String>,
    error: Option<String>,
    stage: Option<String>,
}

/// What we make of a request.
#[derive(Debug, PartialEq)]
enum Ours {
    Issued(Vec<u8>),
    Rejected(String),
    Unreadable(String),
    Failed(String),
}

/// The CAs whose signatures are random, so that only what is signed can be compared.
const RANDOM: [&str; 3] = ["ca-p256", "ca-p384", "ca-p521"];

/// Messages that a request not on its curve gets from Go when it is read, and from us when its signature is verified:
/// either way it is nobody's to sign, and the API server has refused it before.
const NOT_ON_CURVE: [&str; 3] =
    ["invalid P256 point encoding", "invalid P384 point encoding", "P256 point not on curve"];

#[test]
fn every_request_gets_what_upstream_gives() {
    let authorities = authorities();
    let verdicts = verdicts();
    assert!(verdicts.len() > 1_500, "{} verdicts", verdicts.len());
    let mut wrong = Vec::new();
    for verdict in &verdicts {
        let ours = process(verdict, &authorities[&verdict.ca]);
        if !agrees(verdict, &ours) {
            wrong.push(format!("{}: {:?}\n    but {ours:?}", verdict.id, verdict.outcome));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), verdicts.len(), wrong.join("\n"));
}

fn agrees(verdict: &Verdict, ours: &Ours) -> bool {
    let outcome = &verdict.outcome;
    if verdict.exception.is_some() {
        return matches!(ours, Ours::Rejected(message) if message.starts_with("this signer cannot verify "));
    }
    match ours {
        Ours::Issued(ours) => outcome.issued.as_ref().is_some_and(|theirs| {
            let theirs = BASE64_STANDARD.decode(theirs).expect("base64");
            first_child(&theirs) == first_child(ours)
                && (RANDOM.contains(&verdict.ca.as_str()) || theirs == *ours)
        }),
        Ours::Rejected(message) => outcome.rejected.as_ref() == Some(message),
        Ours::Unreadable(_) => outcome.stage.as_deref() == Some("parse"),
        Ours::Failed(_) if outcome.stage.as_deref() == Some("parse") => {
            NOT_ON_CURVE.contains(&outcome.error.as_deref().unwrap_or_default())
        }
        Ours::Failed(message) => outcome.error.as_ref() == Some(message),
    }
}

fn process(verdict: &Verdict, authority: &Arc<CertificateAuthority>) -> Ours {
    let name = SignerName::from(verdict.signer_name.as_str());
    let spec = Spec {
        request: verdict.request.clone().into_bytes(),
        signer_name: name.clone(),
        usages: verdict.usages.iter().map(String::as_str).collect(),
        expiration_seconds: verdict.expiration_seconds,
        requester: Arc::default(),
    };
    let request = match Request::from_spec(&spec) {
        Ok(request) => request,
        Err(error) => return Ours::Unreadable(chain(&error)),
    };
    let lifetime = Duration::seconds(verdict.cluster_signing_duration);
    let profile = Profile::built_in(&name, lifetime).expect("verdicts are about built-in signers");
    let signer = Signer::new(name, profile, Arc::clone(authority));
    let validated = match signer.validate(&request, Approval::by_operator()).expect("its own signer") {
        Ok(validated) => validated,
        Err(rejection) => return Ours::Rejected(rejection.to_string()),
    };
    let serial = verdict.outcome.issued.as_deref().map_or([0; 16], serial_of);
    let now = OffsetDateTime::from_unix_timestamp(verdict.now).expect("a time");
    let issue = || {
        let to_be_signed = validated.prepare(now, SerialNumber::from_random(serial))?;
        let signature = authority.key().sign(to_be_signed.bytes())?;
        to_be_signed.finish(&signature)
    };
    match issue() {
        Ok(certificate) => Ours::Issued(certificate.der().to_vec()),
        Err(error) => Ours::Failed(chain(&error)),
    }
}

/// An error with its causes, as upstream prints it.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn tbs_of(issued: &str) -> Vec<u8> {
    first_child(&BASE64_STANDARD.decode(issued).expect("base64")).to_vec()
}

/// The recorded serial number; a TBSCertificate of ours starts with its version and that.
fn serial_of(issued: &str) -> [u8; 16] {
    let tbs = tbs_of(issued);
    let mut fields = Elements(&tbs).any().expect("a TBSCertificate").children();
    fields.any().expect("a version");
    let number = fields.any().expect("a serial number").contents;
    let digits = number.strip_prefix(&[0]).unwrap_or(number);
    let mut serial = [0; 16];
    serial[16 - digits.len()..].copy_from_slice(digits);
    serial
}

fn first_child(der: &[u8]) -> &[u8] {
    Elements(der).any().expect("a certificate").children().any().expect("a TBSCertificate").encoding
}

fn verdicts() -> Vec<Verdict> {
    let text = std::fs::read_to_string(path("issuance.jsonl")).expect("recorded verdicts");
    text.lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect()
}

fn authorities() -> BTreeMap<String, Arc<CertificateAuthority>> {
    let files = std::fs::read_dir(path("")).expect("recorded CAs");
    let names = files.filter_map(|file| {
        let name = file.expect("an entry").file_name().into_string().expect("UTF-8");
        name.strip_suffix(".crt").map(str::to_owned)
    });
    names
        .map(|name| {
            let read = |extension| std::fs::read(path(&format!("{name}.{extension}"))).expect("a file");
            let authority = CertificateAuthority::from_pem(&read("crt"), &read("key")).expect("a CA");
            (name, Arc::new(authority))
        })
        .collect()
}

fn path(name: &str) -> String {
    format!("{}/tests/verdicts/{name}", env!("CARGO_MANIFEST_DIR"))
}
