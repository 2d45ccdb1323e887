//! Whether a request is signed with the key it carries, by the rules of Go's `CertificateRequest.CheckSignature`.

use aws_lc_rs::signature::{
    self as aws, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use csr::{Curve, Digest, PublicKey, Request, SignatureAlgorithm};

/// Why the signature of a request does not stand, in the words of Go's `crypto/x509` and `crypto/rsa`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// A signature algorithm or a key that Go verifies nothing with.
    #[error("x509: cannot verify signature: algorithm unimplemented")]
    Unimplemented,

    /// MD5.
    #[error("x509: cannot verify signature: insecure algorithm {0}")]
    Insecure(&'static str),

    /// The algorithm is not one for this kind of key.
    #[error(
        "x509: signature algorithm specifies an {algorithm} public key, but have public key of type {key}"
    )]
    OtherKind {
        /// The kind of key that the algorithm is for.
        algorithm: &'static str,
        /// The kind of key that the request has, in Go's words.
        key: &'static str,
    },

    /// RSA below 1024 bits.
    #[error("crypto/rsa: {0}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)")]
    RsaTooShort(usize),

    /// An RSA key that is none.
    #[error("crypto/rsa: {0}")]
    RsaKey(&'static str),

    /// RSA.
    #[error("crypto/rsa: verification error")]
    Rsa,

    /// ECDSA.
    #[error("x509: ECDSA verification failure")]
    Ecdsa,

    /// Ed25519.
    #[error("x509: Ed25519 verification failure")]
    Ed25519,
}

/// Verifies the request's signature over its CertificationRequestInfo as sent.
pub(crate) fn verify(request: &Request) -> Result<(), SignatureError> {
    match request.signature_algorithm() {
        SignatureAlgorithm::Unknown => return Err(SignatureError::Unimplemented),
        SignatureAlgorithm::Md5WithRsa => return Err(SignatureError::Insecure("MD5-RSA")),
        _ => {}
    }
    match request.public_key() {
        PublicKey::Rsa { modulus, exponent } => verify_rsa(request, modulus, *exponent),
        PublicKey::Ecdsa { curve, point } => verify_ecdsa(request, *curve, point),
        PublicKey::Ed25519(key) => verify_ed25519(request, &key[..]),
        PublicKey::Unsupported => Err(SignatureError::Unimplemented),
    }
}

/// What there is in a request's signature that upstream verifies and AWS-LC does not; the closed list is in the design.
pub(crate) fn unsupported(request: &Request) -> Option<&'static str> {
    match (request.public_key(), request.signature_algorithm()) {
        (
            PublicKey::Rsa { modulus, exponent },
            algorithm @ (SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_)),
        ) => unsupported_rsa(algorithm, modulus, *exponent),
        (PublicKey::Ecdsa { curve: Curve::P224, .. }, SignatureAlgorithm::Ecdsa(_)) => {
            Some("signatures of a P-224 key")
        }
        (PublicKey::Ecdsa { curve: Curve::P384, .. }, SignatureAlgorithm::Ecdsa(Digest::Sha1)) => {
            Some("SHA-1 signatures of a P-384 key")
        }
        (PublicKey::Ed25519(key), SignatureAlgorithm::Ed25519) if !is_canonical(key) => {
            Some("Ed25519 keys in a non-canonical form")
        }
        _ => None,
    }
}

fn unsupported_rsa(algorithm: SignatureAlgorithm, modulus: &[u8], exponent: i64) -> Option<&'static str> {
    let bits = bit_length(modulus);
    // A key that upstream refuses is none that upstream verifies with.
    let verified = check_rsa_key(modulus, exponent).is_ok();
    match bits {
        _ if !verified || rsa_parameters(algorithm, bits).is_some() => None,
        ..STRONG_RSA => Some("this kind of signature of an RSA key of less than 2048 bits"),
        _ => Some("signatures of an RSA key of more than 8192 bits"),
    }
}

/// Whether a point is written in the only form that RFC 8032 §5.1.3 decodes: y is below p = 2^255 - 19, and there is no
/// sign where x is 0, as it is where y is 1 or -1. Go decodes the others as well.
fn is_canonical(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y.reverse();
    let sign = y[0] & 0x80 != 0;
    y[0] &= 0x7f;
    y <= MINUS_ONE && !(sign && (y == ONE || y == MINUS_ONE))
}

fn verify_rsa(request: &Request, modulus: &[u8], exponent: i64) -> Result<(), SignatureError> {
    let algorithm = request.signature_algorithm();
    if !matches!(algorithm, SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_)) {
        return Err(other_kind(algorithm, "*rsa.PublicKey"));
    }
    check_rsa_key(modulus, exponent)?;
    let parameters = rsa_parameters(algorithm, bit_length(modulus)).ok_or(SignatureError::Unimplemented)?;
    let exponent = exponent.to_be_bytes();
    let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
    RsaPublicKeyComponents { n: modulus, e: &exponent[zeros..] }
        .verify(parameters, request.info_der(), request.signature())
        .map_err(|_| SignatureError::Rsa)
}

/// Go's `checkKeySize` and `checkPublicKey`.
fn check_rsa_key(modulus: &[u8], exponent: i64) -> Result<(), SignatureError> {
    let bits = bit_length(modulus);
    if bits < SHORTEST_RSA {
        return Err(SignatureError::RsaTooShort(bits));
    }
    let fault = match exponent {
        _ if modulus.last().is_none_or(|octet| octet % 2 == 0) => "public modulus is even",
        ..2 => "public exponent too small or negative",
        _ if exponent % 2 == 0 => "public exponent is even",
        _ if exponent > i32::MAX.into() => "public exponent too large",
        _ => return Ok(()),
    };
    Err(SignatureError::RsaKey(fault))
}

fn verify_ecdsa(request: &Request, curve: Curve, point: &[u8]) -> Result<(), SignatureError> {
    let SignatureAlgorithm::Ecdsa(digest) = request.signature_algorithm() else {
        return Err(other_kind(request.signature_algorithm(), "*ecdsa.PublicKey"));
    };
    let algorithm = ecdsa_algorithm(curve, digest).ok_or(SignatureError::Unimplemented)?;
    UnparsedPublicKey::new(algorithm, point)
        .verify(request.info_der(), request.signature())
        .map_err(|_| SignatureError::Ecdsa)
}

fn verify_ed25519(request: &Request, key: &[u8]) -> Result<(), SignatureError> {
    if request.signature_algorithm() != SignatureAlgorithm::Ed25519 {
        return Err(other_kind(request.signature_algorithm(), "ed25519.PublicKey"));
    }
    UnparsedPublicKey::new(&aws::ED25519, key)
        .verify(request.info_der(), request.signature())
        .map_err(|_| SignatureError::Ed25519)
}

fn other_kind(algorithm: SignatureAlgorithm, key: &'static str) -> SignatureError {
    let algorithm = match algorithm {
        SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(_) | SignatureAlgorithm::Md5WithRsa => {
            "RSA"
        }
        SignatureAlgorithm::Ecdsa(_) => "ECDSA",
        SignatureAlgorithm::Ed25519 => "Ed25519",
        SignatureAlgorithm::Dsa => "DSA",
        SignatureAlgorithm::Unknown => "unknown",
    };
    SignatureError::OtherKind { algorithm, key }
}

/// AWS-LC verifies with short keys only what it must for old peers; there is no SHA-384 and no PSS among it.
fn rsa_parameters(algorithm: SignatureAlgorithm, bits: usize) -> Option<&'static RsaParameters> {
    let strong = bits >= STRONG_RSA;
    match algorithm {
        _ if bits > LONGEST_RSA => None,
        SignatureAlgorithm::RsaPkcs1(Digest::Sha1) => {
            Some(&aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)
        }
        SignatureAlgorithm::RsaPkcs1(Digest::Sha256) => {
            Some(&aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
        }
        SignatureAlgorithm::RsaPkcs1(Digest::Sha512) => {
            Some(&aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
        }
        SignatureAlgorithm::RsaPkcs1(Digest::Sha384) if strong => Some(&aws::RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::RsaPss(Digest::Sha256) if strong => Some(&aws::RSA_PSS_2048_8192_SHA256),
        SignatureAlgorithm::RsaPss(Digest::Sha384) if strong => Some(&aws::RSA_PSS_2048_8192_SHA384),
        SignatureAlgorithm::RsaPss(Digest::Sha512) if strong => Some(&aws::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn ecdsa_algorithm(curve: Curve, digest: Digest) -> Option<&'static EcdsaVerificationAlgorithm> {
    Some(match (curve, digest) {
        (Curve::P256, Digest::Sha1) => &aws::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, Digest::Sha256) => &aws::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Digest::Sha384) => &aws::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Digest::Sha512) => &aws::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Digest::Sha256) => &aws::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Digest::Sha384) => &aws::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Digest::Sha512) => &aws::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Digest::Sha1) => &aws::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, Digest::Sha256) => &aws::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Digest::Sha384) => &aws::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Digest::Sha512) => &aws::ECDSA_P521_SHA512_ASN1,
        (Curve::P224, _) | (Curve::P384, Digest::Sha1) => return None,
    })
}

/// The bits of a big-endian number without leading zero octets.
pub(crate) fn bit_length(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

const SHORTEST_RSA: usize = 1024;
const STRONG_RSA: usize = 2048;
const LONGEST_RSA: usize = 8192;

/// 1 modulo 2^255 - 19, big-endian.
const ONE: [u8; 32] = {
    let mut number = [0; 32];
    number[31] = 1;
    number
};

/// -1 modulo 2^255 - 19, big-endian; no number modulo that is larger.
const MINUS_ONE: [u8; 32] = {
    let mut number = [0xff; 32];
    (number[0], number[31]) = (0x7f, 0xec);
    number
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ed25519_point_has_one_canonical_form() {
        // The first octet, those between, and the last with the sign.
        for (first, middle, last, canonical) in [
            (0x00, 0x00, 0x00, true),
            (0x00, 0x00, 0x80, true),
            (0x01, 0x00, 0x00, true),
            (0x01, 0x00, 0x80, false),
            (0x02, 0x00, 0x80, true),
            (0xeb, 0xff, 0xff, true),
            (0xec, 0xff, 0x7f, true),
            (0xec, 0xff, 0xff, false),
            (0xed, 0xff, 0x7f, false),
            (0xed, 0xff, 0xff, false),
            (0xff, 0xff, 0x7f, false),
            (0xff, 0xff, 0x7e, true),
        ] {
            let mut key = [middle; 32];
            (key[0], key[31]) = (first, last);
            assert_eq!(is_canonical(&key), canonical, "{key:02x?}");
        }
    }
}
