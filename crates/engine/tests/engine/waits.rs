use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn from(number: usize, username: &str) -> Object {
    let (name, uid) = (format!("csr-{number}"), format!("uid-{number}"));
    let common_name = Some(username.into());
    Object { name, uid, resource_version: number as u64, username: username.into(), common_name, ..object() }
}

/// One decision at a time, so that all others queue.
fn slow() -> Rig {
    let settings = Settings { max_local: 1, ..Settings::default() };
    let mut rig = Rig { engine: Engine::new(settings, standings()), ..Rig::following() };
    rig.tell(Input::Leading(true));
    rig
}

fn turn(rank: Rank, requester: RequesterKind, milliseconds: u32) -> Wait {
    Wait::Turn { rank, requester, time: MILLISECOND * milliseconds }
}

fn first_call(requester: RequesterKind, milliseconds: u32) -> Wait {
    Wait::FirstCall { requester, time: MILLISECOND * milliseconds }
}

#[test]
fn each_turn_ends_a_wait_that_is_told_once() {
    let mut rig = slow();
    for (number, username) in [(1, "alice"), (2, "system:bootstrap:abcdef"), (3, "system:node:a")] {
        rig.tell(Input::Apply(from(number, username).decoded()));
    }
    let mut expected = 0;
    for requester in [RequesterKind::Other, RequesterKind::Bootstrap, RequesterKind::Node] {
        let (ticket, _) = rig.next("decide");
        assert_eq!(rig.engine.take_waits(), [turn(Rank::Fresh, requester, expected)]);
        rig.sleep();
        assert_eq!(rig.engine.take_waits(), []);
        rig.pass(MILLISECOND * 20);
        expected += 20;
        rig.done(ticket, Outcome::NoOpinion);
    }
}

#[test]
fn who_is_moved_to_another_rank_has_waited_all_along() {
    let mut rig = slow();
    for (number, username) in [(1, "alice"), (2, "system:node:a"), (4, "system:node:b")] {
        rig.tell(Input::Apply(from(number, username).decoded()));
    }
    let (ticket, _) = rig.next("decide");
    rig.pass(Duration::from_secs(899));
    rig.tell(Input::Apply(
        Object { created: BEGIN + Duration::from_secs(899), ..from(3, "system:node:a") }.decoded(),
    ));
    rig.pass(Duration::from_secs(2));
    rig.engine.take_waits();
    rig.done(ticket, Outcome::NoOpinion);
    for expected in [
        turn(Rank::Fresh, RequesterKind::Node, 2000),
        turn(Rank::Late, RequesterKind::Node, 901_000),
        turn(Rank::Superseded, RequesterKind::Node, 901_000),
    ] {
        rig.does("decide", Outcome::NoOpinion);
        assert_eq!(rig.engine.take_waits(), [expected]);
    }
}

#[test]
fn a_request_that_is_retried_waits_for_a_turn_once_more() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Failed(Failure::NOT_DONE));
    rig.engine.take_waits();
    rig.pass(MILLISECOND * 200);
    rig.next("decide");
    assert_eq!(rig.engine.take_waits(), [turn(Rank::Retries, RequesterKind::Other, 0)]);
}

#[test]
fn a_shared_question_is_the_first_call_for_all_who_share_it() {
    let mut rig = Rig::leading();
    for number in [1, 2] {
        rig.tell(Input::Apply(from(number, "alice").decoded()));
    }
    rig.pass(MILLISECOND * 3);
    let decisions = [rig.next("decide").0, rig.next("decide").0];
    rig.engine.take_waits();
    for ticket in decisions {
        rig.done(ticket, Outcome::Asks(vec!["may it?"]));
    }
    let (ticket, _) = rig.next("ask");
    assert_eq!(rig.engine.take_waits(), [first_call(RequesterKind::Other, 3); 2]);
    rig.tell(Input::Apply(from(3, "alice").decoded()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.engine.take_waits();
    rig.pass(MILLISECOND * 5);
    rig.done(ticket, Outcome::Answered(true));
    rig.next("ask");
    assert_eq!(
        rig.engine.take_waits(),
        [first_call(RequesterKind::Other, 5)],
        "who came later waits for the next"
    );
}

#[test]
fn the_first_call_is_told_once_and_only_if_there_is_one() {
    let of_calls = |wait: &Wait| matches!(wait, Wait::FirstCall { .. });
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Holds { on: vec![], rule: &RULE });
    rig.tell(Input::Reloaded(standings()));
    rig.does("read", Outcome::Found(pending()));
    rig.does("decide", Outcome::NoOpinion);
    rig.pass(Duration::from_secs(60));
    rig.tell(Input::Apply(approved(11)));
    assert!(!rig.engine.take_waits().iter().any(of_calls));
    rig.does("sign", Outcome::Signed("PEM".into()));
    rig.pass(MILLISECOND * 7);
    rig.does("publish", Outcome::Conflict);
    let waits: Vec<_> = rig.engine.take_waits().into_iter().filter(of_calls).collect();
    assert_eq!(waits, [first_call(RequesterKind::Other, 7)], "since it was approved by hand");
    rig.pass(Duration::from_secs(1));
    rig.does("read", Outcome::Found(issued(12)));
    assert!(!rig.engine.take_waits().iter().any(of_calls));
}

#[test]
fn the_oldest_in_each_rank_and_the_most_overdue_are_known() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(with("Denied", 11)));
    for (number, username, age) in [(2, "alice", 7), (3, "bob", 90), (4, "system:node:a", 1000)] {
        let created = BEGIN - Duration::from_secs(age);
        rig.tell(Input::Apply(Object { created, ..from(number, username) }.decoded()));
    }
    let ages = |rig: &Rig| rig.engine.counts().queued.map(|queued| queued.oldest_age.as_secs());
    assert_eq!(ages(&rig), [90, 1000, 0, 0]);
    rig.next("decide");
    assert_eq!(ages(&rig), [90, 1000, 0, 0], "turns are taken, whoever is the oldest");
    rig.tell(Input::Deleted { name: "csr-3".into(), uid: "uid-3".into() });
    assert_eq!(ages(&rig), [0, 1000, 0, 0]);
    assert_eq!(rig.engine.counts().cleaning_delay, Duration::ZERO);
    rig.pass(Duration::from_secs(3605));
    rig.tell(Input::FactChanged("may it?"));
    assert_eq!(rig.engine.counts().cleaning_delay.as_secs(), 4);
}
