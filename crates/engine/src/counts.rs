use std::time::Duration;

use crate::Rank;

/// How much there is of everything, for metrics. Plain numbers of this moment, but for the sums, which only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Objects there are.
    pub records: usize,
    /// What waits for its turn, in the order of [`Rank::ALL`].
    pub queued: [Queued; Rank::ALL.len()],
    /// Requests that back off after a failure.
    pub backing_off: usize,
    /// Passes under way.
    pub passes: usize,
    /// Requests that wait for an answer.
    pub waiting: usize,
    /// Requests that an answer holds.
    pub held: usize,
    /// Different questions that those wait for or are held on.
    pub questions: usize,
    /// API calls in flight, without deletes.
    pub calls: usize,
    /// As many of them may be in flight at present.
    pub call_limit: usize,
    /// Deletes in flight.
    pub deletes: usize,
    /// Decisions and signatures under way.
    pub local: usize,
    /// Questions to others than the API server in flight.
    pub inquiries: usize,
    /// Bytes of objects that wait for their turn.
    pub object_bytes: usize,
    /// For how long the object that is most overdue for cleaning has been so.
    pub cleaning_delay: Duration,
    /// Sum: answers that a request got without a question of its own.
    pub shared_answers: u64,
    /// Sum: objects that did not fit the budget, to be read again at their turn.
    pub budget_exceeded: u64,
}

/// What waits for its turn in one rank.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Queued {
    /// How many requests.
    pub depth: usize,
    /// How long ago the oldest of them was created.
    pub oldest_age: Duration,
}

impl Counts {
    /// What waits for its turn in a rank.
    pub fn queued(&self, rank: Rank) -> Queued {
        self.queued[rank as usize]
    }
}
