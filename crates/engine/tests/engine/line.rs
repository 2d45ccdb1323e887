use super::*;

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
    assert!(matches!(effect, Effect::Sign { object, .. } if object.resource_version() == 11));
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
    rig.does("sign", Outcome::Rejected { condition: condition(ConditionType::Failed), rejection: "usages" });
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
