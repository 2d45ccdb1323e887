//! Which CA files kube-controller-manager loads and which it refuses, recorded, against what we do with them.
#![expect(clippy::disallowed_methods, reason = "the recorded verdicts are files")]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use csr::pem;
use serde::Deserialize;
use signer::{AuthorityError, CertificateAuthority, File};

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
    let verdicts = verdicts();
    assert!(verdicts.len() >= 100, "{} verdicts", verdicts.len());
    let mut wrong = Vec::new();
    for verdict in &verdicts {
        let ours = verdict.load();
        if !agrees(verdict, &ours) {
            wrong.push(format!("{}: {:?}\n    but {ours:?}", verdict.id, verdict.outcome));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), verdicts.len(), wrong.join("\n"));
}

#[test]
fn each_mistake_gets_its_own_message() {
    let verdicts = verdicts();
    for (id, expected) in [
        ("certificate-form/empty", AuthorityError::Empty(File::Certificate)),
        ("certificate-form/junk", AuthorityError::NoPem(File::Certificate)),
        ("certificate-form/key-instead", AuthorityError::KeyInsteadOfCertificate),
        ("combination/ca-rsa2048-exchanged", AuthorityError::KeyInsteadOfCertificate),
        ("certificate-form/labelled-request", AuthorityError::NoCertificate),
        ("certificate-form/with-headers", AuthorityError::NoCertificate),
        ("openssl/trusted-certificate", AuthorityError::NoCertificate),
        ("certificate-form/twice", AuthorityError::Ambiguous { matching: 2 }),
        ("certificate-form/two-of-the-same-key", AuthorityError::Ambiguous { matching: 2 }),
        ("key-form/empty", AuthorityError::Empty(File::Key)),
        ("key-form/junk", AuthorityError::NoPem(File::Key)),
        ("combination/ca-p256-key-file-is-the-certificate", AuthorityError::CertificateInsteadOfKey),
        ("key-form/ec-parameters-alone", AuthorityError::NoKey),
        ("openssl/encrypted-pkcs8", AuthorityError::Encrypted),
        ("openssl/encrypted-pkcs1", AuthorityError::Encrypted),
        ("key-form/after-an-unreadable-key", AuthorityError::KeyUnreadable),
        ("openssl/ed448", AuthorityError::KeyUnreadable),
        ("key-form/rsa-pkcs8-labelled-pkcs1", AuthorityError::KeyLabel),
        ("key/rsa1024", AuthorityError::Unsupported("RSA of less than 2048 bits")),
        ("key/p224", AuthorityError::Unsupported("P-224")),
        ("key-form/mismatch-of-key", AuthorityError::Mismatch { certificates: 1 }),
        ("key-form/mismatch-of-kind", AuthorityError::Mismatch { certificates: 1 }),
    ] {
        let verdict = verdicts.iter().find(|verdict| verdict.id == id).expect(id);
        assert_eq!(verdict.load().expect_err(id), expected, "{id}");
    }
}

#[test]
fn of_a_chain_the_certificate_that_the_key_belongs_to_signs() {
    let verdicts = verdicts();
    let find = |id: &str| verdicts.iter().find(|verdict| verdict.id == id).expect("recorded");
    for id in CHAINS {
        let authority = find(id).load().expect(id);
        assert_eq!(authority.certificates_in_file(), 2, "{id}");
        let alone = find("pair/ca-ed25519").load().expect("a pair");
        assert_eq!(authority.fingerprint(), alone.fingerprint(), "{id}");
        assert_eq!(alone.certificates_in_file(), 1);
    }
}

#[test]
fn no_message_holds_any_part_of_a_key() {
    for verdict in verdicts() {
        let loaded = verdict.load();
        let said = match &loaded {
            Ok(authority) => format!("{authority:?} {:?}", authority.key()),
            Err(error) => format!("{error:?} {error} {:?}", std::error::Error::source(error)),
        };
        let key = String::from_utf8_lossy(&decode(&verdict.key)).into_owned();
        let secrets = key.lines().filter(|line| !line.starts_with('-') && line.len() >= 16);
        for secret in secrets.flat_map(|line| line.as_bytes().chunks_exact(16)) {
            let secret = String::from_utf8_lossy(secret);
            assert!(!said.contains(&*secret), "{}: {said}", verdict.id);
        }
    }
}

#[test]
fn a_damaged_file_is_refused_without_a_panic() {
    let verdicts = verdicts();
    for id in ["pair/ca-ed25519", "pair/ca-p256"] {
        let pair = verdicts.iter().find(|verdict| verdict.id == id).expect(id);
        let (certificate, key) = (decode(&pair.certificate), decode(&pair.key));
        let key_der = pem::blocks(&key).next().expect("a key").contents;
        let certificate_der = pem::blocks(&certificate).next().expect("a certificate").contents;
        for index in 0..key_der.len() {
            let damaged = pem::encode("PRIVATE KEY", &key_der[..index]);
            assert!(CertificateAuthority::from_pem(&certificate, damaged.as_bytes()).is_err());
            let mut damaged = key_der.to_vec();
            damaged[index] ^= 0x81;
            let _ =
                CertificateAuthority::from_pem(&certificate, pem::encode("PRIVATE KEY", &damaged).as_bytes());
        }
        for index in 0..certificate_der.len() {
            let damaged = pem::encode("CERTIFICATE", &certificate_der[..index]);
            assert!(CertificateAuthority::from_pem(damaged.as_bytes(), &key).is_err());
            let mut damaged = certificate_der.to_vec();
            damaged[index] ^= 0x81;
            let _ = CertificateAuthority::from_pem(pem::encode("CERTIFICATE", &damaged).as_bytes(), &key);
        }
    }
}

impl Verdict {
    fn load(&self) -> Result<CertificateAuthority, AuthorityError> {
        CertificateAuthority::from_pem(&decode(&self.certificate), &decode(&self.key))
    }
}

fn verdicts() -> Vec<Verdict> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verdicts/authority.jsonl");
    let text = std::fs::read_to_string(path).expect("recorded verdicts");
    text.lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect()
}

fn decode(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).expect("base64")
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
