//! All objects of a kind, and how much of them is known.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// What must have been heard of this lately: the API server says once a minute that nothing was missed, and a watch that is silent
/// for 90 s is taken up anew.
pub(in crate::facts) const FRESH: Duration = Duration::from_secs(120);

/// Everything of one kind, and since when that is all.
#[derive(Debug)]
pub struct Table<T> {
    pub(super) resource: &'static str,
    pub(super) entries: HashMap<Arc<str>, (T, u64)>,
    /// Objects that cannot be read and of which nothing else is known that could stand for them, each with the list it was last in.
    pub(super) unreadable: HashMap<Arc<str>, u64>,
    pub(super) listing: u64,
    pub(super) begun: Option<Instant>,
    pub(super) listed: bool,
    pub(super) heard: Option<Instant>,
    /// When the API server last said that it has no such kind of objects.
    pub(super) not_served: Option<Instant>,
}

impl<T> Table<T> {
    pub(super) fn new(resource: &'static str) -> Self {
        Self {
            resource,
            entries: HashMap::new(),
            unreadable: HashMap::new(),
            listing: 0,
            begun: None,
            listed: false,
            heard: None,
            not_served: None,
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|(entry, _)| entry)
    }

    /// Whether it was complete a moment ago.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.listed && self.unreadable.is_empty() && self.is_recent(now)
    }

    pub(super) fn is_recent(&self, now: Instant) -> bool {
        self.heard.is_some_and(|heard| now.duration_since(heard) <= FRESH)
    }

    /// Whether the API server said a moment ago that it has no such kind of objects.
    pub(super) fn is_absent(&self, now: Instant) -> bool {
        self.not_served.is_some_and(|said| now.duration_since(said) <= FRESH)
    }
}
