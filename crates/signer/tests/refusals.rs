//! What is not signed: one request that breaks each rule, and one row for each way in which we fail.

mod issue;

use std::collections::BTreeSet;
use std::error::Error as _;

use issue::{CLIENT, NOW, SERIAL, SERVING, SERVING_USAGES, authority, request, signer};
use signer::{Approval, Error, RULES, SerialNumber, SignatureError};

const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// A P-224 key, signed with SHA-256: upstream verifies it.
const P224: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIG2MGcCAQAwEDEOMAwGA1UEAwwFYWxpY2UwTjAQBgcqhkjOPQIBBgUrgQQAIQM6\n\
AAR7ycwhCEe1024ECa+84K9zNqKd1kMGgTA1oe9m/NT/SMXZpPS23hoHCFjTUFWx\n\
37b6EV3ju4a5LaAAMAoGCCqGSM49BAMCAz8AMDwCHGd7dnhfHSnEjm9CgCsAc2Gh\n\
giHpOZ5BzgLj03ACHDaiU2BF1Oc4ILEj3oNWCHi4PRzD4Td5eeFHdCo=\n\
-----END CERTIFICATE REQUEST-----\n";

#[test]
fn each_rule_is_broken_by_a_request_that_is_otherwise_sound() {
    let mut broken = BTreeSet::new();
    for (pem, usages, rule, message) in [
        (
            CLIENT,
            &["client auth", "server auth", "code signing"][..],
            "kube-apiserver-client/permitted-usages",
            "invalid usage for client certificate: server auth",
        ),
        (
            CLIENT,
            &["signing"],
            "kube-apiserver-client/permitted-usages",
            "invalid usage for client certificate: signing",
        ),
        (
            CLIENT,
            &["digital signature", "key encipherment"],
            "kube-apiserver-client/client-auth",
            "missing required usage for client certificate: client auth",
        ),
        (
            CLIENT,
            &[],
            "kube-apiserver-client/client-auth",
            "missing required usage for client certificate: client auth",
        ),
        (
            P224,
            &["client auth"],
            "request/algorithm-unsupported",
            "this signer cannot verify signatures of a P-224 key",
        ),
    ] {
        let request = request(pem, CLIENT_SIGNER, usages);
        let signer = signer(CLIENT_SIGNER, &authority("ca-ed25519"));
        let rejection = signer.validate(&request, Approval::by_operator()).expect(rule).expect_err(rule);
        assert_eq!((rejection.rule.id, rejection.to_string().as_str()), (rule, message));
        assert_eq!(rejection.reason(), "SignerValidationFailure");
        broken.insert(rule);
    }
    // Those of configured profiles have theirs in profiles.rs.
    let ids = RULES.iter().map(|rule| rule.id).filter(|id| !id.starts_with("profile/"));
    let all: BTreeSet<_> = ids.collect();
    assert_eq!(broken, all, "every rule needs a row");
}

#[test]
fn what_the_signer_demands_comes_before_what_we_cannot_verify() {
    let request = request(P224, CLIENT_SIGNER, &["server auth"]);
    let signer = signer(CLIENT_SIGNER, &authority("ca-ed25519"));
    let rejection = signer.validate(&request, Approval::by_operator()).unwrap().unwrap_err();
    assert_eq!(rejection.to_string(), "invalid usage for client certificate: server auth");
}

#[test]
fn a_request_signed_by_another_key_is_not_signed() {
    let der = csr::pem::blocks(CLIENT.as_bytes()).next().unwrap().contents;
    let mut forged = der.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let request = request(&csr::pem::encode("CERTIFICATE REQUEST", &forged), CLIENT_SIGNER, &["client auth"]);
    let error = issue::prepare(&request, &authority("ca-ed25519")).unwrap_err();
    assert_eq!(error, Error::RequestSignature(SignatureError::Ed25519));
    assert_eq!(error.to_string(), "unable to verify certificate request signature");
    assert_eq!(error.source().unwrap().to_string(), "x509: Ed25519 verification failure");
}

#[test]
fn a_request_for_another_signer_is_neither_signed_nor_rejected() {
    let request = request(SERVING, "kubernetes.io/kubelet-serving", SERVING_USAGES);
    for name in ["kubernetes.io/legacy-unknown", CLIENT_SIGNER] {
        let signer = signer(name, &authority("ca-ed25519"));
        let error = signer.validate(&request, Approval::by_operator()).unwrap_err();
        assert_eq!(error.label(), "other_signer", "{name}");
    }
}

#[test]
fn a_signature_that_is_not_the_authoritys_is_never_published() {
    let request = request(CLIENT, CLIENT_SIGNER, &["client auth"]);
    for name in ["ca-rsa2048", "ca-p256", "ca-p384", "ca-p521", "ca-ed25519"] {
        let authority = authority(name);
        let signer = signer(CLIENT_SIGNER, &authority);
        let prepare = || {
            let validated = signer.validate(&request, Approval::by_operator()).unwrap().expect("permitted");
            validated.prepare(NOW, SerialNumber::from_random(SERIAL)).expect("sound")
        };
        let to_be_signed = prepare();
        let mut signature = authority.key().sign(to_be_signed.bytes()).expect("a key that signs");
        let last = signature.len() - 1;
        signature[last] ^= 1;
        assert_eq!(to_be_signed.finish(&signature), Err(Error::Signature), "{name}");
        assert_eq!(prepare().finish(&[]), Err(Error::Signature), "{name}");
    }
}
