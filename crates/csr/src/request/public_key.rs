use crate::asn1::{self, DerError, Element, Elements};
use crate::request::{ParseError, PublicKeyError};

/// The requester's public key, as far as Go's `crypto/x509` reads it: one key is equal to itself however it was encoded.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PublicKey {
    /// RSA (RFC 8017 A.1.1).
    Rsa {
        /// The modulus, big-endian, without leading zeros.
        modulus: Box<[u8]>,

        /// The public exponent; greater than zero.
        exponent: i64,
    },

    /// A point on a named curve (RFC 5480).
    Ecdsa {
        /// The curve.
        curve: Curve,

        /// The uncompressed point: 0x04, x, y. Whether it is on the curve shows when a signature is verified.
        point: Box<[u8]>,
    },

    /// Ed25519 (RFC 8410).
    Ed25519(Box<[u8; 32]>),

    /// Readable, but no signature can be verified with it: DSA, X25519, and algorithms that Go does not know.
    Unsupported,
}

/// The named curves that Go knows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Curve {
    /// secp224r1.
    P224,
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P224, Self::P256, Self::P384, Self::P521];

    /// The contents of its object identifier (RFC 5480 §2.1.1.1).
    pub fn object_identifier(self) -> &'static [u8] {
        match self {
            Self::P224 => &[0x2b, 0x81, 0x04, 0x00, 0x21],
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// The length of one coordinate in octets.
    pub fn coordinate_length(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// An AlgorithmIdentifier (RFC 5280 §4.1.1.2): its object identifier, and its parameters as sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Algorithm<'a> {
    pub(crate) object_identifier: &'a [u8],
    pub(crate) parameters: &'a [u8],
}

impl<'a> Algorithm<'a> {
    pub(crate) fn read(element: &Element<'a>) -> Result<Self, DerError> {
        let mut fields = element.children();
        let object_identifier = fields.expect(asn1::OBJECT_IDENTIFIER)?.object_identifier()?;
        let parameters = if fields.is_empty() { &[] } else { fields.any()?.encoding };
        Ok(Self { object_identifier, parameters })
    }

    /// Whether the parameters are NULL.
    pub(crate) fn has_null(&self) -> bool {
        self.parameters == [0x05, 0x00]
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo by the rules of Go's `parsePublicKey`.
    pub(crate) fn read(info: &Element<'_>) -> Result<Self, ParseError> {
        let mut fields = info.children();
        let algorithm = Algorithm::read(&fields.expect(asn1::SEQUENCE)?)?;
        let key = fields.expect(asn1::BIT_STRING)?.bit_string()?;
        Ok(match algorithm.object_identifier {
            RSA => rsa(&algorithm, &key)?,
            ECDSA => ecdsa(&algorithm, &key)?,
            ED25519 => ed25519(&algorithm, &key)?,
            DSA => dsa(&algorithm, &key)?,
            _ => Self::Unsupported,
        })
    }
}

fn rsa(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<PublicKey, PublicKeyError> {
    if !algorithm.has_null() {
        return Err(PublicKeyError::RsaWithoutNull);
    }
    let numbers = || {
        let mut fields = Elements(key).low_tag(asn1::SEQUENCE)?.children();
        let modulus = fields.low_tag(asn1::INTEGER)?.integer()?;
        let exponent = fields.low_tag(asn1::INTEGER)?.small_integer()?;
        Ok::<_, DerError>((modulus, exponent))
    };
    let (modulus, exponent) = numbers().map_err(|_| PublicKeyError::Rsa)?;
    if !is_positive(modulus) || exponent <= 0 {
        return Err(PublicKeyError::RsaNotPositive);
    }
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus).into();
    Ok(PublicKey::Rsa { modulus, exponent })
}

fn ecdsa(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<PublicKey, PublicKeyError> {
    let named = || Elements(algorithm.parameters).low_tag(asn1::OBJECT_IDENTIFIER)?.object_identifier();
    let name = named().map_err(|_| PublicKeyError::EcdsaParameters)?;
    let curve = Curve::ALL.into_iter().find(|curve| curve.object_identifier() == name);
    let curve = curve.ok_or(PublicKeyError::UnsupportedCurve)?;
    if key.first() != Some(&UNCOMPRESSED) || key.len() != 1 + 2 * curve.coordinate_length() {
        return Err(PublicKeyError::EcdsaPoint);
    }
    Ok(PublicKey::Ecdsa { curve, point: key.into() })
}

fn ed25519(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<PublicKey, PublicKeyError> {
    if !algorithm.parameters.is_empty() {
        return Err(PublicKeyError::Ed25519Parameters);
    }
    let key = <[u8; 32]>::try_from(key).map_err(|_| PublicKeyError::Ed25519Size)?;
    Ok(PublicKey::Ed25519(Box::new(key)))
}

/// Go reads DSA keys, so a malformed one is a parse error; it verifies nothing with a sound one either.
fn dsa(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<PublicKey, PublicKeyError> {
    let numbers = || {
        let mut parameters = Elements(algorithm.parameters).low_tag(asn1::SEQUENCE)?.children();
        let mut all_positive = is_positive(Elements(key).low_tag(asn1::INTEGER)?.integer()?);
        for _ in ["p", "q", "g"] {
            all_positive &= is_positive(parameters.low_tag(asn1::INTEGER)?.integer()?);
        }
        Ok::<_, DerError>(all_positive)
    };
    match numbers() {
        Ok(true) => Ok(PublicKey::Unsupported),
        Ok(false) | Err(_) => Err(PublicKeyError::Dsa),
    }
}

/// Whether an INTEGER's contents are a number greater than zero.
fn is_positive(integer: &[u8]) -> bool {
    integer[0] & 0x80 == 0 && integer != [0]
}

/// rsaEncryption, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey, 1.2.840.10045.2.1.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// id-Ed25519, 1.3.101.112.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// id-dsa, 1.2.840.10040.4.1.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
const UNCOMPRESSED: u8 = 0x04;
