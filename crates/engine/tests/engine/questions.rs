use super::*;

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
    assert_eq!(rig.engine.held_by_rule().collect::<Vec<_>>(), [(RULE.id, 1)]);
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
    assert_eq!(rig.engine.held_by_rule().collect::<Vec<_>>(), [(RULE.id, 0)]);
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

/// Six requesters who take turns, and an API server so slow that each answer is too old when its request's turn comes.
#[test]
fn whose_answers_grow_old_in_the_queue_are_served_all_the_same() {
    const USERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let settings = Settings { max_in_flight: 1, ..Settings::default() };
    let mut rig = Rig { engine: Engine::new(settings, standings()), ..Rig::following() };
    rig.tell(Input::Leading(true));
    for user in USERS {
        let object = Object { name: user.into(), uid: user.into(), username: user.into(), ..object() };
        rig.tell(Input::Apply(object.decoded()));
    }
    let mut served = Vec::new();
    for _ in 0..10 * USERS.len() {
        let Turn::Do(ticket, effect) = rig.engine.poll(rig.now) else { break };
        let outcome = match effect {
            Effect::Read { name } => {
                let object = Object { name: name.to_string(), uid: name.to_string(), ..object() };
                Outcome::Found(Object { username: name.to_string(), ..object }.decoded())
            }
            Effect::Decide { object, answers } if answers.is_empty() => {
                Outcome::Asks(USERS.into_iter().filter(|user| **user == **object.name()).collect())
            }
            Effect::Decide { .. } => Outcome::Approves(condition(ConditionType::Approved)),
            Effect::Ask(_) => Outcome::Answered(true),
            Effect::Approve { object, .. } => {
                served.push(object.name().to_string());
                Outcome::Gone
            }
            other => panic!("{other:?}"),
        };
        rig.pass(Duration::from_millis(if matches!(outcome, Outcome::Asks(_)) { 0 } else { 600 }));
        rig.done(ticket, outcome);
    }
    served.sort_unstable();
    assert_eq!(served, USERS);
}

#[test]
fn who_waits_or_is_held_goes_on_when_approved_by_hand() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    let (ticket, _) = rig.next("ask");
    rig.tell(Input::Apply(approved(11)));
    rig.next("sign");
    rig.done(ticket, Outcome::Answered(true));
    rig.sleep();

    let mut rig = Rig::leading();
    rig.hold(pending(), "may it?");
    rig.tell(Input::Apply(approved(11)));
    rig.next("sign");
    assert_eq!(rig.engine.counts().questions, 0);
}

#[test]
fn what_others_approved_may_be_asked_about_before_it_is_signed() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(approved(11)));
    rig.does("sign", Outcome::Asks(vec!["whose is it?"]));
    rig.does("ask", Outcome::Answered(false));
    let (ticket, effect) = rig.next("sign");
    assert!(matches!(effect, Effect::Sign { answers, .. } if answers == [("whose is it?", false)]));
    rig.done(ticket, Outcome::Holds { on: vec![("whose is it?", None)], rule: &RULE });
    assert_eq!(rig.engine.held_by("csr-1").map(|rule| rule.id), Some(RULE.id));
    rig.sleep();
    rig.tell(Input::FactChanged("whose is it?"));
    rig.does("ask", Outcome::Answered(true));
    rig.does("read", Outcome::Found(approved(11)));
    let (_, effect) = rig.next("sign");
    assert!(matches!(effect, Effect::Sign { answers, .. } if answers == [("whose is it?", true)]));
}

#[test]
fn what_was_answered_for_the_decision_is_known_when_its_result_is_signed() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    rig.does("decide", Outcome::Approves(condition(ConditionType::Approved)));
    rig.does("approve", Outcome::Written(approved(11)));
    let (_, effect) = rig.next("sign");
    assert!(matches!(effect, Effect::Sign { answers, .. } if answers == [("may it?", true)]));
}

#[test]
fn what_is_held_on_answers_found_elsewhere_is_asked_about_less_and_less() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    let on = vec![("whose is a?", Some(false)), ("whose is b?", Some(false)), ("may it?", None)];
    rig.does("decide", Outcome::Holds { on, rule: &RULE });
    let mut asked = 0;
    for _ in 0..600 {
        rig.pass(Duration::from_millis(100));
        while let Turn::Do(ticket, effect) = rig.engine.poll(rig.now) {
            let Effect::Ask(question) = effect else { panic!("{effect:?}: nothing has changed") };
            rig.done(ticket, Outcome::Answered(question == "may it?"));
            asked += 1;
        }
    }
    // Three questions, each after 0.2, 0.4, 0.8 s and so on, for a minute.
    assert!((3 * 7..=3 * 9).contains(&asked), "{asked}");
}

#[test]
fn an_old_answer_is_not_used_because_a_new_one_came() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(pending()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    rig.does("decide", Outcome::Asks(vec!["who is it?"]));
    for _ in 0..10 {
        let (ticket, _) = rig.next("ask");
        rig.done(ticket, Outcome::Failed(Failure::NOT_DONE));
        rig.pass(Duration::from_secs(1000));
    }
    rig.does("ask", Outcome::Answered(true));
    let (ticket, effect) = rig.next("decide");
    assert!(
        matches!(effect, Effect::Decide { answers, .. } if answers == [("who is it?", true)]),
        "without what was found hours ago"
    );
    // What came now need not be asked for once more with it: what takes long would else never come to an end.
    rig.done(ticket, Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Answered(true));
    let (_, effect) = rig.next("decide");
    assert!(
        matches!(effect, Effect::Decide { answers, .. } if answers == [("who is it?", true), ("may it?", true)])
    );
}
