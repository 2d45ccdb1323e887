use std::net::IpAddr;

use crate::asn1::{self, Elements};
use crate::names::uri::{self, UriError};

/// The subject alternative names of a request, by type and in wire order; of other types only the number is kept, as
/// upstream neither judges nor signs them (RFC 5280 §4.2.1.6).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubjectAltNames {
    /// dNSName, case kept.
    pub dns: Vec<String>,

    /// rfc822Name.
    pub email: Vec<String>,

    /// iPAddress. An IPv4-mapped IPv6 address is the IPv4 address it maps: so Go 1.26 signs it.
    pub ip: Vec<IpAddr>,

    /// uniformResourceIdentifier, as Go's `net/url` writes what it has parsed.
    pub uri: Vec<String>,

    /// How many names of other types there are.
    pub others: usize,
}

/// Why subject alternative names cannot be read, in the words of Go's `crypto/x509`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SanError {
    /// Not a SEQUENCE of names.
    #[error("x509: invalid subject alternative names")]
    Malformed,

    /// Not ASCII.
    #[error("x509: SAN {0} is malformed")]
    NotAscii(&'static str),

    /// Neither 4 nor 16 octets.
    #[error("x509: cannot parse IP address of length {0}")]
    IpLength(usize),

    /// Not a URI, or not one with a valid host.
    #[error("x509: cannot parse URI {uri:?}")]
    Uri {
        /// The URI as sent.
        uri: String,
        /// What is wrong with it.
        source: UriError,
    },
}

impl SubjectAltNames {
    /// Reads the value of a subjectAltName extension.
    pub(crate) fn read(value: &[u8]) -> Result<Self, SanError> {
        let sequence = Elements(value).low_tag(asn1::SEQUENCE).map_err(|_| SanError::Malformed)?;
        let (mut elements, mut names) = (sequence.children(), Self::default());
        while !elements.is_empty() {
            let element = elements.any_low_tag().map_err(|_| SanError::Malformed)?;
            names.add(element.identifier, element.contents)?;
        }
        Ok(names)
    }

    fn add(&mut self, identifier: u8, octets: &[u8]) -> Result<(), SanError> {
        match identifier {
            RFC822_NAME => self.email.push(ascii(octets, "rfc822Name")?),
            DNS_NAME => self.dns.push(ascii(octets, "dNSName")?),
            URI => {
                let sent = ascii(octets, "uniformResourceIdentifier")?;
                let read = uri::normalize(&sent);
                self.uri.push(read.map_err(|source| SanError::Uri { uri: sent, source })?);
            }
            IP_ADDRESS => self.ip.push(address(octets)?),
            _ => self.others += 1,
        }
        Ok(())
    }

    /// Whether there is no name of a type that is kept.
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.email.is_empty() && self.ip.is_empty() && self.uri.is_empty()
    }
}

fn ascii(octets: &[u8], kind: &'static str) -> Result<String, SanError> {
    if !octets.is_ascii() {
        return Err(SanError::NotAscii(kind));
    }
    Ok(octets.iter().copied().map(char::from).collect())
}

fn address(octets: &[u8]) -> Result<IpAddr, SanError> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Ok(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(octets)
        .map(|v6| IpAddr::from(v6).to_canonical())
        .map_err(|_| SanError::IpLength(octets.len()))
}

const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::tests::element;

    fn read(names: &[(u8, &[u8])]) -> Result<SubjectAltNames, SanError> {
        let names: Vec<_> = names.iter().map(|(tag, octets)| element(*tag, &[octets])).collect();
        SubjectAltNames::read(&element(0x30, &names.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    #[test]
    fn names_are_kept_by_type_and_in_wire_order() {
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2];
        let names = read(&[
            (0x82, b"B.example"),
            (0x81, b"me@example"),
            (0x87, &[10, 0, 0, 1]),
            (0x87, &mapped),
            (0x82, b"a.example"),
            (0x86, b"spiffe://a/b"),
            (0xa0, &[]),
            (0xa4, b"directory name"),
            (0x88, &[0x2a]),
            (0xa2, &[0xff]),
        ])
        .unwrap();
        assert_eq!(names.dns, ["B.example", "a.example"]);
        assert_eq!(names.email, ["me@example"]);
        assert_eq!(names.ip, [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])]);
        assert_eq!(names.uri, ["spiffe://a/b"]);
        assert_eq!(names.others, 4);
    }

    #[test]
    fn malformed_names_are_refused() {
        for (names, expected) in [
            (&[(0x82, &[0xff][..])][..], SanError::NotAscii("dNSName")),
            (&[(0x81, &[0xff])], SanError::NotAscii("rfc822Name")),
            (&[(0x86, &[0xff])], SanError::NotAscii("uniformResourceIdentifier")),
            (&[(0x87, &[1, 2, 3])], SanError::IpLength(3)),
            (&[(0x87, &[])], SanError::IpLength(0)),
            (&[(0x9f, &[1, 0, 0])], SanError::Malformed),
            (
                &[(0x86, b"http://a b")],
                SanError::Uri { uri: "http://a b".to_owned(), source: UriError::Host },
            ),
        ] {
            assert_eq!(read(names), Err(expected));
        }
        assert_eq!(SubjectAltNames::read(&[0x31, 0]), Err(SanError::Malformed));
        assert_eq!(SubjectAltNames::read(&[0x30, 1]), Err(SanError::Malformed));
    }

    #[test]
    fn octets_after_the_names_are_passed_over() {
        assert_eq!(SubjectAltNames::read(&[0x30, 0, 0xff]), Ok(SubjectAltNames::default()));
    }
}
