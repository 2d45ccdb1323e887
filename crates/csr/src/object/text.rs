use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::wire::Fields;
use crate::memory::allocation;
use crate::{Condition, StandingCondition};

/// The object as it goes back: its own JSON without managedFields, open where a write adds something.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// All that no write changes, up to where the last two fields of `status` would follow.
    before: Box<[u8]>,

    /// The elements of `status.conditions`.
    conditions: Box<str>,

    /// The value of `status.certificate`, when there is one.
    certificate: Option<Box<RawValue>>,
}

impl Text {
    pub(super) fn new(
        metadata: &Fields<'_>,
        spec: &RawValue,
        status: &Fields<'_>,
        others: &Fields<'_>,
    ) -> Result<Self, serde_json::Error> {
        let mut before = Vec::with_capacity(2048);
        // Items of a list carry neither, and a PUT needs both.
        before.extend(
            br#"{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"#,
        );
        write_fields(&mut before, metadata.without(&["managedFields"]))?;
        before.pop_if(|last| *last == b',');
        before.extend(br#"},"spec":"#);
        before.extend(spec.get().as_bytes());
        before.push(b',');
        write_fields(&mut before, others.without(&[]))?;
        before.extend(br#""status":{"#);
        write_fields(&mut before, status.without(&[CONDITIONS, CERTIFICATE]))?;
        Ok(Self {
            before: before.into(),
            conditions: status.raw(CONDITIONS).map_or("", elements).into(),
            certificate: status.raw(CERTIFICATE).map(ToOwned::to_owned),
        })
    }

    /// The object with one more condition.
    pub(super) fn with_condition(&self, condition: &Condition) -> Result<Vec<u8>, serde_json::Error> {
        let mut body = self.body(256);
        body.extend(br#""conditions":["#);
        body.extend(self.conditions.as_bytes());
        if !self.conditions.is_empty() {
            body.push(b',');
        }
        serde_json::to_writer(&mut body, condition)?;
        body.push(b']');
        if let Some(certificate) = &self.certificate {
            body.extend(br#","certificate":"#);
            body.extend(certificate.get().as_bytes());
        }
        body.extend(b"}}");
        Ok(body)
    }

    /// The object with this certificate, in the place of any other.
    pub(super) fn with_certificate(&self, pem: &str) -> Vec<u8> {
        let base64 = BASE64_STANDARD.encode(pem);
        let mut body = self.body(base64.len() + 64);
        if !self.conditions.is_empty() {
            body.extend(br#""conditions":["#);
            body.extend(self.conditions.as_bytes());
            body.extend(b"],");
        }
        body.extend(br#""certificate":""#);
        body.extend(base64.as_bytes());
        body.extend(br#""}}"#);
        body
    }

    /// The conditions, decoded.
    pub(super) fn conditions(&self) -> Vec<StandingCondition> {
        serde_json::from_str(&format!("[{}]", self.conditions)).unwrap_or_default()
    }

    /// What comes before the last two fields of `status`, with room for as many octets more.
    fn body(&self, room: usize) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.size() + room);
        body.extend_from_slice(&self.before);
        body
    }

    /// Roughly the bytes that its parts hold in memory.
    pub(super) fn size(&self) -> usize {
        let certificate = self.certificate.as_ref().map_or(0, |certificate| certificate.get().len());
        [self.before.len(), self.conditions.len(), certificate].into_iter().map(allocation).sum()
    }
}

/// Each with a comma after it.
fn write_fields<'a>(
    text: &mut Vec<u8>,
    mut fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
) -> Result<(), serde_json::Error> {
    fields.try_for_each(|(name, value)| {
        serde_json::to_writer(&mut *text, name)?;
        text.push(b':');
        text.extend(value.get().as_bytes());
        text.push(b',');
        Ok(())
    })
}

/// What stands between the brackets of an array; nothing for null.
fn elements(array: &RawValue) -> &str {
    let inside = array.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.map_or("", str::trim)
}

const CONDITIONS: &str = "conditions";
const CERTIFICATE: &str = "certificate";
