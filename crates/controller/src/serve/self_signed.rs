//! A serving certificate for a process that was given none: made in memory, signed by itself, and trusted by nobody. It makes
//! the port encrypted; who must know whom they talk to gives `--tls-cert-file`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use der::asn1::{BitString, Ia5String, ObjectIdentifier, OctetString};
use der::{Any, AnyRef, Decode, Encode, Sequence};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::{Time, Validity};

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Longer than any process runs.
const LIFETIME: Duration = Duration::days(3650);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// No key, no random bytes or no signature.
    #[error("failed to make a key for the serving certificate")]
    Key(#[from] aws_lc_rs::error::Unspecified),
    /// The certificate could not be encoded.
    #[error("failed to encode the serving certificate")]
    Encode(#[from] der::Error),
}

/// RFC 5280 §4.1.
#[derive(Sequence)]
struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: u64,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    spki: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Certificate {
    tbs: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// A certificate for `localhost` and the loopback addresses, and its key.
///
/// # Errors
/// When there are no random bytes.
pub fn self_signed(
    now: OffsetDateTime,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), SelfSignedError> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let spki = key.public_key().as_der()?;
    let tbs = tbs(spki.as_ref(), now)?.to_der()?;
    let signature = key.sign(&SystemRandom::new(), &tbs)?;
    let certificate = Certificate {
        tbs: Any::from_der(&tbs)?,
        algorithm: algorithm(),
        signature: BitString::from_bytes(signature.as_ref())?,
    };
    let pkcs8 = PrivatePkcs8KeyDer::from(key.to_pkcs8v1()?.as_ref().to_vec());
    Ok((certificate.to_der()?.into(), pkcs8.into()))
}

fn tbs(spki: &[u8], now: OffsetDateTime) -> Result<TbsCertificate<'_>, SelfSignedError> {
    let mut serial = [0; 8];
    aws_lc_rs::rand::fill(&mut serial)?;
    let name = Name::from_str("CN=countersign")?;
    Ok(TbsCertificate {
        version: 2,
        // At least 1, and not negative once encoded.
        serial: u64::from_be_bytes(serial) >> 1 | 1,
        signature: algorithm(),
        issuer: name.clone(),
        validity: Validity::new(utc(now - Duration::HOUR)?, utc(now + LIFETIME)?),
        subject: name,
        spki: AnyRef::from_der(spki)?,
        extensions: extensions()?,
    })
}

fn extensions() -> der::Result<Vec<Extension>> {
    let names = SubjectAltName(vec![
        GeneralName::DnsName(Ia5String::new("localhost")?),
        IpAddr::V4(Ipv4Addr::LOCALHOST).into(),
        IpAddr::V6(Ipv6Addr::LOCALHOST).into(),
    ]);
    let usage = ExtendedKeyUsage(vec![SERVER_AUTH]);
    Ok(vec![extension(SUBJECT_ALT_NAME, &names)?, extension(EXTENDED_KEY_USAGE, &usage)?])
}

fn extension(extn_id: ObjectIdentifier, value: &impl Encode) -> der::Result<Extension> {
    Ok(Extension { extn_id, critical: false, extn_value: OctetString::new(value.to_der()?)? })
}

fn algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None }
}

fn utc(at: OffsetDateTime) -> der::Result<Time> {
    let at = at.to_offset(time::UtcOffset::UTC);
    Ok(der::DateTime::try_from(PrimitiveDateTime::new(at.date(), at.time()))?.into())
}
