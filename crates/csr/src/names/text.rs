//! The values of attributes: ASN.1 strings as Go's `encoding/asn1` turns them into text.

use crate::asn1::Element;
use crate::names::SubjectError;

/// The text that a value is; `None` for a sound value that is no text.
///
/// # Errors
///
/// When a value of a type that Go decodes is malformed.
pub(super) fn read(value: &Element<'_>) -> Result<Option<String>, SubjectError> {
    let octets = value.contents;
    let invalid = |kind| move || SubjectError::Value(kind);
    Ok(match value.identifier {
        0x0c => Some(String::from_utf8(octets.to_vec()).map_err(|_| invalid("UTF-8 string")())?),
        0x12 => Some(ascii(octets, is_numeric).ok_or_else(invalid("NumericString"))?),
        0x13 => Some(ascii(octets, is_printable).ok_or_else(invalid("PrintableString"))?),
        0x14 => Some(octets.iter().copied().map(char::from).collect()),
        0x16 => Some(ascii(octets, |_| true).ok_or_else(invalid("IA5String"))?),
        0x1e => Some(bmp(octets).ok_or_else(invalid("BMPString"))?),
        0x01 => value.boolean().map(|_| None)?,
        0x02 => value.small_integer().map(|_| None)?,
        0x03 => value.bit_string().map(|_| None)?,
        0x06 => value.object_identifier().map(|_| None)?,
        0x17 | 0x18 => value.time().map(|_| None)?,
        _ => None,
    })
}

fn ascii(octets: &[u8], allowed: fn(u8) -> bool) -> Option<String> {
    let sound = octets.iter().all(|&octet| octet.is_ascii() && allowed(octet));
    sound.then(|| octets.iter().copied().map(char::from).collect())
}

fn is_numeric(octet: u8) -> bool {
    octet.is_ascii_digit() || octet == b' '
}

/// X.680's set, and two that Go lets pass because certificates in use have them: `*` and `&`.
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&octet)
}

/// UCS-2, a terminator cut off. Surrogates and non-characters are not in it.
fn bmp(octets: &[u8]) -> Option<String> {
    let octets = match octets {
        [text @ .., 0, 0] if octets.len().is_multiple_of(2) => text,
        _ => octets,
    };
    let (units, rest) = octets.as_chunks::<2>();
    let text = units.iter().map(|&unit| match u16::from_be_bytes(unit) {
        0xfdd0..=0xfdef | 0xfffe | 0xffff => None,
        unit => char::from_u32(unit.into()),
    });
    if rest.is_empty() { text.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Elements;
    use crate::names::tests::element;

    fn read_value(tag: u8, octets: &[u8]) -> Result<Option<String>, SubjectError> {
        read(&Elements(&element(tag, &[octets])).any()?)
    }

    #[test]
    fn every_kind_of_text_is_read_as_go_reads_it() {
        for (tag, octets, expected) in [
            (0x0c, "né".as_bytes(), "né"),
            (0x12, b"12 3", "12 3"),
            (0x13, b"system:node:a*&b", "system:node:a*&b"),
            (0x14, &[b'n', 0xe9], "né"),
            (0x16, b"a_b@c", "a_b@c"),
            (0x1e, &[0, b'n', 0, 0xe9], "né"),
            (0x1e, &[0, b'n', 0, 0], "n"),
            (0x1e, &[0, 0], ""),
        ] {
            assert_eq!(read_value(tag, octets), Ok(Some(expected.to_owned())), "{tag:#x}");
        }
    }

    #[test]
    fn what_is_no_text_is_passed_over_when_sound() {
        for (tag, octets) in [
            (0x01, &[0xff][..]),
            (0x02, &[1]),
            (0x03, &[0, 1]),
            (0x04, b"octets"),
            (0x05, b""),
            (0x06, &[0x55, 0x04, 0x03]),
            (0x17, b"2611221530Z"),
            (0x17, b"261122153059Z"),
            (0x17, b"000229153059+0130"),
            (0x18, b"20261122153059Z"),
            (0x18, b"20261122153059.25-2400"),
            (0x1b, b"general"),
            (0x1c, b"universal"),
            (0x2c, &[0xff]),
            (0x82, &[0xff]),
        ] {
            assert_eq!(read_value(tag, octets), Ok(None), "{tag:#x} {octets:?}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for (tag, octets) in [
            (0x01, &[1][..]),
            (0x02, &[0, 1]),
            (0x02, &[1; 9]),
            (0x03, &[1, 1]),
            (0x06, &[0x80, 1]),
            (0x0c, &[0xff]),
            (0x12, b"a"),
            (0x13, b"a_b"),
            (0x16, &[0x80]),
            (0x17, b""),
            (0x17, b"261122153059"),
            (0x17, b"261322153059Z"),
            (0x17, b"260229153059Z"),
            (0x17, b"261122156059Z"),
            (0x17, b"261122153059+0000"),
            (0x17, b"261122153059.5Z"),
            (0x18, b"261122153059Z"),
            (0x18, b"20261122153059.Z"),
            (0x18, b"20261122153059.50Z"),
            (0x1e, &[0]),
            (0x1e, &[0xd8, 0]),
            (0x1e, &[0xff, 0xff]),
        ] {
            assert!(read_value(tag, octets).is_err(), "{tag:#x} {octets:?}");
        }
    }
}
