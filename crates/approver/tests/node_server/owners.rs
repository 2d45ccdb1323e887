//! What the record of former approvals gives, and what it does not.

use approver::{NodeServer, Reservation};

use crate::broken;
use crate::world::{Sample, World};

const CONFLICT: Option<&str> = Some("kubelet-serving/address-conflict");
const RESERVED: Option<&str> = Some("kubelet-serving/san-reserved");
const OURS: &str = "10.0.0.1";

/// n1 asks for its address, which n2 lists too.
fn claimed() -> World {
    World::default().node("n2", &["n2", OURS])
}

fn key_of(nodes: &[&str]) -> World {
    let holders = nodes.iter().map(|node| (*node).into()).collect();
    World { key_holders: Some(holders), ..World::default() }
}

#[test]
fn who_was_approved_last_keeps_its_address_against_a_claim() {
    let mut recreated = claimed();
    recreated.owners.push(("n1", "n1-0".to_owned(), OURS));
    let unread = World { key_holders: None, ..claimed().recorded("n1", OURS) };
    let thief_serves = claimed().recorded("n1", OURS).serves(OURS, "system:node:n2", &["n2", OURS]);
    for (row, world, expected) in [
        (1, claimed(), CONFLICT),
        (2, claimed().recorded("n1", OURS), None),
        (3, recreated, CONFLICT),
        (4, claimed().recorded("n2", OURS), CONFLICT),
        (5, claimed().recorded("n1", OURS).recorded("n2", OURS), CONFLICT),
        (6, thief_serves, CONFLICT),
        (7, claimed().recorded("n1", OURS).serves(OURS, "system:node:n1", &["n1"]), None),
        (8, claimed().recorded("n2", OURS).serves(OURS, "system:node:n1", &["n1", OURS]), None),
        (9, unread, Some("kubelet-serving/record")),
        (10, World::default().node("n2", &["n2"]).recorded("n2", OURS), None),
        (11, World::default().recorded("n2", OURS), None),
        (
            12,
            World::default().node("n1", &["n1"]).recorded("n1", OURS),
            Some("kubelet-serving/san-justified"),
        ),
    ] {
        assert_eq!(broken(&world, &Sample::default()), expected, "row {row}");
    }
}

/// Each of those who are not reached takes seconds.
#[test]
fn who_serves_at_contested_addresses_is_asked_at_once() {
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
    let request = Sample::asking(&addresses).request();
    let claimed = World::default().node("n1", &addresses).node("n2", &addresses);
    assert_eq!(claimed.dials(&request), [5]);
    let pods = |world: World, address| world.reserved(address, Reservation::PodRange("n2".into()));
    let disputed = addresses.into_iter().fold(World::default().node("n1", &addresses), pods);
    assert_eq!(disputed.dials(&request), [5]);
}

#[test]
fn a_name_that_another_node_lists_too_stays_with_whom_it_was_approved_for() {
    const NAME: &str = "n1.example.com";
    let world = || World::default().node("n1", &["n1", OURS, NAME]).node("n2", &[NAME]);
    let asks = Sample::asking(&[NAME]);
    assert_eq!(broken(&world(), &asks), CONFLICT);
    assert_eq!(broken(&world().recorded("n1", NAME), &asks), None);
    let taken = world().recorded("n1", NAME).serves(OURS, "system:node:n2", &[NAME]);
    assert_eq!(broken(&taken, &asks), CONFLICT);
}

#[test]
fn a_node_of_that_name_takes_nothing_from_whom_it_was_approved_for() {
    let named = || World::default().node("n2", &["n2", "n1"]);
    let asks = Sample::asking(&["n1"]);
    assert_eq!(broken(&named(), &asks), None, "a mere claim to a node's very name");
    assert_eq!(broken(&named().recorded("n2", "n1"), &asks), CONFLICT, "it is n2's");
    let serves = named().recorded("n2", "n1").serves(OURS, "system:node:n1", &["n1"]);
    assert_eq!(broken(&serves, &asks), None, "n1 serves with it");
}

#[test]
fn the_record_settles_what_other_nodes_bring_about_and_nothing_else() {
    let endpoint = || claimed().reserved(OURS, Reservation::ApiServerEndpoint).recorded("n1", OURS);
    let range = "10.0.0.0/24".parse().unwrap();
    let reserved = |reservation| World::default().reserved(OURS, reservation);
    let service = || Reservation::ServiceName("shop/web".into());
    let pods = || Reservation::PodRange("n2".into());
    let thief_serves = reserved(pods()).recorded("n1", OURS).serves(OURS, "system:node:n2", &[OURS]);
    for (row, world, expected) in [
        (1, reserved(pods()), RESERVED),
        (2, reserved(pods()).recorded("n1", OURS), None),
        (3, thief_serves, RESERVED),
        (4, reserved(service()).recorded("n1", OURS), RESERVED),
        (5, reserved(Reservation::Service("shop/web".into())).recorded("n1", OURS), RESERVED),
        (6, reserved(Reservation::ServiceRange(range)).recorded("n1", OURS), RESERVED),
        (7, reserved(Reservation::ApiServerCertificate).recorded("n1", OURS), RESERVED),
        (8, endpoint(), RESERVED),
        (9, endpoint().control_plane("n1"), None),
        (10, World { owners: Vec::new(), ..endpoint().control_plane("n1") }, RESERVED),
    ] {
        assert_eq!(broken(&world, &Sample::default()), expected, "row {row}");
        let (_, rule) = world.gate(&Sample::default().request());
        assert_eq!(rule, expected, "row {row}, before it is signed");
    }
}

#[test]
fn the_key_of_another_node_is_held_and_ones_own_is_not() {
    let allows = |policy: &mut NodeServer| policy.constraints.allow_reused_keys = true;
    let reused = Some("kubelet-serving/key-reused");
    for (row, world, expected) in [
        (1, key_of(&[]), None),
        (2, key_of(&["n1"]), None),
        (3, key_of(&["n2"]), reused),
        (4, key_of(&["n1", "n2"]), reused),
        (5, key_of(&["n2"]).policy(allows), None),
        (6, World { key_holders: None, ..World::default() }.policy(allows), Some("kubelet-serving/record")),
    ] {
        assert_eq!(broken(&world, &Sample::default()), expected, "row {row}");
    }
}

#[test]
fn what_others_approved_is_signed_without_the_record() {
    let world = World { key_holders: None, ..World::default() };
    assert_eq!(world.gate(&Sample::default().request()).1, None);
}
