use super::*;

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
fn what_became_due_during_a_pass_is_cleaned_after_it() {
    let ends: [fn() -> Outcome<&'static str, bool>; 3] = [
        || Outcome::Asks(vec!["may it?"]),
        || Outcome::Holds { on: vec![], rule: &RULE },
        || Outcome::Failed(Failure { retry_after: Some(Duration::from_secs(900)), unknown: false }),
    ];
    for end in ends {
        let mut rig = Rig::leading();
        rig.tell(Input::Apply(pending()));
        let (ticket, _) = rig.next("decide");
        rig.pass(Duration::from_secs(24 * 3600 + 1));
        rig.sleep();
        let asks = matches!(end(), Outcome::Asks(_));
        rig.done(ticket, end());
        if asks {
            rig.next("ask");
        }
        rig.pass(Duration::from_secs(1));
        rig.next("delete");
    }
}

#[test]
fn a_delete_that_failed_comes_again_later() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(with("Denied", 11)));
    rig.pass(Duration::from_secs(3601));
    rig.does("delete", Outcome::Failed(Failure::NOT_DONE));
    assert_eq!(rig.sleep(), Some(Duration::from_millis(200)));
    rig.pass(Duration::from_millis(200));
    rig.next("delete");
}

#[test]
fn deletes_have_a_limit_of_their_own() {
    let mut rig = Rig::leading();
    for number in 0..9 {
        let (name, uid) = (format!("csr-{number}"), format!("uid-{number}"));
        let conditions = vec![("Denied", Some(BEGIN))];
        rig.tell(Input::Apply(Object { name, uid, conditions, ..object() }.decoded()));
    }
    rig.pass(Duration::from_secs(3601));
    let (ticket, _) = rig.next("delete");
    for _ in 1..4 {
        rig.next("delete");
    }
    rig.sleep();
    rig.done(ticket, Outcome::Deleted);
    rig.next("delete");
}
