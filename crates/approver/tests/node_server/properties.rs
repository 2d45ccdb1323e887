//! What must hold of every judgement.

use std::collections::BTreeSet;

use approver::{NodeServer, Outcome, Reservation, Source};
use proptest::prelude::*;

use crate::APPROVED;
use crate::world::{Sample, World};

const SANS: [&str; 8] =
    ["n1", "n2", "n1.example.com", "10.0.0.1", "10.0.0.2", "10.96.0.1", "fd00::1", "localhost"];

prop_compose! {
    fn world()(
        listed in prop::sample::subsequence(SANS.to_vec(), 0..=8),
        others in prop::sample::subsequence(SANS.to_vec(), 0..=2),
        inventory in prop::sample::subsequence(SANS.to_vec(), 0..=4),
        accept in prop::collection::vec(prop::sample::subsequence(Source::ALL.to_vec(), 1..=3), 1..=3),
        resolves in any::<bool>(),
        serves in any::<bool>(),
        owned in prop::sample::subsequence(SANS.to_vec(), 0..=4),
        lost in prop::sample::subsequence(SANS.to_vec(), 0..=2),
    ) -> World {
        let policy = |policy: &mut NodeServer| {
            let sans = inventory.iter().filter_map(|text| approver::San::from_text(text)).collect();
            policy.inventory.insert("n1", sans);
            policy.accept = accept.iter().map(|sources| sources.iter().copied().collect()).collect();
            policy.node_domains = vec!["example.com".to_owned()];
        };
        let world = World::default().node("n1", &listed).node("n3", &others).policy(policy);
        let world = world.reserved("10.96.0.1", Reservation::Service("default/kubernetes".into()));
        let world = if resolves { world.resolves("n1.example.com", &["10.0.0.1", "fd00::1"]) } else { world };
        let world = owned.iter().fold(world, |world, san| world.recorded("n1", san));
        let world = lost.iter().fold(world, |world, san| world.recorded("n3", san));
        if serves { world.serves("10.0.0.1", "system:node:n1", &["n1", "10.0.0.1"]) } else { world }
    }
}

fn sans() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(SANS.to_vec(), 1..=6).prop_shuffle()
}

fn is_approved(world: &World, sans: &[&str]) -> bool {
    world.decide(&Sample::asking(sans).request()).0 == APPROVED
}

proptest! {
    #[test]
    fn the_order_of_names_does_not_matter(world in world(), sans in sans()) {
        let mut sorted = sans.clone();
        sorted.sort_unstable();
        prop_assert_eq!(is_approved(&world, &sans), is_approved(&world, &sorted));
    }

    #[test]
    fn it_does_not_matter_where_the_inventory_is_kept(world in world(), sans in sans()) {
        let mut kept = world.clone();
        let inventory = std::mem::take(&mut kept.policy.inventory);
        let inventory = inventory.iter().flat_map(|(_, sans)| sans).map(ToString::to_string).collect::<Vec<_>>();
        kept.inventory = SANS.into_iter().filter(|san| inventory.iter().any(|kept| kept == san)).map(|san| (san, "n1")).collect();
        prop_assert_eq!(world.decide(&Sample::asking(&sans).request()).1, kept.decide(&Sample::asking(&sans).request()).1);
    }

    #[test]
    fn a_further_name_never_gets_a_request_approved(world in world(), sans in sans()) {
        let (_, fewer) = sans.split_last().unwrap();
        prop_assert!(fewer.is_empty() || !is_approved(&world, &sans) || is_approved(&world, fewer));
    }

    #[test]
    fn a_source_less_never_gets_a_request_approved(world in world(), sans in sans(), source in prop::sample::select(Source::ALL.to_vec())) {
        let fewer = world.clone().policy(|policy| policy.accept.retain(|sources| !sources.contains(&source)));
        prop_assert!(!is_approved(&fewer, &sans) || is_approved(&world, &sans));
    }

    #[test]
    fn what_the_record_forgets_gets_nothing_approved(world in world(), sans in sans()) {
        let mut fewer = world.clone();
        fewer.owners.retain(|(node, ..)| *node != "n1");
        prop_assert!(!is_approved(&fewer, &sans) || is_approved(&world, &sans));
    }

    #[test]
    fn without_the_record_nothing_is_approved(world in world(), sans in sans()) {
        let unread = World { key_holders: None, ..world };
        prop_assert!(!is_approved(&unread, &sans));
    }

    #[test]
    fn what_is_reserved_is_approved_in_no_world(world in world(), sans in sans(), reserved in prop::sample::select(vec!["10.96.0.1", "localhost", "n3"])) {
        let sans: Vec<_> = sans.into_iter().chain([reserved]).collect();
        prop_assert!(!is_approved(&world, &sans));
    }

    #[test]
    fn another_signers_request_is_nobodys_here(world in world(), sans in sans()) {
        let sample = Sample { signer_name: "example.com/any", ..Sample::asking(&sans) };
        prop_assert_eq!(world.decide(&sample.request()).0, Outcome::NoOpinion);
    }

    #[test]
    fn nothing_accepted_means_nothing_approved(world in world(), sans in sans()) {
        let world = world.policy(|policy| policy.accept = vec![BTreeSet::new()]);
        prop_assert!(!is_approved(&world, &sans));
    }
}
