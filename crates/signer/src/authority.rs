//! The authority: a CA certificate, and the key that goes with it.

mod certificate;
mod error;
mod key;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::ParsedPublicKey;
use csr::DerError;
use csr::pem::{self, Block};
use time::OffsetDateTime;

pub use error::{AuthorityError, File};
pub use key::{Key, KeyAlgorithm, KeyError};

use crate::Error;
use crate::authority::certificate::CaCertificate;

/// A CA: the public part, and the key. Never cloned; the key's memory is wiped when this is dropped.
pub struct CertificateAuthority {
    certificate: CaCertificate,
    public_key: ParsedPublicKey,
    key: Key,
    /// The others in the file, in its order.
    others: Vec<CaCertificate>,
}

impl CertificateAuthority {
    /// Reads a CA from the contents of its two files, which may be one and the same.
    ///
    /// What loads and what does not is as for kube-controller-manager, with these exceptions. A certificate file may hold
    /// several certificates; the one that the key belongs to signs. RSA keys below 2048 bits and P-224 keys are refused.
    /// An expired CA loads: whether that matters is for the caller to say.
    ///
    /// # Errors
    ///
    /// When there is no certificate or no key to be read, or they do not belong together. No error holds any part of a key.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let certificates = read_certificates(certificate)?;
        let key = read_key(key, &certificates)?;
        let proof = key.sign(PROBE).map_err(|_| AuthorityError::KeyUnreadable)?;
        let in_file = certificates.len();
        let (mut matching, mut others) = (Vec::new(), Vec::new());
        for certificate in certificates {
            let public_key = certificate.public_key(key.algorithm());
            match public_key.filter(|public_key| public_key.verify_sig(PROBE, &proof).is_ok()) {
                Some(public_key) => matching.push((certificate, public_key)),
                None => others.push(certificate),
            }
        }
        let count = matching.len();
        let (certificate, public_key) =
            matching.pop().ok_or(AuthorityError::Mismatch { certificates: in_file })?;
        if count > 1 {
            return Err(AuthorityError::Ambiguous { matching: count });
        }
        Ok(Self { certificate, public_key, key, others })
    }

    /// The key, to sign with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The subject in DER, as the certificate has it: the issuer of what is signed.
    pub fn subject_der(&self) -> &[u8] {
        &self.certificate.subject
    }

    /// The subject key identifier; empty when the certificate has none.
    pub fn subject_key_id(&self) -> &[u8] {
        &self.certificate.subject_key_id
    }

    /// When the CA expires.
    pub fn not_after(&self) -> OffsetDateTime {
        self.certificate.not_after
    }

    /// The certificate in DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate.der
    }

    /// SHA-256 of the certificate, in hexadecimal: its name in logs.
    pub fn fingerprint(&self) -> String {
        hexadecimal(digest(&SHA256, &self.certificate.der).as_ref())
    }

    /// How many certificates the file held; upstream takes no more than one.
    pub fn certificates_in_file(&self) -> usize {
        1 + self.others.len()
    }

    /// The certificates in the file that are not self-signed, in DER, the CA's own first: what a relying party needs that knows
    /// the root alone.
    pub fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        let all = std::iter::once(&self.certificate).chain(&self.others);
        all.filter(|certificate| !certificate.is_self_issued()).map(|certificate| &*certificate.der)
    }

    /// Whether whatever trusts another CA, whose certificate this is in DER, trusts this one too: it has the same key, or a
    /// certificate in its file names the other as its issuer.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be read.
    pub fn is_trusted_with(&self, certificate: &[u8]) -> Result<bool, DerError> {
        let other = CaCertificate::from_der(certificate)?;
        let proof = self.key.sign(PROBE).ok();
        let public_key = other.public_key(self.key.algorithm());
        let is_same = public_key.zip(proof).is_some_and(|(key, proof)| key.verify_sig(PROBE, &proof).is_ok());
        let mut in_file = std::iter::once(&self.certificate).chain(&self.others);
        Ok(is_same || in_file.any(|ours| !ours.is_self_issued() && ours.issuer == other.subject))
    }

    /// Whether this is the CA's signature.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.public_key.verify_sig(message, signature).map_err(|_| Error::Signature)
    }
}

/// Without the key.
impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .field("fingerprint", &self.fingerprint())
            .field("not_after", &self.certificate.not_after)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// When a CA expires: what matters of its certificate, in DER, where its key is not at hand.
///
/// # Errors
///
/// When the certificate cannot be read.
pub fn ca_not_after(certificate: &[u8]) -> Result<OffsetDateTime, DerError> {
    CaCertificate::from_der(certificate).map(|certificate| certificate.not_after)
}

/// The certificates in CERTIFICATE blocks without headers; blocks of other types are passed over.
fn read_certificates(text: &[u8]) -> Result<Vec<CaCertificate>, AuthorityError> {
    if text.is_empty() {
        return Err(AuthorityError::Empty(File::Certificate));
    }
    let mut labels = Vec::new();
    let mut certificates = Vec::new();
    for block in pem::blocks(text) {
        if block.label == b"CERTIFICATE" && !block.has_headers {
            certificates.push(CaCertificate::from_der(&block.contents)?);
        } else {
            labels.push(block.label);
        }
    }
    match labels.as_slice() {
        _ if !certificates.is_empty() => Ok(certificates),
        [] => Err(AuthorityError::NoPem(File::Certificate)),
        [label] if label.ends_with(b"PRIVATE KEY") => Err(AuthorityError::KeyInsteadOfCertificate),
        _ => Err(AuthorityError::NoCertificate),
    }
}

/// The first key that can be read by what its label says, of those for which the first block that calls itself a private
/// key can be read at all. The two conditions are those of upstream's two layers (`tls.X509KeyPair`, then
/// `keyutil.ParsePrivateKeyPEM`).
fn read_key(text: &[u8], certificates: &[CaCertificate]) -> Result<Key, AuthorityError> {
    if text.is_empty() {
        return Err(AuthorityError::Empty(File::Key));
    }
    let blocks: Vec<Block<'_>> = pem::blocks(text).collect();
    let first = blocks.iter().find(|block| {
        block.label.strip_suffix(b"PRIVATE KEY").is_some_and(|kind| kind.is_empty() || kind.ends_with(b" "))
    });
    let Some(first) = first else {
        return Err(match blocks.as_slice() {
            [] => AuthorityError::NoPem(File::Key),
            [only] if only.label == b"CERTIFICATE" => AuthorityError::CertificateInsteadOfKey,
            _ => AuthorityError::NoKey,
        });
    };
    if first.is_encrypted || first.label == b"ENCRYPTED PRIVATE KEY" {
        return Err(AuthorityError::Encrypted);
    }
    let unreadable = || match certificates {
        [only] => only.unsupported_key().map_or(AuthorityError::KeyUnreadable, AuthorityError::Unsupported),
        _ => AuthorityError::KeyUnreadable,
    };
    Key::from_der(&first.contents).map_err(|_| unreadable())?;
    blocks.iter().find_map(|block| Key::from_block(block).ok()).ok_or(AuthorityError::KeyLabel)
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

const PROBE: &[u8] = b"does this key belong to this certificate?";
