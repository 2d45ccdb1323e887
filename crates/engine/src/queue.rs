use crate::Rank;
use crate::lanes::{Identity, Lanes, Place};
use crate::records::Slot;

/// What waits for its turn, in every rank.
#[derive(Debug)]
pub(crate) struct Queue {
    ranks: [Lanes; Rank::ALL.len()],
    turns: usize,
}

/// Each so many turns, another rank than the first is asked first, one after the other: an endless stream in one of them
/// slows the others down and does not starve them.
const TURNS: usize = 8;

impl Queue {
    pub(crate) fn new(max_identities: usize) -> Self {
        Self { ranks: Rank::ALL.map(|_| Lanes::new(max_identities)), turns: 0 }
    }

    pub(crate) fn push(&mut self, rank: Rank, identity: Identity, place: Place) {
        self.ranks[rank as usize].push(identity, place);
    }

    pub(crate) fn remove(&mut self, rank: Rank, identity: Identity, place: Place) {
        self.ranks[rank as usize].remove(identity, place);
    }

    /// Takes out whose turn it is, with the rank it waited in. `cost`: the API calls that serving one takes.
    pub(crate) fn pop(&mut self, may_retry: bool, cost: impl Fn(Slot) -> u32) -> Option<(Rank, Slot)> {
        self.turns = self.turns.wrapping_add(1);
        let others = Rank::ALL.len() - 1;
        let first = if self.turns.is_multiple_of(TURNS) { 1 + self.turns / TURNS % others } else { 0 };
        let ranks = Rank::ALL.into_iter().cycle().skip(first).take(Rank::ALL.len());
        ranks.filter(|rank| may_retry || *rank != Rank::Retries).find_map(|rank| {
            let slot = self.ranks[rank as usize].pop(&cost)?;
            Some((rank, slot))
        })
    }

    pub(crate) fn len(&self, rank: Rank) -> usize {
        self.ranks[rank as usize].len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranks.iter().all(|lanes| lanes.len() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;

    #[test]
    fn an_endless_stream_in_every_rank_starves_none() {
        let mut queue = Queue::new(9);
        let mut served = [0; Rank::ALL.len()];
        for turn in 0..240 {
            for rank in Rank::ALL {
                queue.push(rank, Identity(1), (Moment::NEVER, Slot::new(turn)));
            }
            let (rank, _) = queue.pop(true, |_| 1).unwrap();
            served[rank as usize] += 1;
        }
        assert_eq!(served, [210, 10, 10, 10]);
        let (rank, _) = std::iter::from_fn(|| queue.pop(false, |_| 1)).last().unwrap();
        assert_eq!((rank, queue.len(Rank::Retries)), (Rank::Superseded, 230));
    }
}
