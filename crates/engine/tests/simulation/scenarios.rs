use std::time::Duration;

use engine::{Input, Retentions, Settings};

use crate::object::{Content, Object};
use crate::replica::{Micros, SECOND};
use crate::server::{Permission, Question};
use crate::story::object;
use crate::world::World;

/// One replica that leads, in a world in which nothing goes wrong.
fn world(settings: Settings) -> World {
    let mut world = World::new(1, 1, settings, Retentions::default());
    world.lag = (1, 50);
    world.replicas[0].relist(&world.server, 0, None);
    world.tell(0, 0, Input::Leading(true));
    world
}

fn create(world: &mut World, username: &str, number: usize) {
    let name = format!("{username}-{number}");
    world.server.create(Object { username: username.into(), ..object(&name, world.wall()) });
}

fn permission(username: &str) -> Question {
    Question { username: username.into(), permission: Permission::Node }
}

fn certified(world: &World, prefix: &str) -> usize {
    world.server.objects.values().filter(|object| object.certified && object.name.starts_with(prefix)).count()
}

fn calls(world: &World, kind: &str) -> u64 {
    world.calls.get(kind).copied().unwrap_or_default()
}

/// Runs until this many objects have their certificate, and says how long it took.
fn run_until_certified(world: &mut World, prefix: &str, number: usize) -> Micros {
    let begin = world.now;
    while certified(world, prefix) < number {
        assert!(world.now < begin + 7200 * SECOND, "{} of {number} {prefix}", certified(world, prefix));
        world.run(world.now + SECOND / 20);
    }
    world.now - begin
}

#[test]
fn ten_thousand_unauthorised_requests_cost_one_review_a_round_and_heal_all_at_once() {
    let mut world = world(Settings::default());
    for number in 0..10_000 {
        create(&mut world, "crowd", number);
    }
    world.run(60 * SECOND);
    let counts = world.replicas[0].engine.counts();
    assert_eq!((counts.held, counts.questions), (10_000, 1));
    assert!(counts.object_bytes < 1 << 20, "the crowd takes up the budget: {counts:?}");

    let (reviews, reads, decisions) = (world.server.reviews, calls(&world, "read"), calls(&world, "decide"));
    world.run(3600 * SECOND);
    let rounds = world.server.reviews - reviews;
    assert!((3..=12).contains(&rounds), "{rounds} rounds in an hour");
    assert_eq!((calls(&world, "read"), calls(&world, "decide")), (reads, decisions));

    world.server.granted.insert(permission("crowd"));
    world.tell(0, 0, Input::FactChanged(permission("crowd")));
    let reviews = world.server.reviews;
    let took = run_until_certified(&mut world, "crowd", 10_000);
    let reviews = world.server.reviews - reviews;
    assert!(took < 10_000 * SECOND / 200, "{} s", took / SECOND);
    assert!(reviews < 200, "{reviews} reviews");
}

#[test]
fn a_permission_granted_late_is_noticed_without_being_told() {
    let mut world = world(Settings::default());
    create(&mut world, "late", 0);
    world.run(5000 * SECOND);
    world.server.granted.insert(permission("late"));
    assert!(run_until_certified(&mut world, "late", 1) <= 1001 * SECOND);
}

#[test]
fn a_storm_of_one_identity_shares_its_reviews() {
    let mut world = world(Settings::default());
    world.server.granted.insert(permission("storm"));
    for number in 0..2000 {
        create(&mut world, "storm", number);
    }
    run_until_certified(&mut world, "storm", 2000);
    let calls: u64 = ["ask", "approve", "publish", "read"].iter().map(|kind| calls(&world, kind)).sum();
    assert!(calls <= 2000 * 9 / 4, "{calls} calls for 2000 requests");
    assert_eq!(world.replicas[0].engine.counts().shared_answers + world.server.reviews, 2000);
}

#[test]
fn an_answer_is_not_shared_with_who_came_while_it_was_in_flight() {
    let mut world = world(Settings::default());
    world.latency = (SECOND, SECOND + 1);
    world.server.granted.insert(permission("user"));
    create(&mut world, "user", 1);
    world.run(SECOND * 3 / 2);
    assert_eq!(world.server.reviews, 1, "the first question was answered and its answer is on its way");
    world.server.granted.clear();
    create(&mut world, "user", 2);
    world.run(60 * SECOND);
    assert_eq!(world.replicas[0].engine.counts().held, 1);
    assert_eq!((certified(&world, "user-1"), certified(&world, "user-2")), (1, 0));
}

#[test]
fn a_flood_of_one_identity_does_not_delay_the_others() {
    let mut world = world(Settings { max_in_flight: 8, ..Settings::default() });
    world.server.granted.insert(permission("flood"));
    for number in 0..4000 {
        create(&mut world, "flood", number);
    }
    world.run(2 * SECOND);
    for number in 0..20 {
        let username = format!("good{number}");
        world.server.granted.insert(permission(&username));
        create(&mut world, &username, 0);
    }
    let took = run_until_certified(&mut world, "good", 20);
    assert!(took < SECOND / 4, "{took} µs");
    assert!(certified(&world, "flood") < 3000, "the flood is over before it was a test");
    run_until_certified(&mut world, "flood", 4000);
}

#[test]
fn those_beyond_the_lanes_share_one_and_are_served_all_the_same() {
    let mut world = world(Settings { max_in_flight: 2, max_identities: 3, ..Settings::default() });
    for number in 0..300 {
        let username = format!("user{}", number % 30);
        world.server.granted.insert(permission(&username));
        create(&mut world, &username, number);
    }
    run_until_certified(&mut world, "user", 300);
}

#[test]
fn what_is_beyond_the_budget_is_read_again_at_its_turn() {
    for (budget, reads) in [(8 << 20, 0..=0), (200_000, 100..=1000), (0, 500..=1000)] {
        let mut world = world(Settings { object_budget_bytes: budget, ..Settings::default() });
        world.server.granted.insert(permission("storm"));
        for number in 0..500 {
            create(&mut world, "storm", number);
        }
        run_until_certified(&mut world, "storm", 500);
        assert!(reads.contains(&calls(&world, "read")), "{budget} bytes: {} reads", calls(&world, "read"));
    }
}

#[test]
fn cleaning_yields_to_everything_and_gets_on_all_the_same() {
    let mut world = world(Settings { max_in_flight: 4, ..Settings::default() });
    world.server.granted.insert(permission("storm"));
    let long_ago = world.wall() - Duration::from_secs(100_000);
    for number in 0..300 {
        let name = format!("old-{number}");
        world
            .server
            .create(Object { conditions: vec![("Denied", Some(long_ago))], ..object(&name, long_ago) });
    }
    for number in 0..4000 {
        create(&mut world, "storm", number);
    }
    let took = run_until_certified(&mut world, "storm", 4000);
    let deleted = calls(&world, "delete");
    assert!((1..=30 + took / SECOND).contains(&deleted), "{deleted} deletes in {} s of storm", took / SECOND);
    let (begin, rest) = (world.now, 300 - deleted);
    while calls(&world, "delete") < 300 {
        world.run(world.now + SECOND);
    }
    let took = (world.now - begin) / SECOND;
    assert!((rest.saturating_sub(30) / 20..=rest / 20 + 2).contains(&took), "{rest} deletes in {took} s");
}

#[test]
fn what_nobody_can_read_is_retried_and_hinders_nobody() {
    let mut world = world(Settings::default());
    for number in 0..3000 {
        let broken = object(&format!("broken-{number}"), world.wall());
        world.server.create(Object { content: Content::Broken, ..broken });
    }
    world.run(30 * SECOND);
    let tries = calls(&world, "decide");
    world.run(90 * SECOND);
    let tries = calls(&world, "decide") - tries;
    assert!((500..=601).contains(&tries), "{tries} retries in a minute");
    world.server.granted.insert(permission("good"));
    create(&mut world, "good", 0);
    assert!(run_until_certified(&mut world, "good", 1) < SECOND / 4);
}

#[test]
fn a_graceful_handover_signs_within_a_second_and_nothing_twice() {
    let mut world = World::new(2, 2, Settings::default(), Retentions::default());
    world.server.granted.insert(permission("storm"));
    for replica in [0, 1] {
        world.replicas[replica].relist(&world.server, 0, None);
    }
    world.tell(0, 0, Input::Leading(true));
    for number in 0..1000 {
        create(&mut world, "storm", number);
    }
    world.run(SECOND / 2);
    world.tell(0, 0, Input::Leading(false));
    world.tell(1, SECOND / 10, Input::Leading(true));
    let before = certified(&world, "storm");
    world.run(world.now + SECOND);
    assert!(before < certified(&world, "storm"), "{before} then {}", certified(&world, "storm"));
    run_until_certified(&mut world, "storm", 1000);
}
