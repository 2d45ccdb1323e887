//! What requests may say: the fields `subject`, `names` and `keys`.

use std::collections::BTreeMap;

use csr::AttributeType;
use csr::profile::{KeyLimits, Limits, NameLimits, Otherwise, Pattern, SubjectLimits, Treatment, UriPrefix};

use crate::mistake::Fault;
use crate::range;
use crate::reader::{Item, Reader, Section};

/// What becomes of an attribute, by its word in the file.
pub(crate) const TREATMENTS: [(&str, Treatment); 4] = [
    ("pass", Treatment::Pass),
    ("drop", Treatment::Drop),
    ("require", Treatment::Require),
    ("refuse", Treatment::Refuse),
];

/// What becomes of a name that does not fit, by its word in the file.
pub(crate) const OTHERWISE: [(&str, Otherwise); 3] =
    [("refuse", Otherwise::Refuse), ("drop", Otherwise::Drop), ("pass", Otherwise::Pass)];

/// Names in one certificate, at most.
pub(crate) const MOST_NAMES: u16 = 1000;

/// Bits of an RSA key: fewer are weak, and more cannot be verified.
pub(crate) const RSA_BITS: (u16, u16) = (2048, 8192);

/// Bits of the elliptic curves.
pub(crate) const ECDSA_BITS: (u16, u16) = (256, 521);

pub(super) fn read(section: &mut Section<'_>, limits: &mut Limits, reader: &mut Reader) {
    if let Some(section) = section.field("subject").and_then(|item| item.section(reader)) {
        read_subject(section, &mut limits.subject, reader);
    }
    if let Some(section) = section.field("names").and_then(|item| item.section(reader)) {
        limits.names = names(section, &limits.names, reader);
    }
    if let Some(item) = section.field("keys") {
        limits.keys = keys(&item, reader).unwrap_or(limits.keys);
    }
}

fn read_subject(mut section: Section<'_>, limits: &mut SubjectLimits, reader: &mut Reader) {
    if let Some(item) = section.field("attributes") {
        limits.attributes = attributes(&item, reader).unwrap_or_default();
    }
    let expected = "a pattern, in which * stands for any text without a dot and ** for any text";
    limits.common_names = patterns(section.field("commonNames"), expected, reader);
    limits.organizations = patterns(section.field("organizations"), expected, reader);
    section.finish(reader);
}

fn attributes(item: &Item<'_>, reader: &mut Reader) -> Option<BTreeMap<AttributeType, Treatment>> {
    let mut section = item.section(reader)?;
    let mut attributes = BTreeMap::new();
    for kind in AttributeType::ALL {
        let item = section.field(kind.name());
        let index = item.and_then(|item| item.word(reader, &TREATMENTS.map(|(word, _)| word)));
        if let Some(index) = index {
            attributes.insert(kind, TREATMENTS[index].1);
        }
    }
    section.finish(reader);
    Some(attributes)
}

/// `unsaid` holds as far as nothing is said; but where names are listed, others are refused.
fn names(mut section: Section<'_>, unsaid: &NameLimits, reader: &mut Reader) -> NameLimits {
    let expected = "a pattern of names, in which * stands for any text without a dot and ** for any text";
    let dns = patterns(section.field("dns"), expected, reader);
    let ranges = section.field("ip");
    let mut limits = NameLimits {
        dns: dns.iter().map(Pattern::to_lowercase).collect(),
        ip: ranges.map(|item| range::read_all(&item, reader)).unwrap_or_default(),
        email: patterns(section.field("email"), expected, reader),
        uri: prefixes(section.field("uri"), reader),
        ..unsaid.clone()
    };
    let words = OTHERWISE.map(|(word, _)| word);
    let index = section.field("otherwise").and_then(|item| item.word(reader, &words));
    let unlisted = if limits.is_empty() { unsaid.otherwise } else { Otherwise::Refuse };
    limits.otherwise = index.map_or(unlisted, |index| OTHERWISE[index].1);
    let most = section.field("max").and_then(|item| item.number(reader, 0, MOST_NAMES));
    limits.most = most.map_or(limits.most, usize::from);
    if let Some(item) = section.field("min")
        && let Some(least) = item.number(reader, 0, MOST_NAMES)
    {
        limits.least = usize::from(least);
        if limits.least > limits.most {
            item.wrong(reader, Fault::Useless("more names than max are required"));
        }
    }
    section.finish(reader);
    limits
}

fn patterns(item: Option<Item<'_>>, expected: &str, reader: &mut Reader) -> Vec<Pattern> {
    let items = item.map(|item| item.list(reader, "patterns")).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(reader, expected, |text| text.parse().ok())).collect()
}

fn prefixes(item: Option<Item<'_>>, reader: &mut Reader) -> Vec<UriPrefix> {
    let expected = "the beginning of a URI, with its authority and a slash at the end, such as spiffe://example.com/apps/";
    let items = item.map(|item| item.list(reader, "beginnings of URIs")).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(reader, expected, UriPrefix::from_text)).collect()
}

/// Algorithms that are not named are refused.
fn keys(item: &Item<'_>, reader: &mut Reader) -> Option<KeyLimits> {
    let mut section = item.section(reader)?;
    let mut bits = |name, (least, most), reader: &mut Reader| {
        section.field(name).and_then(|item| item.number(reader, least, most))
    };
    let (rsa, ecdsa) = (bits("rsa", RSA_BITS, reader), bits("ecdsa", ECDSA_BITS, reader));
    let ed25519 = section.field("ed25519").and_then(|item| item.boolean(reader)).unwrap_or_default();
    let before = reader.count();
    section.finish(reader);
    let keys = KeyLimits { rsa, ecdsa, ed25519 };
    if keys == (KeyLimits { rsa: None, ecdsa: None, ed25519: false }) && reader.count() == before {
        item.unexpected(reader, "one of rsa, ecdsa and ed25519 at least");
    }
    Some(keys)
}
