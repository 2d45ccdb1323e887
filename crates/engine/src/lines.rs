use std::collections::{HashMap, HashSet, VecDeque};

use crate::lanes::Identity;
use crate::question::QuestionId;

/// Questions that are to be sent, in turns by the identities of those who wait: each has a line of its own, in order of arrival.
///
/// A question that several identities wait for stands in the line of each, and goes when the first of them has its turn.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: HashMap<Identity, VecDeque<QuestionId>>,
    /// Every line once, the next to be served in front.
    ring: VecDeque<Identity>,
    standing: HashSet<(Identity, QuestionId)>,
}

impl Lines {
    /// Has a question stand in the line of an identity, once.
    pub(crate) fn push(&mut self, identity: Identity, id: QuestionId) {
        if !self.standing.insert((identity, id)) {
            return;
        }
        let line = self.lines.entry(identity).or_insert_with(|| {
            self.ring.push_back(identity);
            VecDeque::new()
        });
        line.push_back(id);
    }

    /// Takes out whose turn it is. It may have been sent in another line's turn, or be wanted by nobody any more.
    pub(crate) fn pop(&mut self) -> Option<QuestionId> {
        let identity = self.ring.pop_front()?;
        let line = self.lines.get_mut(&identity)?;
        let id = line.pop_front()?;
        self.standing.remove(&(identity, id));
        if line.is_empty() {
            self.lines.remove(&identity);
        } else {
            self.ring.push_back(identity);
        }
        Some(id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_take_turns_and_each_gets_its_first_question_first() {
        let mut lines = Lines::default();
        for (identity, id) in [(1, 14), (1, 12), (1, 14), (1, 13), (2, 12), (2, 21), (3, 31)] {
            lines.push(Identity(identity), QuestionId(id));
        }
        let order: Vec<_> = std::iter::from_fn(|| lines.pop()).map(|id| id.0).collect();
        assert_eq!(order, [14, 12, 31, 12, 21, 13]);
        assert!(lines.is_empty() && lines.lines.is_empty() && lines.standing.is_empty());
    }
}
