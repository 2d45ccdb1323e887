/// How much there is of everything, for metrics. Plain numbers of this moment, but for the sums, which only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Objects there are.
    pub records: usize,
    /// Requests that wait for their turn and were never tried.
    pub fresh: usize,
    /// The same, whose requesters have given up by now.
    pub late: usize,
    /// Requests that wait for their turn to be tried again.
    pub retries: usize,
    /// Requests that wait for their turn, and whose requesters have asked again since.
    pub superseded: usize,
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
    /// Bytes of objects that wait for their turn.
    pub object_bytes: usize,
    /// Sum: answers that a request got without a question of its own.
    pub shared_answers: u64,
    /// Sum: objects that did not fit the budget, to be read again at their turn.
    pub budget_exceeded: u64,
}
