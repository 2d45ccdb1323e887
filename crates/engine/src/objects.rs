use std::collections::HashMap;
use std::sync::Arc;

use csr::CertificateSigningRequest;

use crate::records::Slot;

/// Decoded objects that wait for their turn, under one budget of bytes.
#[derive(Debug)]
pub(crate) struct Objects {
    budget: usize,
    bytes: usize,
    held: HashMap<Slot, Arc<CertificateSigningRequest>>,
    exceeded: u64,
}

/// One object may take this part of the budget: a few huge ones must not cost everybody else a second read.
const LARGEST_SHARE: usize = 32;

impl Objects {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, bytes: 0, held: HashMap::new(), exceeded: 0 }
    }

    /// Keeps an object for its record, in the place of an earlier one, if the budget admits it.
    pub(crate) fn put(&mut self, slot: Slot, object: Arc<CertificateSigningRequest>) {
        self.take(slot);
        let size = object.size();
        if size <= self.budget / LARGEST_SHARE && self.bytes + size <= self.budget {
            self.bytes += size;
            self.held.insert(slot, object);
        } else {
            self.exceeded += 1;
        }
    }

    /// Takes out the object of a record, which makes room for others.
    pub(crate) fn take(&mut self, slot: Slot) -> Option<Arc<CertificateSigningRequest>> {
        let object = self.held.remove(&slot)?;
        self.bytes -= object.size();
        Some(object)
    }

    /// Whether the object of a record need not be read again.
    pub(crate) fn holds(&self, slot: Slot) -> bool {
        self.held.contains_key(&slot)
    }

    /// How often the budget did not admit an object.
    pub(crate) fn exceeded(&self) -> u64 {
        self.exceeded
    }

    /// What is used up of the budget.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
