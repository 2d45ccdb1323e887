//! The engine, one input and one effect at a time.

#[allow(dead_code, reason = "the simulation needs more of it")]
#[path = "simulation/object.rs"]
mod object;

use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Condition, ConditionType, NextActor, Rule, SignerName};
use engine::{
    Duties, Effect, Engine, Failure, Input, Now, Outcome, Retention, Settings, Standings, Ticket, Turn,
};
use time::OffsetDateTime;
use time::macros::datetime;

use object::{CLIENT, Content, FOREIGN, Object, SERVING};

const BEGIN: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

static RULE: Rule = Rule {
    id: "test/not-permitted",
    title: "the requester has the permission",
    remedy: "grant it",
    next_actor: NextActor::Administrator,
};

/// An engine and its clock. Questions are words, answers are yes or no.
struct Rig {
    engine: Engine<&'static str, bool>,
    now: Now,
}

type Step = (Ticket, Effect<&'static str, bool>);

impl Rig {
    fn leading() -> Self {
        let mut rig = Self::following();
        rig.tell(Input::Leading(true));
        rig
    }

    fn following() -> Self {
        let engine = Engine::new(Settings::default(), standings());
        Self { engine, now: Now { wall: BEGIN, monotonic: Duration::from_secs(5) } }
    }

    fn tell(&mut self, input: Input<&'static str, bool>) {
        self.engine.handle(input, self.now);
    }

    fn done(&mut self, ticket: Ticket, outcome: Outcome<&'static str, bool>) {
        self.tell(Input::Done(ticket, outcome));
    }

    fn pass(&mut self, by: Duration) {
        self.now.wall += by;
        self.now.monotonic += by;
    }

    /// The next effect, which must be of this kind.
    fn next(&mut self, label: &str) -> Step {
        match self.engine.poll(self.now) {
            Turn::Do(ticket, effect) => {
                assert_eq!(effect.label(), label, "{effect:?}");
                (ticket, effect)
            }
            Turn::Sleep(until) => panic!("{label} expected, but it sleeps until {until:?}"),
        }
    }

    /// There is nothing to do; returns for how long.
    fn sleep(&mut self) -> Option<Duration> {
        match self.engine.poll(self.now) {
            Turn::Do(_, effect) => panic!("{effect:?}, but nothing was to be done"),
            Turn::Sleep(until) => until.map(|until| until - self.now.monotonic),
        }
    }

    /// Gives an effect of this kind out, and ends it so.
    fn does(&mut self, label: &str, outcome: Outcome<&'static str, bool>) {
        let (ticket, _) = self.next(label);
        self.done(ticket, outcome);
    }

    /// Brings a request to being held on a question.
    fn hold(&mut self, object: Arc<CertificateSigningRequest>, question: &'static str) {
        self.tell(Input::Apply(object));
        self.does("decide", Outcome::Asks(vec![question]));
        self.does("ask", Outcome::Answered(false));
        self.does("decide", Outcome::Holds { on: vec![question], rule: &RULE });
    }
}

fn standings() -> Standings {
    Standings {
        duties: Duties { approve: true, sign: true, clean: true },
        decided: [SignerName::from(CLIENT)].into(),
        signed: [SignerName::from(CLIENT), SignerName::from(SERVING)].into(),
        retention: Retention::default(),
    }
}

fn object() -> Object {
    Object {
        name: "csr-1".into(),
        uid: "uid-1".into(),
        resource_version: 10,
        created: BEGIN,
        signer_name: CLIENT,
        username: "user".into(),
        content: Content::Node,
        conditions: Vec::new(),
        certified: false,
    }
}

fn pending() -> Arc<CertificateSigningRequest> {
    object().decoded()
}

fn approved(resource_version: u64) -> Arc<CertificateSigningRequest> {
    with("Approved", resource_version)
}

fn with(condition: &'static str, resource_version: u64) -> Arc<CertificateSigningRequest> {
    Object { conditions: vec![(condition, Some(BEGIN))], resource_version, ..object() }.decoded()
}

fn issued(resource_version: u64) -> Arc<CertificateSigningRequest> {
    let conditions = vec![("Approved", Some(BEGIN))];
    Object { conditions, resource_version, certified: true, ..object() }.decoded()
}

fn condition(kind: ConditionType) -> Condition {
    Condition { kind, reason: "Test", message: String::new(), last_update_time: None }
}

#[test]
fn a_request_goes_through_in_a_straight_line() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    let (ticket, effect) = rig.next("decide");
    assert!(matches!(effect, Effect::Decide { answers, .. } if answers == [("may it?", true)]));
    rig.done(ticket, Outcome::Approves(condition(ConditionType::Approved)));
    rig.does("approve", Outcome::Written(approved(11)));
    rig.tell(Input::Apply(approved(11)));
    let (ticket, effect) = rig.next("sign");
    assert!(matches!(effect, Effect::Sign { object } if object.resource_version() == 11));
    rig.done(ticket, Outcome::Signed("PEM".into()));
    rig.does("publish", Outcome::Written(issued(12)));
    rig.tell(Input::Apply(issued(12)));
    assert_eq!(rig.sleep(), Some(Duration::from_secs(60)), "until the clock is looked at again");
    assert_eq!(rig.engine.counts().records, 1);
}

#[test]
fn a_rejection_ends_as_a_failed_condition() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Rejected(condition(ConditionType::Failed)));
    let failed = Object { conditions: vec![("Approved", Some(BEGIN)), ("Failed", Some(BEGIN))], ..object() };
    rig.does("fail", Outcome::Written(Object { resource_version: 12, ..failed }.decoded()));
    rig.sleep();
}

#[test]
fn a_denial_is_written_where_the_approver_says_so() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Denies(condition(ConditionType::Denied)));
    rig.does("deny", Outcome::Written(with("Denied", 11)));
    rig.sleep();
}

#[test]
fn nothing_is_done_for_a_signer_name_that_is_not_ours_but_cleaning() {
    let mut rig = Rig::leading();
    let foreign = Object { signer_name: FOREIGN, ..object() };
    rig.tell(Input::Apply(foreign.decoded()));
    rig.sleep();
    let foreign = Object { resource_version: 11, conditions: vec![("Approved", Some(BEGIN))], ..foreign };
    rig.tell(Input::Apply(foreign.decoded()));
    rig.sleep();
    rig.pass(Duration::from_secs(24 * 3600 + 1));
    rig.next("delete");
}

#[test]
fn without_an_opinion_a_request_rests_until_it_changes() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::NoOpinion);
    rig.sleep();
    rig.tell(Input::Apply(approved(11)));
    rig.next("sign");
}

#[test]
fn nothing_goes_out_without_leadership() {
    let mut rig = Rig::following();
    rig.tell(Input::Apply(pending()));
    assert_eq!(rig.sleep(), None);
    rig.tell(Input::Leading(true));
    let (ticket, _) = rig.next("decide");
    rig.tell(Input::Leading(false));
    rig.done(ticket, Outcome::Approves(condition(ConditionType::Approved)));
    assert_eq!(rig.sleep(), None);
    rig.tell(Input::Leading(true));
    rig.next("decide");
}

#[test]
fn an_event_that_is_not_newer_changes_nothing() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(issued(12)));
    for stale in [pending(), approved(11), Object { resource_version: 12, ..object() }.decoded()] {
        rig.tell(Input::Apply(stale));
        rig.sleep();
    }
}

#[test]
fn an_object_that_changed_under_way_is_looked_at_again() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    let (ticket, _) = rig.next("decide");
    rig.tell(Input::Apply(with("Denied", 11)));
    rig.done(ticket, Outcome::Approves(condition(ConditionType::Approved)));
    rig.sleep();
}

#[test]
fn a_new_uid_under_an_old_name_is_another_object() {
    let mut rig = Rig::leading();
    let other = Object { uid: "uid-2".into(), resource_version: 20, ..object() }.decoded();
    rig.tell(Input::Apply(approved(11)));
    let (ticket, _) = rig.next("sign");
    rig.tell(Input::Apply(other));
    rig.next("decide");
    rig.tell(Input::Deleted { name: "csr-1".into(), uid: "uid-1".into() });
    rig.done(ticket, Outcome::Signed("PEM".into()));
    assert_eq!(rig.engine.counts().records, 1);
    rig.sleep();
}

#[test]
fn a_ticket_is_good_for_one_answer() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    let (ticket, _) = rig.next("sign");
    rig.done(ticket, Outcome::Failed(Failure::NOT_DONE));
    rig.done(ticket, Outcome::Signed("PEM".into()));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
}

#[test]
fn what_a_complete_list_does_not_have_is_gone() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(issued(12)));
    rig.tell(Input::Apply(Object { name: "csr-2".into(), uid: "uid-2".into(), ..object() }.decoded()));
    rig.tell(Input::Init);
    rig.tell(Input::InitApply(issued(12)));
    assert_eq!(rig.engine.counts().records, 2, "the list is not complete");
    rig.tell(Input::InitDone);
    assert_eq!(rig.engine.counts().records, 1);
    rig.sleep();
}

#[test]
fn failures_back_off_and_retry_after_is_honoured() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    let busy = Failure { retry_after: Some(Duration::from_secs(30)), unknown: false };
    let endless = Failure { retry_after: Some(Duration::from_secs(99_999)), unknown: false };
    for (failures, (failure, milliseconds)) in [
        (Failure::NOT_DONE, 200),
        (Failure::NOT_DONE, 400),
        (busy, 30_000),
        (Failure::NOT_DONE, 1600),
        (endless, 1_000_000),
    ]
    .into_iter()
    .enumerate()
    {
        if failures > 1 {
            // What failed twice takes up no room while it waits.
            rig.does("read", Outcome::Found(approved(11)));
        }
        rig.does("sign", Outcome::Failed(failure));
        let (begin, end) = (rig.now.monotonic, Duration::from_millis(milliseconds));
        while rig.now.monotonic < begin + end {
            let sleep = rig.sleep().unwrap();
            rig.pass(sleep);
        }
        assert_eq!(rig.now.monotonic, begin + end);
    }
}

#[test]
fn what_may_have_happened_is_looked_up_first() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Signed("PEM".into()));
    rig.does("publish", Outcome::Failed(Failure::UNKNOWN));
    rig.pass(Duration::from_secs(1));
    rig.does("read", Outcome::Found(issued(12)));
    rig.sleep();
}

#[test]
fn an_event_tells_what_may_have_happened() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Signed("PEM".into()));
    let (ticket, _) = rig.next("publish");
    rig.tell(Input::Apply(issued(12)));
    rig.done(ticket, Outcome::Failed(Failure::UNKNOWN));
    rig.pass(Duration::from_secs(1));
    rig.sleep();
}

#[test]
fn a_conflict_waits_for_the_event_or_looks_it_up() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Signed("PEM".into()));
    rig.does("publish", Outcome::Conflict);
    rig.sleep();
    rig.tell(Input::Apply(approved(12)));
    rig.does("sign", Outcome::Signed("PEM".into()));
    rig.does("publish", Outcome::Conflict);
    rig.pass(Duration::from_secs(1));
    rig.does("read", Outcome::Found(approved(13)));
    rig.next("sign");
}

#[test]
fn a_write_that_changes_nothing_is_not_repeated_in_a_tight_circle() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Signed("PEM".into()));
    rig.does("publish", Outcome::Written(approved(12)));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
}

#[test]
fn an_approver_that_asks_in_circles_backs_off() {
    for again in [vec![], vec!["may it?"], vec!["else?", "may it?"]] {
        let mut rig = Rig::leading();
        rig.tell(Input::Apply(pending()));
        rig.does("decide", Outcome::Asks(vec!["may it?"]));
        rig.does("ask", Outcome::Answered(false));
        rig.does("decide", Outcome::Asks(again));
        assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
    }
}

#[test]
fn a_held_request_waits_for_another_answer() {
    let mut rig = Rig::leading();
    rig.hold(pending(), "may it?");
    assert_eq!(rig.engine.held_by("csr-1").map(|rule| rule.id), Some(RULE.id));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
    rig.pass(Duration::from_millis(200));
    rig.does("ask", Outcome::Answered(false));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(400)));
    rig.tell(Input::FactChanged("who else?"));
    rig.sleep();
    rig.tell(Input::FactChanged("may it?"));
    rig.does("ask", Outcome::Answered(true));
    rig.does("read", Outcome::Found(pending()));
    let (_, effect) = rig.next("decide");
    assert!(matches!(effect, Effect::Decide { answers, .. } if answers == [("may it?", true)]));
    assert_eq!(rig.engine.held_by("csr-1"), None);
}

#[test]
fn a_fact_that_changes_while_its_question_is_in_flight_is_asked_about_again() {
    let mut rig = Rig::leading();
    rig.hold(pending(), "may it?");
    rig.pass(Duration::from_millis(200));
    let (ticket, _) = rig.next("ask");
    rig.tell(Input::FactChanged("may it?"));
    rig.done(ticket, Outcome::Answered(false));
    rig.does("ask", Outcome::Answered(true));
    rig.next("read");
}

#[test]
fn an_unanswered_question_is_asked_again_by_whoever_comes() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Failed(Failure::NOT_DONE));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
    rig.tell(Input::Apply(Object { name: "csr-2".into(), uid: "uid-2".into(), ..object() }.decoded()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    rig.next("decide");
    rig.next("decide");
}

#[test]
fn an_answer_that_waited_too_long_is_asked_for_again() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    rig.pass(Duration::from_millis(1001));
    let (_, effect) = rig.next("decide");
    assert!(matches!(effect, Effect::Decide { answers, .. } if answers.is_empty()));
}

#[test]
fn a_reload_looks_again_at_all_that_is_held_or_failed_or_rests() {
    let outcomes = [
        Outcome::NoOpinion,
        Outcome::Holds { on: vec![], rule: &RULE },
        Outcome::Failed(Failure { retry_after: Some(Duration::from_secs(900)), unknown: false }),
    ];
    for outcome in outcomes {
        let mut rig = Rig::leading();
        rig.tell(Input::Apply(pending()));
        let reads = !matches!(outcome, Outcome::Failed(_));
        rig.does("decide", outcome);
        rig.sleep();
        rig.tell(Input::Reloaded(standings()));
        if reads {
            rig.does("read", Outcome::Found(pending()));
        }
        rig.next("decide");
    }
}

#[test]
fn a_judgement_under_a_policy_that_was_replaced_does_not_count() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    let (ticket, _) = rig.next("decide");
    rig.tell(Input::Reloaded(standings()));
    rig.done(ticket, Outcome::NoOpinion);
    rig.next("decide");
}

#[test]
fn a_reload_changes_what_is_ours() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(Object { signer_name: FOREIGN, ..object() }.decoded()));
    rig.sleep();
    let ours = Standings { decided: [SignerName::from(FOREIGN)].into(), ..standings() };
    rig.tell(Input::Reloaded(ours));
    rig.next("read");
}

#[test]
fn cleaning_is_exact_and_never_early() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(with("Denied", 11)));
    let hour = Duration::from_secs(3600);
    while rig.now.wall < BEGIN + hour {
        let sleep = rig.sleep().unwrap();
        assert!(sleep <= Duration::from_secs(60), "a step of the clock would be noticed late");
        rig.pass(sleep.min((BEGIN + hour - rig.now.wall).unsigned_abs()));
    }
    assert_eq!(rig.sleep(), Some(Duration::from_nanos(1)));
    rig.pass(Duration::from_nanos(1));
    let (ticket, effect) = rig.next("delete");
    assert!(
        matches!(effect, Effect::Delete { uid, resource_version: 11, rule: "cleaning/denied", .. } if &*uid == "uid-1")
    );
    rig.done(ticket, Outcome::Deleted);
    assert_eq!(rig.engine.counts().records, 0);
}

#[test]
fn a_clock_that_steps_moves_the_cleaning_along() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(with("Denied", 11)));
    rig.now.wall += Duration::from_secs(3601);
    let (ticket, _) = rig.next("delete");
    rig.now.wall -= Duration::from_secs(3601);
    rig.done(ticket, Outcome::Conflict);
    rig.pass(Duration::from_secs(1));
    rig.sleep();
}

#[test]
fn an_object_that_changed_is_not_deleted_unseen() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(with("Denied", 11)));
    rig.pass(Duration::from_secs(3601));
    rig.does("delete", Outcome::Conflict);
    rig.pass(Duration::from_secs(1));
    rig.does("read", Outcome::Found(with("Denied", 12)));
    let (ticket, effect) = rig.next("delete");
    assert!(matches!(effect, Effect::Delete { resource_version: 12, .. }));
    rig.done(ticket, Outcome::Gone);
    assert_eq!(rig.engine.counts().records, 0);
}

#[test]
fn what_can_still_be_in_time_goes_first() {
    let mut rig = Rig::leading();
    let ages = [
        ("system:node:a", 901),
        ("system:bootstrap:b", 901),
        ("system:bootstrap:c", 3601),
        ("anybody", 80_000),
    ];
    for (index, (username, age)) in ages.into_iter().enumerate() {
        let name = format!("csr-{index}");
        let created = BEGIN - Duration::from_secs(age);
        let waiting = Object { uid: name.clone(), name, username: username.into(), created, ..object() };
        rig.tell(Input::Apply(waiting.decoded()));
    }
    let order: Vec<_> = (0..4).map(|_| subject(rig.next("decide").1)).collect();
    assert_eq!(order, ["csr-1", "csr-3", "csr-0", "csr-2"]);
}

fn subject(effect: Effect<&'static str, bool>) -> String {
    match effect {
        Effect::Decide { object, .. } => object.name().to_string(),
        other => panic!("{other:?}"),
    }
}
