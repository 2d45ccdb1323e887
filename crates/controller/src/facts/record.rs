//! What each node was approved for last: who was first with an address, and whose a public key is.
//!
//! It is kept in ConfigMaps, a line for each node, so that it outlives this process, and an operator can read it and take something
//! out. A name is in one line at most: who is approved for it takes it from whoever had it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use approver::{Owner, San};
use aws_lc_rs::digest::{self, SHA256};
use csr::{Curve, PublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::index::FRESH;

/// How many ConfigMaps there are. 15,000 nodes of some 500 bytes each leave half of the MiB that one may hold.
pub const SHARDS: usize = 16;

/// Where they are. There is one record in a cluster, however many Leases: two that lead by mistake still see each other's owners.
pub const NAMESPACE: &str = "kube-system";

const NAME: &str = "countersign-owners-";

/// What a node was approved for last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The uid that its Node had.
    pub uid: Arc<str>,

    /// The digest of its public key.
    pub key: Arc<str>,

    /// The names and addresses that nobody was approved for since.
    pub names: BTreeSet<San>,
}

/// An approval that is to be recorded, with what the record said when it was decided.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The node.
    pub node: Arc<str>,

    /// What it is approved for.
    pub entry: Entry,

    /// Who had each of the names.
    pub owners: BTreeMap<San, BTreeSet<Owner>>,

    /// Who had the key.
    pub key_holders: BTreeSet<Arc<str>>,
}

/// The record, as it was read last.
#[derive(Debug, Default)]
pub struct Record {
    shards: [Shard; SHARDS],
    term: u64,
    owned: HashMap<San, BTreeSet<Arc<str>>>,
    keys: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
}

/// One ConfigMap of it.
#[derive(Clone, Debug, Default)]
pub struct Shard {
    /// The object without its data, to be written back as it is.
    object: Map<String, Value>,
    version: u64,
    lines: BTreeMap<Arc<str>, Line>,
    /// In which term it was read, and when.
    seen: Option<(u64, Instant)>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Line {
    /// Whether it was there when the ConfigMap was read before.
    Read { entry: Entry, is_old: bool },
    /// Not of our making; it stays as it is.
    Unreadable(String),
}

/// What came of taking in a part.
#[derive(Debug, Default)]
pub struct TakenIn {
    /// Names that went from one to another.
    pub moved: BTreeSet<San>,

    /// Whether a node is in it no more.
    pub removed: bool,
}

/// What is to be written of one ConfigMap.
#[derive(Clone, Debug)]
pub struct Draft(Shard);

impl Record {
    /// Believes nothing any more that was read before: others may have led and written since.
    pub fn begin_term(&mut self) {
        self.term += 1;
    }

    /// The number of times that it began.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Whether all of it was read lately.
    #[must_use]
    pub fn is_read(&self, now: Instant) -> bool {
        let is_recent = |(term, at): (u64, Instant)| term == self.term && now.duration_since(at) <= FRESH;
        self.shards.iter().all(|shard| shard.seen.is_some_and(is_recent))
    }

    /// A part cannot be read.
    pub fn lose(&mut self, number: usize) {
        if let Some(shard) = self.shards.get_mut(number) {
            shard.seen = None;
        }
    }

    /// Takes in a part, unless it is older than what is known of it.
    pub(super) fn take_in(&mut self, number: usize, mut fresh: Shard) -> TakenIn {
        let Some(known) = self.shards.get_mut(number) else { return TakenIn::default() };
        if fresh.version < known.version {
            return TakenIn::default();
        }
        for (node, line) in &mut fresh.lines {
            if let Line::Read { entry, is_old } = line {
                *is_old = !is_news(&known.lines, node, entry);
            }
        }
        let former = std::mem::take(&mut known.lines);
        let current = std::mem::take(&mut fresh.lines);
        *known = Shard { seen: fresh.seen.max(known.seen), ..fresh };
        let mut moved = BTreeSet::new();
        for (node, entry) in entries(&former).filter(|(node, entry)| is_news(&current, node, entry)) {
            self.forget(node, entry, &mut moved);
        }
        for (node, entry) in entries(&current).filter(|(node, entry)| is_news(&former, node, entry)) {
            self.learn(node, entry, &mut moved);
        }
        let removed = former.keys().any(|node| !current.contains_key(node));
        self.shards[number].lines = current;
        TakenIn { moved, removed }
    }

    fn learn(&mut self, node: &Arc<str>, entry: &Entry, moved: &mut BTreeSet<San>) {
        for san in &entry.names {
            self.owned.entry(san.clone()).or_default().insert(Arc::clone(node));
            moved.insert(san.clone());
        }
        self.keys.entry(Arc::clone(&entry.key)).or_default().insert(Arc::clone(node));
    }

    fn forget(&mut self, node: &Arc<str>, entry: &Entry, moved: &mut BTreeSet<San>) {
        for san in &entry.names {
            drop_from(&mut self.owned, san, node);
            moved.insert(san.clone());
        }
        drop_from(&mut self.keys, &entry.key, node);
    }

    /// Who has a name, whatever became of the Node.
    pub fn owners(&self, san: &San) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.owned.get(san).into_iter().flatten().filter_map(|node| Some((node, self.entry(node)?)))
    }

    /// Who has a key, whatever became of the Node.
    pub fn key_holders(&self, key: &str) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.keys.get(key).into_iter().flatten().filter_map(|node| Some((node, self.entry(node)?)))
    }

    fn entry(&self, node: &str) -> Option<&Entry> {
        self.shards[shard_of(node)].lines.get(node)?.entry()
    }

    /// What has to be written for an approval, on top of `drafts`; returns the ConfigMaps that it takes. None where the record says
    /// so already.
    pub fn draft(&self, approval: &Approval, drafts: &mut BTreeMap<usize, Draft>) -> BTreeSet<usize> {
        let mut takes = BTreeSet::new();
        let Approval { node, entry, .. } = approval;
        let others = entry.names.iter().flat_map(|san| self.owners(san).map(move |(other, _)| (other, san)));
        for (other, san) in others.filter(|(other, _)| *other != node) {
            let number = shard_of(other);
            let line = self.drafted(number, drafts).0.lines.get_mut(other);
            if let Some(Line::Read { entry, .. }) = line {
                entry.names.remove(san);
            }
            takes.insert(number);
        }
        let number = shard_of(node);
        // What another approval of the node would have written is not there before it is written.
        if drafts.contains_key(&number) || self.entry(node) != Some(entry) {
            let line = Line::Read { entry: entry.clone(), is_old: false };
            self.drafted(number, drafts).0.lines.insert(Arc::clone(node), line);
            takes.insert(number);
        }
        takes
    }

    fn drafted<'d>(&self, number: usize, drafts: &'d mut BTreeMap<usize, Draft>) -> &'d mut Draft {
        drafts.entry(number).or_insert_with(|| Draft(self.shards[number].clone()))
    }
}

impl Shard {
    /// A ConfigMap as the API server has it, read in a term since this moment; `None` where it is none.
    #[must_use]
    pub fn of(object: Value, seen: (u64, Instant)) -> Option<Self> {
        let Value::Object(mut object) = object else { return None };
        let data = object.remove("data");
        let metadata = object.get_mut("metadata")?.as_object_mut()?;
        metadata.remove("managedFields");
        let version = metadata.get("resourceVersion")?.as_str()?.parse().ok()?;
        let data = data.as_ref().and_then(Value::as_object).into_iter().flatten();
        let line = |(node, text): (&String, &Value)| Some((node.as_str().into(), Line::of(text.as_str()?)));
        Some(Self { lines: data.filter_map(line).collect(), object, version, seen: Some(seen) })
    }
}

impl Draft {
    /// Leaves out what does not count; what has come lately stays.
    pub fn retain(&mut self, counts: impl Fn(&str, &Entry) -> bool) {
        self.0.lines.retain(|node, line| match line {
            Line::Read { entry, is_old } => !*is_old || counts(node, entry),
            Line::Unreadable(_) => true,
        });
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self) -> Value {
        let data = self.0.lines.iter().map(|(node, line)| (node.to_string(), line.text().into()));
        let mut object = self.0.object.clone();
        object.insert("data".to_owned(), Value::Object(data.collect()));
        Value::Object(object)
    }
}

/// An entry as it is written.
#[derive(Deserialize, Serialize)]
struct Written {
    uid: String,
    key: String,
    names: Vec<String>,
}

impl Line {
    fn of(text: &str) -> Self {
        let entry = serde_json::from_str(text).ok().and_then(Written::read);
        let unreadable = || Self::Unreadable(text.to_owned());
        entry.map_or_else(unreadable, |entry| Self::Read { entry, is_old: false })
    }

    fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Read { entry, .. } => Some(entry),
            Self::Unreadable(_) => None,
        }
    }

    fn text(&self) -> String {
        match self {
            // Strings in a list and two fields are always JSON.
            Self::Read { entry, .. } => serde_json::to_string(&Written::of(entry)).unwrap_or_default(),
            Self::Unreadable(text) => text.clone(),
        }
    }
}

impl Written {
    fn of(entry: &Entry) -> Self {
        let names = entry.names.iter().map(San::to_string).collect();
        Self { uid: entry.uid.to_string(), key: entry.key.to_string(), names }
    }

    /// The entry; `None` where one of the names is neither a host's nor an address.
    fn read(self) -> Option<Entry> {
        let names = self.names.iter().map(|text| San::from_text(text)).collect::<Option<_>>()?;
        Some(Entry { uid: self.uid.into(), key: self.key.into(), names })
    }
}

/// The ConfigMap in which a node is.
#[must_use]
pub fn shard_of(node: &str) -> usize {
    usize::from(digest::digest(&SHA256, node.as_bytes()).as_ref()[0]) % SHARDS
}

/// The name of a ConfigMap.
#[must_use]
pub fn shard_name(number: usize) -> String {
    format!("{NAME}{number:x}")
}

/// Which of the ConfigMaps an object is; `None` for all others.
#[must_use]
pub fn number_of(object: &Value) -> Option<usize> {
    let metadata = &object["metadata"];
    let is_named = |number: &usize| metadata["name"] == shard_name(*number).as_str();
    (0..SHARDS).find(|number| metadata["namespace"] == NAMESPACE && is_named(number))
}

/// Half of a SHA-256 over the key, in hexadecimal: nobody finds another key with the same.
#[must_use]
pub fn digest(key: &PublicKey) -> Arc<str> {
    let mut context = digest::Context::new(&SHA256);
    match key {
        PublicKey::Rsa { modulus, exponent } => {
            context.update(b"rsa");
            context.update(&exponent.to_be_bytes());
            context.update(modulus);
        }
        PublicKey::Ecdsa { curve, point } => {
            context.update(b"ecdsa");
            context.update(Curve::object_identifier(*curve));
            context.update(point);
        }
        PublicKey::Ed25519(point) => {
            context.update(b"ed25519");
            context.update(&point[..]);
        }
        PublicKey::Unsupported => context.update(b"unsupported"),
    }
    let digest = context.finish();
    digest.as_ref()[..16].iter().map(|octet| format!("{octet:02x}")).collect::<String>().into()
}

fn entries(lines: &BTreeMap<Arc<str>, Line>) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
    lines.iter().filter_map(|(node, line)| Some((node, line.entry()?)))
}

fn is_news(lines: &BTreeMap<Arc<str>, Line>, node: &str, entry: &Entry) -> bool {
    lines.get(node).and_then(Line::entry) != Some(entry)
}

fn drop_from<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<Arc<str>>>, key: &K, node: &str) {
    if let Some(nodes) = map.get_mut(key) {
        nodes.remove(node);
        if nodes.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
