use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use csr::SubjectAltNames;

/// A name or an address for which a serving certificate is to be good, in the one form in which such are compared: names in
/// lower case without a trailing dot, IPv4 addresses never as IPv6 ones.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum San {
    /// A host name.
    Dns(Arc<str>),

    /// An address.
    Ip(IpAddr),
}

impl San {
    /// A host name; `None` for what no host has: wildcards, empty or overlong labels, other characters than letters, digits
    /// and hyphens (RFC 1123 §2.1), internationalised labels (RFC 5890), and addresses.
    pub fn dns(name: &str) -> Option<Self> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_host = is_subdomain(&name)
            && !name.split('.').any(|label| label.starts_with("xn--"))
            && !name.rsplit('.').next().is_some_and(is_number);
        is_host.then(|| Self::Dns(name.into()))
    }

    /// An address.
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }

    /// What a Node lists as its address; `None` where it is neither.
    pub fn from_text(text: &str) -> Option<Self> {
        text.parse().map_or_else(|_| Self::dns(text), |address| Some(Self::ip(address)))
    }

    /// Every name and address of a request.
    ///
    /// # Errors
    ///
    /// The first name that is no host's.
    pub fn of(sans: &SubjectAltNames) -> Result<Vec<Self>, &str> {
        let names = sans.dns.iter().map(|name| Self::dns(name).ok_or(name.as_str()));
        names.chain(sans.ip.iter().map(|address| Ok(Self::ip(*address)))).collect()
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// Whether a label is a number, as which resolvers take `0x7f000001` too (`inet_aton`): a name that ends in one is an address.
fn is_number(label: &str) -> bool {
    let is_hexadecimal = |digits: &str| digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    label.bytes().all(|octet| octet.is_ascii_digit()) || label.strip_prefix("0x").is_some_and(is_hexadecimal)
}

/// Whether a text is an RFC 1123 subdomain in lower case, as Kubernetes demands of the names of Nodes.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let is_label = |label: &str| {
        let octets = label.as_bytes();
        let is_inner = |octet: &u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || *octet == b'-';
        (1..=63).contains(&octets.len())
            && octets.iter().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_one_form() {
        for (text, expected) in [
            ("Worker-1", "worker-1"),
            ("worker-1.example.com.", "worker-1.example.com"),
            ("1worker", "1worker"),
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("FD00::0:1", "fd00::1"),
        ] {
            assert_eq!(San::from_text(text).map(|san| san.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_no_host_is_called_is_refused() {
        let long = "a".repeat(64);
        let longer = "a.".repeat(127) + "aa";
        for name in [
            "",
            ".",
            "a..b",
            "*.example.com",
            "*",
            "a_b",
            "a b",
            "-a",
            "a-",
            "xn--bcher-kva.example",
            "a.xn--p1ai",
            "10.0.0.1",
            "a.1",
            "0x7f000001",
            "127.0.0.0x1",
            "0x",
            "a\0",
            "a%",
            "ä",
            "a..",
            &long,
            &longer,
        ] {
            assert_eq!(San::dns(name), None, "{name}");
        }
    }
}
