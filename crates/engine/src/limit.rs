use std::time::Duration;

use crate::{Outcome, Settings};

/// How many API calls may be in flight: LEDBAT (RFC 6817) with the call as its unit.
///
/// It admits as many as keep our calls waiting for some `target` in the API server. What has to wait longer waits in our
/// own queue, where the order is fair, and an API server that others keep busy is left to them: delay-based, it yields to
/// whoever is not. Delays are compared within one kind of call, for a write that waits for a disk is no queue.
#[derive(Debug)]
pub(crate) struct Limit {
    calls: f64,
    least: f64,
    most: f64,
    target: f64,
    /// Until the first sign of a queue each answer admits another call: slow start (RFC 5681 §3.1).
    starting: bool,
    /// Calls that went out earlier say nothing about what was halved since.
    halved_at: Duration,
    delays: [Delays; Kind::COUNT],
}

/// Calls that take alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A question, most of them answered from memory.
    Ask,
    /// What was looked up in the store, and not written.
    Read,
    /// What was written.
    Write,
}

/// What an outcome says of the API server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    /// It did its work.
    Answered(Kind),
    /// It could not: 429, 5xx, no answer in time.
    Overloaded,
    /// Nothing: it refused before there was any work, or never heard of it.
    Unsaid,
}

/// A call that has come back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned {
    pub(crate) sent: Duration,
    pub(crate) now: Duration,
    /// How many were in flight, this one among them.
    pub(crate) in_flight: usize,
}

/// How long calls of one kind take.
#[derive(Debug)]
struct Delays {
    /// The shortest of each of the last minutes.
    minutes: [Duration; BASE_HISTORY],
    minute: u64,
    last: [Duration; CURRENT_FILTER],
    next: usize,
}

/// Calls that are always admitted: the next answer has to come from somewhere.
const LEAST: usize = 4;

/// Calls admitted before anything is known.
const INITIAL: usize = 16;

/// How many calls the limit grows by in a round trip at most; RFC 6817 §2.5 allows no more than one.
const GAIN: f64 = 1.0;

/// By how much the limit may exceed what is in flight when it grows.
const ALLOWED_INCREASE: usize = 1;

const BASE_HISTORY: usize = 10;

const CURRENT_FILTER: usize = 4;

impl Limit {
    pub(crate) fn new(settings: &Settings) -> Self {
        let most = settings.max_in_flight.max(1);
        Self {
            calls: INITIAL.min(most) as f64,
            least: LEAST.min(most) as f64,
            most: most as f64,
            target: settings.queueing_target.max(Duration::from_millis(1)).as_secs_f64(),
            starting: true,
            halved_at: Duration::ZERO,
            delays: std::array::from_fn(|_| Delays::new()),
        }
    }

    /// How many calls may be in flight.
    pub(crate) fn calls(&self) -> usize {
        self.calls as usize
    }

    /// Learns from a call that has come back.
    pub(crate) fn returned(&mut self, reply: Reply, call: &Returned) {
        match reply {
            Reply::Answered(kind) => self.answered(kind, call),
            Reply::Overloaded => self.overloaded(call),
            Reply::Unsaid => {}
        }
    }

    fn answered(&mut self, kind: Kind, call: &Returned) {
        let queueing = self.delays[kind as usize].queueing(call).as_secs_f64();
        let off_target = (self.target - queueing) / self.target;
        self.starting &= off_target > 0.0;
        let step = if self.starting { 1.0 } else { GAIN * off_target / self.calls };
        // What is not used up does not grow; RFC 6817 §2.4.2 would shrink it, and every storm begin with the least.
        let used = (call.in_flight + ALLOWED_INCREASE) as f64;
        self.calls = (self.calls + step).min(used.max(self.calls)).clamp(self.least, self.most);
    }

    fn overloaded(&mut self, call: &Returned) {
        self.starting = false;
        if call.sent >= self.halved_at {
            self.halved_at = call.now;
            self.calls = (self.calls / 2.0).max(self.least);
        }
    }
}

impl Kind {
    const COUNT: usize = 3;
}

impl Reply {
    /// What the outcome of a call says.
    pub(crate) fn of<Q, A>(outcome: &Outcome<Q, A>) -> Self {
        match outcome {
            Outcome::Answered(_) => Self::Answered(Kind::Ask),
            // A write that finds its object changed or gone has only read.
            Outcome::Found(_) | Outcome::Conflict | Outcome::Gone => Self::Answered(Kind::Read),
            Outcome::Written(_) | Outcome::Deleted => Self::Answered(Kind::Write),
            Outcome::Failed(failure) if failure.unknown || failure.retry_after.is_some() => Self::Overloaded,
            Outcome::Failed(_)
            | Outcome::Told(_)
            | Outcome::Asks(_)
            | Outcome::Approves(_)
            | Outcome::Denies(_)
            | Outcome::Holds { .. }
            | Outcome::NoOpinion
            | Outcome::Signed(_)
            | Outcome::Rejected { .. } => Self::Unsaid,
        }
    }
}

impl Delays {
    fn new() -> Self {
        Self {
            minutes: [Duration::MAX; BASE_HISTORY],
            minute: 0,
            last: [Duration::MAX; CURRENT_FILTER],
            next: 0,
        }
    }

    /// How long calls like this one wait at present: what they take beyond the shortest of the last ten minutes.
    fn queueing(&mut self, call: &Returned) -> Duration {
        let delay = call.now.saturating_sub(call.sent);
        self.turn_to(call.now.as_secs() / 60);
        let minute = &mut self.minutes[self.minute as usize % BASE_HISTORY];
        *minute = delay.min(*minute);
        self.last[self.next] = delay;
        self.next = (self.next + 1) % CURRENT_FILTER;
        shortest(&self.last).saturating_sub(shortest(&self.minutes))
    }

    /// Forgets what is older than the history.
    fn turn_to(&mut self, minute: u64) {
        for begun in (self.minute + 1..=minute).take(BASE_HISTORY) {
            self.minutes[begun as usize % BASE_HISTORY] = Duration::MAX;
        }
        self.minute = minute;
    }
}

fn shortest(delays: &[Duration]) -> Duration {
    delays.iter().copied().min().unwrap_or_default()
}

#[cfg(test)]
mod tests;
