use super::*;

fn numbered(number: usize, username: &str) -> Object {
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
fn tickets(rig: &mut Rig, label: &str) -> Vec<Ticket> {
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
