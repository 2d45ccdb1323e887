//! URIs as Go's `net/url` parses and writes them.
//!
//! Go does not copy a URI from a request into a certificate; it writes anew what it has parsed, which lowers the case of
//! the scheme and re-escapes what need not or must be escaped. To sign the same octets we do the same.

use std::net::Ipv6Addr;

/// Why Go would not accept a URI in a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UriError {
    /// An ASCII control character.
    #[error("invalid control character in URL")]
    ControlCharacter,

    /// Nothing before the first colon.
    #[error("missing protocol scheme")]
    MissingScheme,

    /// A relative reference whose first segment has a colon.
    #[error("first path segment in URL cannot contain colon")]
    ColonInFirstSegment,

    /// A percent sign that is followed by no two hexadecimal digits, or that hides what may not be hidden.
    #[error("invalid URL escape")]
    Escape,

    /// A host with a character that no host has, or brackets around what is no IPv6 address.
    #[error("invalid host")]
    Host,

    /// A port that is no number.
    #[error("invalid port after host")]
    Port,

    /// A character that no userinfo has.
    #[error("invalid userinfo")]
    Userinfo,

    /// Labels that are empty, or a host that ends in a dot.
    #[error("invalid domain")]
    Domain,
}

/// What Go writes after parsing `uri`, which is ASCII.
pub(super) fn normalize(uri: &str) -> Result<String, UriError> {
    let (before, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    let parsed = Uri::parse(before)?;
    if !parsed.host.is_empty() && !is_domain(&parsed.host) {
        return Err(UriError::Domain);
    }
    let mut written = parsed.write();
    if !fragment.is_empty() {
        written.push('#');
        written.push_str(&escaped(fragment, Part::Fragment)?);
    }
    Ok(written)
}

/// A URI without its fragment.
#[derive(Default)]
struct Uri<'a> {
    scheme: String,
    opaque: &'a str,
    /// Whether a path follows the scheme without an authority, as in `file:/etc`.
    omit_host: bool,
    /// User and password, escaped.
    userinfo: Option<String>,
    host: Vec<u8>,
    /// The path, escaped.
    path: String,
    force_query: bool,
    query: &'a str,
}

impl<'a> Uri<'a> {
    fn parse(text: &'a str) -> Result<Self, UriError> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(UriError::ControlCharacter);
        }
        let (scheme, rest) = split_scheme(text)?;
        let mut uri = Self { scheme: scheme.to_ascii_lowercase(), ..Self::default() };
        let rest = match rest.strip_suffix('?') {
            Some(path) if !path.contains('?') => {
                uri.force_query = true;
                path
            }
            _ => {
                let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
                uri.query = query;
                path
            }
        };
        uri.parse_hierarchy(rest)?;
        Ok(uri)
    }

    /// Authority and path, or what is opaque.
    fn parse_hierarchy(&mut self, rest: &'a str) -> Result<(), UriError> {
        let has_scheme = !self.scheme.is_empty();
        let mut path = rest;
        if !rest.starts_with('/') {
            if has_scheme {
                self.opaque = rest;
                return Ok(());
            }
            if has_colon_in_first_segment(rest) {
                return Err(UriError::ColonInFirstSegment);
            }
        } else if let Some(after) =
            rest.strip_prefix("//").filter(|after| has_scheme || !after.starts_with('/'))
        {
            let (authority, after) = after.split_at(after.find('/').unwrap_or(after.len()));
            self.parse_authority(authority)?;
            path = after;
        } else if has_scheme {
            self.omit_host = true;
        }
        self.path = escaped(path, Part::Path)?;
        Ok(())
    }

    fn parse_authority(&mut self, authority: &str) -> Result<(), UriError> {
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        self.host = match host.rfind('[') {
            Some(0) => bracketed_host(host)?,
            Some(_) => return Err(UriError::Host),
            None => self.named_host(host)?,
        };
        self.userinfo = userinfo.map(escaped_userinfo).transpose()?;
        Ok(())
    }

    fn named_host(&self, host: &str) -> Result<Vec<u8>, UriError> {
        // Only http and https may have no further colons; data bases are reached at lists of hosts with ports.
        let strict = matches!(self.scheme.as_str(), "http" | "https");
        let colon = if strict { host.find(':') } else { host.rfind(':') };
        if colon.is_some_and(|colon| !is_optional_port(&host[colon..])) {
            return Err(UriError::Port);
        }
        unescape(host, Part::Host)
    }

    fn write(&self) -> String {
        let mut written = String::new();
        if !self.scheme.is_empty() {
            written.extend([self.scheme.as_str(), ":"]);
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(&mut written);
        } else {
            written.push_str(self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            written.extend(["?", self.query]);
        }
        written
    }

    fn write_hierarchy(&self, written: &mut String) {
        let has_authority = !self.host.is_empty() || self.userinfo.is_some();
        if has_authority || (!self.scheme.is_empty() && !self.omit_host && !self.path.is_empty()) {
            written.push_str("//");
        }
        if let Some(userinfo) = &self.userinfo {
            written.extend([userinfo.as_str(), "@"]);
        }
        written.push_str(&escape(&self.host, Part::Host));
        if written.is_empty() && has_colon_in_first_segment(&self.path) {
            written.push_str("./");
        }
        written.push_str(&self.path);
    }
}

/// The scheme, if there is one, and what follows its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), UriError> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    match text.bytes().position(|byte| !is_scheme(byte)) {
        Some(0) if text.starts_with(':') => Err(UriError::MissingScheme),
        Some(end) if text[end..].starts_with(':') && text.as_bytes()[0].is_ascii_alphabetic() => {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

fn has_colon_in_first_segment(path: &str) -> bool {
    path.split('/').next().is_some_and(|segment| segment.contains(':'))
}

/// A host in brackets: an IPv6 address, a zone in RFC 6874's form, and a port.
fn bracketed_host(host: &str) -> Result<Vec<u8>, UriError> {
    let (inside, port) = host[1..].rsplit_once(']').ok_or(UriError::Host)?;
    if !is_optional_port(port) {
        return Err(UriError::Port);
    }
    let (address, zone) = inside.split_at(inside.find("%25").unwrap_or(inside.len()));
    let mut name = unescape(address, Part::Host)?;
    name.extend(unescape(zone, Part::Zone)?);
    if !is_ipv6(&name) {
        return Err(UriError::Host);
    }
    Ok([b"[", name.as_slice(), b"]", port.as_bytes()].concat())
}

/// Whether this is an IPv6 address, with a zone or without.
fn is_ipv6(name: &[u8]) -> bool {
    let (address, zone) = match name.iter().position(|&byte| byte == b'%') {
        Some(percent) => (&name[..percent], Some(&name[percent + 1..])),
        None => (name, None),
    };
    let parsed = str::from_utf8(address).ok().and_then(|address| address.parse::<Ipv6Addr>().ok());
    parsed.is_some() && zone != Some(&[])
}

/// Whether this is empty, or a colon and digits.
fn is_optional_port(port: &str) -> bool {
    match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    }
}

/// Whether Go's `domainNameValid` takes this host: printable ASCII, and no empty label.
fn is_domain(host: &[u8]) -> bool {
    host.iter().all(u8::is_ascii_graphic) && host.split(|&byte| byte == b'.').all(|label| !label.is_empty())
}

fn escaped_userinfo(userinfo: &str) -> Result<String, UriError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !userinfo.bytes().all(allowed) {
        return Err(UriError::Userinfo);
    }
    let reescape = |part: &str| Ok(escape(&unescape(part, Part::Userinfo)?, Part::Userinfo));
    match userinfo.split_once(':') {
        Some((user, password)) => Ok([reescape(user)?, reescape(password)?].join(":")),
        None => reescape(userinfo),
    }
}

/// A path or fragment in escaped form: as sent when that is a valid one, else as Go escapes it.
fn escaped(sent: &str, part: Part) -> Result<String, UriError> {
    let plain = unescape(sent, part)?;
    let default = escape(&plain, part);
    if sent != default && sent.bytes().all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || part.keeps(byte)) {
        return Ok(sent.to_owned());
    }
    Ok(if plain == b"*" && part == Part::Path { "*".to_owned() } else { default })
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, UriError> {
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && !part.keeps(*byte) {
                return Err(UriError::Host);
            }
            plain.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return Err(UriError::Escape);
        };
        let value = hexadecimal(*high).zip(hexadecimal(*low)).ok_or(UriError::Escape)?;
        let value = value.0 << 4 | value.1;
        if !part.may_hide(value) {
            return Err(UriError::Escape);
        }
        plain.push(value);
        rest = after;
    }
    Ok(plain)
}

fn escape(plain: &[u8], part: Part) -> String {
    let mut text = String::with_capacity(plain.len());
    for &byte in plain {
        if part.keeps(byte) {
            text.push(byte.into());
        } else {
            let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
            text.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
    text
}

fn hexadecimal(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// The parts of a URI that have each their own characters that need no escape.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Path,
    Host,
    Zone,
    Userinfo,
    Fragment,
}

impl Part {
    /// Whether Go leaves this byte as it is.
    fn keeps(self, byte: u8) -> bool {
        let reserved: &[u8] = match self {
            Self::Path => b"$&+,/:;=@",
            Self::Host | Self::Zone => b"!\"$&'()*+,:;<=>[]",
            Self::Userinfo => b"$&+,;=",
            Self::Fragment => b"!$&()*+,/:;=?@",
        };
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || reserved.contains(&byte)
    }

    /// Whether this byte may stand as an escape: in a host only what is not ASCII, in a zone only what a host may have.
    fn may_hide(self, byte: u8) -> bool {
        match self {
            Self::Path | Self::Userinfo | Self::Fragment => true,
            Self::Host => !byte.is_ascii() || byte == b'%',
            Self::Zone => byte == b'%' || byte == b' ' || Self::Host.keeps(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_written_as_go_writes_them() {
        for (sent, written) in [
            ("help://me@what:8080/where/when?why=true", "help://me@what:8080/where/when?why=true"),
            ("SPIFFE://Cluster.Local/ns/A", "spiffe://Cluster.Local/ns/A"),
            ("mailto:a@b", "mailto:a@b"),
            ("urn:x%zz", "urn:x%zz"),
            ("", ""),
            ("*", "*"),
            ("%2A", "*"),
            ("a/b:c", "a/b:c"),
            ("file:/etc", "file:/etc"),
            ("file:///etc", "file:///etc"),
            ("http://", "http:"),
            ("http://h", "http://h"),
            ("http://h?", "http://h?"),
            ("http://h??", "http://h??"),
            ("http://h?a b", "http://h?a b"),
            ("http://h/a b", "http://h/a%20b"),
            ("http://h/%41%2f!", "http://h/%41%2f!"),
            ("http://h/\"%41", "http://h/%22A"),
            ("http://h#", "http://h"),
            ("http://h#a b%20", "http://h#a%20b%20"),
            ("http://u:p%40w@h", "http://u:p%40w@h"),
            ("http://u@v:p@h", "http://u%40v:p@h"),
            ("http://[fe80::1%25en0]:80/", "http://[fe80::1%25en0]:80/"),
            ("http://[::ffff:1.2.3.4]", "http://[::ffff:1.2.3.4]"),
            ("db://a:1,b:2", "db://a:1,b:2"),
            ("//h/p", "//h/p"),
            ("///p", "///p"),
        ] {
            assert_eq!(normalize(sent).as_deref(), Ok(written), "{sent:?}");
        }
    }

    #[test]
    fn what_go_does_not_parse_is_refused() {
        for (sent, expected) in [
            ("a\tb", UriError::ControlCharacter),
            (":a", UriError::MissingScheme),
            ("1a:b", UriError::ColonInFirstSegment),
            ("http://h/%4", UriError::Escape),
            ("http://h#%zz", UriError::Escape),
            ("http://%41", UriError::Escape),
            ("http://h h", UriError::Host),
            ("http://a[::1]", UriError::Host),
            ("http://[::1", UriError::Host),
            ("http://[1.2.3.4]", UriError::Host),
            ("http://[::1%25]", UriError::Host),
            ("http://h:x", UriError::Port),
            ("http://h:1:2", UriError::Port),
            ("http://[::1]x", UriError::Port),
            ("http://u p@h", UriError::Userinfo),
            ("http://a..b", UriError::Domain),
            ("http://a.", UriError::Domain),
            ("http://a%ff", UriError::Domain),
        ] {
            assert_eq!(normalize(sent), Err(expected), "{sent:?}");
        }
    }
}
