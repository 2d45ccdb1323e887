use super::*;

pub(crate) fn numbered(number: usize, username: &str) -> Object {
    let (name, uid) = (format!("csr-{number}"), format!("uid-{number}"));
    Object { name, uid, username: username.into(), ..object() }
}

/// An engine that keeps no object, and so has one to read for each of a hundred requests.
fn reading(settings: Settings) -> Rig {
    let settings = Settings { object_budget_bytes: 0, ..settings };
    let mut rig = Rig { engine: Engine::new(settings, standings()), ..Rig::following() };
    rig.tell(Input::Leading(true));
    for number in 0..100 {
        rig.tell(Input::Apply(numbered(number, "user").decoded()));
    }
    rig
}

/// The tickets of all that goes out at once.
pub(crate) fn tickets(rig: &mut Rig, label: &str) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    while let Turn::Do(ticket, effect) = rig.engine.poll(rig.now) {
        assert_eq!(effect.label(), label);
        tickets.push(ticket);
    }
    tickets
}

#[test]
fn an_overloaded_api_server_gets_half_as_many_calls() {
    let busy = Failure { retry_after: Some(Duration::from_secs(1)), unknown: false };
    for (failure, expected) in [(Failure::NOT_DONE, 16), (busy, 8), (Failure::UNKNOWN, 8)] {
        let mut rig = reading(Settings::default());
        let sent = tickets(&mut rig, "read");
        assert_eq!(sent.len(), 16);
        rig.pass(Duration::from_millis(5));
        for (number, ticket) in sent.into_iter().enumerate() {
            let failure = if number == 0 { failure } else { Failure::NOT_DONE };
            rig.done(ticket, Outcome::Failed(failure));
        }
        assert_eq!(tickets(&mut rig, "read").len(), expected, "after {failure:?}");
        assert_eq!(rig.engine.counts().call_limit, expected);
    }
}

/// However long it asks to be left alone about some, there is no stop for all.
#[test]
fn what_is_refused_for_long_stops_nobody_else() {
    let busy = Failure { retry_after: Some(Duration::from_secs(900)), unknown: false };
    let mut rig = reading(Settings::default());
    for _ in 0..100 {
        rig.does("read", Outcome::Failed(busy));
    }
    rig.sleep();
    rig.tell(Input::Apply(numbered(100, "other").decoded()));
    rig.does("read", Outcome::Found(numbered(100, "other").decoded()));
    rig.does("decide", Outcome::Asks(vec!["may it?"]));
    rig.does("ask", Outcome::Failed(busy));
    rig.sleep();
    rig.tell(Input::Apply(numbered(101, "third").decoded()));
    rig.does("read", Outcome::Found(numbered(101, "third").decoded()));
    rig.does("decide", Outcome::Asks(vec!["may another?"]));
    rig.next("ask");
}

#[test]
fn quick_answers_bring_more_calls_and_never_more_than_allowed() {
    for (max_in_flight, expected) in [(1, 1), (8, 8), (20, 20), (64, 32)] {
        let mut rig = reading(Settings { max_in_flight, ..Settings::default() });
        let mut sent = tickets(&mut rig, "read");
        for _ in 0..16 {
            rig.pass(Duration::from_millis(1));
            rig.done(sent.remove(0), Outcome::Gone);
            sent.extend(tickets(&mut rig, "read"));
        }
        assert_eq!(sent.len(), expected, "at most {max_in_flight}");
    }
}

/// Once it is given out, it waits in a line that knows nobody's turn.
#[test]
fn signatures_beyond_those_under_way_wait_where_the_order_is_fair() {
    let settings = Settings { max_local: 3, ..Settings::default() };
    let mut rig = Rig { engine: Engine::new(settings, standings()), ..Rig::following() };
    rig.tell(Input::Leading(true));
    let conditions = vec![("Approved", Some(BEGIN))];
    for number in 0..100 {
        let object = Object { conditions: conditions.clone(), ..numbered(number, "flood") };
        rig.tell(Input::Apply(object.decoded()));
    }
    let sent = tickets(&mut rig, "sign");
    assert_eq!((sent.len(), rig.engine.counts().local), (3, 3));
    rig.tell(Input::Apply(Object { conditions, ..numbered(100, "victim") }.decoded()));
    let mut begun = Vec::new();
    for ticket in sent {
        rig.done(ticket, Outcome::Failed(Failure::NOT_DONE));
        begun.push(rig.next("sign").0);
    }
    rig.done(begun[0], Outcome::Failed(Failure::NOT_DONE));
    assert_eq!(subject(rig.next("sign").1), "csr-100", "its turn comes when that of the flood is over");
}

/// An approved request is under way for somebody, and a crowd of sixty wants something too.
fn with_a_neighbour(settings: Settings, crowd: impl Fn(usize) -> Object) -> Rig {
    let mut rig = Rig { engine: Engine::new(settings, standings()), ..Rig::following() };
    rig.tell(Input::Leading(true));
    let conditions = vec![("Approved", Some(BEGIN))];
    let neighbour = numbered(60, "somebody else");
    rig.tell(Input::Apply(Object { conditions: conditions.clone(), ..neighbour.clone() }.decoded()));
    rig.does("sign", Outcome::Signed("PEM".into()));
    let issued = Object { conditions, resource_version: 11, certified: true, ..neighbour };
    rig.does("publish", Outcome::Written(issued.decoded()));
    for number in 0..60 {
        rig.tell(Input::Apply(crowd(number).decoded()));
    }
    rig
}

#[test]
fn a_crowd_has_everything_but_while_others_are_served() {
    let conditions = vec![("Approved", Some(BEGIN))];
    let mut rig = with_a_neighbour(Settings::default(), |number| Object {
        conditions: conditions.clone(),
        ..numbered(number, "crowd")
    });
    let shared = tickets(&mut rig, "sign").len();
    assert_eq!(shared, 3);
    rig.pass(Duration::from_millis(5001));
    assert_eq!(shared + tickets(&mut rig, "sign").len(), Settings::default().max_local);
}

/// An answer that has grown old sends a request back to ask, and the crowd must not hide there from its share.
#[test]
fn whose_turn_has_come_counts_while_it_asks_again() {
    let mut rig = with_a_neighbour(Settings::default(), |number| numbered(number, "crowd"));
    let (decided, question) = ask_all(&mut rig);
    assert_eq!(decided, 60);
    // The first asked alone, and all others while that was in flight.
    rig.done(question, Outcome::Answered(true));
    rig.does("ask", Outcome::Answered(true));
    rig.pass(Duration::from_millis(1001));
    assert_eq!(ask_all(&mut rig).0, 3);
}

/// Has every request that gets its turn ask the same. How many did, and the question that is out.
fn ask_all(rig: &mut Rig) -> (usize, Ticket) {
    let (mut decided, mut question) = (0, None);
    while let Turn::Do(ticket, effect) = rig.engine.poll(rig.now) {
        if let Effect::Decide { .. } = effect {
            rig.done(ticket, Outcome::Asks(vec!["may it?"]));
            decided += 1;
        } else {
            question = Some(ticket);
        }
    }
    (decided, question.unwrap())
}

#[test]
fn a_crowd_never_has_every_call_while_others_are_served() {
    let settings = Settings { max_in_flight: 2, ..Settings::default() };
    let conditions = vec![("Approved", Some(BEGIN))];
    let mut rig = with_a_neighbour(settings, |number| Object {
        conditions: conditions.clone(),
        ..numbered(number, "crowd")
    });
    assert_eq!(tickets(&mut rig, "sign").len(), 1);
}

/// Has a request for each of these questions, which asks it.
fn asks_each(rig: &mut Rig, questions: &[&'static str]) {
    for number in 0..questions.len() {
        rig.tell(Input::Apply(numbered(number, "user").decoded()));
    }
    let mut decided = Vec::new();
    for _ in questions {
        decided.push(rig.next("decide").0);
    }
    for (ticket, question) in decided.into_iter().zip(questions) {
        rig.done(ticket, Outcome::Asks(vec![*question]));
    }
}

pub(crate) fn source(question: &&'static str) -> Source {
    match question.split_once(' ') {
        Some(("dns", _)) => Source::Others,
        Some(("whose", _)) => Source::Memory,
        _ => Source::ApiServer,
    }
}

/// A name server that says nothing is waited for for seconds, and nobody else with it.
#[test]
fn what_is_asked_of_others_takes_no_place_from_calls() {
    let settings = Settings { max_in_flight: 1, max_inquiries: 2, ..Settings::default() };
    let engine = Engine::new(settings, standings()).asking(source);
    let mut rig = Rig { engine, ..Rig::following() };
    rig.tell(Input::Leading(true));
    asks_each(&mut rig, &["dns 1", "dns 2", "dns 3", "may it?"]);
    let sent = tickets(&mut rig, "ask");
    assert_eq!((sent.len(), rig.engine.counts().calls, rig.engine.counts().inquiries), (3, 1, 2));
    // However long they take, they say nothing of the API server, and the third has its turn after one of them.
    rig.pass(Duration::from_secs(4));
    let limit = rig.engine.counts().call_limit;
    rig.done(sent[1], Outcome::Failed(Failure::UNKNOWN));
    assert_eq!((tickets(&mut rig, "ask").len(), rig.engine.counts().call_limit), (1, limit));
}

/// Retried questions and retried requests take turns; a question for which there is no room has none.
#[test]
fn what_cannot_be_asked_again_for_now_holds_no_retry_back() {
    let settings = Settings { max_inquiries: 1, ..Settings::default() };
    let engine = Engine::new(settings, standings()).asking(source);
    let mut rig = Rig { engine, ..Rig::following() };
    rig.tell(Input::Leading(true));
    asks_each(&mut rig, &["dns 1", "dns 2"]);
    // The second fails once, and then the first is asked for long.
    let first = rig.next("ask").0;
    rig.done(first, Outcome::Failed(Failure::NOT_DONE));
    rig.next("ask");
    for number in 2..5 {
        rig.tell(Input::Apply(numbered(number, "user").decoded()));
        rig.does("decide", Outcome::Failed(Failure::NOT_DONE));
    }
    rig.pass(Duration::from_millis(250));
    assert_eq!(tickets(&mut rig, "decide").len(), 3);
}

#[test]
fn questions_to_the_api_server_and_to_others_are_asked_again_in_turns() {
    let retry = Retry { burst: 1, per_second: 10, ..Default::default() };
    let settings = Settings { retry, ..Settings::default() };
    let engine = Engine::new(settings, standings()).asking(source);
    let mut rig = Rig { engine, ..Rig::following() };
    rig.tell(Input::Leading(true));
    let questions = ["may 1?", "may 2?", "may 3?", "dns 1", "dns 2"];
    for (number, question) in questions.into_iter().enumerate() {
        rig.tell(Input::Apply(numbered(number, "user").decoded()));
        rig.does("decide", Outcome::Asks(vec![question]));
        rig.does("ask", Outcome::Failed(Failure::NOT_DONE));
    }
    let mut again = Vec::new();
    for _ in 0..5 {
        rig.pass(Duration::from_millis(500));
        let Turn::Do(_, Effect::Ask(question)) = rig.engine.poll(rig.now) else { break };
        again.push(question);
    }
    assert_eq!(again, ["may 1?", "dns 1", "may 2?", "dns 2", "may 3?"]);
}

/// Whoever may create objects could else slow a storm down at no price.
#[test]
fn who_costs_no_call_is_no_neighbour() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(numbered(60, "somebody else").decoded()));
    rig.does("decide", Outcome::NoOpinion);
    for number in 0..60 {
        let conditions = vec![("Approved", Some(BEGIN))];
        rig.tell(Input::Apply(Object { conditions, ..numbered(number, "crowd") }.decoded()));
    }
    assert_eq!(tickets(&mut rig, "sign").len(), Settings::default().max_local);
}
