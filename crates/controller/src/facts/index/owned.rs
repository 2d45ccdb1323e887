//! What the record says, of Nodes that are still the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use approver::{Owner, San};
use csr::PublicKey;
use tokio::time::Instant;

use super::{Bounds, Change, Index, claims};
use crate::facts::record::{self, Approval, Draft, Entry, Shard, TakenIn};

impl Index {
    /// For which of these Nodes, that list it, a name was approved last.
    pub(super) fn owners(&self, san: &San, nodes: &BTreeSet<Arc<str>>, now: Instant) -> BTreeSet<Owner> {
        if !self.record.is_read(now) {
            return BTreeSet::new();
        }
        let counts = |(node, entry): &(&Arc<str>, &Entry)| nodes.contains(*node) && self.is_same(node, entry);
        let owners = self.record.owners(san).filter(counts);
        owners.map(|(node, entry)| Owner { node: Arc::clone(node), uid: Arc::clone(&entry.uid) }).collect()
    }

    /// The Nodes that were approved with a key last; `None` while the record is unread.
    #[must_use]
    pub fn key_holders(&self, key: &PublicKey, now: Instant) -> Option<BTreeSet<Arc<str>>> {
        self.record.is_read(now).then(|| self.holders(&record::digest(key)))
    }

    /// Takes in a part of the record, and returns whom that concerns.
    pub fn take_in(&mut self, number: usize, shard: Shard, now: Instant) -> Vec<Change> {
        let was_read = self.record.is_read(now);
        let TakenIn { moved, removed } = self.record.take_in(number, shard);
        let is_read_again = !was_read && self.record.is_read(now);
        if is_read_again || removed { vec![Change::Everything] } else { claims(moved) }
    }

    /// The record as it is.
    #[must_use]
    pub fn record(&self) -> &record::Record {
        &self.record
    }

    /// The same, to be changed.
    pub fn record_mut(&mut self) -> &mut record::Record {
        &mut self.record
    }

    /// Whether the record is to this day as an approval found it when it was decided.
    #[must_use]
    pub fn agrees(&self, approval: &Approval, bounds: Bounds<'_>, now: Instant) -> bool {
        let is_theirs =
            |(san, owners): (&San, &BTreeSet<Owner>)| self.claims(san, bounds, now).owners == *owners;
        self.record.is_read(now)
            && approval.owners.iter().all(is_theirs)
            && self.holders(&approval.entry.key) == approval.key_holders
    }

    /// Leaves out what Nodes had that are no more. Of what has come lately the Node may not be known yet.
    pub fn prune(&self, draft: &mut Draft, now: Instant) {
        if self.nodes.is_fresh(now) {
            draft.retain(|node, entry| self.is_same(node, entry));
        }
    }

    fn holders(&self, digest: &str) -> BTreeSet<Arc<str>> {
        let holders = self.record.key_holders(digest).filter(|(node, entry)| self.is_same(node, entry));
        holders.map(|(node, _)| Arc::clone(node)).collect()
    }

    /// Whether the Node for which that was approved is there.
    fn is_same(&self, node: &str, entry: &Entry) -> bool {
        self.nodes.entries.get(node).is_some_and(|(found, _)| found.uid == entry.uid)
    }
}
