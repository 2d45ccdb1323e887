//! Requests, authorities and moments for tests, and the way from one to the other.

#![allow(dead_code, reason = "each test crate uses another part of it")]
#![expect(clippy::disallowed_methods, reason = "the recorded CAs are files")]

use std::sync::Arc;

use csr::{Request, SignerName, Spec};
use signer::{Approval, Certificate, CertificateAuthority, Error, Profile, SerialNumber, Signer, ToBeSigned};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00.5 UTC);
pub(crate) const SERIAL: [u8; 16] = [0xc5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
pub(crate) const SERVING_USAGES: &[&str] = &["digital signature", "server auth"];

/// One of the CAs that the verdicts were recorded with.
pub(crate) fn authority(name: &str) -> Arc<CertificateAuthority> {
    let read = |extension| {
        let path = format!("{}/tests/verdicts/{name}.{extension}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).expect("a recorded CA")
    };
    Arc::new(CertificateAuthority::from_pem(&read("crt"), &read("key")).expect("a CA that loads"))
}

pub(crate) fn request(pem: &str, signer_name: &str, usages: &[&str]) -> Request {
    Request::from_spec(&Spec {
        request: pem.as_bytes().to_vec(),
        signer_name: signer_name.into(),
        usages: usages.iter().copied().collect(),
        expiration_seconds: Some(86_400),
        requester: Arc::default(),
    })
    .expect("a request that can be read")
}

pub(crate) fn signer(name: &str, authority: &Arc<CertificateAuthority>) -> Signer {
    let name = SignerName::from(name);
    let profile = Profile::built_in(&name, Duration::days(365)).expect("a built-in signer");
    Signer::new(name, profile, Arc::clone(authority))
}

/// The certificate that this CA issues for this request.
pub(crate) fn issue(request: &Request, authority: &Arc<CertificateAuthority>) -> Certificate {
    let to_be_signed = prepare(request, authority).expect("a sound request");
    let signature = authority.key().sign(to_be_signed.bytes()).expect("a key that signs");
    to_be_signed.finish(&signature).expect("a signature that verifies")
}

pub(crate) fn prepare(request: &Request, authority: &Arc<CertificateAuthority>) -> Result<ToBeSigned, Error> {
    let signer = signer(request.signer_name().as_str(), authority);
    let validated = signer.validate(request, Approval::by_operator())?;
    validated
        .map(|validated| validated.prepare(NOW, SerialNumber::from_random(SERIAL)))
        .unwrap_or_else(|rejection| unreachable!("{rejection}"))
}

/// A kubelet asks for a serving certificate: P-256, two DNS names, two addresses.
pub(crate) const SERVING: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIIBRTCB7AIBADA2MRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxHTAbBgNVBAMMFHN5\n\
c3RlbTpub2RlOndvcmtlci0xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERgwn\n\
WskRJA+CMZJGNUKVnFj4FSkt9pSV3zeK/rCZYoexiycjBeitDeCFX8zz3kQHMwxZ\n\
cBB+G0EUSNY/oOzYEqBUMFIGCSqGSIb3DQEJDjFFMEMwQQYDVR0RBDowOIIId29y\n\
a2VyLTGCFHdvcmtlci0xLmV4YW1wbGUuY29thwTAAAIHhxAgAQ24AAAAAAAAAAAA\n\
AAAHMAoGCCqGSM49BAMCA0gAMEUCICS5zWaZQa1mnzMgNVBzrH1qiworzb663pv5\n\
JEw+jWh6AiEAzEjfn/v5RqKWlc4BBDQ+KUwt5ckOlXvSKhU8XD5MadI=\n\
-----END CERTIFICATE REQUEST-----\n";

/// A user asks for a client certificate: Ed25519, two groups.
pub(crate) const CLIENT: &str = "\
-----BEGIN CERTIFICATE REQUEST-----\n\
MIGrMF8CAQAwLDEMMAoGA1UECgwDZGV2MQwwCgYDVQQKDANvcHMxDjAMBgNVBAMM\n\
BWFsaWNlMCowBQYDK2VwAyEAF+nPTNPnng261GLNJxO1UF08CdzTV1ItUAddB39y\n\
TASgADAFBgMrZXADQQDv5JgWjsgkcuQfl4m3DYJlf3qSV56qsY6raXvPYzGmb6cD\n\
P51tssR25J+fgcTCVHDURKqFBx7u6vYao+2KfbYP\n\
-----END CERTIFICATE REQUEST-----\n";
