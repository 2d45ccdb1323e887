use aws_lc_rs::signature::ParsedPublicKey;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Header, Reader, SliceReader};
use time::OffsetDateTime;
use x509_cert::certificate::{CertificateInner, Profile};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

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
    spki: SubjectPublicKeyInfoOwned,
}

/// As lenient as upstream: CAs with serial numbers longer than RFC 5280 allows are in use.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Lenient;

impl Profile for Lenient {
    fn check_serial_number(_: &SerialNumber<Self>) -> der::Result<()> {
        Ok(())
    }
}

impl CaCertificate {
    pub(super) fn from_der(octets: &[u8]) -> der::Result<Self> {
        let certificate = CertificateInner::<Lenient>::from_der(octets)?;
        let tbs = certificate.tbs_certificate();
        let expiry = tbs.validity().not_after.to_unix_duration().as_secs();
        let expiry =
            i64::try_from(expiry).ok().and_then(|expiry| OffsetDateTime::from_unix_timestamp(expiry).ok());
        let key_id = tbs
            .extensions()
            .and_then(|extensions| {
                extensions.iter().find(|extension| extension.extn_id == SUBJECT_KEY_IDENTIFIER)
            })
            .map(|extension| <&OctetStringRef>::from_der(extension.extn_value.as_bytes()))
            .transpose()?;
        Ok(Self {
            der: octets.to_vec(),
            subject: raw_subject(octets)?.to_vec(),
            subject_key_id: key_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
            not_after: expiry.ok_or(der::ErrorKind::DateTime)?,
            spki: tbs.subject_public_key_info().clone(),
        })
    }

    /// The public key, if it is one that such a signature can be verified with.
    pub(super) fn public_key(&self, algorithm: KeyAlgorithm) -> Option<ParsedPublicKey> {
        let named = self.spki.algorithm.to_der().ok()?;
        if named != algorithm.key_identifier() {
            return None;
        }
        ParsedPublicKey::new(algorithm.verification(), self.spki.subject_public_key.as_bytes()?).ok()
    }

    /// What there is in the key that upstream signs with and AWS-LC does not.
    pub(super) fn unsupported_key(&self) -> Option<&'static str> {
        let algorithm = &self.spki.algorithm;
        if algorithm.oid == RSA_ENCRYPTION {
            let key = self.spki.subject_public_key.as_bytes()?;
            let modulus = SliceReader::new(key).ok()?.sequence(|numbers| {
                let modulus = numbers.decode::<der::asn1::UintRef<'_>>()?.as_bytes();
                numbers.tlv_bytes()?;
                Ok::<_, der::Error>(modulus)
            });
            return (bit_length(modulus.ok()?) < 2048).then_some("RSA of less than 2048 bits");
        }
        let curve = algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?;
        (curve == SECP224R1).then_some("P-224")
    }
}

/// The subject of a certificate as sent. The typed form would sort the values of an RDN.
fn raw_subject(certificate: &[u8]) -> der::Result<&[u8]> {
    let mut outer = SliceReader::new(certificate)?;
    Header::decode(&mut outer)?;
    let mut tbs = SliceReader::new(outer.tlv_bytes()?)?;
    Header::decode(&mut tbs)?;
    let has_version = tbs.peek_byte() == Some(VERSION);
    // serialNumber, signature, issuer and validity come before.
    for _ in 0..4 + usize::from(has_version) {
        tbs.tlv_bytes()?;
    }
    tbs.tlv_bytes()
}

/// `[0] EXPLICIT`, absent in a certificate of version 1.
const VERSION: u8 = 0xa0;
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SECP224R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.33");
