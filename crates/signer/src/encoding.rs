//! DER written into one buffer.

/// Octets being written.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn with_capacity(octets: usize) -> Self {
        Self(Vec::with_capacity(octets))
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// An element that is already encoded.
    pub(crate) fn encoded(&mut self, element: &[u8]) {
        self.0.extend_from_slice(element);
    }

    /// An element with these contents.
    pub(crate) fn element(&mut self, identifier: u8, contents: &[u8]) {
        self.nested(identifier, |inside| inside.encoded(contents));
    }

    /// An element with the contents that `write` writes. The length, known only then, is put in between.
    pub(crate) fn nested(&mut self, identifier: u8, write: impl FnOnce(&mut Self)) {
        self.0.push(identifier);
        let start = self.0.len();
        write(self);
        let length = self.0.len() - start;
        let octets = length.to_be_bytes();
        let digits = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
        match u8::try_from(length) {
            Ok(short @ 0..=0x7f) => self.0.insert(start, short),
            _ => {
                let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
                let form = std::iter::once(0x80 | count).chain(digits.iter().copied());
                self.0.splice(start..start, form);
            }
        }
    }

    /// An INTEGER that is not negative, from big-endian octets.
    pub(crate) fn unsigned_integer(&mut self, octets: &[u8]) {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let digits = &octets[zeros..];
        self.nested(INTEGER, |inside| {
            if digits.first().is_none_or(|first| *first >= 0x80) {
                inside.0.push(0);
            }
            inside.encoded(digits);
        });
    }

    /// A BIT STRING of whole octets.
    pub(crate) fn bit_string(&mut self, write: impl FnOnce(&mut Self)) {
        self.nested(BIT_STRING, |inside| {
            inside.0.push(0);
            write(inside);
        });
    }
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        for (length, header) in [
            (0, &[0x04, 0][..]),
            (127, &[0x04, 127]),
            (128, &[0x04, 0x81, 128]),
            (255, &[0x04, 0x81, 255]),
            (256, &[0x04, 0x82, 1, 0]),
            (70_000, &[0x04, 0x83, 1, 0x11, 0x70]),
        ] {
            let mut encoder = Encoder::default();
            encoder.element(OCTET_STRING, &vec![7; length]);
            let encoded = encoder.finish();
            assert_eq!(encoded[..header.len()], *header);
            assert_eq!(encoded.len(), header.len() + length);
        }
    }

    #[test]
    fn integers_take_their_shortest_form_and_stay_positive() {
        for (octets, encoded) in [
            (&[0, 0][..], &[2, 1, 0][..]),
            (&[0, 0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[1, 0], &[2, 2, 1, 0]),
        ] {
            let mut encoder = Encoder::default();
            encoder.unsigned_integer(octets);
            assert_eq!(encoder.finish(), encoded);
        }
    }
}
