use std::hash::Hash;

use super::WaitingRoom;
use crate::flights::Place;
use crate::lanes::Identity;
use crate::question::{QuestionId, Sending};

/// Which question goes next.
impl<Q, A> WaitingRoom<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    /// The next question that goes there and that somebody waits for.
    pub(crate) fn send(&mut self, place: Place) -> Option<(QuestionId, Q)> {
        while let Some(id) = self.wanted[place as usize].pop() {
            if let Some(question) = self.mark_sent(id, Sending::Wanted) {
                return Some((id, question));
            }
        }
        None
    }

    /// The next question that is asked there again.
    pub(crate) fn send_again(&mut self, place: Place) -> Option<(QuestionId, Q)> {
        while let Some(id) = self.overdue[place as usize].pop() {
            if let Some(question) = self.mark_sent(id, Sending::Overdue) {
                return Some((id, question));
            }
        }
        None
    }

    /// Whether a question is to be asked there again as soon as the rate of retries allows.
    pub(crate) fn has_overdue(&self, place: Place) -> bool {
        !self.overdue[place as usize].is_empty()
    }

    /// Has a question sent now, or as soon as the API server may be asked again.
    pub(super) fn want(&mut self, id: QuestionId) {
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        match asked.sending {
            Sending::Sent | Sending::Wanted => {}
            Sending::Idle | Sending::Overdue if asked.not_before > self.now => self.ensure_round(id),
            Sending::Idle | Sending::Overdue => {
                asked.sending = Sending::Wanted;
                self.line_up(id, &self.seekers(id));
            }
        }
    }

    /// Whoever waits for a question or is held on it, but for those who have to wait for the answer after the next.
    pub(super) fn seekers(&self, id: QuestionId) -> Vec<Identity> {
        let slots = self.asked.get(&id).into_iter().flat_map(|asked| asked.current.iter().chain(&asked.held));
        slots.filter_map(|slot| self.guests.get(slot)).map(|guest| guest.identity).collect()
    }

    /// Has a question that is to be sent stand in the lines of these.
    pub(super) fn line_up(&mut self, id: QuestionId, seekers: &[Identity]) {
        let Some(asked) = self.asked.get(&id) else {
            return;
        };
        let lines = match asked.sending {
            Sending::Wanted => &mut self.wanted,
            Sending::Overdue => &mut self.overdue,
            Sending::Idle | Sending::Sent => return,
        };
        for seeker in seekers {
            lines[asked.place as usize].push(*seeker, id);
        }
    }

    /// Notes that a question goes out, if it still has to.
    fn mark_sent(&mut self, id: QuestionId, expected: Sending) -> Option<Q> {
        let asked = self.asked.get_mut(&id).filter(|asked| asked.sending == expected)?;
        asked.sending = Sending::Sent;
        asked.changed = false;
        Some(asked.question.clone())
    }
}
