use aws_lc_rs::signature::ParsedPublicKey;
use csr::asn1::{self, DerError, Elements};
use csr::{Subject, SubjectError};
use time::OffsetDateTime;

use crate::authority::KeyAlgorithm;
use crate::signature::bit_length;

/// What issuance needs of a CA certificate. Whether it is one (CA:TRUE, keyCertSign, its dates) upstream does not ask.
#[derive(Debug)]
pub(super) struct CaCertificate {
    pub(super) der: Vec<u8>,
    /// The subject as the certificate has it, octet for octet.
    pub(super) subject: Vec<u8>,
    pub(super) subject_key_id: Vec<u8>,
    pub(super) not_after: OffsetDateTime,
    /// The issuer as the certificate has it.
    pub(super) issuer: Vec<u8>,
    /// The AlgorithmIdentifier of the public key.
    key_identifier: Vec<u8>,
    public_key: Vec<u8>,
}

impl CaCertificate {
    /// Reads a certificate (RFC 5280 §4.1). Little more is demanded of it than what is used: CAs of all ages are in use,
    /// and upstream's reader is lenient too.
    pub(super) fn from_der(octets: &[u8]) -> Result<Self, DerError> {
        let mut outer = Elements(octets);
        let mut certificate = outer.expect(asn1::SEQUENCE)?.children();
        if !outer.is_empty() {
            return Err(DerError::TrailingData);
        }
        let mut fields = certificate.expect(asn1::SEQUENCE)?.children();
        let signature_algorithm = certificate.expect(asn1::SEQUENCE)?;
        certificate.expect(asn1::BIT_STRING)?.bit_string()?;
        let version = read_version(&mut fields)?;
        let _serial_number = fields.expect(asn1::INTEGER)?.integer()?;
        if fields.expect(asn1::SEQUENCE)?.contents != signature_algorithm.contents {
            return Err(DerError::UnexpectedTag);
        }
        let issuer = fields.expect(asn1::SEQUENCE)?;
        check_name(issuer.encoding)?;
        let mut validity = fields.expect(asn1::SEQUENCE)?.children();
        let (_not_before, not_after) = (validity.any()?.time()?, validity.any()?.time()?);
        let subject = fields.expect(asn1::SEQUENCE)?;
        check_name(subject.encoding)?;
        let mut public_key = fields.expect(asn1::SEQUENCE)?.children();
        let key_id = if version == VERSION_3 { subject_key_id(fields)? } else { &[] };
        Ok(Self {
            der: octets.to_vec(),
            subject: subject.encoding.to_vec(),
            not_after,
            issuer: issuer.encoding.to_vec(),
            key_identifier: public_key.expect(asn1::SEQUENCE)?.encoding.to_vec(),
            public_key: public_key.expect(asn1::BIT_STRING)?.bit_string()?.into_owned(),
            subject_key_id: key_id.to_vec(),
        })
    }

    /// Whether it names nobody else as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// The public key, if it is one that such a signature can be verified with.
    pub(super) fn public_key(&self, algorithm: KeyAlgorithm) -> Option<ParsedPublicKey> {
        if self.key_identifier != algorithm.key_identifier() {
            return None;
        }
        ParsedPublicKey::new(algorithm.verification(), &self.public_key).ok()
    }

    /// What there is in the key that upstream signs with and AWS-LC does not.
    pub(super) fn unsupported_key(&self) -> Option<&'static str> {
        if self.key_identifier == KeyAlgorithm::Rsa.key_identifier() {
            let modulus = rsa_modulus(&self.public_key).ok()?;
            return match bit_length(modulus) {
                ..2048 => Some("RSA of less than 2048 bits"),
                2048..=8192 => None,
                _ => Some("RSA of more than 8192 bits"),
            };
        }
        (self.key_identifier == P224_KEY).then_some("P-224")
    }
}

/// A Name that cannot be read would make every certificate that has it for issuer unreadable.
fn check_name(name: &[u8]) -> Result<(), DerError> {
    match Subject::read(name) {
        Ok(_) => Ok(()),
        Err(SubjectError::Der(error)) => Err(error),
        Err(SubjectError::Value(_)) => Err(DerError::UnexpectedTag),
    }
}

fn read_version(fields: &mut Elements<'_>) -> Result<i64, DerError> {
    match fields.optional(asn1::context(0))? {
        Some(explicit) => explicit.children().expect(asn1::INTEGER)?.small_integer(),
        None => Ok(0),
    }
}

/// The value of the subjectKeyIdentifier extension, in what follows the public key; empty when there is none.
fn subject_key_id(mut fields: Elements<'_>) -> Result<&[u8], DerError> {
    fields.optional(ISSUER_UNIQUE_ID)?;
    fields.optional(SUBJECT_UNIQUE_ID)?;
    let Some(explicit) = fields.optional(asn1::context(3))? else {
        return Ok(&[]);
    };
    let mut extensions = explicit.children().expect(asn1::SEQUENCE)?.children();
    while !extensions.is_empty() {
        let mut extension = extensions.expect(asn1::SEQUENCE)?.children();
        let id = extension.expect(asn1::OBJECT_IDENTIFIER)?.object_identifier()?;
        extension.optional(asn1::BOOLEAN)?;
        let value = extension.expect(asn1::OCTET_STRING)?.contents;
        if id == SUBJECT_KEY_IDENTIFIER {
            return Ok(Elements(value).expect(asn1::OCTET_STRING)?.contents);
        }
    }
    Ok(&[])
}

fn rsa_modulus(key: &[u8]) -> Result<&[u8], DerError> {
    let modulus = Elements(key).expect(asn1::SEQUENCE)?.children().expect(asn1::INTEGER)?.integer()?;
    Ok(modulus.strip_prefix(&[0]).unwrap_or(modulus))
}

const VERSION_3: i64 = 2;
const ISSUER_UNIQUE_ID: u8 = 0x81;
const SUBJECT_UNIQUE_ID: u8 = 0x82;
/// id-ce-subjectKeyIdentifier, 2.5.29.14.
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
/// The AlgorithmIdentifier of keys on secp224r1.
const P224_KEY: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x21";
