//! What is kept of each kind of object, and whom a change of it concerns.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use approver::{Question, San};
use ipnet::IpNet;
use tokio::time::Instant;

use super::{Change, Difference, Index, Indexed, REMEMBERED, Table, Unreadable};
use crate::facts::inventory::Inventory;
use crate::facts::object::{self, ApiServers, Node, Service, ServiceRanges};

/// Addresses that a Node may list at most for any to be kept; the configuration allows no more.
const MOST_ADDRESSES: usize = 1000;

/// Names that one change may concern for each to be looked at again at once.
const MOST_CHANGES: usize = 256;

/// What a Node says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEntry {
    pub(super) uid: Arc<str>,
    claims: BTreeSet<San>,
    pub(super) listed: usize,
    is_control_plane: bool,
    pub(super) pod_ranges: BTreeSet<IpNet>,
}

/// What a Service is reached by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceEntry {
    within: BTreeSet<San>,
    outside: BTreeSet<San>,
}

impl Indexed for Node {
    type Entry = NodeEntry;

    const UNREADABLE: Unreadable = Unreadable::ItsName;

    fn table(index: &mut Index) -> &mut Table<NodeEntry> {
        &mut index.nodes
    }

    fn entry(&self) -> NodeEntry {
        let listed = self.listed();
        NodeEntry {
            uid: self.uid(),
            // Of so many none counts, whatever the policy says.
            claims: self.addresses().take(if listed > MOST_ADDRESSES { 0 } else { listed }).collect(),
            listed,
            is_control_plane: self.is_control_plane(),
            pod_ranges: self.pod_ranges().collect(),
        }
    }

    fn changed(index: &mut Index, key: &Arc<str>, change: Difference<'_, NodeEntry>) -> Vec<Change> {
        let none = NodeEntry::default();
        let (former, current) = (change.former.unwrap_or(&none), change.current.unwrap_or(&none));
        let mut sans = moved(&mut index.claimed, key, (&former.claims, &current.claims));
        if change.former.is_none() || change.current.is_none() {
            sans.extend(San::dns(key));
        }
        if former.uid != current.uid {
            // What the record has of it counts no more, or again.
            sans.extend(former.claims.union(&current.claims).cloned());
        }
        let mut changes = claims(sans);
        changes.push(Change::Question(Question::Node(Arc::clone(key))));
        changes.extend((former.pod_ranges != current.pod_ranges).then_some(Change::Everything));
        changes
    }
}

impl Indexed for Service {
    type Entry = ServiceEntry;

    const UNREADABLE: Unreadable = Unreadable::ItsName;

    fn table(index: &mut Index) -> &mut Table<ServiceEntry> {
        &mut index.services
    }

    fn entry(&self) -> ServiceEntry {
        ServiceEntry { within: self.inner().collect(), outside: self.outer().collect() }
    }

    fn bare(namespace: &str, name: &str) -> ServiceEntry {
        ServiceEntry {
            within: BTreeSet::new(),
            outside: object::service_name(namespace, name).into_iter().collect(),
        }
    }

    fn changed(index: &mut Index, key: &Arc<str>, change: Difference<'_, ServiceEntry>) -> Vec<Change> {
        let none = ServiceEntry::default();
        let (former, current) = (change.former.unwrap_or(&none), change.current.unwrap_or(&none));
        let mut sans = moved(&mut index.served_within, key, (&former.within, &current.within));
        sans.extend(moved(&mut index.served_outside, key, (&former.outside, &current.outside)));
        claims(sans)
    }
}

impl Indexed for ApiServers {
    type Entry = BTreeSet<(IpAddr, u16)>;

    const UNREADABLE: Unreadable = Unreadable::Nothing;

    fn table(index: &mut Index) -> &mut Table<Self::Entry> {
        &mut index.api_servers
    }

    fn entry(&self) -> Self::Entry {
        self.sockets().collect()
    }

    fn changed(index: &mut Index, _: &Arc<str>, change: Difference<'_, Self::Entry>) -> Vec<Change> {
        let none = Self::Entry::new();
        let (former, current) = (change.former.unwrap_or(&none), change.current.unwrap_or(&none));
        let now = Instant::now();
        index.former_servers.retain(|_, left| now.duration_since(*left) <= REMEMBERED);
        index.former_servers.extend(former.difference(current).map(|(address, _)| (*address, now)));
        claims(former.symmetric_difference(current).map(|(address, _)| San::Ip(*address)).collect())
    }
}

impl Indexed for ServiceRanges {
    type Entry = BTreeSet<IpNet>;

    const UNREADABLE: Unreadable = Unreadable::Nothing;

    fn table(index: &mut Index) -> &mut Table<BTreeSet<IpNet>> {
        &mut index.service_ranges
    }

    fn entry(&self) -> BTreeSet<IpNet> {
        self.ranges().collect()
    }

    fn changed(_: &mut Index, _: &Arc<str>, _: Difference<'_, Self::Entry>) -> Vec<Change> {
        vec![Change::Everything]
    }
}

impl Indexed for Inventory {
    type Entry = ::config::inventory::Inventory;

    const UNREADABLE: Unreadable = Unreadable::WhatItSaid;

    fn table(index: &mut Index) -> &mut Table<Self::Entry> {
        &mut index.inventory
    }

    fn entry(&self) -> Self::Entry {
        self.entries.clone()
    }

    fn changed(index: &mut Index, _: &Arc<str>, change: Difference<'_, Self::Entry>) -> Vec<Change> {
        let none = Self::Entry::new();
        let (former, current) = (change.former.unwrap_or(&none), change.current.unwrap_or(&none));
        let nodes: BTreeSet<_> = former.keys().chain(current.keys()).collect();
        let (none, mut sans) = (BTreeSet::new(), BTreeSet::new());
        for node in nodes {
            let (former, current) = (former.get(node).unwrap_or(&none), current.get(node).unwrap_or(&none));
            sans.extend(moved(&mut index.inventoried, &node.as_str().into(), (former, current)));
        }
        // Only the operator changes it: everybody may be looked at again.
        if sans.len() > MOST_CHANGES { vec![Change::Everything] } else { claims(sans) }
    }
}

/// Whoever is held on one of these names. Of very many nobody is told: they ask again by themselves, and a Node that lists other
/// names each second is to cost no more than itself.
pub(super) fn claims(sans: BTreeSet<San>) -> Vec<Change> {
    if sans.len() > MOST_CHANGES {
        return Vec::new();
    }
    sans.into_iter().map(|san| Change::Question(Question::Claims(san))).collect()
}

/// Moves a key from the names that it had to those that it has; returns all whom that concerns.
fn moved(
    map: &mut HashMap<San, BTreeSet<Arc<str>>>,
    key: &Arc<str>,
    (former, current): (&BTreeSet<San>, &BTreeSet<San>),
) -> BTreeSet<San> {
    for san in former.difference(current) {
        if let Some(keys) = map.get_mut(san) {
            keys.remove(key);
            if keys.is_empty() {
                map.remove(san);
            }
        }
    }
    for san in current.difference(former) {
        map.entry(san.clone()).or_default().insert(Arc::clone(key));
    }
    former.symmetric_difference(current).cloned().collect()
}
