//! An issued certificate, and what is comparable of it: all but the serial number, the signature and the moment of signing.

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use der::asn1::{AnyRef, BitStringRef, ContextSpecific, ObjectIdentifier};
use der::{Decode as _, Encode as _, Reader as _, Sequence, SliceReader, Tagged as _};
use x509_cert::time::Time;

use crate::differential::Facts;
use crate::pki::Authority;

/// RFC 5280 §4.1, with every part left as it was encoded.
#[derive(Sequence)]
struct Outer<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

/// RFC 5280 §4.1.2 for version 3 without unique identifiers.
struct Inner<'a> {
    version: ContextSpecific<u8>,
    serial: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    issuer: AnyRef<'a>,
    validity: Validity<'a>,
    subject: AnyRef<'a>,
    key: AnyRef<'a>,
    extensions: Option<ContextSpecific<Vec<AnyRef<'a>>>>,
}

#[derive(Sequence)]
struct Validity<'a> {
    not_before: AnyRef<'a>,
    not_after: AnyRef<'a>,
}

/// Whether the first certificate in `pem` is signed with the key of `authority`.
///
/// # Errors
/// When it is no certificate.
pub fn is_signed_by(pem: &[u8], authority: &Authority) -> Result<bool> {
    signed_by(authority, &Outer::from_der(&single_block(pem)?)?)
}

/// The facts of the certificate in `pem`, written to the object at `written` (seconds since 1970).
pub(crate) fn facts(pem: &[u8], written: i64, authority: &Authority) -> Result<Facts> {
    let der = single_block(pem)?;
    let mut facts = Facts::new();
    facts.insert("certificate: PEM".to_owned(), armor(pem, &der));
    let outer = Outer::from_der(&der)?;
    let inner = outer.tbs.sequence(Inner::decode)?;
    for (part, value) in [
        ("signature algorithm", outer.algorithm),
        ("signature algorithm inside", inner.algorithm),
        ("issuer", inner.issuer),
        ("subject", inner.subject),
        ("public key", inner.key),
    ] {
        facts.insert(format!("certificate: {part}"), hexadecimal(&value.to_der()?));
    }
    facts.insert("certificate: version".to_owned(), inner.version.value.to_string());
    facts.insert("certificate: serial number".to_owned(), serial_shape(inner.serial));
    facts.insert("certificate: validity".to_owned(), inner.validity.span(authority)?);
    facts.insert("certificate: valid from".to_owned(), inner.validity.backdating(written)?);
    let extensions = inner.extensions.map(|tagged| tagged.value).unwrap_or_default();
    for (index, extension) in extensions.iter().enumerate() {
        facts.insert(format!("certificate: extension {index}"), hexadecimal(&extension.to_der()?));
    }
    let signed = signed_by(authority, &outer)?;
    facts.insert("certificate: signed by the authority".to_owned(), signed.to_string());
    Ok(facts)
}

impl<'a> Inner<'a> {
    fn decode(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        Ok(Self {
            version: reader.decode()?,
            serial: reader.decode()?,
            algorithm: reader.decode()?,
            issuer: reader.decode()?,
            validity: reader.decode()?,
            subject: reader.decode()?,
            key: reader.decode()?,
            extensions: if reader.is_finished() { None } else { Some(reader.decode()?) },
        })
    }
}

impl Validity<'_> {
    /// How long it is valid, and how the two times are encoded.
    fn span(&self, authority: &Authority) -> Result<String> {
        let (from, to) = (seconds(self.not_before)?, seconds(self.not_after)?);
        // One that is cut short by its authority lasts as long as there is left, which depends on when it was signed.
        let span = match to == authority.not_after() {
            true => "until the authority expires".to_owned(),
            false => format!("{} s", to - from),
        };
        Ok(format!("{span}, {} to {}", self.not_before.tag(), self.not_after.tag()))
    }

    /// How long before it was written it is valid from. It was signed in the second it was written, or shortly before.
    fn backdating(&self, written: i64) -> Result<String> {
        let before = written - seconds(self.not_before)?;
        let usual = BACKDATING..=BACKDATING + LATENESS;
        Ok(if usual.contains(&before) { "5 min before".to_owned() } else { format!("{before} s before") })
    }
}

fn seconds(time: AnyRef<'_>) -> Result<i64> {
    let time = Time::from_der(&time.to_der()?)?;
    Ok(i64::try_from(time.to_unix_duration().as_secs())?)
}

/// RFC 5280 §4.1.2.2 in what can be told of a random number.
fn serial_shape(serial: AnyRef<'_>) -> String {
    let octets = serial.value().len();
    let negative = serial.value().first().is_some_and(|first| first & 0x80 != 0);
    match (negative, octets) {
        (true, _) => "negative".to_owned(),
        (false, ..=8) => format!("too short to be 128 random bits: {octets} octets"),
        (false, 9..=17) => "128 random bits".to_owned(),
        (false, _) => format!("too long: {octets} octets"),
    }
}

fn signed_by(authority: &Authority, certificate: &Outer<'_>) -> Result<bool> {
    let oid = certificate.algorithm.sequence(|reader: &mut SliceReader<'_>| {
        let oid: ObjectIdentifier = reader.decode()?;
        reader.drain(reader.remaining_len())?;
        Ok::<_, der::Error>(oid)
    })?;
    // Another algorithm than the authority's key has does not verify, and that is the answer then.
    let algorithm: &dyn VerificationAlgorithm = match oid.to_string().as_str() {
        "1.2.840.113549.1.1.11" => &RSA_PKCS1_2048_8192_SHA256,
        "1.2.840.10045.4.3.2" => &ECDSA_P256_SHA256_ASN1,
        "1.2.840.10045.4.3.3" => &ECDSA_P384_SHA384_ASN1,
        "1.2.840.10045.4.3.4" => &ECDSA_P521_SHA512_ASN1,
        "1.3.101.112" => &ED25519,
        other => bail!("a certificate is signed with the algorithm {other}"),
    };
    let key = UnparsedPublicKey::new(algorithm, authority.public_key());
    let signature = certificate.signature.as_bytes().context("the signature ends within an octet")?;
    Ok(key.verify(&certificate.tbs.to_der()?, signature).is_ok())
}

/// The octets of the only PEM block in `pem`.
fn single_block(pem: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(pem)?;
    let (_, rest) = text.split_once(BEGIN).context("no certificate in the PEM text")?;
    let (body, _) = rest.split_once(END).context("the PEM text is cut short")?;
    Ok(BASE64.decode(body.split_whitespace().collect::<String>())?)
}

/// Whether the PEM text is exactly what Go writes: one block, 64 columns, a line feed after each line.
fn armor(pem: &[u8], der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut canonical = format!("{BEGIN}\n");
    for line in body.as_bytes().chunks(64) {
        canonical.push_str(&String::from_utf8_lossy(line));
        canonical.push('\n');
    }
    canonical.push_str(END);
    canonical.push('\n');
    if canonical.as_bytes() == pem {
        return "one block of 64 columns".to_owned();
    }
    String::from_utf8_lossy(pem).into_owned()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Seconds that upstream sets NotBefore back by.
const BACKDATING: i64 = 300;

/// Seconds that may pass between signing and writing on a busy machine.
const LATENESS: i64 = 60;
