use crate::asn1::{self, DerError, Element, Elements};
use crate::names::text;

/// The subject of a request, as Go's `pkix.Name` sees it: the attributes of nine types, in wire order, as text.
///
/// Attributes of other types (UID, DC, emailAddress …) and values that are no text are not kept, for upstream neither
/// judges nor signs them. The grouping into RDNs is not kept either.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    attributes: Vec<(AttributeType, String)>,
}

/// The attribute types that a subject may have (RFC 4519, X.520), in the order in which Go encodes them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AttributeType {
    /// C, 2.5.4.6.
    Country,
    /// ST, 2.5.4.8.
    Province,
    /// L, 2.5.4.7.
    Locality,
    /// street, 2.5.4.9.
    StreetAddress,
    /// postalCode, 2.5.4.17.
    PostalCode,
    /// O, 2.5.4.10.
    Organization,
    /// OU, 2.5.4.11.
    OrganizationalUnit,
    /// CN, 2.5.4.3.
    CommonName,
    /// serialNumber, 2.5.4.5.
    SerialNumber,
}

impl AttributeType {
    /// Every type, in the order in which Go encodes them.
    pub const ALL: [Self; 9] = [
        Self::Country,
        Self::Province,
        Self::Locality,
        Self::StreetAddress,
        Self::PostalCode,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::CommonName,
        Self::SerialNumber,
    ];

    /// What people call it: the name of RFC 5280 (appendix A.1), in the spelling of the configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Province => "province",
            Self::Locality => "locality",
            Self::StreetAddress => "streetAddress",
            Self::PostalCode => "postalCode",
            Self::Organization => "organization",
            Self::OrganizationalUnit => "organizationalUnit",
            Self::CommonName => "commonName",
            Self::SerialNumber => "serialNumber",
        }
    }

    /// The contents of its object identifier.
    pub fn object_identifier(self) -> [u8; 3] {
        let last = match self {
            Self::CommonName => 3,
            Self::SerialNumber => 5,
            Self::Country => 6,
            Self::Locality => 7,
            Self::Province => 8,
            Self::StreetAddress => 9,
            Self::Organization => 10,
            Self::OrganizationalUnit => 11,
            Self::PostalCode => 17,
        };
        [0x55, 0x04, last]
    }
}

/// Why a subject cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubjectError {
    /// Not a sequence of sets of attributes.
    #[error("malformed RDNSequence")]
    Der(#[from] DerError),

    /// Octets that are not what their type demands.
    #[error("invalid {0}")]
    Value(&'static str),
}

impl Subject {
    /// Reads a Name in DER.
    ///
    /// # Errors
    ///
    /// When Go's `encoding/asn1` would refuse it.
    pub fn read(name: &[u8]) -> Result<Self, SubjectError> {
        let mut subject = Self::default();
        let mut rdns = Elements(name).expect(asn1::SEQUENCE)?.children();
        while !rdns.is_empty() {
            let mut rdn = rdns.expect(asn1::SET)?.children();
            while !rdn.is_empty() {
                subject.read_attribute(&rdn.expect(asn1::SEQUENCE)?)?;
            }
        }
        Ok(subject)
    }

    fn read_attribute(&mut self, attribute: &Element<'_>) -> Result<(), SubjectError> {
        let mut fields = attribute.children();
        let id = fields.expect(asn1::OBJECT_IDENTIFIER)?.object_identifier()?;
        let value = text::read(&fields.any()?)?;
        let kind = AttributeType::ALL.into_iter().find(|kind| kind.object_identifier() == id);
        if let (Some(kind), Some(value)) = (kind, value) {
            self.attributes.push((kind, value));
        }
        Ok(())
    }

    /// The same without the attributes of some types.
    #[must_use]
    pub fn without(&self, is_dropped: impl Fn(AttributeType) -> bool) -> Self {
        let kept = self.attributes.iter().filter(|(kind, _)| !is_dropped(*kind));
        Self { attributes: kept.cloned().collect() }
    }

    /// The values of one type, in wire order.
    pub fn values(&self, kind: AttributeType) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter(move |(found, _)| *found == kind).map(|(_, value)| value.as_str())
    }

    /// The values of O, in wire order.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.values(AttributeType::Organization)
    }

    /// The CN; of several the last on the wire, even an empty one. Empty when there is none.
    pub fn common_name(&self) -> &str {
        self.last(AttributeType::CommonName)
    }

    /// The serialNumber, chosen like [`Self::common_name`].
    pub fn serial_number(&self) -> &str {
        self.last(AttributeType::SerialNumber)
    }

    fn last(&self, kind: AttributeType) -> &str {
        self.values(kind).last().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::element;

    const UTF8: u8 = 0x0c;
    const COMMON_NAME: u8 = 3;
    const ORGANIZATION: u8 = 10;

    fn attribute(last: u8, tag: u8, value: &[u8]) -> Vec<u8> {
        element(0x30, &[&element(0x06, &[&[0x55, 0x04, last]]), &element(tag, &[value])])
    }

    fn name(rdns: &[&[Vec<u8>]]) -> Vec<u8> {
        let rdns: Vec<Vec<u8>> = rdns
            .iter()
            .map(|attributes| element(0x31, &attributes.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            .collect();
        element(0x30, &rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_kept_in_wire_order() {
        let read = Subject::read(&name(&[
            &[attribute(ORGANIZATION, UTF8, b"z"), attribute(ORGANIZATION, UTF8, b"a")],
            &[attribute(COMMON_NAME, UTF8, b"n")],
            &[attribute(ORGANIZATION, UTF8, b"m")],
            &[],
        ]))
        .unwrap();
        assert_eq!(read.organizations().collect::<Vec<_>>(), ["z", "a", "m"]);
        assert_eq!(read.common_name(), "n");
    }

    #[test]
    fn the_last_common_name_on_the_wire_counts_and_an_empty_one_erases() {
        for (names, expected) in [(&["b", "a"][..], "a"), (&["a", ""], ""), (&[], "")] {
            let one_set: Vec<_> =
                names.iter().map(|value| attribute(COMMON_NAME, UTF8, value.as_bytes())).collect();
            assert_eq!(Subject::read(&name(&[&one_set])).unwrap().common_name(), expected);
        }
    }

    #[test]
    fn what_is_no_text_or_of_another_type_is_left_out() {
        let read = Subject::read(&name(&[&[
            attribute(ORGANIZATION, 0x02, &[7]),
            attribute(ORGANIZATION, 0x1b, b"general"),
            attribute(ORGANIZATION, 0x2c, b"constructed"),
            attribute(12, UTF8, b"title"),
        ]]))
        .unwrap();
        assert_eq!(read, Subject::default());
    }

    #[test]
    fn a_malformed_subject_is_refused() {
        let sound = name(&[&[attribute(COMMON_NAME, UTF8, b"a")]]);
        assert!(Subject::read(&sound).is_ok());
        for (what, malformed) in [
            ("truncated", sound[..sound.len() - 1].to_vec()),
            ("no sequence", element(0x31, &[])),
            ("an RDN that is no set", element(0x30, &[&element(0x30, &[])])),
            ("an attribute that is no sequence", element(0x30, &[&element(0x31, &[&element(0x31, &[])])])),
            ("invalid UTF-8", name(&[&[attribute(COMMON_NAME, UTF8, &[0xff])]])),
            ("an underscore in a PrintableString", name(&[&[attribute(COMMON_NAME, 0x13, b"a_b")]])),
        ] {
            assert!(Subject::read(&malformed).is_err(), "{what}");
        }
    }
}
