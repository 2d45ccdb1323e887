//! Whether a request can be read in one way only.
//!
//! The API server and kube-controller-manager pass over what they do not look at: text around the PEM block, fields behind the
//! last one they know, a second common name. A stricter or laxer reader would see another request in the same octets. Whoever
//! decides without a human holds such requests, even where upstream would sign them.

use super::{EXTENSION_REQUEST, Request, SUBJECT_ALT_NAME, extension};
use crate::AttributeType;
use crate::asn1::{self, Element, Elements};

/// In what a request is not plain.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Ambiguity {
    /// Something stands before, behind or inside the PEM block.
    #[error("there is more than one plain PEM block")]
    Pem,

    /// The subject has more than one common name, or none.
    #[error("the subject has not exactly one common name")]
    CommonName,

    /// Fields that no reader expects, or octets behind the last one.
    #[error("there are fields or octets that nobody reads")]
    Fields,

    /// Extensions are asked for in more than one place.
    #[error("extensions are requested more than once")]
    Extensions,
}

impl Request {
    /// In what the request could be read differently by another reader; `None` when there is one reading.
    pub fn ambiguity(&self) -> Option<Ambiguity> {
        if !self.is_plain_pem {
            return Some(Ambiguity::Pem);
        }
        if self.subject().values(AttributeType::CommonName).count() != 1 {
            return Some(Ambiguity::CommonName);
        }
        let Some(values) = requested_extensions(self.der()) else {
            return Some(Ambiguity::Fields);
        };
        match values.as_slice() {
            [] => None,
            [value] => (!is_plain(value)).then_some(Ambiguity::Fields),
            _ => Some(Ambiguity::Extensions),
        }
    }
}

/// Whether a text is one PEM block and nothing else but blanks around it: no headers, no second block, no words.
pub(super) fn is_plain_pem(text: &[u8]) -> bool {
    let body = text.trim_ascii().strip_prefix(b"-----BEGIN CERTIFICATE REQUEST-----");
    let body = body.and_then(|rest| rest.strip_suffix(b"-----END CERTIFICATE REQUEST-----"));
    let is_base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=\r\n".contains(octet);
    body.is_some_and(|base64| base64.iter().all(is_base64))
}

/// Every value of every extensionRequest attribute; `None` where a structure has other fields than RFC 2986 §4 gives it.
fn requested_extensions(der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut request = Elements(der).expect(asn1::SEQUENCE).ok()?.children();
    let mut info = request.expect(asn1::SEQUENCE).ok()?.children();
    end_after(2, request)?;
    for _version_subject_key in 0..3 {
        info.any().ok()?;
    }
    let mut attributes = info.expect(asn1::context(0)).ok()?.children();
    end_after(0, info)?;
    let mut requested = Vec::new();
    while !attributes.is_empty() {
        let mut attribute = attributes.expect(asn1::SEQUENCE).ok()?.children();
        let id = attribute.expect(asn1::OBJECT_IDENTIFIER).ok()?.object_identifier().ok()?;
        let mut values = attribute.expect(asn1::SET).ok()?.children();
        end_after(0, attribute)?;
        while !values.is_empty() {
            let value = values.any().ok()?;
            if id == EXTENSION_REQUEST {
                requested.push(value);
            }
        }
    }
    Some(requested)
}

/// Whether no extension has a field too many, and there is no octet behind the names of the subjectAltName.
fn is_plain(extensions: &Element<'_>) -> bool {
    let mut list = extensions.children();
    while !list.is_empty() {
        if list.expect(asn1::SEQUENCE).ok().and_then(|element| is_plain_extension(&element)).is_none() {
            return false;
        }
    }
    true
}

fn is_plain_extension(element: &Element<'_>) -> Option<()> {
    let mut fields = element.children();
    fields.expect(asn1::OBJECT_IDENTIFIER).ok()?;
    fields.optional(asn1::BOOLEAN).ok()?;
    end_after(1, fields)?;
    let (id, value) = extension(element).ok()?;
    if id != SUBJECT_ALT_NAME {
        return Some(());
    }
    let mut names = Elements(value);
    names.expect(asn1::SEQUENCE).ok()?;
    end_after(0, names)
}

/// Demands that so many elements follow, and no more.
fn end_after(count: usize, mut elements: Elements<'_>) -> Option<()> {
    for _ in 0..count {
        elements.any().ok()?;
    }
    elements.is_empty().then_some(())
}
