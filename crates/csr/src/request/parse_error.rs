use crate::asn1::DerError;
use crate::names::{SanError, SubjectError};

/// Why `spec.request` cannot be read, in the terms of upstream's `ParseCSR` and Go's `crypto/x509`.
///
/// Such a request is nobody's to refuse: upstream writes no condition and tries again for ever.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// No PEM block, or the first one is of another type.
    #[error("PEM block type must be CERTIFICATE REQUEST")]
    PemBlock,

    /// The PKCS #10 structure is not what RFC 2986 demands.
    #[error("asn1: malformed certificate request")]
    Der(#[from] DerError),

    /// Octets after the request.
    #[error("asn1: syntax error: trailing data")]
    TrailingData,

    /// The public key.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),

    /// The subject.
    #[error("x509: invalid subject")]
    Subject(#[from] SubjectError),

    /// One extension is asked for twice.
    #[error("x509: certificate request contains duplicate requested extensions")]
    DuplicateExtensions,

    /// The subject alternative names.
    #[error(transparent)]
    SubjectAltName(#[from] SanError),
}

/// Why a public key cannot be read, in the words of Go's `crypto/x509`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublicKeyError {
    /// rsaEncryption demands NULL (RFC 3279 §2.3.1).
    #[error("x509: RSA key missing NULL parameters")]
    RsaWithoutNull,

    /// Not a SEQUENCE of two integers.
    #[error("x509: invalid RSA public key")]
    Rsa,

    /// Modulus or exponent is zero or negative.
    #[error("x509: RSA modulus or public exponent is not a positive number")]
    RsaNotPositive,

    /// The curve is not given by name.
    #[error("x509: invalid ECDSA parameters")]
    EcdsaParameters,

    /// A curve that Go does not know.
    #[error("x509: unsupported elliptic curve")]
    UnsupportedCurve,

    /// Compressed, or of the wrong length.
    #[error("ecdsa: invalid uncompressed public key")]
    EcdsaPoint,

    /// RFC 8410 §3 demands that there are none.
    #[error("x509: Ed25519 key encoded with illegal parameters")]
    Ed25519Parameters,

    /// Not 32 octets.
    #[error("x509: wrong Ed25519 public key size")]
    Ed25519Size,

    /// Malformed, or a number is zero or negative.
    #[error("x509: invalid DSA public key")]
    Dsa,
}
