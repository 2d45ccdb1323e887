//! The section `approval.kubeletServing`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use approver::{Constraints, NamePattern, San, Source};

use crate::KubeletServing;
use crate::duration;
use crate::mistake::Fault;
use crate::node::{Value, place};
use crate::range;
use crate::reader::{Item, Reader, Section};

/// Ids of the rules that may deny a request: those on what it says. What is not there yet, or cannot be read, is no reason to
/// refuse anything for good.
pub const DENIABLE: [&str; 10] = [
    "kubelet-serving/node-name",
    "kubelet-serving/unambiguous",
    "kubelet-serving/other-san",
    "kubelet-serving/san-form",
    "kubelet-serving/key",
    "kubelet-serving/san-count",
    "kubelet-serving/lifetime",
    "kubelet-serving/name-pattern",
    "kubelet-serving/address-range",
    "kubelet-serving/subject",
];

/// Addresses that a Node may list, at most, for any of them to count.
pub(crate) const MOST_ADDRESSES: u16 = 1000;

/// Where name servers are asked (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// Names in one request, at most.
pub(crate) const MOST_NAMES: u16 = 1000;

/// The section, as far as it can be read.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader) -> Option<KubeletServing> {
    let mut section = item.section(reader)?;
    let mut read = KubeletServing::default();
    let enabled = section.required(reader, "enabled", "true or false");
    read.enabled = enabled.and_then(|item| item.boolean(reader)).unwrap_or_default();
    read_sources(&mut section, &mut read, reader);
    if let Some(item) = section.field("clusterDomains") {
        read.judgement.cluster_domains = domains(&item, reader);
    }
    if let Some(item) = section.field("serviceRanges") {
        read.service_ranges = range::read_all(&item, reader);
    }
    if let Some(mut reserved) = section.field("reserved").and_then(|item| item.section(reader)) {
        read.judgement.reserved_names = patterns(reserved.field("names"), reader);
        let ranges = reserved.field("ranges");
        read.judgement.reserved_ranges =
            ranges.map(|item| range::read_all(&item, reader)).unwrap_or_default();
        reserved.finish(reader);
    }
    if let Some(constraints) = section.field("constraints").and_then(|item| item.section(reader)) {
        read.judgement.constraints = read_constraints(constraints, reader);
    }
    let max = section.field("maxAddresses").and_then(|item| item.number(reader, 1, MOST_ADDRESSES));
    read.judgement.max_addresses = max.map_or(read.judgement.max_addresses, usize::from);
    let port = section.field("kubeletPort").and_then(|item| item.number(reader, 1, u16::MAX));
    read.kubelet_port = port.unwrap_or(read.kubelet_port);
    if let Some(item) = section.field("deny") {
        read.judgement.deny = rules(&item, reader);
    }
    section.finish(reader);
    Some(read)
}

/// Which sources there are, and how many of them it takes.
fn read_sources(section: &mut Section<'_>, read: &mut KubeletServing, reader: &mut Reader) {
    let judgement = &mut read.judgement;
    let accept = section.field("accept");
    if let Some(item) = &accept {
        judgement.accept = combinations(item, reader);
    }
    let before = reader.count();
    if let Some(item) = section.field("inventory") {
        judgement.inventory = inventory(&item, reader);
    }
    if let Some(mut dns) = section.field("dns").and_then(|item| item.section(reader)) {
        let item = dns.field("domains");
        judgement.node_domains = item.map(|item| domains(&item, reader)).unwrap_or_default();
        let item = dns.field("resolvers");
        read.resolvers = item.map(|item| resolvers(&item, reader)).unwrap_or_default();
        dns.finish(reader);
    }
    // Of a source that is described wrongly nobody can say yet that it confirms nothing.
    let Some(accept) = accept.filter(|_| reader.count() == before) else {
        return;
    };
    let accepts = |source| judgement.accept.iter().any(|sources| sources.contains(&source));
    if accepts(Source::Dns) && judgement.node_domains.is_empty() {
        accept.wrong(reader, Fault::Useless("dns confirms nothing without dns.domains"));
    }
    if accepts(Source::Inventory) && judgement.inventory.is_empty() {
        accept.wrong(reader, Fault::Useless("inventory confirms nothing without an inventory"));
    }
}

/// The combinations of sources that are accepted. One that holds a mistake is left out.
fn combinations(item: &Item<'_>, reader: &mut Reader) -> Vec<BTreeSet<Source>> {
    let items = item.list(reader, "lists of sources");
    if items.is_empty() && matches!(item.value, Value::List(_)) {
        item.unexpected(reader, "one combination of sources at least");
    }
    items.iter().filter_map(|item| combination(item, reader)).collect()
}

fn combination(item: &Item<'_>, reader: &mut Reader) -> Option<BTreeSet<Source>> {
    let items = item.list(reader, "sources, each of which must confirm a name");
    let labels = Source::ALL.map(Source::label);
    let sources: Vec<_> = items.iter().map(|item| item.word(reader, &labels)).collect();
    let sources: BTreeSet<_> = sources.into_iter().flatten().map(|index| Source::ALL[index]).collect();
    if items.is_empty() && matches!(item.value, Value::List(_)) {
        item.unexpected(reader, "one source at least");
    }
    (!sources.is_empty()).then_some(sources)
}

fn inventory(item: &Item<'_>, reader: &mut Reader) -> BTreeMap<String, BTreeSet<San>> {
    let mut inventory = BTreeMap::new();
    for (node, names) in item.entries(reader, "of nodes to their names and addresses") {
        if !is_node_name(&node.value) {
            let (expected, found) = ("the name of a Node".to_owned(), format!("{:?}", node.value));
            reader.note(&names.path, place(node), Fault::Unexpected { expected, found });
        }
        let expected = "a host name or an address";
        let items = names.list(reader, "names and addresses");
        let sans = items.iter().filter_map(|item| item.parsed(reader, expected, San::from_text));
        inventory.insert(node.value.clone(), sans.collect());
    }
    inventory
}

/// Whether a Node can have that name: an RFC 1123 subdomain.
pub(crate) fn is_node_name(name: &str) -> bool {
    // Such is a pattern in which nothing stands for anything else.
    let pattern = name.parse::<NamePattern>();
    pattern.is_ok_and(|pattern| pattern.to_string() == name) && !name.contains(['*', '{'])
}

fn domains(item: &Item<'_>, reader: &mut Reader) -> Vec<String> {
    let items = item.list(reader, "domains");
    let domain = |text: &str| San::dns(text).map(|name| name.to_string());
    items.iter().filter_map(|item| item.parsed(reader, "a domain such as example.com", domain)).collect()
}

fn resolvers(item: &Item<'_>, reader: &mut Reader) -> Vec<SocketAddr> {
    let expected = "the address of a name server such as 10.0.0.53 or [fd00::53]:53";
    let items = item.list(reader, "addresses of name servers");
    items.iter().filter_map(|item| item.parsed(reader, expected, resolver)).collect()
}

/// An address, with a port where it is not the usual one. Nobody serves at a port 0, or at no address.
fn resolver(text: &str) -> Option<SocketAddr> {
    let alone = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    let at = alone.or_else(|_| text.parse::<SocketAddr>()).ok()?;
    let at = SocketAddr::new(at.ip().to_canonical(), at.port());
    let is_one = !at.ip().is_unspecified() && !at.ip().is_multicast() && at.port() != 0;
    is_one.then_some(at)
}

fn patterns(item: Option<Item<'_>>, reader: &mut Reader) -> Vec<NamePattern> {
    let expected = "a pattern of host names, of letters, digits, hyphens, dots, * and {node}";
    let items = item.map(|item| item.list(reader, "patterns of host names")).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(reader, expected, |text| text.parse().ok())).collect()
}

fn read_constraints(mut section: Section<'_>, reader: &mut Reader) -> Constraints {
    let names = patterns(section.field("names"), reader);
    let mut ranges = |name, reader: &mut Reader| {
        let item = section.field(name);
        item.map(|item| range::read_all(&item, reader)).unwrap_or_default()
    };
    let allowed_ranges = ranges("allowedRanges", reader);
    let denied_ranges = ranges("deniedRanges", reader);
    let max_names = section.field("maxNames").and_then(|item| item.number(reader, 1, MOST_NAMES));
    let max_lifetime = section.field("maxLifetime").and_then(|item| lifetime(&item, reader));
    section.finish(reader);
    let max_names = max_names.map_or_else(|| Constraints::default().max_names, usize::from);
    Constraints { names, allowed_ranges, denied_ranges, max_names, max_lifetime }
}

/// A duration in seconds, as requests have it.
fn lifetime(item: &Item<'_>, reader: &mut Reader) -> Option<i32> {
    let text = item.text(reader, "a duration such as 24h or 1h30m")?;
    let duration = duration::parse(text).map_err(|error| item.wrong(reader, Fault::Duration(error))).ok()?;
    let seconds = i32::try_from(duration.whole_seconds()).ok();
    let seconds = seconds.filter(|seconds| *seconds > 0 && duration.subsec_nanoseconds() == 0);
    if seconds.is_none() {
        item.unexpected(reader, "a duration of whole seconds from 1s to 2147483647s");
    }
    seconds
}

fn rules(item: &Item<'_>, reader: &mut Reader) -> BTreeSet<&'static str> {
    let mut deny = BTreeSet::new();
    for item in item.list(reader, "ids of rules") {
        let Some(id) = item.text(reader, "the id of a rule") else {
            continue;
        };
        if let Some(known) = DENIABLE.into_iter().find(|known| *known == id) {
            deny.insert(known);
        } else if approver::RULES.iter().any(|rule| rule.id == id) {
            item.wrong(reader, Fault::NotDeniable { id: id.to_owned() });
        } else {
            item.no_such_word(reader, &DENIABLE);
        }
    }
    deny
}
