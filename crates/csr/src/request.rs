//! The parsed, checked form of `spec.request`: PKCS #10 (RFC 2986) read exactly as the API server and
//! kube-controller-manager read it (`pkg/apis/certificates/helpers.go`, Go's `x509.ParseCertificateRequest`).
//!
//! Names are taken in wire order, and every later step (approval, validation, issuance) looks at this one reading, so
//! no two of them can disagree about who is named. Time and memory are linear in the size of the request.

mod algorithm;
mod form;
mod parse_error;
mod public_key;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

pub use algorithm::{Digest, SignatureAlgorithm};
pub use form::Ambiguity;
pub use parse_error::{ParseError, PublicKeyError};
pub use public_key::{Curve, PublicKey};

use crate::asn1::{self, DerError, Element, Elements};
use crate::names::{Subject, SubjectAltNames};
use crate::request::public_key::Algorithm;
use crate::{CertificateSigningRequest, Requester, SignerName, Spec, Usages, pem};

/// A request that can be read: what is asked for, by whom, and for which signer.
#[derive(Clone, Debug)]
pub struct Request {
    signer_name: SignerName,
    usages: Usages,
    expiration_seconds: Option<i32>,
    requester: Arc<Requester>,
    is_plain_pem: bool,
    content: Content,
}

/// What the PKCS #10 request says.
#[derive(Clone, Debug)]
struct Content {
    der: Box<[u8]>,
    info: Range<usize>,
    subject: Subject,
    sans: SubjectAltNames,
    public_key: PublicKey,
    signature_algorithm: SignatureAlgorithm,
    signature: Box<[u8]>,
}

impl Request {
    /// Reads the request that an object carries.
    ///
    /// # Errors
    ///
    /// When upstream's `ParseCSR` would refuse it.
    pub fn parse(object: &CertificateSigningRequest) -> Result<Self, ParseError> {
        Self::from_spec(object.spec())
    }

    /// Reads the request of a spec.
    ///
    /// # Errors
    ///
    /// When upstream's `ParseCSR` would refuse it.
    pub fn from_spec(spec: &Spec) -> Result<Self, ParseError> {
        let block = pem::blocks(&spec.request)
            .next()
            .filter(|block| block.label == b"CERTIFICATE REQUEST")
            .ok_or(ParseError::PemBlock)?;
        Ok(Self {
            signer_name: spec.signer_name.clone(),
            usages: spec.usages.clone(),
            expiration_seconds: spec.expiration_seconds,
            requester: Arc::clone(&spec.requester),
            is_plain_pem: form::is_plain_pem(&spec.request),
            content: Content::read(&block.contents)?,
        })
    }

    /// `spec.signerName`.
    pub fn signer_name(&self) -> &SignerName {
        &self.signer_name
    }

    /// `spec.usages`.
    pub fn usages(&self) -> &Usages {
        &self.usages
    }

    /// `spec.expirationSeconds`: the lifetime asked for, in seconds.
    pub fn expiration_seconds(&self) -> Option<i32> {
        self.expiration_seconds
    }

    /// Who asks.
    pub fn requester(&self) -> &Arc<Requester> {
        &self.requester
    }

    /// The subject asked for.
    pub fn subject(&self) -> &Subject {
        &self.content.subject
    }

    /// The subject alternative names asked for.
    pub fn sans(&self) -> &SubjectAltNames {
        &self.content.sans
    }

    /// The requester's public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.content.public_key
    }

    /// How the request says it is signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.content.signature_algorithm
    }

    /// The requester's signature over [`Self::info_der`].
    pub fn signature(&self) -> &[u8] {
        &self.content.signature
    }

    /// The CertificationRequestInfo as sent: the octets that are signed.
    pub fn info_der(&self) -> &[u8] {
        &self.content.der[self.content.info.clone()]
    }

    /// The whole CertificationRequest as sent.
    pub fn der(&self) -> &[u8] {
        &self.content.der
    }
}

impl Content {
    /// Reads a CertificationRequest. The order of the checks is Go's.
    fn read(der: &[u8]) -> Result<Self, ParseError> {
        let mut outer = Elements(der);
        let mut request = outer.expect(asn1::SEQUENCE)?.children();
        let info = request.expect(asn1::SEQUENCE)?;
        let mut fields = info.children();
        fields.expect(asn1::INTEGER)?.small_integer()?;
        let subject = fields.any()?;
        let public_key = fields.expect(asn1::SEQUENCE)?;
        let attributes = fields.expect(asn1::context(0))?;
        check_elements(attributes.children())?;
        let signature_algorithm = Algorithm::read(&request.expect(asn1::SEQUENCE)?)?;
        let signature = request.expect(asn1::BIT_STRING)?.bit_string()?;
        if !outer.is_empty() {
            return Err(ParseError::TrailingData);
        }
        let public_key = PublicKey::read(&public_key)?;
        let subject = Subject::read(subject.encoding)?;
        let sans = requested_sans(attributes.children())?;
        let start = info.encoding.as_ptr().addr() - der.as_ptr().addr();
        Ok(Self {
            der: der.into(),
            info: start..start + info.encoding.len(),
            subject,
            sans,
            public_key,
            signature_algorithm: SignatureAlgorithm::of(&signature_algorithm),
            signature: signature.into(),
        })
    }
}

fn check_elements(mut elements: Elements<'_>) -> Result<(), DerError> {
    while !elements.is_empty() {
        elements.any()?;
    }
    Ok(())
}

/// The names in the subjectAltName extension, the only extension whose value is looked at.
fn requested_sans(mut attributes: Elements<'_>) -> Result<SubjectAltNames, ParseError> {
    let (mut seen, mut sans) = (BTreeSet::new(), SubjectAltNames::default());
    let mut san_value = None;
    while !attributes.is_empty() {
        let Some(extensions) = extension_request(&attributes.any()?) else {
            continue;
        };
        let mut extensions = Elements(extensions.encoding).expect(asn1::SEQUENCE)?.children();
        while !extensions.is_empty() {
            let (id, value) = extension(&extensions.expect(asn1::SEQUENCE)?)?;
            if !seen.insert(id) {
                return Err(ParseError::DuplicateExtensions);
            }
            if id == SUBJECT_ALT_NAME {
                san_value = Some(value);
            }
        }
    }
    if let Some(value) = san_value {
        sans = SubjectAltNames::read(value)?;
    }
    Ok(sans)
}

/// The first value of an attribute, if it is an extensionRequest (RFC 2985 §5.4.2). Other attributes may be malformed.
fn extension_request<'a>(attribute: &Element<'a>) -> Option<Element<'a>> {
    let mut fields = Elements(attribute.encoding).expect(asn1::SEQUENCE).ok()?.children();
    let id = fields.expect(asn1::OBJECT_IDENTIFIER).ok()?.object_identifier().ok()?;
    let mut values = fields.expect(asn1::SET).ok()?.children();
    check_elements(values).ok()?;
    let first = values.any().ok()?;
    (id == EXTENSION_REQUEST).then_some(first)
}

/// An extension's object identifier and value; whether it is critical does not matter here.
fn extension<'a>(element: &Element<'a>) -> Result<(&'a [u8], &'a [u8]), DerError> {
    let mut fields = element.children();
    let id = fields.expect(asn1::OBJECT_IDENTIFIER)?.object_identifier()?;
    if let Some(critical) = fields.optional(asn1::BOOLEAN)? {
        critical.boolean()?;
    }
    let value = fields.expect(asn1::OCTET_STRING)?;
    Ok((id, value.contents))
}

/// extensionRequest, 1.2.840.113549.1.9.14.
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
