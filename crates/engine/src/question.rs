use std::collections::BTreeSet;
use std::time::Duration;

use crate::flights::Place;
use crate::records::Slot;

/// Names one question in the waiting room; never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct QuestionId(pub(crate) u64);

/// One question, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked<Q, A> {
    pub(crate) question: Q,
    /// Where it goes.
    pub(crate) place: Place,
    pub(crate) sending: Sending,
    /// Who shares the next answer, or while in flight the one under way: all were seen before it was sent.
    pub(crate) current: BTreeSet<Slot>,
    /// Who came while it was in flight, and waits for the next.
    pub(crate) next: BTreeSet<Slot>,
    /// Whom its last answer holds.
    pub(crate) held: BTreeSet<Slot>,
    /// The answer that holds them. It is compared with later ones and never handed out; `None` when they have several.
    pub(crate) holding: Option<A>,
    /// Rounds in vain, by failure or by an answer that changed nothing.
    pub(crate) attempts: u8,
    /// Its entry in the agenda of rounds.
    pub(crate) due: Option<Duration>,
    /// The API server wants to be left alone until then.
    pub(crate) not_before: Duration,
    /// Its facts changed while it was in flight, so that the answer may already be old.
    pub(crate) changed: bool,
}

/// Whether a question is on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sending {
    /// Nobody needs an answer now.
    Idle,
    /// It goes as soon as there is a free place.
    Wanted,
    /// It goes as soon as there is a free place and the rate of retries allows.
    Overdue,
    /// It is in flight.
    Sent,
}

impl<Q, A: PartialEq> Asked<Q, A> {
    pub(crate) fn new(question: Q, place: Place) -> Self {
        Self {
            question,
            place,
            sending: Sending::Idle,
            current: BTreeSet::new(),
            next: BTreeSet::new(),
            held: BTreeSet::new(),
            holding: None,
            attempts: 0,
            due: None,
            not_before: Duration::ZERO,
            changed: false,
        }
    }

    /// Gives a record a seat. One that comes while the question is in flight cannot share an answer that may be older.
    pub(crate) fn seat(&mut self, slot: Slot) {
        match self.sending {
            Sending::Sent => self.next.insert(slot),
            Sending::Idle | Sending::Wanted | Sending::Overdue => self.current.insert(slot),
        };
    }

    /// Keeps a record until the answer is another than `answer`.
    pub(crate) fn hold(&mut self, slot: Slot, answer: Option<A>) {
        if self.held.is_empty() {
            self.holding = answer;
        } else if self.holding != answer {
            self.holding = None;
            self.attempts = 0;
        }
        self.held.insert(slot);
    }

    pub(crate) fn leave(&mut self, slot: Slot) {
        self.current.remove(&slot);
        self.next.remove(&slot);
        self.held.remove(&slot);
    }

    /// Whether nobody is left who would want the answer.
    pub(crate) fn is_deserted(&self) -> bool {
        self.current.is_empty() && self.next.is_empty() && self.held.is_empty()
    }

    /// Ends a round: those who waited for this answer, and those who no longer are held by the one before.
    pub(crate) fn answered(&mut self, answer: &A) -> (BTreeSet<Slot>, BTreeSet<Slot>) {
        self.sending = Sending::Idle;
        let waited = std::mem::take(&mut self.current);
        self.current = std::mem::take(&mut self.next);
        if self.holding.as_ref() == Some(answer) {
            return (waited, BTreeSet::new());
        }
        self.holding = None;
        self.attempts = 0;
        (waited, std::mem::take(&mut self.held))
    }

    /// Ends a round without an answer: who waited goes on waiting.
    pub(crate) fn failed(&mut self) {
        self.sending = Sending::Idle;
        let mut next = std::mem::take(&mut self.next);
        self.current.append(&mut next);
    }
}
