//! From a validated request to a certificate (`pkg/controller/certificates/authority/authority.go`, and Go's
//! `x509.CreateCertificate`).

use std::sync::Arc;

use csr::profile::Chain;
use csr::{PublicKey, pem};
use time::OffsetDateTime;

use crate::encoding::{Encoder, INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE};
use crate::extensions::Extensions;
use crate::profile::Content;
use crate::subject;
use crate::{Approval, CertificateAuthority, Error, SerialNumber, Signer, Validity};

/// What of a request is signed: it is approved, and its signer permits it.
#[derive(Debug)]
pub struct Validated<'a> {
    signer: &'a Signer,
    content: Content<'a>,
}

impl<'a> Validated<'a> {
    /// The approval is used up: one approval, one certificate.
    pub(crate) fn new(signer: &'a Signer, content: Content<'a>, _approval: Approval) -> Self {
        Self { signer, content }
    }

    /// What is to be signed. Verifies that the requester has the key, which takes longer than some CAs take to sign.
    ///
    /// # Errors
    ///
    /// When the request's own signature does not stand, a usage is unknown, or the CA has expired.
    pub fn prepare(self, now: OffsetDateTime, serial: SerialNumber) -> Result<ToBeSigned, Error> {
        let (content, profile, authority) = (self.content, self.signer.profile(), self.signer.authority());
        let request = content.request;
        let (usages, validity) = profile.prepare(request, (now, authority.not_after()), Some(serial))?;
        let subject = subject::encode(&content.subject);
        let names_authority = subject != authority.subject_der();
        let extensions = Extensions {
            usages,
            authority_key_id: if names_authority { authority.subject_key_id() } else { &[] },
            pointers: &profile.terms().pointers,
            sans: &content.sans,
            sans_are_critical: subject == subject::EMPTY,
        };
        let mut tbs = Encoder::with_capacity(request.der().len() + 512);
        tbs.nested(SEQUENCE, |fields| {
            fields.encoded(VERSION_3);
            fields.unsigned_integer(serial.octets());
            fields.encoded(authority.key().algorithm().signature_identifier());
            fields.encoded(authority.subject_der());
            validity.write(fields);
            fields.encoded(&subject);
            write_public_key(fields, request.public_key());
            extensions.write(fields);
        });
        let chain = profile.terms().chain;
        Ok(ToBeSigned { tbs: tbs.finish(), serial, validity, authority: Arc::clone(authority), chain })
    }
}

/// A certificate but for its signature.
#[derive(Debug)]
pub struct ToBeSigned {
    tbs: Vec<u8>,
    serial: SerialNumber,
    validity: Validity,
    authority: Arc<CertificateAuthority>,
    chain: Chain,
}

impl ToBeSigned {
    /// The octets to sign: a TBSCertificate in DER.
    pub fn bytes(&self) -> &[u8] {
        &self.tbs
    }

    /// The authority whose key is to sign.
    pub fn authority(&self) -> &Arc<CertificateAuthority> {
        &self.authority
    }

    /// The certificate with this signature.
    ///
    /// # Errors
    ///
    /// When the signature is not one of the authority's key: a faulty signature can betray the key, so it is never
    /// published.
    pub fn finish(self, signature: &[u8]) -> Result<Certificate, Error> {
        self.authority.verify(&self.tbs, signature)?;
        let mut certificate = Encoder::with_capacity(self.tbs.len() + signature.len() + 32);
        certificate.nested(SEQUENCE, |fields| {
            fields.encoded(&self.tbs);
            fields.encoded(self.authority.key().algorithm().signature_identifier());
            fields.bit_string(|bits| bits.encoded(signature));
        });
        let der = certificate.finish();
        let mut pem = pem::encode("CERTIFICATE", &der);
        match self.chain {
            Chain::Leaf => {}
            Chain::Intermediates => {
                self.authority.intermediates().for_each(|ca| pem += &pem::encode("CERTIFICATE", ca));
            }
        }
        Ok(Certificate { pem, der, serial: self.serial, validity: self.validity })
    }
}

/// A certificate, signed, and its signature verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    der: Vec<u8>,
    pem: String,
    serial: SerialNumber,
    validity: Validity,
}

impl Certificate {
    /// For `status.certificate`: one PEM block, and behind it those of the intermediate CAs, where the profile says so.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its number.
    pub fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// When it begins to be valid.
    pub fn not_before(&self) -> OffsetDateTime {
        self.validity.not_before
    }

    /// When it expires.
    pub fn not_after(&self) -> OffsetDateTime {
        self.validity.not_after
    }
}

/// A SubjectPublicKeyInfo, encoded from what was read: octets that Go passes over do not get into a certificate.
fn write_public_key(encoder: &mut Encoder, key: &PublicKey) {
    encoder.nested(SEQUENCE, |info| match key {
        PublicKey::Rsa { modulus, exponent } => {
            info.nested(SEQUENCE, |algorithm| {
                algorithm.element(OBJECT_IDENTIFIER, RSA_ENCRYPTION);
                algorithm.element(NULL, &[]);
            });
            info.bit_string(|bits| {
                bits.nested(SEQUENCE, |numbers| {
                    numbers.unsigned_integer(modulus);
                    numbers.unsigned_integer(&exponent.to_be_bytes());
                });
            });
        }
        PublicKey::Ecdsa { curve, point } => {
            info.nested(SEQUENCE, |algorithm| {
                algorithm.element(OBJECT_IDENTIFIER, EC_PUBLIC_KEY);
                algorithm.element(OBJECT_IDENTIFIER, curve.object_identifier());
            });
            info.bit_string(|bits| bits.encoded(point));
        }
        PublicKey::Ed25519(key) => {
            info.nested(SEQUENCE, |algorithm| algorithm.element(OBJECT_IDENTIFIER, ED25519));
            info.bit_string(|bits| bits.encoded(&key[..]));
        }
        // No signature verifies with such a key, so no request with one gets here.
        PublicKey::Unsupported => {}
    });
}

/// `[0] EXPLICIT INTEGER 2`.
const VERSION_3: &[u8] = &[0xa0, 3, INTEGER, 1, 2];
/// rsaEncryption, 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey, 1.2.840.10045.2.1.
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// id-Ed25519, 1.3.101.112.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
