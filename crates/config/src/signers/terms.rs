//! How certificates are made: `lifetime`, `backdate`, `jitter`, `chain` and URLs.

use csr::profile::Chain;
use time::Duration;

use super::{GivenLifetime, Signer};
use crate::duration;
use crate::mistake::Fault;
use crate::reader::{Item, Reader, Section};

/// What is published besides the certificate, by its word in the file.
pub(crate) const CHAINS: [(&str, Chain); 2] =
    [("leaf", Chain::Leaf), ("intermediates", Chain::Intermediates)];

pub(super) fn read(section: &mut Section<'_>, signer: &mut Signer, reader: &mut Reader) {
    if let Some(section) = section.field("lifetime").and_then(|item| item.section(reader)) {
        signer.lifetime = lifetime(section, reader);
    }
    let backdate = section.field("backdate").and_then(|item| span(&item, 0, LONGEST_BACKDATE, reader));
    signer.backdate = backdate.unwrap_or(signer.backdate);
    let jitter = section.field("jitter").and_then(|item| span(&item, 0, i32::MAX, reader));
    signer.jitter = jitter.unwrap_or(signer.jitter);
    let words = CHAINS.map(|(word, _)| word);
    let chain = section.field("chain").and_then(|item| item.word(reader, &words));
    signer.chain = chain.map_or(signer.chain, |index| CHAINS[index].1);
    let access = section.field("authorityInformationAccess");
    if let Some(mut access) = access.and_then(|item| item.section(reader)) {
        signer.pointers.ocsp = urls(access.field("ocsp"), reader);
        signer.pointers.ca_issuers = urls(access.field("caIssuers"), reader);
        access.finish(reader);
    }
    signer.pointers.crl = urls(section.field("crlDistributionPoints"), reader);
}

fn lifetime(mut section: Section<'_>, reader: &mut Reader) -> GivenLifetime {
    let mut least = 1;
    let mut bound = |name, reader: &mut Reader| {
        let item = section.field(name)?;
        let found = span(&item, 1, i32::MAX, reader)?;
        if found.whole_seconds() < least {
            item.wrong(
                reader,
                Fault::Useless("less than what goes before: min, default and max rise in that order"),
            );
        }
        least = found.whole_seconds();
        Some(found)
    };
    let (min, default) = (bound("min", reader), bound("default", reader));
    let max = bound("max", reader);
    section.finish(reader);
    GivenLifetime { min, default, max }
}

/// A duration of whole seconds.
fn span(item: &Item<'_>, least: i32, most: i32, reader: &mut Reader) -> Option<Duration> {
    let text = item.text(reader, "a duration such as 24h or 1h30m")?;
    let found = duration::parse(text).map_err(|error| item.wrong(reader, Fault::Duration(error))).ok()?;
    let range = Duration::seconds(least.into())..=Duration::seconds(most.into());
    if found.subsec_nanoseconds() == 0 && range.contains(&found) {
        return Some(found);
    }
    let (least, most) = (duration::of_seconds(least.into()), duration::of_seconds(most.into()));
    item.unexpected(reader, format!("a duration of whole seconds from {least} to {most}"));
    None
}

fn urls(item: Option<Item<'_>>, reader: &mut Reader) -> Vec<String> {
    let expected = "a URL such as http://ca.example.com/ca.crl";
    let items = item.map(|item| item.list(reader, "URLs")).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(reader, expected, url)).collect()
}

/// A URL that everybody reads alike: relying parties fetch from there.
fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_one = !host.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    (is_one && text.len() <= LONGEST_URL).then(|| text.to_owned())
}

/// In seconds: a clock that is a day behind has other troubles.
const LONGEST_BACKDATE: i32 = 24 * 60 * 60;

const LONGEST_URL: usize = 2048;
