use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn limit(max_in_flight: usize) -> Limit {
    Limit::new(&Settings { max_in_flight, ..Settings::default() })
}

/// An API server that is so far away, answers one call after the other, and is never left without one by us.
struct Server {
    limit: Limit,
    now: Duration,
    distance: Duration,
    /// How long each call takes it.
    work: Duration,
    free_at: Duration,
    /// When each call was sent, and when its answer is here.
    calls: VecDeque<(Duration, Duration)>,
}

impl Server {
    fn new(limit: Limit, distance: Duration, work: Duration) -> Self {
        let (now, free_at) = (Duration::from_secs(5), Duration::ZERO);
        Self { limit, now, distance, work, free_at, calls: VecDeque::new() }
    }

    /// Keeps it busy for so long; returns the limit at the end.
    fn run(&mut self, time: Duration) -> usize {
        self.run_with(time, |_| Reply::Answered(Kind::Write))
    }

    fn run_with(&mut self, time: Duration, mut reply: impl FnMut(&Returned) -> Reply) -> usize {
        let end = self.now + time;
        while self.now < end {
            while self.calls.len() < self.limit.calls() {
                self.free_at = self.free_at.max(self.now + self.distance) + self.work;
                self.calls.push_back((self.now, self.free_at));
            }
            let in_flight = self.calls.len();
            let (sent, now) = self.calls.pop_front().unwrap();
            self.now = now;
            let call = Returned { sent, now, in_flight };
            self.limit.returned(reply(&call), &call);
        }
        self.limit.calls()
    }
}

#[test]
fn it_grows_to_its_bound_while_answers_are_quick() {
    for (distance, time) in [(2, 1), (200, 3)] {
        let distance = MILLISECOND * distance;
        let mut server = Server::new(limit(64), distance, Duration::from_micros(10));
        assert_eq!(server.limit.calls(), INITIAL);
        assert_eq!(server.run(Duration::from_secs(time)), 64, "an idle API server, {distance:?} away");
    }
}

#[test]
fn calls_wait_for_the_target_and_no_longer() {
    for target in [5, 25, 100] {
        let settings = Settings { queueing_target: MILLISECOND * target, ..Settings::default() };
        let limit = Limit::new(&Settings { max_in_flight: 1000, ..settings });
        let mut server = Server::new(limit, MILLISECOND * 4, MILLISECOND);
        let calls = server.run(Duration::from_secs(60));
        // One call a millisecond: as many milliseconds of waiting as calls are in flight beyond the five on their way.
        let waiting = u32::try_from(calls).unwrap().saturating_sub(5);
        assert!(waiting.abs_diff(target) <= 1 + target / 5, "{waiting} ms, aimed at {target} ms");
    }
}

#[test]
fn it_shrinks_while_answers_are_slow_and_recovers() {
    let mut server = Server::new(limit(64), MILLISECOND * 2, Duration::from_micros(100));
    assert_eq!(server.run(Duration::from_secs(1)), 64);
    server.work = MILLISECOND * 20;
    assert_eq!(server.run(Duration::from_secs(10)), LEAST);
    server.work = Duration::from_micros(100);
    assert_eq!(server.run(Duration::from_secs(2)), 64);
}

#[test]
fn a_write_that_waits_for_a_disk_is_not_taken_for_one_that_waits_in_line() {
    let mut limit = limit(64);
    for number in 0..2000_u32 {
        let is_question = number % 50 == 0;
        let (kind, took) =
            if is_question { (Kind::Ask, MILLISECOND) } else { (Kind::Write, MILLISECOND * 80) };
        let sent = Duration::from_secs(5) + MILLISECOND * number;
        let in_flight = limit.calls();
        limit.returned(Reply::Answered(kind), &Returned { sent, now: sent + took, in_flight });
    }
    assert_eq!(limit.calls(), 64);
}

#[test]
fn an_overload_halves_it_once_a_round_trip() {
    let mut server = Server::new(limit(64), MILLISECOND * 2, Duration::from_micros(10));
    server.run(Duration::from_secs(1));
    let begin = server.now;
    let all_sent_before =
        |call: &Returned| if call.sent <= begin { Reply::Overloaded } else { Reply::Unsaid };
    assert_eq!(server.run_with(MILLISECOND * 10, all_sent_before), 32);
    assert_eq!(server.run_with(Duration::from_secs(1), |_| Reply::Overloaded), LEAST);
    assert_eq!(server.run(Duration::from_secs(1)), 64);
}

#[test]
fn what_says_nothing_of_the_api_server_changes_nothing() {
    let mut server = Server::new(limit(64), MILLISECOND * 200, MILLISECOND);
    assert_eq!(server.run_with(Duration::from_secs(60), |_| Reply::Unsaid), INITIAL);
    let call = Returned { sent: server.now, now: server.now, in_flight: 1 };
    server.limit.returned(Reply::Unsaid, &call);
    assert_eq!(server.run(Duration::from_secs(3)), 64, "a refusal at once was taken for the way there");
}

#[test]
fn it_does_not_grow_while_it_is_not_used_up() {
    let mut limit = limit(64);
    for second in 5..5000 {
        let sent = Duration::from_secs(second);
        let call = Returned { sent, now: sent + MILLISECOND, in_flight: INITIAL - 1 };
        limit.returned(Reply::Answered(Kind::Write), &call);
    }
    assert_eq!(limit.calls(), INITIAL);
}

#[test]
fn an_api_server_that_moved_away_is_not_slow_for_ever() {
    let mut server = Server::new(limit(64), MILLISECOND * 2, Duration::from_micros(10));
    assert_eq!(server.run(Duration::from_secs(60)), 64);
    server.distance = MILLISECOND * 100;
    assert_eq!(server.run(Duration::from_secs(60)), LEAST);
    assert_eq!(server.run(Duration::from_secs(60 * BASE_HISTORY as u64)), 64);
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Answered(Kind::Ask)),
        4 => Just(Reply::Answered(Kind::Write)),
        1 => Just(Reply::Answered(Kind::Read)),
        1 => Just(Reply::Overloaded),
        1 => Just(Reply::Unsaid),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_back_its_bounds_hold(
        max_in_flight in 0..200_usize,
        target in 0..1000_u32,
        calls in prop::collection::vec((reply(), 0..100_000_u32, 0..100_000_u32, 0..300_usize), 0..300),
    ) {
        let queueing_target = MILLISECOND * target;
        let mut limit = Limit::new(&Settings { max_in_flight, queueing_target, ..Settings::default() });
        let mut now = Duration::ZERO;
        for (reply, pause, took, in_flight) in calls {
            now += MILLISECOND * pause;
            let before = limit.calls();
            limit.returned(reply, &Returned { sent: now.saturating_sub(MILLISECOND * took), now, in_flight });
            let bounds = LEAST.min(max_in_flight).max(1)..=max_in_flight.max(1);
            prop_assert!(bounds.contains(&limit.calls()), "{limit:?}");
            prop_assert!(limit.calls() <= before.max(in_flight + ALLOWED_INCREASE), "{limit:?}");
        }
    }
}
