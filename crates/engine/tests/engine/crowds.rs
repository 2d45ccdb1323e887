//! What one requester has asked for keeps nobody else's questions waiting.

use super::limits::{numbered, source, tickets};
use super::*;

const VICTIM: usize = 1000;

/// An engine that may retry so much at once, and as much a second, and ask two questions of others.
fn asking(retries: u32) -> Rig {
    let retry = Retry { burst: retries, per_second: retries, ..Retry::default() };
    let settings = Settings { retry, max_inquiries: 2, ..Settings::default() };
    let engine = Engine::new(settings, standings()).asking(source);
    let mut rig = Rig { engine, ..Rig::following() };
    rig.tell(Input::Leading(true));
    rig
}

fn questions(kind: &str, number: usize) -> Vec<&'static str> {
    (0..number).map(|number| &*format!("{kind} {number}").leak()).collect()
}

/// A request that is held on these questions, whose answers were found without asking.
fn held_on(rig: &mut Rig, number: usize, questions: &[&'static str]) {
    rig.tell(Input::Apply(numbered(number, "crowd").decoded()));
    let on = questions.iter().map(|question| (*question, Some(false))).collect();
    rig.does("decide", Outcome::Holds { on, rule: &RULE });
}

fn victim_asks(rig: &mut Rig, question: &'static str) {
    rig.tell(Input::Apply(numbered(VICTIM, "victim").decoded()));
    rig.does("decide", Outcome::Asks(vec![question]));
}

/// How many of those under way end before this question is asked: each leaves its place to the next.
fn ended_before(rig: &mut Rig, question: &str, mut under_way: Vec<Ticket>) -> usize {
    for ended in 1.. {
        rig.pass(Duration::from_secs(3));
        rig.done(under_way.remove(0), Outcome::Failed(Failure::NOT_DONE));
        match rig.engine.poll(rig.now) {
            Turn::Do(_, Effect::Ask(asked)) if asked == question => return ended,
            Turn::Do(ticket, Effect::Ask(_)) => under_way.push(ticket),
            turn => panic!("{turn:?}"),
        }
    }
    unreachable!()
}

/// What is asked in the next three seconds, where a second has one retry.
fn next_retries(rig: &mut Rig) -> [&'static str; 3] {
    std::array::from_fn(|_| {
        rig.pass(Duration::from_secs(1));
        let (ticket, effect) = rig.next("ask");
        rig.done(ticket, Outcome::Told(false));
        let Effect::Ask(question) = effect else { panic!("{effect:?}") };
        question
    })
}

/// Neither a question of one's own, nor one that stands last in the line of the crowd.
#[test]
fn names_that_nobody_answers_for_delay_nobody_else() {
    for question in ["dns victim", "dns 99"] {
        let mut rig = asking(1);
        rig.tell(Input::Apply(numbered(0, "crowd").decoded()));
        rig.does("decide", Outcome::Asks(questions("dns", 100)));
        let under_way = tickets(&mut rig, "ask");
        assert_eq!(under_way.len(), 2);
        victim_asks(&mut rig, question);
        let ended = ended_before(&mut rig, question, under_way);
        assert_eq!(ended, 2, "after one of the crowd's, and not a hundred");
    }
}

/// A crowd that asks for the same puts it at the end of no line but its own.
#[test]
fn a_question_that_failed_keeps_its_turn_when_a_crowd_asks_it_too() {
    let mut rig = asking(1);
    victim_asks(&mut rig, "dns 99");
    rig.does("ask", Outcome::Failed(Failure::NOT_DONE));
    rig.tell(Input::Apply(numbered(0, "crowd").decoded()));
    rig.does("decide", Outcome::Asks(questions("dns", 100)));
    let asked = [rig.next("ask").1, rig.next("ask").1];
    assert!(asked.iter().any(|effect| matches!(effect, Effect::Ask("dns 99"))), "{asked:?}");
}

#[test]
fn facts_that_change_for_a_crowd_delay_nobody_else() {
    let mut rig = asking(1);
    let changed = questions("dns", 100);
    for (number, question) in changed.iter().enumerate() {
        held_on(&mut rig, number, &[*question]);
    }
    for question in changed {
        rig.tell(Input::FactChanged(question));
    }
    let under_way = tickets(&mut rig, "ask");
    victim_asks(&mut rig, "dns victim");
    assert_eq!(ended_before(&mut rig, "dns victim", under_way), 2);
}

/// Retries are few, and a crowd of held requests would have all of them for minutes.
#[test]
fn a_question_that_failed_has_its_turn_among_those_of_a_crowd_that_is_held() {
    for kind in ["may", "dns"] {
        let mut rig = asking(1);
        for (number, questions) in questions(kind, 300).chunks(10).enumerate() {
            held_on(&mut rig, number, questions);
        }
        rig.pass(Duration::from_millis(200));
        rig.does("ask", Outcome::Told(false));
        let victim: &'static str = format!("{kind} victim").leak();
        victim_asks(&mut rig, victim);
        rig.does("ask", Outcome::Failed(Failure::NOT_DONE));
        let again = next_retries(&mut rig);
        assert!(again.contains(&victim), "{again:?}");
    }
}

/// One that already stands in the line of the crowd, last, and is asked seldom.
#[test]
fn whoever_is_held_on_a_question_of_a_crowd_has_it_asked_in_its_own_turn() {
    let mut rig = asking(1);
    held_on(&mut rig, 0, &["shared"]);
    for round in 0..7 {
        rig.pass(Duration::from_secs(1 << round));
        rig.does("ask", Outcome::Told(false));
    }
    rig.pass(Duration::from_millis(25_300));
    held_on(&mut rig, 1, &questions("may", 50));
    rig.pass(Duration::from_millis(300));
    rig.does("ask", Outcome::Told(false));
    rig.tell(Input::Apply(numbered(VICTIM, "victim").decoded()));
    rig.does("decide", Outcome::Holds { on: vec![("shared", Some(false))], rule: &RULE });
    let again = next_retries(&mut rig);
    assert!(again.contains(&"shared"), "{again:?}");
}

#[test]
fn what_is_answered_from_memory_costs_no_retry() {
    let mut rig = asking(1);
    held_on(&mut rig, 0, &questions("whose", 300));
    victim_asks(&mut rig, "may victim?");
    rig.does("ask", Outcome::Failed(Failure::NOT_DONE));
    rig.pass(Duration::from_millis(200));
    let mut asked = Vec::new();
    while asked.len() < 301 {
        let (ticket, effect) = rig.next("ask");
        let Effect::Ask(question) = effect else { panic!("{effect:?}") };
        let is_victims = question == "may victim?";
        rig.done(ticket, if is_victims { Outcome::Failed(Failure::NOT_DONE) } else { Outcome::Told(false) });
        asked.push(question);
    }
    assert!(asked.contains(&"may victim?"));
}

#[test]
fn what_is_answered_from_memory_takes_no_place_from_calls() {
    let mut rig = asking(1);
    held_on(&mut rig, 0, &questions("whose", 300));
    rig.pass(Duration::from_millis(200));
    let under_way = tickets(&mut rig, "ask").len();
    assert_eq!((under_way, rig.engine.counts().calls), (Settings::default().max_local, 0));
    victim_asks(&mut rig, "may victim?");
    rig.next("ask");
}
