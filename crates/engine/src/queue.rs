use std::time::Duration;

use crate::Rank;
use crate::lanes::{Identity, Lanes, Place};
use crate::moment::Moment;
use crate::records::Slot;

/// What waits for its turn, in every rank.
#[derive(Debug)]
pub(crate) struct Queue {
    ranks: [Lanes; Rank::ALL.len()],
    turns: usize,
}

/// A request that waits for its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) place: Place,
    /// When it began to wait, in this rank or another.
    pub(crate) since: Duration,
}

/// A request whose turn it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    /// Where it waited.
    pub(crate) rank: Rank,
    pub(crate) slot: Slot,
    pub(crate) since: Duration,
}

/// Each so many turns, another rank than the first is asked first, one after the other: an endless stream in one of them
/// slows the others down and does not starve them.
const TURNS: usize = 8;

impl Queue {
    pub(crate) fn new(max_identities: usize) -> Self {
        Self { ranks: Rank::ALL.map(|_| Lanes::new(max_identities)), turns: 0 }
    }

    /// Has a request wait for its turn in a rank.
    pub(crate) fn push(&mut self, rank: Rank, identity: Identity, waiting: Waiting) {
        let Waiting { place, since } = waiting;
        self.ranks[rank as usize].push(identity, place, since);
    }

    /// Takes out one that waits no longer, and says since when it did.
    pub(crate) fn remove(&mut self, rank: Rank, identity: Identity, place: Place) -> Option<Duration> {
        self.ranks[rank as usize].remove(identity, place)
    }

    /// Takes out whose turn it is. `may`: whether a request may have its turn now. `cost`: the API calls that serving one takes.
    pub(crate) fn pop(
        &mut self,
        may_retry: bool,
        may: impl Fn(Slot) -> bool,
        cost: impl Fn(Slot) -> u32,
    ) -> Option<Served> {
        let turns = self.turns.wrapping_add(1);
        let others = Rank::ALL.len() - 1;
        let first = if turns.is_multiple_of(TURNS) { 1 + turns / TURNS % others } else { 0 };
        let ranks = Rank::ALL.into_iter().cycle().skip(first).take(Rank::ALL.len());
        let served = ranks.filter(|rank| may_retry || *rank != Rank::Retries).find_map(|rank| {
            let (slot, since) = self.ranks[rank as usize].pop(&may, &cost)?;
            Some(Served { rank, slot, since })
        })?;
        self.turns = turns;
        Some(served)
    }

    pub(crate) fn len(&self, rank: Rank) -> usize {
        self.ranks[rank as usize].len()
    }

    /// When the oldest request that waits in a rank was created.
    pub(crate) fn oldest(&self, rank: Rank) -> Option<Moment> {
        self.ranks[rank as usize].oldest()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranks.iter().all(|lanes| lanes.len() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_stream_in_every_rank_starves_none() {
        let mut queue = Queue::new(9);
        let mut served = [0; Rank::ALL.len()];
        for turn in 0..240 {
            for rank in Rank::ALL {
                let place = (Moment::NEVER, Slot::new(turn));
                queue.push(rank, Identity(1), Waiting { place, since: Duration::ZERO });
            }
            served[queue.pop(true, |_| true, |_| 1).unwrap().rank as usize] += 1;
        }
        assert_eq!(served, [210, 10, 10, 10]);
        while queue.pop(false, |_| true, |_| 1).is_some() {}
        assert_eq!(Rank::ALL.map(|rank| queue.len(rank)), [0, 0, 230, 0]);
    }
}
