use super::*;

const NODE: &str = "system:node:a";

fn request(number: usize, username: &str, common_name: &str) -> Object {
    Object {
        name: format!("csr-{number}"),
        uid: format!("uid-{number}"),
        resource_version: number as u64,
        username: username.into(),
        common_name: Some(common_name.into()),
        ..object()
    }
}

/// A node's own, made so many seconds before now.
fn aged(number: usize, age: u64) -> Object {
    Object { created: BEGIN - Duration::from_secs(age), ..request(number, NODE, NODE) }
}

/// The order in which these are judged.
fn order(requests: &[Object]) -> Vec<String> {
    let mut rig = Rig::leading();
    for request in requests {
        rig.tell(Input::Apply(request.decoded()));
    }
    let mut decided = || {
        let (ticket, effect) = rig.next("decide");
        rig.done(ticket, Outcome::NoOpinion);
        subject(effect)
    };
    requests.iter().map(|_| decided()).collect()
}

#[test]
fn a_node_that_asks_again_is_served_what_it_waits_for_in_whatever_order_its_requests_are_seen() {
    // The newest two are of the same second, and neither can be in time any more.
    let (first, second, third, newest) = (aged(1, 3000), aged(2, 2000), aged(3, 1000), aged(4, 1000));
    let other = request(5, "system:node:b", "system:node:b");
    let requests = [first, second, third, newest, other];
    for rotation in 0..requests.len() {
        for reversed in [false, true] {
            let mut requests = requests.clone();
            requests.rotate_left(rotation);
            if reversed {
                requests.reverse();
            }
            assert_eq!(order(&requests), ["csr-5", "csr-4", "csr-1", "csr-2", "csr-3"]);
        }
    }
}

#[test]
fn another_subject_or_signer_is_another_purpose() {
    let serving = Object { signer_name: SERVING, ..request(2, NODE, NODE) };
    let conditions = vec![("Approved", Some(BEGIN))];
    let mut rig = Rig::leading();
    for object in
        [request(1, NODE, NODE), Object { conditions, ..serving }, request(3, NODE, "system:node:b")]
    {
        rig.tell(Input::Apply(object.decoded()));
    }
    assert_eq!(rig.engine.counts().queued(Rank::Superseded).depth, 0);
}

/// Whoever shares a bootstrap token with a node that joins, or got a credential as another node with it, asks in the node's
/// name. Without the rule that the username is the common name, the second attack succeeds, and without the rule that
/// the username is a node's as well, the first.
#[test]
fn nobody_else_pushes_a_node_back() {
    const TOKEN: &str = "system:bootstrap:abcdef";
    for (victim, attacker) in [(TOKEN, TOKEN), (NODE, "system:node:evil"), (NODE, "mallory")] {
        let attack = (2..9).map(|number| request(number, attacker, NODE));
        let requests: Vec<_> = [request(1, victim, NODE)].into_iter().chain(attack).collect();
        assert_eq!(order(&requests)[0], "csr-1", "{victim} is attacked by {attacker}");
    }
}

#[test]
fn a_node_that_floods_delays_itself_alone() {
    let mut rig = Rig::leading();
    for number in 1..=1000 {
        rig.tell(Input::Apply(request(number, NODE, NODE).decoded()));
    }
    let late = Object { created: BEGIN - Duration::from_secs(901), ..request(2001, "system:node:b", "b") };
    rig.tell(Input::Apply(late.decoded()));
    assert_eq!(rig.engine.counts().queued(Rank::Superseded).depth, 999);
    let order: Vec<_> = (0..4).map(|_| subject(rig.next("decide").1)).collect();
    assert_eq!(order[..2], ["csr-1000", "csr-2001"], "its newest, and whoever else waits");
}

#[test]
fn what_is_superseded_is_served_in_the_end() {
    let mut rig = Rig::leading();
    for number in 1..=3 {
        rig.tell(Input::Apply(request(number, NODE, NODE).decoded()));
    }
    for expected in ["csr-3", "csr-1", "csr-2"] {
        let (ticket, effect) = rig.next("decide");
        assert_eq!(subject(effect), expected);
        rig.done(ticket, Outcome::NoOpinion);
    }
}

#[test]
fn what_is_under_way_goes_on_when_it_is_superseded() {
    let mut rig = Rig::leading();
    rig.tell(Input::Apply(request(1, NODE, NODE).decoded()));
    let (ticket, _) = rig.next("decide");
    rig.tell(Input::Apply(request(2, NODE, NODE).decoded()));
    rig.done(ticket, Outcome::Approves(condition(ConditionType::Approved)));
    let (_, effect) = rig.next("approve");
    assert!(matches!(effect, Effect::Approve { object, .. } if &**object.name() == "csr-1"));
    assert_eq!(subject(rig.next("decide").1), "csr-2");
}

#[test]
fn what_is_held_is_superseded_too_and_goes_last_when_it_is_let_go() {
    let mut rig = Rig::leading();
    rig.hold(request(1, NODE, NODE).decoded(), "may it?");
    rig.hold(request(2, NODE, NODE).decoded(), "may it?");
    rig.tell(Input::FactChanged("may it?"));
    rig.does("ask", Outcome::Answered(true));
    let depths = rig.engine.counts().queued.map(|queued| queued.depth);
    assert_eq!(depths, [1, 0, 0, 1]);
}

#[test]
fn a_superseded_request_that_fails_is_retried_no_faster_than_others() {
    let mut rig = Rig::leading();
    for number in 1..=300 {
        rig.tell(Input::Apply(request(number, NODE, NODE).decoded()));
        rig.does("decide", Outcome::Failed(Failure::NOT_DONE));
    }
    rig.pass(Duration::from_millis(200));
    let mut tries = 0;
    while let Turn::Do(ticket, _) = rig.engine.poll(rig.now) {
        rig.done(ticket, Outcome::Failed(Failure::NOT_DONE));
        tries += 1;
    }
    assert_eq!(tries, Settings::default().retry.burst);
}

#[test]
fn a_request_longer_than_any_kubelets_is_not_looked_into() {
    let long = |number| {
        let name = format!("system:node:{}", "a".repeat(8 << 10));
        request(number, &name, &name)
    };
    assert_eq!(order(&[long(1), long(2)]), ["csr-1", "csr-2"]);
}
