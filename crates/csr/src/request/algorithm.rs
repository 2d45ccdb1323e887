use crate::asn1::{self, DerError, context};
use crate::request::public_key::Algorithm;

/// How the request says it is signed, as Go's `getSignatureAlgorithmFromAI` reads it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Digest),

    /// RSASSA-PSS with MGF1 over the same digest, and a salt as long as the digest. Never with SHA-1.
    RsaPss(Digest),

    /// ECDSA, the signature in DER.
    Ecdsa(Digest),

    /// Ed25519.
    Ed25519,

    /// RSA with MD5: known, and refused for being insecure.
    Md5WithRsa,

    /// DSA: known, but Go verifies nothing with it any more.
    Dsa,

    /// Nothing that Go knows.
    Unknown,
}

/// The digests that Go accepts in the signature of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Digest {
    /// SHA-1; in requests Go still accepts it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl SignatureAlgorithm {
    pub(crate) fn of(algorithm: &Algorithm<'_>) -> Self {
        match algorithm.object_identifier {
            ED25519 if !algorithm.parameters.is_empty() => Self::Unknown,
            RSASSA_PSS => pss_digest(algorithm.parameters).map_or(Self::Unknown, Self::RsaPss),
            object_identifier => KNOWN
                .iter()
                .find(|(known, _)| *known == object_identifier)
                .map_or(Self::Unknown, |&(_, algorithm)| algorithm),
        }
    }
}

/// The digest of RSASSA-PSS-params (RFC 8017 A.2.3), if they are of the three forms that Go accepts.
fn pss_digest(parameters: &[u8]) -> Option<Digest> {
    let read = || {
        let mut fields = asn1::Elements(parameters).expect(asn1::SEQUENCE)?.children();
        fields.enter(context(0))?;
        let hash = Algorithm::read(&fields.expect(asn1::SEQUENCE)?)?;
        fields.enter(context(1))?;
        let mask = Algorithm::read(&fields.expect(asn1::SEQUENCE)?)?;
        fields.enter(context(2))?;
        let salt_length = fields.expect(asn1::INTEGER)?.small_integer()?;
        let trailer = trailer_field(fields)?;
        let mask_hash = Algorithm::read(&asn1::Elements(mask.parameters).expect(asn1::SEQUENCE)?)?;
        Ok::<_, DerError>((hash, mask, salt_length, trailer, mask_hash))
    };
    let (hash, mask, salt_length, trailer, mask_hash) = read().ok()?;
    let plain = |algorithm: &Algorithm<'_>| algorithm.parameters.is_empty() || algorithm.has_null();
    let sound = mask.object_identifier == MGF1
        && mask_hash.object_identifier == hash.object_identifier
        && plain(&hash)
        && plain(&mask_hash)
        && trailer == 1;
    PSS_DIGESTS
        .iter()
        .find(|(object_identifier, salt, _)| {
            sound && *object_identifier == hash.object_identifier && *salt == salt_length
        })
        .map(|&(_, _, digest)| digest)
}

/// The optional trailerField. Go takes the default, 1, for anything in its place that is an element but no integer.
fn trailer_field(mut fields: asn1::Elements<'_>) -> Result<i64, DerError> {
    if fields.is_empty() {
        return Ok(1);
    }
    let header = fields.peek()?;
    // Go looks for a child before it looks at the tag, and takes an empty tag for an explicit one in either form.
    let childless = header.octets == fields.0.len() || (header.identifier, header.length) == (PRIMITIVE_3, 0);
    if childless {
        return Err(DerError::UnexpectedTag);
    }
    if header.identifier != context(3) {
        return Ok(1);
    }
    fields.enter(context(3))?;
    match fields.peek()?.identifier {
        asn1::INTEGER => fields.expect(asn1::INTEGER)?.small_integer(),
        _ => Ok(1),
    }
}

/// Identifier octet of a trailerField that is not explicit.
const PRIMITIVE_3: u8 = 0x83;
/// id-RSASSA-PSS, 1.2.840.113549.1.1.10.
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// id-mgf1, 1.2.840.113549.1.1.8.
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// id-Ed25519, 1.3.101.112.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The digests that PSS may use, with the length their salt must have.
const PSS_DIGESTS: [(&[u8], i64, Digest); 3] = [
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], 32, Digest::Sha256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], 48, Digest::Sha384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], 64, Digest::Sha512),
];

/// Object identifiers (RFC 3279 §2.2, RFC 5758 §3, RFC 8410 §3; the third is an old one of ISO's for SHA-1 with RSA).
const KNOWN: [(&[u8], SignatureAlgorithm); 13] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], SignatureAlgorithm::Md5WithRsa),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], SignatureAlgorithm::RsaPkcs1(Digest::Sha1)),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1d], SignatureAlgorithm::RsaPkcs1(Digest::Sha1)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], SignatureAlgorithm::RsaPkcs1(Digest::Sha256)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], SignatureAlgorithm::RsaPkcs1(Digest::Sha384)),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d], SignatureAlgorithm::RsaPkcs1(Digest::Sha512)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03], SignatureAlgorithm::Dsa),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02], SignatureAlgorithm::Dsa),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], SignatureAlgorithm::Ecdsa(Digest::Sha1)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], SignatureAlgorithm::Ecdsa(Digest::Sha256)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], SignatureAlgorithm::Ecdsa(Digest::Sha384)),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04], SignatureAlgorithm::Ecdsa(Digest::Sha512)),
    (ED25519, SignatureAlgorithm::Ed25519),
];
