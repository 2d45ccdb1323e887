//! Who has which name and address, as last seen: small, and quick to ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::config::ObjectName;
use approver::{Claims, Question, Reservation, San};
use ipnet::IpNet;
use tokio::time::Instant;

use super::object::{ApiServers, Node, Service, ServiceRanges, Source, key};
use super::record::Record;

mod entry;
mod owned;
mod table;

use entry::claims;
pub use entry::{NodeEntry, ServiceEntry};
pub(super) use table::FRESH;
pub use table::Table;

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
    /// Where the cluster sends nodes that join.
    announced: Option<Presented>,
    /// Where API servers were until lately: one that restarts comes back.
    former_servers: BTreeMap<IpAddr, Instant>,
    /// What the ConfigMap of this name gives to whom; of no other one anything is kept.
    inventory: Table<::config::inventory::Inventory>,
    inventory_of: Option<ObjectName>,
    inventoried: HashMap<San, BTreeSet<Arc<str>>>,
    claimed: HashMap<San, BTreeSet<Arc<str>>>,
    served_within: HashMap<San, BTreeSet<Arc<str>>>,
    served_outside: HashMap<San, BTreeSet<Arc<str>>>,
    /// What nodes were approved for.
    record: Record,
}

/// What is presented in one place, each name with when it was last seen, and when anything was last known of it.
#[derive(Debug)]
struct Presented {
    seen: Instant,
    sans: BTreeMap<San, Instant>,
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
            announced: None,
            former_servers: BTreeMap::new(),
            inventory: Table::new("configmaps"),
            inventory_of: None,
            inventoried: HashMap::new(),
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

    /// Where a part of the inventory is kept.
    pub inventory: Option<&'a ObjectName>,
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

/// What stands for an object that cannot be read. It depends on who writes such objects: none that a tenant or a node writes may stop
/// the approval of everybody else's certificates, and none that protects the API server may be left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// What it said before, or else its name alone.
    ItsName,

    /// What it said before; if it never said anything, nothing is known.
    WhatItSaid,

    /// Nothing: the kind counts as not read.
    Nothing,
}

/// A kind of object that the index takes in.
pub trait Indexed: Source {
    /// What is kept of one.
    type Entry: Clone + Default + PartialEq;

    /// What stands for one that cannot be read.
    const UNREADABLE: Unreadable;

    /// Where.
    fn table(index: &mut Index) -> &mut Table<Self::Entry>;

    /// What is kept of this one.
    fn entry(&self) -> Self::Entry;

    /// What is kept of one of which only the name is known.
    fn bare(_namespace: &str, _name: &str) -> Self::Entry {
        Self::Entry::default()
    }

    /// Follows a change, and says whom it concerns.
    fn changed(index: &mut Index, key: &Arc<str>, change: Difference<'_, Self::Entry>) -> Vec<Change>;
}

impl Index {
    /// Takes in what an object says now, and returns whom that concerns.
    pub fn put<T: Indexed>(&mut self, object: &T) -> Vec<Change> {
        self.keep::<T>(object.metadata().key(), object.entry())
    }

    /// Takes in that an object is there and cannot be read, and returns whom that concerns.
    pub fn unreadable<T: Indexed>(&mut self, namespace: &str, name: &str) -> Vec<Change> {
        let key = key(namespace, name);
        let table = T::table(self);
        let listing = table.listing;
        let former = table.entries.get_mut(&key).map(|(entry, seen)| {
            *seen = listing;
            entry.clone()
        });
        match (T::UNREADABLE, former) {
            (Unreadable::ItsName, None) => return self.keep::<T>(key, T::bare(namespace, name)),
            (Unreadable::Nothing, _) | (Unreadable::WhatItSaid, None) => {
                table.unreadable.insert(key, listing);
            }
            (Unreadable::ItsName | Unreadable::WhatItSaid, Some(_)) => {}
        }
        Vec::new()
    }

    fn keep<T: Indexed>(&mut self, key: Arc<str>, entry: T::Entry) -> Vec<Change> {
        let table = T::table(self);
        let listing = table.listing;
        table.unreadable.remove(&key);
        let former = table.entries.insert(Arc::clone(&key), (entry.clone(), listing));
        let former = former.map(|(entry, _)| entry);
        if former.as_ref() == Some(&entry) {
            return Vec::new();
        }
        T::changed(self, &key, Difference { former: former.as_ref(), current: Some(&entry) })
    }

    /// Forgets an object.
    pub fn remove<T: Indexed>(&mut self, key: &str) -> Vec<Change> {
        let table = T::table(self);
        table.unreadable.remove(key);
        match table.entries.remove_entry(key) {
            Some((key, (former, _))) => {
                T::changed(self, &key, Difference { former: Some(&former), current: None })
            }
            None => Vec::new(),
        }
    }

    /// Begins a list of all objects.
    pub fn begin<T: Indexed>(&mut self, now: Instant) {
        let table = T::table(self);
        table.listing += 1;
        table.begun = Some(now);
    }

    /// Ends it: what was not in it is no more, and nothing was missed until it began.
    pub fn end<T: Indexed>(&mut self) -> Vec<Change> {
        let table = T::table(self);
        (table.listed, table.heard, table.not_served) = (true, table.begun, None);
        let listing = table.listing;
        table.unreadable.retain(|_, seen| *seen == listing);
        let gone = table.entries.iter().filter(|(_, (_, listing))| *listing != table.listing);
        let gone: Vec<_> = gone.map(|(key, _)| Arc::clone(key)).collect();
        gone.iter().flat_map(|key| self.remove::<T>(key)).collect()
    }

    /// Nothing was missed until now.
    pub fn heard<T: Indexed>(&mut self, now: Instant) {
        T::table(self).heard = Some(now);
    }

    /// The API server has no such kind of objects.
    pub fn not_served<T: Indexed>(&mut self, now: Instant) {
        T::table(self).not_served = Some(now);
    }

    /// From now on a part of the inventory is kept there, or nowhere. What is known of another is forgotten.
    pub fn keep_inventory_of(&mut self, name: Option<ObjectName>) {
        self.inventory = Table::new(self.inventory.resource);
        self.inventoried.clear();
        self.inventory_of = name;
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
            inventory: self.inventoried(san, bounds).cloned().unwrap_or_default(),
            owners: self.owners(san, &nodes, now),
            nodes,
        }
    }

    /// The nodes to which the inventory gives a name, where it is the one that is followed.
    fn inventoried(&self, san: &San, bounds: Bounds<'_>) -> Option<&BTreeSet<Arc<str>>> {
        let is_followed = bounds.inventory.is_some() && bounds.inventory == self.inventory_of.as_ref();
        is_followed.then(|| self.inventoried.get(san)).flatten()
    }

    /// Where API servers are dialled.
    #[must_use]
    pub fn api_servers(&self) -> BTreeSet<(IpAddr, u16)> {
        self.api_servers.values().flatten().copied().collect()
    }

    /// Takes in what an API server presents. What it presented before stays reserved for a day: API servers that share a place
    /// need not present the same.
    pub fn presents(&mut self, at: (IpAddr, u16), sans: BTreeSet<San>, now: Instant) -> Vec<Change> {
        let fresh = self.presented.entry(at).or_insert_with(|| Presented::new(now)).take_in(sans, now);
        let current = self.api_servers();
        self.presented.retain(|at, known| current.contains(at) || is_remembered(known.seen, now));
        claims(fresh)
    }

    /// Takes in where the cluster sends nodes that join, which stays reserved for a day too.
    pub fn announces(&mut self, sans: BTreeSet<San>, now: Instant) -> Vec<Change> {
        claims(self.announced.get_or_insert_with(|| Presented::new(now)).take_in(sans, now))
    }

    /// What is not known at this moment.
    #[must_use]
    pub fn unread(&self, bounds: Bounds<'_>, now: Instant) -> Vec<&'static str> {
        // In every cluster there are API servers and a range of Services: an empty list of them is none.
        let has_servers = !self.api_servers().is_empty() && self.api_servers.is_fresh(now);
        let is_served = !self.service_ranges.is_absent(now);
        let has_ranges = match bounds.service_ranges {
            [] => !self.service_ranges.entries.is_empty() && self.service_ranges.is_fresh(now),
            _ => !is_served || self.service_ranges.is_fresh(now),
        };
        let is_presented = |known: &Presented| now.duration_since(known.seen) <= FRESH_CERTIFICATE;
        let presents = |at| self.presented.get(&at).is_some_and(is_presented);
        let is_announced = self.announced.as_ref().is_some_and(is_presented);
        [
            (self.nodes.is_fresh(now), self.nodes.resource),
            (self.services.is_fresh(now), self.services.resource),
            (has_servers, self.api_servers.resource),
            (has_ranges, self.service_ranges.resource),
            (self.api_servers().into_iter().all(presents), "the certificates of API servers"),
            (is_announced, "the ConfigMap kube-public/cluster-info, or where its server is"),
        ]
        .into_iter()
        .filter_map(|(is_known, what)| (!is_known).then_some(what))
        .chain(self.unread_inventory(bounds, now))
        .collect()
    }

    /// What is missing of the inventory that is kept in the cluster.
    #[must_use]
    pub fn unread_inventory(&self, bounds: Bounds<'_>, now: Instant) -> Option<&'static str> {
        let name = bounds.inventory?;
        let table = &self.inventory;
        let is_current = table.listed && table.is_recent(now) && self.inventory_of.as_ref() == Some(name);
        match (is_current, table.unreadable.is_empty(), table.entries.is_empty()) {
            (true, true, false) => None,
            (true, true, true) => Some("the ConfigMap of the inventory, which does not exist"),
            (true, false, _) => Some("the ConfigMap of the inventory, which has mistakes"),
            (false, ..) => Some("the ConfigMap of the inventory"),
        }
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
        if self.announced.as_ref().is_some_and(|known| known.sans.contains_key(san)) {
            found.push(Reservation::ApiServerAnnounced);
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

impl Presented {
    fn new(now: Instant) -> Self {
        Self { seen: now, sans: BTreeMap::new() }
    }

    /// Takes in what is there now, and returns what was not there before.
    fn take_in(&mut self, sans: BTreeSet<San>, now: Instant) -> BTreeSet<San> {
        self.seen = now;
        let fresh = sans.iter().filter(|san| !self.sans.contains_key(*san)).cloned().collect();
        self.sans.extend(sans.into_iter().map(|san| (san, now)));
        self.sans.retain(|_, seen| is_remembered(*seen, now));
        fresh
    }
}

fn is_remembered(seen: Instant, now: Instant) -> bool {
    now.duration_since(seen) <= REMEMBERED
}

#[cfg(test)]
mod tests;
