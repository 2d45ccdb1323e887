//! The CAs that are measured: those with which the signer's verdicts were recorded.

use std::sync::Arc;

use rcgen::{Issuer, KeyPair};
use signer::CertificateAuthority;

/// A CA's two files.
pub(crate) struct Authority {
    pub(crate) name: &'static str,
    certificate: &'static str,
    pub(crate) key: &'static str,
}

impl Authority {
    pub(crate) fn load(&self) -> Arc<CertificateAuthority> {
        let authority = CertificateAuthority::from_pem(self.certificate.as_bytes(), self.key.as_bytes());
        Arc::new(authority.expect("a recorded CA"))
    }

    pub(crate) fn rcgen_issuer(&self) -> Issuer<'static, KeyPair> {
        let key = KeyPair::from_pem(self.key).expect("a key that rcgen reads");
        Issuer::from_ca_cert_pem(self.certificate, key).expect("a CA that rcgen reads")
    }
}

macro_rules! recorded {
    ($name:literal, $file:literal) => {
        Authority {
            name: $name,
            certificate: include_str!(concat!("../../../crates/signer/tests/verdicts/", $file, ".crt")),
            key: include_str!(concat!("../../../crates/signer/tests/verdicts/", $file, ".key")),
        }
    };
}

pub(crate) const ALL: [Authority; 5] = [
    recorded!("RSA-2048", "ca-rsa2048"),
    recorded!("RSA-4096", "ca-rsa4096"),
    recorded!("P-256", "ca-p256"),
    recorded!("P-384", "ca-p384"),
    recorded!("Ed25519", "ca-ed25519"),
];
