use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::moment::Moment;
use crate::records::Slot;

/// Whose turn it is to have requests served: a fingerprint of the username.
///
/// Two users that share one would only share their turn.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Identity(pub(crate) u64);

/// A record's place in its lane: oldest first.
pub(crate) type Place = (Moment, Slot);

/// What waits for its turn in one rank: deficit round robin over identities, oldest first within one.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: HashMap<Identity, Lane>,
    /// Every lane once, the next to be served in front.
    ring: VecDeque<Identity>,
    max_identities: usize,
    /// The places of all lanes.
    all: BTreeSet<Place>,
}

#[derive(Debug, Default)]
struct Lane {
    /// Every place, and since when it is waited in.
    places: BTreeMap<Place, Duration>,
    deficit: u32,
}

/// API calls that a lane may use up in one turn: as many as the most expensive request takes.
const QUANTUM: u32 = 3;

/// The lane of those who come when all lanes are taken.
const SHARED: Identity = Identity(0);

impl Lanes {
    pub(crate) fn new(max_identities: usize) -> Self {
        Self { lanes: HashMap::new(), ring: VecDeque::new(), max_identities, all: BTreeSet::new() }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// When the oldest request that waits was created.
    pub(crate) fn oldest(&self) -> Option<Moment> {
        self.all.first().map(|(created, _)| *created)
    }

    /// Has a request wait for its turn; it has waited since `since`.
    pub(crate) fn push(&mut self, identity: Identity, place: Place, since: Duration) {
        let has_room = self.lanes.contains_key(&identity) || self.lanes.len() < self.max_identities;
        let identity = if has_room { identity } else { SHARED };
        let lane = self.lanes.entry(identity).or_insert_with(|| {
            self.ring.push_back(identity);
            Lane::default()
        });
        lane.places.insert(place, since);
        self.all.insert(place);
    }

    /// Takes out one that waits no longer, and says since when it did. Its empty lane goes when its turn comes.
    pub(crate) fn remove(&mut self, identity: Identity, place: Place) -> Option<Duration> {
        self.all.remove(&place);
        [identity, SHARED].iter().find_map(|identity| self.lanes.get_mut(identity)?.places.remove(&place))
    }

    /// Takes out whose turn it is, and says since when it waited. `may`: whether it may have its turn now, else its lane is passed
    /// over. `cost`: the API calls that serving one takes, at least one.
    pub(crate) fn pop(
        &mut self,
        may: impl Fn(Slot) -> bool,
        cost: impl Fn(Slot) -> u32,
    ) -> Option<(Slot, Duration)> {
        let mut passed_over = 0;
        while passed_over < self.ring.len() {
            let identity = *self.ring.front()?;
            let next = self.lanes.get(&identity).and_then(|lane| lane.places.first_key_value());
            match next {
                None => self.close_front(identity),
                Some(((_, slot), _)) if may(*slot) => return self.pop_front(identity, cost),
                Some(_) => {
                    self.ring.rotate_left(1);
                    passed_over += 1;
                }
            }
        }
        None
    }

    fn pop_front(&mut self, identity: Identity, cost: impl Fn(Slot) -> u32) -> Option<(Slot, Duration)> {
        let lane = self.lanes.get_mut(&identity)?;
        let (place, since) = lane.places.pop_first()?;
        self.all.remove(&place);
        let (_, slot) = place;
        lane.charge(cost(slot));
        let next = lane.places.first_key_value().map(|((_, next), _)| cost(*next));
        match next {
            None => self.close_front(identity),
            Some(next) if next > lane.deficit => self.ring.rotate_left(1),
            Some(_) => {}
        }
        Some((slot, since))
    }

    fn close_front(&mut self, identity: Identity) {
        self.ring.pop_front();
        self.lanes.remove(&identity);
    }
}

impl Lane {
    /// A turn begins when what is left of the last one is not enough.
    fn charge(&mut self, cost: u32) {
        let cost = cost.clamp(1, QUANTUM);
        if self.deficit < cost {
            self.deficit += QUANTUM;
        }
        self.deficit -= cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Slot;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    fn place(number: u32) -> Place {
        let created = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(number.into());
        (created.into(), Slot::new(number))
    }

    fn order(lanes: &mut Lanes, cost: u32) -> Vec<Slot> {
        std::iter::from_fn(|| lanes.pop(|_| true, |_| cost)).map(|(slot, _)| slot).collect()
    }

    #[test]
    fn identities_take_turns_and_each_gets_its_oldest_first() {
        let mut lanes = Lanes::new(9);
        for (identity, number) in [(1, 14), (1, 13), (1, 12), (1, 11), (2, 21), (2, 22), (3, 31)] {
            lanes.push(Identity(identity), place(number), Duration::ZERO);
        }
        let expected = [11, 21, 31, 12, 22, 13, 14].map(Slot::new);
        assert_eq!(order(&mut lanes, QUANTUM), expected);
        assert_eq!((lanes.len(), lanes.lanes.len(), lanes.ring.len()), (0, 0, 0));
    }

    #[test]
    fn who_may_not_have_a_turn_is_passed_over_and_waits_on() {
        let mut lanes = Lanes::new(9);
        for (identity, number) in [(1, 11), (1, 12), (2, 21)] {
            lanes.push(Identity(identity), place(number), Duration::ZERO);
        }
        let second_only = |slot: Slot| slot >= Slot::new(20);
        let mut pop = || lanes.pop(second_only, |_| 1).map(|(slot, _)| slot);
        assert_eq!((pop(), pop()), (Some(Slot::new(21)), None));
        assert_eq!(order(&mut lanes, 1), [11, 12].map(Slot::new));
    }

    #[test]
    fn a_turn_is_measured_in_calls_and_not_in_requests() {
        let mut lanes = Lanes::new(9);
        for number in 0..4 {
            lanes.push(Identity(1), place(10 + number), Duration::ZERO);
            lanes.push(Identity(2), place(20 + number), Duration::ZERO);
        }
        let cost = |slot: Slot| if slot < Slot::new(20) { 3 } else { 1 };
        let order: Vec<_> = std::iter::from_fn(|| lanes.pop(|_| true, cost)).map(|(slot, _)| slot).collect();
        assert_eq!(order, [10, 20, 21, 22, 11, 23, 12, 13].map(Slot::new));
    }

    proptest! {
        #[test]
        fn what_is_pushed_comes_out_once_unless_it_is_removed(
            max_identities in 1..4_usize,
            pushed in prop::collection::btree_map(0..200_u32, 0..8_u64, 0..60),
            removed in prop::collection::btree_set(0..200_u32, 0..20),
        ) {
            let mut lanes = Lanes::new(max_identities);
            for (number, identity) in &pushed {
                lanes.push(Identity(*identity), place(*number), Duration::ZERO);
            }
            for number in &removed {
                if let Some(identity) = pushed.get(number) {
                    lanes.remove(Identity(*identity), place(*number));
                }
            }
            prop_assert!(lanes.lanes.len() <= max_identities + 1);
            let mut out = order(&mut lanes, 2);
            out.sort();
            let left = pushed.keys().filter(|number| !removed.contains(number));
            prop_assert_eq!(out, left.map(|number| Slot::new(*number)).collect::<Vec<_>>());
            prop_assert_eq!(lanes.len(), 0);
        }
    }
}
