use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use csr::{CertificateSigningRequest, SignerName};

use crate::record::{Record, State};

/// Where a record is kept; given to another record once it is removed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Slot(u32);

#[cfg(test)]
impl Slot {
    pub(crate) fn new(index: u32) -> Self {
        Self(index)
    }
}

/// All records, by slot and by name.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// In pages, so that growing copies nothing and leaves no half-empty space.
    pages: Vec<Vec<Option<Record>>>,
    vacant: Vec<Slot>,
    by_name: HashMap<Arc<str>, Slot>,
    /// One text per signerName, however many records have it.
    signer_names: HashSet<SignerName>,
    epoch: u32,
    counts: [usize; State::COUNT],
}

const PAGE: usize = 256;

/// signerNames are what requesters write: beyond these many, texts are no longer shared.
const SHARED_NAMES: usize = 1024;

impl Records {
    /// Begins a new list of all objects.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.signer_names.clear();
    }

    /// The list that objects belong to which are seen now.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Adds a record for an object whose name has none.
    pub(crate) fn insert(&mut self, object: &CertificateSigningRequest) -> Slot {
        let signer_name = self.shared(&object.spec().signer_name);
        let record = Record::new(object, signer_name, self.epoch);
        let slot = self.vacant.pop().unwrap_or_else(|| self.grow());
        self.counts[record.state.index()] += 1;
        self.by_name.insert(record.name.clone(), slot);
        if let Some(place) = self.place(slot) {
            *place = Some(record);
        }
        slot
    }

    /// Takes a record out; its slot goes to another one.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<Record> {
        let record = self.place(slot)?.take()?;
        self.by_name.remove(&record.name);
        self.counts[record.state.index()] -= 1;
        self.vacant.push(slot);
        Some(record)
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.place(slot)?.as_mut()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Record> {
        let index = slot.0 as usize;
        self.pages.get(index / PAGE)?.get(index % PAGE)?.as_ref()
    }

    /// Where the record of the object of this name is.
    pub(crate) fn find(&self, name: &str) -> Option<Slot> {
        self.by_name.get(name).copied()
    }

    /// Changes what a record is doing.
    pub(crate) fn set_state(&mut self, slot: Slot, state: State) {
        if let Some(record) = self.get_mut(slot) {
            let former = std::mem::replace(&mut record.state, state);
            self.counts[former.index()] -= 1;
            self.counts[state.index()] += 1;
        }
    }

    /// How many records are doing this, whatever the rank or time that goes with it.
    pub(crate) fn count(&self, state: State) -> usize {
        self.counts[state.index()]
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Every slot that was ever in use, for what has to look at all records.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        let pages = u32::try_from(self.pages.len() * PAGE).unwrap_or(u32::MAX);
        (0..pages).map(Slot)
    }

    fn place(&mut self, slot: Slot) -> Option<&mut Option<Record>> {
        let index = slot.0 as usize;
        self.pages.get_mut(index / PAGE)?.get_mut(index % PAGE)
    }

    /// Adds a page and returns its first slot.
    fn grow(&mut self) -> Slot {
        let first = u32::try_from(self.pages.len() * PAGE).unwrap_or(u32::MAX);
        let last = first.saturating_add(PAGE as u32 - 1);
        self.pages.push(std::iter::repeat_with(|| None).take(PAGE).collect());
        self.vacant.extend((first + 1..=last).rev().map(Slot));
        Slot(first)
    }

    fn shared(&mut self, signer_name: &SignerName) -> SignerName {
        if let Some(shared) = self.signer_names.get(signer_name) {
            return shared.clone();
        }
        if self.signer_names.len() < SHARED_NAMES {
            self.signer_names.insert(signer_name.clone());
        }
        signer_name.clone()
    }
}
