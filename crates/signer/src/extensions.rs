//! The extensions of a certificate, in Go's order: keyUsage, extKeyUsage, basicConstraints, authorityKeyIdentifier,
//! subjectAltName. A leaf has no subjectKeyIdentifier, and nothing of the extensions asked for but the names.

use std::net::IpAddr;

use csr::profile::Pointers;
use csr::{SubjectAltNames, Usage, Usages};

use crate::Error;
use crate::encoding::{BIT_STRING, BOOLEAN, Encoder, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};

/// What the extensions say.
pub(crate) struct Extensions<'a> {
    pub(crate) usages: KeyUsages,
    /// The CA's key identifier; empty when it is not to be named.
    pub(crate) authority_key_id: &'a [u8],
    pub(crate) pointers: &'a Pointers,
    pub(crate) sans: &'a SubjectAltNames,
    /// Whether the names are all that says who is meant (RFC 5280 §4.2.1.6).
    pub(crate) sans_are_critical: bool,
}

impl Extensions<'_> {
    pub(crate) fn write(&self, encoder: &mut Encoder) {
        encoder.nested(EXTENSIONS, |explicit| explicit.nested(SEQUENCE, |list| self.write_list(list)));
    }

    fn write_list(&self, list: &mut Encoder) {
        if self.usages.bits != 0 {
            write_extension(list, KEY_USAGE, true, |value| write_key_usage(value, self.usages.bits));
        }
        if self.usages.purposes.contains(&true) {
            write_extension(list, EXT_KEY_USAGE, false, |value| self.write_purposes(value));
        }
        write_extension(list, BASIC_CONSTRAINTS, true, |value| value.element(SEQUENCE, &[]));
        if !self.authority_key_id.is_empty() {
            write_extension(list, AUTHORITY_KEY_IDENTIFIER, false, |value| {
                value.nested(SEQUENCE, |inside| inside.element(KEY_IDENTIFIER, self.authority_key_id));
            });
        }
        let Pointers { ocsp, ca_issuers, crl } = self.pointers;
        if !(ocsp.is_empty() && ca_issuers.is_empty()) {
            write_extension(list, AUTHORITY_INFORMATION_ACCESS, false, |value| {
                value.nested(SEQUENCE, |list| {
                    ocsp.iter().for_each(|url| write_access(list, OCSP, url));
                    ca_issuers.iter().for_each(|url| write_access(list, CA_ISSUERS, url));
                });
            });
        }
        if !self.sans.is_empty() {
            write_extension(list, SUBJECT_ALT_NAME, self.sans_are_critical, |value| {
                value.nested(SEQUENCE, |names| self.write_names(names));
            });
        }
        if !crl.is_empty() {
            write_extension(list, CRL_DISTRIBUTION_POINTS, false, |value| {
                value.nested(SEQUENCE, |points| crl.iter().for_each(|url| write_point(points, url)));
            });
        }
    }

    fn write_purposes(&self, value: &mut Encoder) {
        value.nested(SEQUENCE, |list| {
            for ((_, object_identifier), wanted) in PURPOSES.iter().zip(self.usages.purposes) {
                if wanted {
                    list.element(OBJECT_IDENTIFIER, object_identifier);
                }
            }
        });
    }

    /// The names by type: DNS, email, IP, URI, each in the order of the request.
    fn write_names(&self, names: &mut Encoder) {
        self.sans.dns.iter().for_each(|name| names.element(DNS_NAME, name.as_bytes()));
        self.sans.email.iter().for_each(|name| names.element(RFC822_NAME, name.as_bytes()));
        for address in &self.sans.ip {
            match address {
                IpAddr::V4(v4) => names.element(IP_ADDRESS, &v4.octets()),
                IpAddr::V6(v6) => names.element(IP_ADDRESS, &v6.octets()),
            }
        }
        self.sans.uri.iter().for_each(|name| names.element(URI, name.as_bytes()));
    }
}

/// The usages of a request as X.509 has them: bits of keyUsage, and purposes of extKeyUsage.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct KeyUsages {
    /// Bit n of keyUsage (RFC 5280 §4.2.1.3) at bit n from the top.
    bits: u16,
    /// Which of [`PURPOSES`] are wanted.
    purposes: [bool; PURPOSES.len()],
}

impl KeyUsages {
    /// The X.509 form of `spec.usages`. `signing` is another word for `digital signature`, `s/mime` for
    /// `email protection` (upstream's `keyUsagesFromStrings`).
    pub(crate) fn of(usages: &Usages) -> Result<Self, Error> {
        let (mut mapped, mut unrecognized) = (Self::default(), Vec::new());
        for usage in usages.iter() {
            if let Some(bit) = key_usage_bit(usage) {
                mapped.bits |= 0x8000 >> bit;
            } else if let Some(index) = PURPOSES.iter().position(|(purpose, _)| purpose == canonical(usage)) {
                mapped.purposes[index] = true;
            } else {
                unrecognized.push(usage.to_string());
            }
        }
        if unrecognized.is_empty() { Ok(mapped) } else { Err(Error::UnrecognizedUsages(unrecognized)) }
    }

    /// Whether a client may use such a certificate: a certificate without any purpose is one for every purpose (RFC 5280
    /// §4.2.1.12).
    pub(crate) fn permit_clients(self) -> bool {
        let is_wanted =
            |purpose| PURPOSES.iter().zip(self.purposes).any(|((known, _), is)| is && *known == purpose);
        is_wanted(Usage::ClientAuth) || is_wanted(Usage::Any) || !self.purposes.contains(&true)
    }
}

/// An AccessDescription.
fn write_access(list: &mut Encoder, method: &[u8], url: &str) {
    list.nested(SEQUENCE, |access| {
        access.element(OBJECT_IDENTIFIER, method);
        access.element(URI, url.as_bytes());
    });
}

/// A DistributionPoint of one name.
fn write_point(points: &mut Encoder, url: &str) {
    points.nested(SEQUENCE, |point| {
        point.nested(DISTRIBUTION_POINT, |name| {
            name.nested(FULL_NAME, |full_name| full_name.element(URI, url.as_bytes()));
        });
    });
}

/// The bit of keyUsage that a usage stands for.
fn key_usage_bit(usage: &Usage) -> Option<u32> {
    KEY_USAGES.iter().find(|(known, _)| known == usage).map(|&(_, bit)| bit)
}

fn canonical(usage: &Usage) -> &Usage {
    if *usage == Usage::SMime { &Usage::EmailProtection } else { usage }
}

fn write_extension(list: &mut Encoder, id: &[u8], critical: bool, write: impl FnOnce(&mut Encoder)) {
    list.nested(SEQUENCE, |extension| {
        extension.element(OBJECT_IDENTIFIER, id);
        if critical {
            extension.element(BOOLEAN, &[0xff]);
        }
        extension.nested(OCTET_STRING, write);
    });
}

/// A BIT STRING without trailing zero bits, as DER has named bits (X.690 §11.2.2).
fn write_key_usage(value: &mut Encoder, bits: u16) {
    let octets = bits.to_be_bytes();
    let unused = (bits.trailing_zeros() % 8) as u8;
    let length = if octets[1] == 0 { 1 } else { 2 };
    value.nested(BIT_STRING, |inside| {
        inside.encoded(&[unused]);
        inside.encoded(&octets[..length]);
    });
}

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
const EXT_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];

const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
/// id-pe-authorityInfoAccess, 1.3.6.1.5.5.7.1.1.
const AUTHORITY_INFORMATION_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
/// id-ad-ocsp, 1.3.6.1.5.5.7.48.1.
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
/// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2.
const CA_ISSUERS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];

/// `[0]` of DistributionPoint, and of the choice in it (RFC 5280 §4.2.1.13).
const DISTRIBUTION_POINT: u8 = 0xa0;
const FULL_NAME: u8 = 0xa0;
/// `[3] EXPLICIT` of TBSCertificate.
const EXTENSIONS: u8 = 0xa3;
const KEY_IDENTIFIER: u8 = 0x80;
const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;

const KEY_USAGES: [(Usage, u32); 10] = [
    (Usage::Signing, 0),
    (Usage::DigitalSignature, 0),
    (Usage::ContentCommitment, 1),
    (Usage::KeyEncipherment, 2),
    (Usage::DataEncipherment, 3),
    (Usage::KeyAgreement, 4),
    (Usage::CertSign, 5),
    (Usage::CrlSign, 6),
    (Usage::EncipherOnly, 7),
    (Usage::DecipherOnly, 8),
];

/// The purposes with the contents of their object identifiers, in the order in which Go numbers and writes them.
const PURPOSES: [(Usage, &[u8]); 12] = [
    (Usage::Any, &[0x55, 0x1d, 0x25, 0x00]),
    (Usage::ServerAuth, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]),
    (Usage::ClientAuth, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]),
    (Usage::CodeSigning, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03]),
    (Usage::EmailProtection, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04]),
    (Usage::IpsecEndSystem, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x05]),
    (Usage::IpsecTunnel, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x06]),
    (Usage::IpsecUser, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x07]),
    (Usage::Timestamping, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08]),
    (Usage::OcspSigning, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09]),
    (Usage::MicrosoftSgc, &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0a, 0x03, 0x03]),
    (Usage::NetscapeSgc, &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x04, 0x01]),
];
