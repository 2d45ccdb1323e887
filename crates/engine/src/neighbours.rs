use std::time::Duration;

use crate::lanes::Identity;

/// Who was served lately: whether a crowd has the API server for itself, or makes somebody else wait. A request that costs no call
/// is no neighbour.
///
/// The two of different identities that were last are enough to tell for anybody.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    last: Option<(Identity, Duration)>,
    before: Option<(Identity, Duration)>,
}

/// A call is remembered for so long.
const LATELY: Duration = Duration::from_secs(5);

impl Neighbours {
    /// A call goes out for somebody.
    pub(crate) fn served(&mut self, identity: Identity, now: Duration) {
        match &mut self.last {
            Some((last, at)) if *last == identity => *at = now,
            last => self.before = last.replace((identity, now)),
        }
    }

    /// Whether somebody else was served lately.
    pub(crate) fn has_others(&self, identity: Identity, now: Duration) -> bool {
        let is_other =
            |(other, at): (Identity, Duration)| other != identity && now.saturating_sub(at) <= LATELY;
        [self.last, self.before].into_iter().flatten().any(is_other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_those_of_the_last_seconds() {
        let (crowd, node, at) = (Identity(1), Identity(2), Duration::from_millis);
        let mut neighbours = Neighbours::default();
        neighbours.served(crowd, at(0));
        assert!(!neighbours.has_others(crowd, at(0)));
        assert!(neighbours.has_others(node, at(0)));
        neighbours.served(node, at(100));
        neighbours.served(crowd, at(200));
        neighbours.served(crowd, at(900));
        assert!(neighbours.has_others(crowd, at(5100)));
        assert!(!neighbours.has_others(crowd, at(5101)));
    }

    #[test]
    fn each_of_many_has_others() {
        let mut neighbours = Neighbours::default();
        for number in 0..5 {
            neighbours.served(Identity(number), Duration::ZERO);
        }
        assert!((0..5).all(|number| neighbours.has_others(Identity(number), Duration::ZERO)));
    }
}
