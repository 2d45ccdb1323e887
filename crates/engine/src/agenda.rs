use std::collections::BTreeSet;

/// Things to come, by time.
#[derive(Debug)]
pub(crate) struct Agenda<K, T> {
    entries: BTreeSet<(K, T)>,
}

impl<K: Copy + Ord, T: Copy + Ord> Agenda<K, T> {
    pub(crate) fn insert(&mut self, at: K, what: T) {
        self.entries.insert((at, what));
    }

    pub(crate) fn remove(&mut self, at: K, what: T) {
        self.entries.remove(&(at, what));
    }

    /// The earliest entry, if its time has come.
    pub(crate) fn due(&self, now: K) -> Option<T> {
        self.entries.first().filter(|(at, _)| *at <= now).map(|(_, what)| *what)
    }

    /// Takes out the earliest entry, if its time has come.
    pub(crate) fn pop_due(&mut self, now: K) -> Option<T> {
        self.due(now)?;
        self.entries.pop_first().map(|(_, what)| what)
    }

    /// When the earliest entry is due.
    pub(crate) fn next(&self) -> Option<K> {
        self.entries.first().map(|(at, _)| *at)
    }
}

impl<K, T> Default for Agenda<K, T> {
    fn default() -> Self {
        Self { entries: BTreeSet::new() }
    }
}
