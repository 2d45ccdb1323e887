//! What a profile permits beyond upstream's rules, as values; the configuration file describes them field by field.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::profile::Pattern;
use crate::{AttributeType, SubjectAltNames, Usage};

/// What a request may say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The usages of which each that is asked for is one; `None`: any.
    pub usages: Option<Vec<Usage>>,

    /// The subject.
    pub subject: SubjectLimits,

    /// The subject alternative names.
    pub names: NameLimits,

    /// The public key.
    pub keys: KeyLimits,
}

/// What a subject may say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubjectLimits {
    /// What becomes of attributes of each type.
    pub attributes: BTreeMap<AttributeType, Treatment>,

    /// What becomes of those of other types.
    pub otherwise: Treatment,

    /// The forms that the common name may have; none: any.
    pub common_names: Vec<Pattern>,

    /// The forms that each organization may have; none: any.
    pub organizations: Vec<Pattern>,
}

/// What becomes of an attribute of a subject.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Treatment {
    /// It may be there, and gets into the certificate.
    Pass,
    /// It may be there, and does not get into the certificate.
    Drop,
    /// It must be there.
    Require,
    /// It must not be there.
    #[default]
    Refuse,
}

/// What subject alternative names may say. One fits that one entry of its kind permits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameLimits {
    /// Forms of DNS names, in lower case.
    pub dns: Vec<Pattern>,

    /// Ranges of addresses.
    pub ip: Vec<IpNet>,

    /// Forms of email addresses.
    pub email: Vec<Pattern>,

    /// Beginnings of URIs, each with the whole authority.
    pub uri: Vec<UriPrefix>,

    /// What becomes of names that do not fit.
    pub otherwise: Otherwise,

    /// Names that a certificate has at least.
    pub least: usize,

    /// Names that a certificate has at most, repeated ones included.
    pub most: usize,
}

/// What becomes of a name that does not fit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Otherwise {
    /// It gets into the certificate all the same.
    Pass,
    /// It does not get into the certificate.
    Drop,
    /// The request is refused.
    #[default]
    Refuse,
}

/// The beginning of a URI: a scheme, an authority, and the beginning of a path that ends with a slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UriPrefix(String);

/// Which public keys are certified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyLimits {
    /// The least bits of an RSA modulus; `None`: no RSA keys.
    pub rsa: Option<u16>,

    /// The least bits of an elliptic curve; `None`: no ECDSA keys.
    pub ecdsa: Option<u16>,

    /// Whether Ed25519 keys are.
    pub ed25519: bool,
}

impl Limits {
    /// Upstream's: everything that a built-in signer's own rules permit.
    #[must_use]
    pub fn none() -> Self {
        Self {
            usages: None,
            subject: SubjectLimits { otherwise: Treatment::Pass, ..SubjectLimits::default() },
            names: NameLimits { otherwise: Otherwise::Pass, most: usize::MAX, ..NameLimits::default() },
            keys: KeyLimits { rsa: Some(0), ecdsa: Some(0), ed25519: true },
        }
    }

    /// Those of a custom signer of which only the usages are said: a common name, and no other name.
    #[must_use]
    pub fn strictest(usages: Vec<Usage>) -> Self {
        Self {
            usages: Some(usages),
            subject: SubjectLimits {
                attributes: [(AttributeType::CommonName, Treatment::Pass)].into(),
                ..SubjectLimits::default()
            },
            names: NameLimits::default(),
            keys: KeyLimits::default(),
        }
    }
}

impl SubjectLimits {
    /// What becomes of attributes of this type.
    #[must_use]
    pub fn treatment(&self, kind: AttributeType) -> Treatment {
        self.attributes.get(&kind).copied().unwrap_or(self.otherwise)
    }
}

impl NameLimits {
    /// Whether no name fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.ip.is_empty() && self.email.is_empty() && self.uri.is_empty()
    }

    /// Whether a DNS name fits.
    #[must_use]
    pub fn fits_dns(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.dns.iter().any(|pattern| pattern.matches(&name)) && is_host_name(&name)
    }

    /// Whether an address fits.
    #[must_use]
    pub fn fits_ip(&self, address: IpAddr) -> bool {
        self.ip.iter().any(|range: &IpNet| range.contains(&address))
    }

    /// Whether an email address fits.
    #[must_use]
    pub fn fits_email(&self, name: &str) -> bool {
        let is_address = name.matches('@').count() == 1 && !name.contains(|c: char| c.is_ascii_control());
        is_address && self.email.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether a URI fits.
    #[must_use]
    pub fn fits_uri(&self, name: &str) -> bool {
        self.uri.iter().any(|prefix| prefix.matches(name))
    }

    /// The names that fit.
    #[must_use]
    pub fn fitting(&self, sans: &SubjectAltNames) -> SubjectAltNames {
        SubjectAltNames {
            dns: sans.dns.iter().filter(|name| self.fits_dns(name)).cloned().collect(),
            email: sans.email.iter().filter(|name| self.fits_email(name)).cloned().collect(),
            ip: sans.ip.iter().filter(|address| self.fits_ip(**address)).copied().collect(),
            uri: sans.uri.iter().filter(|name| self.fits_uri(name)).cloned().collect(),
            others: 0,
        }
    }
}

impl Default for NameLimits {
    /// No name.
    fn default() -> Self {
        Self {
            dns: Vec::new(),
            ip: Vec::new(),
            email: Vec::new(),
            uri: Vec::new(),
            otherwise: Otherwise::Refuse,
            least: 0,
            most: 32,
        }
    }
}

impl Default for KeyLimits {
    /// Whatever is deemed strong today: 112 bits of security or more (NIST SP 800-57).
    fn default() -> Self {
        Self { rsa: Some(2048), ecdsa: Some(256), ed25519: true }
    }
}

impl UriPrefix {
    /// The prefix that a text is: `scheme://authority/`, and perhaps more path. Without the slash behind the authority,
    /// `https://a.example` would be the beginning of `https://a.example.org/`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
        let is_plain = rest.ends_with('/') && !rest.starts_with('/') && rest.chars().all(is_plain);
        (is_scheme && is_plain && has_plain_path(rest)).then(|| Self(text.to_owned()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a URI begins so and leads nowhere else: what stands behind is a plain path, so that nobody who reads it more
    /// cleverly than we do finds another one.
    #[must_use]
    pub fn matches(&self, uri: &str) -> bool {
        let Some(rest) = uri.strip_prefix(&self.0) else {
            return false;
        };
        rest.chars().all(is_plain) && has_plain_path(rest)
    }
}

/// Neither a percent sign, which hides other characters, nor what begins a query or a fragment.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~/:+=@,".contains(c)
}

fn has_plain_path(path: &str) -> bool {
    path.split('/').all(|segment| segment != "." && segment != "..") && !path.contains("//")
}

/// Whether clients compare such a name with a host's: labels of letters, digits, hyphens and underscores, of which the first
/// may be `*` (RFC 6125 §6.4.3). A pattern must not open the way for anything stranger.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(is_label)
}
