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

#[test]
fn a_crowd_has_everything_until_somebody_else_wants_something_too() {
    let mut rig = Rig::leading();
    let approved = |number, username| {
        let conditions = vec![("Approved", Some(BEGIN))];
        Input::Apply(Object { conditions, ..numbered(number, username) }.decoded())
    };
    for number in 0..60 {
        rig.tell(approved(number, "crowd"));
    }
    let alone = tickets(&mut rig, "sign");
    assert_eq!(alone.len(), Settings::default().max_local);
    rig.tell(approved(60, "somebody else"));
    let mut shared = Vec::new();
    for ticket in alone {
        rig.done(ticket, Outcome::Failed(Failure::NOT_DONE));
        shared.extend(tickets(&mut rig, "sign"));
    }
    // Two went out before the other one's turn, then the crowd keeps four under way.
    assert!((5..=8).contains(&shared.len()), "{} under way", shared.len());
    rig.pass(Duration::from_millis(5001));
    let again = tickets(&mut rig, "sign");
    assert_eq!(shared.len() + again.len(), Settings::default().max_local);
}
