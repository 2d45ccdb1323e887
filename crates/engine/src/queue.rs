use crate::lanes::{Identity, Lanes, Place, Rank};
use crate::records::Slot;

/// What waits for its turn, in every rank.
#[derive(Debug)]
pub(crate) struct Queue {
    fresh: Lanes,
    late: Lanes,
    retries: Lanes,
    turns: u32,
}

/// Each so many turns, the ranks are asked in the opposite order: an endless stream of fresh requests slows the others
/// down and does not starve them.
const TURNS: u32 = 8;

impl Queue {
    pub(crate) fn new(max_identities: usize) -> Self {
        let lanes = || Lanes::new(max_identities);
        Self { fresh: lanes(), late: lanes(), retries: lanes(), turns: 0 }
    }

    pub(crate) fn push(&mut self, rank: Rank, identity: Identity, place: Place) {
        self.lanes_mut(rank).push(identity, place);
    }

    pub(crate) fn remove(&mut self, rank: Rank, identity: Identity, place: Place) {
        self.lanes_mut(rank).remove(identity, place);
    }

    /// Takes out whose turn it is, with the rank it waited in. `cost`: the API calls that serving one takes.
    pub(crate) fn pop(&mut self, may_retry: bool, cost: impl Fn(Slot) -> u32) -> Option<(Rank, Slot)> {
        self.turns = (self.turns + 1) % TURNS;
        let mut ranks = [Rank::Fresh, Rank::Late, Rank::Retries];
        if self.turns == 0 {
            ranks.reverse();
        }
        ranks.into_iter().filter(|rank| may_retry || *rank != Rank::Retries).find_map(|rank| {
            let slot = self.lanes_mut(rank).pop(&cost)?;
            Some((rank, slot))
        })
    }

    pub(crate) fn len(&self, rank: Rank) -> usize {
        match rank {
            Rank::Fresh => self.fresh.len(),
            Rank::Late => self.late.len(),
            Rank::Retries => self.retries.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.len() + self.late.len() + self.retries.len() == 0
    }

    fn lanes_mut(&mut self, rank: Rank) -> &mut Lanes {
        match rank {
            Rank::Fresh => &mut self.fresh,
            Rank::Late => &mut self.late,
            Rank::Retries => &mut self.retries,
        }
    }
}
