//! The subject of a certificate: what was read from the request, encoded anew as Go does.

use csr::{AttributeType, Subject};

use crate::encoding::{Encoder, OBJECT_IDENTIFIER, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING};

/// The Name in DER: one RDN per attribute type, in a fixed order, the values of a type in one SET (Go's
/// `pkix.Name.ToRDNSequence`). Of CN and serialNumber only the last on the wire is kept, and no empty one.
pub(crate) fn encode(subject: &Subject) -> Vec<u8> {
    let mut encoder = Encoder::with_capacity(128);
    encoder.nested(SEQUENCE, |name| {
        for kind in AttributeType::ALL {
            match kind {
                AttributeType::CommonName => write_single(name, kind, subject.common_name()),
                AttributeType::SerialNumber => write_single(name, kind, subject.serial_number()),
                _ => write_rdn(name, kind, subject.values(kind)),
            }
        }
    });
    encoder.finish()
}

fn write_single(name: &mut Encoder, kind: AttributeType, value: &str) {
    write_rdn(name, kind, Some(value).filter(|value| !value.is_empty()).into_iter());
}

/// An RDN; DER wants the elements of a SET OF sorted by their encoding (X.690 §11.6).
fn write_rdn<'a>(name: &mut Encoder, kind: AttributeType, values: impl Iterator<Item = &'a str>) {
    let mut attributes: Vec<_> = values.map(|value| attribute(kind, value)).collect();
    if attributes.is_empty() {
        return;
    }
    attributes.sort();
    name.nested(SET, |rdn| attributes.iter().for_each(|attribute| rdn.encoded(attribute)));
}

fn attribute(kind: AttributeType, value: &str) -> Vec<u8> {
    let mut encoder = Encoder::with_capacity(value.len() + 12);
    let string = if value.bytes().all(is_printable) { PRINTABLE_STRING } else { UTF8_STRING };
    encoder.nested(SEQUENCE, |attribute| {
        attribute.element(OBJECT_IDENTIFIER, &kind.object_identifier());
        attribute.element(string, value.as_bytes());
    });
    encoder.finish()
}

/// X.680's set for a PrintableString; without `*` and `&`, which Go reads in one but does not write.
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

/// The DER of a Name without any attribute.
pub(crate) const EMPTY: &[u8] = &[SEQUENCE, 0];
