use super::*;

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
