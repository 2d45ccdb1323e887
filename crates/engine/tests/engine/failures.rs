use super::*;

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
