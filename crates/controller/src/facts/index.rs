//! Who has which name and address, as last seen: small, and quick to ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use approver::{Claims, Question, Reservation, San};
use ipnet::IpNet;
use tokio::time::Instant;

use super::object::{ApiServers, Node, Service, ServiceRanges, Source};
use super::record::Record;

mod entry;
mod owned;

use entry::claims;
pub use entry::{NodeEntry, ServiceEntry};

/// What must have been heard of this lately: the API server says once a minute that nothing was missed, and a watch that is silent
/// for 90 s is taken up anew.
pub(super) const FRESH: Duration = Duration::from_secs(120);

/// What API servers were reached at, or presented, stays reserved for so long: they restart, one after the other.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What an API server presents is looked at every minute; now and then one is restarted.
const FRESH_CERTIFICATE: Duration = Duration::from_secs(300);

/// What is known of the cluster.
#[derive(Debug)]
pub struct Index {
    nodes: Table<NodeEntry>,
    services: Table<ServiceEntry>,
    api_servers: Table<BTreeSet<(IpAddr, u16)>>,
    service_ranges: Table<BTreeSet<IpNet>>,
    /// What API servers present.
    presented: BTreeMap<(IpAddr, u16), Presented>,
    /// Where API servers were until lately: one that restarts comes back.
    former_servers: BTreeMap<IpAddr, Instant>,
    claimed: HashMap<San, BTreeSet<Arc<str>>>,
    served_within: HashMap<San, BTreeSet<Arc<str>>>,
    served_outside: HashMap<San, BTreeSet<Arc<str>>>,
    /// What nodes were approved for.
    record: Record,
}

/// What one API server presents, each name with when it was last seen, and when it last presented anything.
#[derive(Debug)]
struct Presented {
    seen: Instant,
    sans: BTreeMap<San, Instant>,
}

/// Everything of one kind, and since when that is all.
#[derive(Debug)]
pub struct Table<T> {
    resource: &'static str,
    entries: HashMap<Arc<str>, (T, u64)>,
    listing: u64,
    listed: bool,
    heard: Option<Instant>,
}

impl Default for Index {
    /// An index that knows nothing yet.
    fn default() -> Self {
        Self {
            nodes: Table::new(Node::RESOURCE),
            services: Table::new(Service::RESOURCE),
            api_servers: Table::new(ApiServers::RESOURCE),
            service_ranges: Table::new(ServiceRanges::RESOURCE),
            presented: BTreeMap::new(),
            former_servers: BTreeMap::new(),
            claimed: HashMap::new(),
            served_within: HashMap::new(),
            served_outside: HashMap::new(),
            record: Record::default(),
        }
    }
}

/// What the policy says of claims.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// Addresses that a Node may list before none of them counts as claimed.
    pub max_addresses: usize,

    /// Ranges of Services by configuration, for API servers that have no objects for them.
    pub service_ranges: &'a [IpNet],
}

/// What may have another answer now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// This question.
    Question(Question),

    /// Any: a range changed, or something can be read again.
    Everything,
}

/// What was kept of an object, and what is; `None` where there was or is none.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a, T> {
    former: Option<&'a T>,
    current: Option<&'a T>,
}

/// A kind of object that the index takes in.
pub trait Indexed: Source {
    /// What is kept of one.
    type Entry: Clone + Default + PartialEq;

    /// Where.
    fn table(index: &mut Index) -> &mut Table<Self::Entry>;

    /// What is kept of this one.
    fn entry(&self) -> Self::Entry;

    /// Follows a change, and says whom it concerns.
    fn changed(index: &mut Index, key: &Arc<str>, change: Difference<'_, Self::Entry>) -> Vec<Change>;
}

impl Index {
    /// Takes in what an object says now, and returns whom that concerns.
    pub fn put<T: Indexed>(&mut self, object: &T) -> Vec<Change> {
        let (key, entry) = (object.metadata().key(), object.entry());
        let table = T::table(self);
        let listing = table.listing;
        let former = table.entries.insert(Arc::clone(&key), (entry.clone(), listing));
        let former = former.map(|(entry, _)| entry);
        if former.as_ref() == Some(&entry) {
            return Vec::new();
        }
        T::changed(self, &key, Difference { former: former.as_ref(), current: Some(&entry) })
    }

    /// Forgets an object.
    pub fn remove<T: Indexed>(&mut self, key: &str) -> Vec<Change> {
        match T::table(self).entries.remove_entry(key) {
            Some((key, (former, _))) => {
                T::changed(self, &key, Difference { former: Some(&former), current: None })
            }
            None => Vec::new(),
        }
    }

    /// Begins a list of all objects.
    pub fn begin<T: Indexed>(&mut self) {
        T::table(self).listing += 1;
    }

    /// Ends it: what was not in it is no more.
    pub fn end<T: Indexed>(&mut self) -> Vec<Change> {
        let table = T::table(self);
        table.listed = true;
        let gone = table.entries.iter().filter(|(_, (_, listing))| *listing != table.listing);
        let gone: Vec<_> = gone.map(|(key, _)| Arc::clone(key)).collect();
        gone.iter().flat_map(|key| self.remove::<T>(key)).collect()
    }

    /// Nothing was missed until now.
    pub fn heard<T: Indexed>(&mut self, now: Instant) {
        T::table(self).heard = Some(now);
    }

    /// What is known of a name at this moment.
    #[must_use]
    pub fn claims(&self, san: &San, bounds: Bounds<'_>, now: Instant) -> Claims {
        let counts = |name: &&Arc<str>| {
            self.nodes.entries.get(*name).is_some_and(|(entry, _)| entry.listed <= bounds.max_addresses)
        };
        let nodes = self.claimed.get(san).into_iter().flatten().filter(counts).cloned().collect();
        Claims {
            unread: self.unread(bounds, now),
            reservations: self.reservations(san, bounds),
            owners: self.owners(san, &nodes, now),
            nodes,
        }
    }

    /// Where API servers are dialled.
    #[must_use]
    pub fn api_servers(&self) -> BTreeSet<(IpAddr, u16)> {
        self.api_servers.values().flatten().copied().collect()
    }

    /// Takes in what an API server presents. What it presented before stays reserved for a day: API servers that share a place
    /// need not present the same.
    pub fn presents(&mut self, at: (IpAddr, u16), sans: BTreeSet<San>, now: Instant) -> Vec<Change> {
        let known =
            self.presented.entry(at).or_insert_with(|| Presented { seen: now, sans: BTreeMap::new() });
        known.seen = now;
        let fresh = sans.iter().filter(|san| !known.sans.contains_key(*san)).cloned().collect();
        known.sans.extend(sans.into_iter().map(|san| (san, now)));
        let is_recent = |seen: Instant| now.duration_since(seen) <= REMEMBERED;
        known.sans.retain(|_, seen| is_recent(*seen));
        let current = self.api_servers();
        self.presented.retain(|at, known| current.contains(at) || is_recent(known.seen));
        claims(fresh)
    }

    /// What is not known at this moment.
    #[must_use]
    pub fn unread(&self, bounds: Bounds<'_>, now: Instant) -> Vec<&'static str> {
        // In every cluster there are API servers and a range of Services: an empty list of them is none.
        let has_servers = !self.api_servers().is_empty() && self.api_servers.is_fresh(now);
        let has_ranges = !self.service_ranges.entries.is_empty() && self.service_ranges.is_fresh(now);
        let is_presented = |known: &Presented| now.duration_since(known.seen) <= FRESH_CERTIFICATE;
        let presents = |at| self.presented.get(&at).is_some_and(is_presented);
        [
            (self.nodes.is_fresh(now), self.nodes.resource),
            (self.services.is_fresh(now), self.services.resource),
            (has_servers, self.api_servers.resource),
            (has_ranges || !bounds.service_ranges.is_empty(), self.service_ranges.resource),
            (self.api_servers().into_iter().all(presents), "the certificates of API servers"),
        ]
        .into_iter()
        .filter_map(|(is_known, what)| (!is_known).then_some(what))
        .collect()
    }

    fn reservations(&self, san: &San, bounds: Bounds<'_>) -> Vec<Reservation> {
        let within = self.served_within.get(san).into_iter().flatten().cloned().map(Reservation::Service);
        let outside = self.served_outside.get(san).into_iter().flatten().cloned();
        let mut found: Vec<_> = within.chain(outside.map(Reservation::ServiceName)).collect();
        match san {
            San::Ip(address) => self.reserve_address(*address, bounds, &mut found),
            San::Dns(name) => {
                if self.nodes.entries.contains_key(name) {
                    found.push(Reservation::NodeName(Arc::clone(name)));
                }
            }
        }
        if self.presented.values().any(|known| known.sans.contains_key(san)) {
            found.push(Reservation::ApiServerCertificate);
        }
        found
    }

    fn reserve_address(&self, address: IpAddr, bounds: Bounds<'_>, found: &mut Vec<Reservation>) {
        let is_former = self.former_servers.contains_key(&address);
        if is_former || self.api_servers.values().flatten().any(|(endpoint, _)| *endpoint == address) {
            found.push(Reservation::ApiServerEndpoint);
        }
        let ranges = self.service_ranges.values().flatten().chain(bounds.service_ranges);
        let ranges = ranges.filter(|range| range.contains(&address));
        found.extend(ranges.copied().map(Reservation::ServiceRange));
        let is_within = |entry: &NodeEntry| entry.pod_ranges.iter().any(|range| range.contains(&address));
        let nodes = self.nodes.entries.iter().filter(|(_, (entry, _))| is_within(entry));
        found.extend(nodes.map(|(name, _)| Reservation::PodRange(Arc::clone(name))));
    }
}

impl<T> Table<T> {
    fn new(resource: &'static str) -> Self {
        Self { resource, entries: HashMap::new(), listing: 0, listed: false, heard: None }
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|(entry, _)| entry)
    }

    /// Whether it was complete a moment ago.
    fn is_fresh(&self, now: Instant) -> bool {
        self.listed && self.heard.is_some_and(|heard| now.duration_since(heard) <= FRESH)
    }
}

#[cfg(test)]
mod tests;
