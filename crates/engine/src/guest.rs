use std::collections::BTreeSet;
use std::time::Duration;

use csr::Rule;

use crate::lanes::Identity;
use crate::question::QuestionId;

/// One record in the waiting room.
#[derive(Debug)]
pub(crate) struct Guest<Q, A> {
    pub(crate) identity: Identity,
    pub(crate) missing: BTreeSet<QuestionId>,
    pub(crate) answers: Vec<Found<Q, A>>,
    /// Whether it goes on at once when it is answered, for its turn had come already.
    pub(crate) has_turn: bool,
    pub(crate) held_on: BTreeSet<QuestionId>,
    pub(crate) rule: Option<&'static Rule>,
}

/// An answer that a request got.
#[derive(Clone, Debug)]
pub(crate) struct Found<Q, A> {
    pub(crate) question: Q,
    pub(crate) answer: A,
    /// When it came.
    pub(crate) at: Duration,
}

/// What a record takes along.
#[derive(Debug)]
pub(crate) struct Answered<Q, A> {
    pub(crate) answers: Vec<Found<Q, A>>,
    pub(crate) has_turn: bool,
}

/// An answer is not used after this long, however soon the next one came: questions are asked one after the other, and each may
/// fail for a while, or wait for a place.
const LONGEST_PASS: Duration = Duration::from_secs(15);

impl<Q, A> Guest<Q, A> {
    /// The answers that are still good at `now`. None is, when all have waited for longer than `lifetime`. One that is old by
    /// itself is asked for again, and those that came later are kept: a request whose last answer takes long would else begin
    /// anew each time. Whoever loses one keeps its turn.
    pub(crate) fn into_answered(self, lifetime: Duration, now: Duration) -> Answered<Q, A> {
        let Self { mut answers, has_turn, .. } = self;
        let found = answers.len();
        let is_over = answers.iter().all(|found| found.at + lifetime < now);
        answers.retain(|found| !is_over && found.at + LONGEST_PASS >= now);
        Answered { has_turn: has_turn || answers.len() < found, answers }
    }
}
