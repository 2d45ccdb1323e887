use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self as aws, EcdsaKeyPair, Ed25519KeyPair, VerificationAlgorithm};
use csr::asn1::{self, Element, Elements};
use csr::pem::Block;

/// A CA's private key.
///
/// Its memory is AWS-LC's, which wipes it when it is freed.
pub struct Key {
    algorithm: KeyAlgorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The kinds of CA key. Each has one way to sign, Go's default for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyAlgorithm {
    /// RSA of at least 2048 bits, signing with PKCS #1 v1.5 and SHA-256.
    Rsa,
    /// P-256, signing with SHA-256.
    P256,
    /// P-384, signing with SHA-384.
    P384,
    /// P-521, signing with SHA-512.
    P521,
    /// Ed25519.
    Ed25519,
}

/// Why a key cannot be used. It says nothing about the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// The octets are no key of a known kind.
    #[error("private key cannot be read")]
    Unreadable,

    /// The operation failed.
    #[error("private key does not sign")]
    Unusable,
}

/// The forms in which keys are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// RFC 8017 A.1.2.
    Pkcs1,
    /// RFC 5208.
    Pkcs8,
    /// RFC 5915.
    Sec1,
}

impl Key {
    /// Reads the key of a PEM block, in the form that its label says.
    pub(super) fn from_block(block: &Block<'_>) -> Result<Self, KeyError> {
        let labelled = match block.label {
            b"RSA PRIVATE KEY" => Form::Pkcs1,
            b"PRIVATE KEY" => Form::Pkcs8,
            b"EC PRIVATE KEY" => Form::Sec1,
            _ => return Err(KeyError::Unreadable),
        };
        let key = Elements(&block.contents).expect(asn1::SEQUENCE).map_err(|_| KeyError::Unreadable)?;
        match Form::of(&key) {
            Some(form) if form == labelled => Self::from_der(&block.contents),
            _ => Err(KeyError::Unreadable),
        }
    }

    /// Reads a key in whatever form it is.
    pub(super) fn from_der(octets: &[u8]) -> Result<Self, KeyError> {
        let key = Elements(octets).expect(asn1::SEQUENCE).map_err(|_| KeyError::Unreadable)?;
        // What follows the first element Go refuses in PKCS #1, and passes over in the two other forms.
        let trailing = key.encoding.len() < octets.len();
        let (algorithm, pair) = match Form::of(&key) {
            Some(Form::Pkcs1) if !trailing => RsaKeyPair::from_der(key.encoding).ok().map(rsa),
            Some(Form::Sec1) => ecdsa(key.encoding),
            Some(Form::Pkcs8) => pkcs8(key.encoding),
            Some(Form::Pkcs1) | None => None,
        }
        .ok_or(KeyError::Unreadable)?;
        Ok(Self { algorithm, pair })
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The signature of `message`, in the form that a certificate has it. Takes up to some milliseconds.
    ///
    /// # Errors
    ///
    /// When the key's own arithmetic fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "AWS-LC draws ECDSA's nonce itself and ignores this argument"
        )]
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&aws::RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Pair::Ecdsa(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        }
        .map_err(|_| KeyError::Unusable)
    }
}

/// Without the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, redacted)", self.algorithm)
    }
}

impl KeyAlgorithm {
    /// The signature algorithm in Go's words.
    pub fn signature_name(self) -> &'static str {
        match self {
            Self::Rsa => "SHA256-RSA",
            Self::P256 => "ECDSA-SHA256",
            Self::P384 => "ECDSA-SHA384",
            Self::P521 => "ECDSA-SHA512",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The AlgorithmIdentifier of its signatures, in DER (RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3).
    pub(crate) fn signature_identifier(self) -> &'static [u8] {
        match self {
            Self::Rsa => b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00",
            Self::P256 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
            Self::P384 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
            Self::P521 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04",
            Self::Ed25519 => b"\x30\x05\x06\x03\x2b\x65\x70",
        }
    }

    /// The AlgorithmIdentifier of the keys themselves, in DER (RFC 3279 §2.3.1, RFC 5480 §2.1.1, RFC 8410 §3).
    pub(super) fn key_identifier(self) -> &'static [u8] {
        match self {
            Self::Rsa => b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
            Self::P256 => {
                b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
            }
            Self::P384 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
            Self::P521 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
            Self::Ed25519 => b"\x30\x05\x06\x03\x2b\x65\x70",
        }
    }

    pub(super) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Rsa => &aws::RSA_PKCS1_2048_8192_SHA256,
            Self::P256 => &aws::ECDSA_P256_SHA256_ASN1,
            Self::P384 => &aws::ECDSA_P384_SHA384_ASN1,
            Self::P521 => &aws::ECDSA_P521_SHA512_ASN1,
            Self::Ed25519 => &aws::ED25519,
        }
    }
}

impl Form {
    /// The form, which the second field gives away: the first is a version in all three.
    fn of(key: &Element<'_>) -> Option<Self> {
        let mut fields = key.children();
        fields.expect(asn1::INTEGER).ok()?;
        match fields.peek().ok()?.identifier {
            asn1::INTEGER => Some(Self::Pkcs1),
            asn1::SEQUENCE => Some(Self::Pkcs8),
            asn1::OCTET_STRING => Some(Self::Sec1),
            _ => None,
        }
    }
}

fn pkcs8(octets: &[u8]) -> Option<(KeyAlgorithm, Pair)> {
    let ed25519 = |octets| {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(octets).ok()?;
        Some((KeyAlgorithm::Ed25519, Pair::Ed25519(pair)))
    };
    RsaKeyPair::from_pkcs8(octets).ok().map(rsa).or_else(|| ecdsa(octets)).or_else(|| ed25519(octets))
}

fn rsa(pair: RsaKeyPair) -> (KeyAlgorithm, Pair) {
    (KeyAlgorithm::Rsa, Pair::Rsa(pair))
}

fn ecdsa(octets: &[u8]) -> Option<(KeyAlgorithm, Pair)> {
    let curves = [
        (KeyAlgorithm::P256, &aws::ECDSA_P256_SHA256_ASN1_SIGNING),
        (KeyAlgorithm::P384, &aws::ECDSA_P384_SHA384_ASN1_SIGNING),
        (KeyAlgorithm::P521, &aws::ECDSA_P521_SHA512_ASN1_SIGNING),
    ];
    curves.into_iter().find_map(|(algorithm, signing)| {
        let pair = EcdsaKeyPair::from_private_key_der(signing, octets).ok()?;
        Some((algorithm, Pair::Ecdsa(pair)))
    })
}
