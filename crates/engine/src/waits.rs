use std::collections::HashMap;
use std::time::Duration;

use crate::records::Slot;
use crate::{Rank, RequesterKind};

/// A wait that is over, from [`Engine::take_waits`](crate::Engine::take_waits).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wait {
    /// For its turn: since it began to queue, in whichever rank.
    Turn {
        /// The rank that it waited in at last.
        rank: Rank,
        /// Who waited.
        requester: RequesterKind,
        /// How long.
        time: Duration,
    },

    /// For the first API call on its behalf: since the event that gave us something to do.
    FirstCall {
        /// Who waited.
        requester: RequesterKind,
        /// How long.
        time: Duration,
    },
}

/// Who waits for the first call on its behalf, and all waits that are over.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    arrived: HashMap<Slot, (Duration, RequesterKind)>,
    over: Vec<Wait>,
}

impl Waits {
    /// A request has arrived that something is to be done for.
    pub(crate) fn arrived(&mut self, slot: Slot, requester: RequesterKind, now: Duration) {
        self.arrived.insert(slot, (now, requester));
    }

    /// An API call is made for a request.
    pub(crate) fn called(&mut self, slot: Slot, now: Duration) {
        if let Some((since, requester)) = self.arrived.remove(&slot) {
            self.over.push(Wait::FirstCall { requester, time: now.saturating_sub(since) });
        }
    }

    /// Nothing is to be done for a request any more.
    pub(crate) fn leave(&mut self, slot: Slot) {
        self.arrived.remove(&slot);
    }

    /// A request has had its turn.
    pub(crate) fn over(&mut self, wait: Wait) {
        self.over.push(wait);
    }

    /// Every wait that is over since the last time.
    pub(crate) fn take(&mut self) -> Vec<Wait> {
        std::mem::take(&mut self.over)
    }
}
