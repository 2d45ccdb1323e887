//! Kubelets' serving certificates: the nodes that must get theirs, and one row for each way to be wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

mod attacks;
mod owners;
mod properties;
mod world;

use std::collections::BTreeSet;

use approver::{Grant, NodeServer, Outcome, Recognizer, Resolution, San, Source};
use world::{Sample, World};

const APPROVED: Outcome = Outcome::Approve(Grant(Recognizer::SelfNodeServer));

/// The rule that a request breaks in a world.
fn broken(world: &World, sample: &Sample) -> Option<&'static str> {
    let (outcome, rule) = world.decide(&sample.request());
    assert_eq!(outcome == APPROVED, rule.is_none(), "{outcome:?} {rule:?}");
    rule
}

fn accepts(sources: &[&[Source]]) -> impl FnOnce(&mut NodeServer) {
    let accept: Vec<_> =
        sources.iter().map(|sources| sources.iter().copied().collect::<BTreeSet<_>>()).collect();
    move |policy| policy.accept = accept
}

#[test]
fn good_nodes_get_their_certificates() {
    for (what, addresses, sans) in [
        ("a plain node", &["n1", "10.0.0.1"][..], &["n1", "10.0.0.1"][..]),
        ("dual stack", &["n1", "10.0.0.1", "fd00::1"], &["n1", "10.0.0.1", "fd00::1"]),
        (
            "several interfaces",
            &["n1", "10.0.0.1", "192.168.7.1", "203.0.113.1"],
            &["n1", "10.0.0.1", "192.168.7.1"],
        ),
        (
            "a host name with its domain",
            &["n1", "n1.example.com", "10.0.0.1"],
            &["n1", "n1.example.com", "10.0.0.1"],
        ),
        ("addresses alone", &["n1", "10.0.0.1"], &["10.0.0.1"]),
        ("names alone", &["n1", "10.0.0.1"], &["n1"]),
        (
            "a name as Windows writes it",
            &["N1", "N1.Example.Com", "10.0.0.1"],
            &["N1", "n1.EXAMPLE.com.", "10.0.0.1"],
        ),
        ("a mapped address", &["10.0.0.1"], &["::ffff:10.0.0.1"]),
    ] {
        let world = World::default().node("n1", addresses);
        assert_eq!(broken(&world, &Sample::asking(sans)), None, "{what}");
    }
}

#[test]
fn an_address_is_held_until_the_node_lists_it() {
    let asked = Sample::asking(&["n1", "10.0.0.1", "10.0.0.2"]);
    let (outcome, rule) = World::default().decide(&asked.request());
    assert_eq!(rule, Some("kubelet-serving/san-justified"));
    let Outcome::Hold { on, .. } = outcome else { panic!("{outcome:?}") };
    assert!(on.contains(&approver::Question::Node("n1".into())), "a change of the Node brings it back");
    assert_eq!(broken(&World::default().node("n1", &["n1", "10.0.0.1", "10.0.0.2"]), &asked), None);
}

#[test]
fn what_no_kubelet_asks_for_itself_is_left_to_others() {
    let sample = Sample::default;
    for (sample, expected) in [
        (Sample { username: "system:node:n2".into(), ..sample() }, "kubelet-serving/requester"),
        (
            Sample { username: "alice".into(), common_name: "alice", ..sample() },
            "kubelet-serving/common-name",
        ),
        (Sample { groups: vec!["system:authenticated"], ..sample() }, "kubelet-serving/group"),
        (Sample { organization: "system:masters", ..sample() }, "kubelet-serving/organization"),
        (Sample { usages: &["digital signature", "client auth"], ..sample() }, "kubelet-serving/usages"),
        (
            Sample { usages: &["digital signature", "server auth", "client auth"], ..sample() },
            "kubelet-serving/usages",
        ),
        (Sample::asking(&[]), "kubelet-serving/dns-or-ip-san"),
        (Sample { signer_name: "example.com/any", ..sample() }, "node-client/signer-name"),
    ] {
        let (outcome, rule) = World::default().decide(&sample.request());
        assert_eq!((outcome, rule), (Outcome::NoOpinion, Some(expected)));
    }
}

#[test]
fn without_the_policy_there_is_no_opinion() {
    let decision = approver::decide(
        &Sample::default().request(),
        &approver::Policy::default(),
        &approver::Facts::default(),
    );
    assert_eq!(decision.outcome, Outcome::NoOpinion);
}

#[test]
fn each_constraint_has_a_row_that_breaks_it() {
    let broken_by =
        |sample: &Sample, change: &dyn Fn(&mut NodeServer)| broken(&World::default().policy(change), sample);
    let (plain, long) = (Sample::default(), Sample { expiration_seconds: Some(601), ..Sample::default() });
    let mapped = Sample::asking(&["::ffff:10.0.0.1"]);
    let twice = Sample { pem: |pem| pem.clone() + &pem, ..Sample::default() };
    let pattern = |text: &str| vec![text.parse().unwrap()];
    let range = |text: &str| vec![text.parse().unwrap()];
    for (rule, sample, change) in [
        ("unambiguous", &twice, &(|_: &mut NodeServer| ()) as &dyn Fn(&mut NodeServer)),
        ("other-san", &Sample::asking(&["n1", "other"]), &|_| ()),
        ("san-form", &Sample::asking(&["*.n1"]), &|_| ()),
        ("san-form", &Sample::asking(&["xn--n1-abc"]), &|_| ()),
        ("san-count", &plain, &|policy| policy.constraints.max_names = 1),
        ("lifetime", &long, &|policy| policy.constraints.max_lifetime = Some(600)),
        ("name-pattern", &plain, &|policy| policy.constraints.names = pattern("{node}.example.com")),
        ("address-range", &plain, &|policy| policy.constraints.allowed_ranges = range("192.168.0.0/16")),
        ("address-range", &plain, &|policy| policy.constraints.denied_ranges = range("10.0.0.1/32")),
        ("address-range", &mapped, &|policy| policy.constraints.denied_ranges = range("10.0.0.1/32")),
        ("san-reserved", &plain, &|policy| policy.reserved_ranges = range("10.0.0.0/24")),
        ("san-reserved", &plain, &|policy| policy.reserved_names = pattern("n*")),
    ] {
        assert_eq!(broken_by(sample, change), Some(format!("kubelet-serving/{rule}")).as_deref());
    }
    for (sample, change) in [
        (&plain, &(|policy: &mut NodeServer| policy.constraints.max_names = 2) as &dyn Fn(&mut NodeServer)),
        (&long, &|policy| policy.constraints.max_lifetime = Some(601)),
        (&plain, &|policy| policy.constraints.names = pattern("{node}")),
        (&plain, &|policy| policy.constraints.allowed_ranges = range("10.0.0.0/8")),
    ] {
        assert_eq!(broken_by(sample, change), None);
    }
}

#[test]
fn a_weak_key_is_no_key() {
    for (pem, expected) in [
        (include_str!("rsa-1024.csr"), Some("kubelet-serving/key")),
        (include_str!("p224.csr"), Some("kubelet-serving/key")),
        (include_str!("rsa-2048.csr"), None),
    ] {
        let (_, rule) = World::default().decide(&Sample::default().request_of(pem.to_owned()));
        assert_eq!(rule, expected, "{pem}");
    }
}

#[test]
fn names_are_confirmed_by_the_sources_that_the_policy_accepts() {
    use Source::{Dns, Inventory, LiveCertificate, NodeStatus};
    let listed = |policy: &mut NodeServer| {
        let sans = ["n1", "10.0.0.1"].map(|text| San::from_text(text).unwrap());
        policy.inventory.insert("n1", sans.into());
    };
    let in_dns = || World::default().policy(|policy| policy.node_domains = vec!["example.com".to_owned()]);
    let serves = |cn: &str| World::default().serves("10.0.0.1", cn, &["n1", "10.0.0.1"]);
    let unlisted = || World::default().node("n1", &["n1"]);
    for (row, world, accepted, holds) in [
        (1, World::default(), &[&[Inventory][..]][..], false),
        (2, unlisted().policy(listed), &[&[Inventory]], true),
        (3, unlisted().policy(listed), &[&[NodeStatus]], false),
        (4, unlisted().policy(listed), &[&[NodeStatus], &[Inventory]], true),
        (5, World::default().policy(listed), &[&[NodeStatus, Inventory]], true),
        (6, unlisted().policy(listed), &[&[NodeStatus, Inventory]], false),
        (7, in_dns().resolves("n1.example.com", &["10.0.0.1"]), &[&[Dns]], true),
        (8, in_dns().resolves("n1.example.com", &["10.0.0.9"]), &[&[Dns]], false),
        (9, in_dns().resolves("n2.example.com", &["10.0.0.1"]), &[&[Dns]], false),
        (10, in_dns(), &[&[Dns, NodeStatus]], false),
        (11, serves("system:node:n1"), &[&[LiveCertificate]], true),
        (12, serves("system:node:n2"), &[&[LiveCertificate]], false),
        (13, serves("n1"), &[&[LiveCertificate]], false),
        (
            14,
            World::default().serves("10.0.0.1", "system:node:n1", &["10.0.0.1"]),
            &[&[LiveCertificate]],
            false,
        ),
        (15, World::default(), &[], false),
        (16, World::default(), &[&[]], false),
        (17, unlisted().inventoried("n1", "n1").inventoried("10.0.0.1", "n1"), &[&[Inventory]], true),
        (18, unlisted().inventoried("n1", "n1").inventoried("10.0.0.9", "n1"), &[&[Inventory]], false),
    ] {
        let world = world.policy(accepts(accepted));
        let expected = (!holds).then_some("kubelet-serving/san-justified");
        assert_eq!(broken(&world, &Sample::default()), expected, "row {row}");
    }
}

#[test]
fn a_failure_is_a_hold_and_never_a_denial() {
    let denying = |policy: &mut NodeServer| policy.deny = BTreeSet::from(["kubelet-serving/san-form"]);
    let mut unread = World::default().policy(denying);
    unread.unread = vec!["list services"];
    let (outcome, rule) = unread.decide(&Sample::default().request());
    assert!(matches!(outcome, Outcome::Hold { .. }), "{outcome:?}");
    assert_eq!(rule, Some("kubelet-serving/facts"));

    let mut silent = World::default().policy(denying).policy(accepts(&[&[Source::Dns]]));
    silent.policy.node_domains = vec!["example.com".to_owned()];
    silent.dns.insert("n1.example.com", Resolution::Failed);
    let (outcome, rule) = silent.decide(&Sample::default().request());
    assert!(matches!(outcome, Outcome::Hold { .. }), "{outcome:?}");
    assert_eq!(rule, Some("kubelet-serving/san-justified"));

    let (outcome, _) = World::default().policy(denying).decide(&Sample::asking(&["*"]).request());
    let Outcome::Deny { rule, note } = outcome else { panic!("{outcome:?}") };
    assert_eq!((rule.id, note.as_str()), ("kubelet-serving/san-form", "\"*\" is no plain host name"));
}

#[test]
fn without_the_permission_or_the_node_a_request_is_held() {
    let forbidden = World { allowed: false, ..World::default() };
    assert_eq!(broken(&forbidden, &Sample::default()), Some("kubelet-serving/permission"));
    let mut nobody = World::default();
    nobody.nodes.clear();
    assert_eq!(broken(&nobody, &Sample::default()), Some("kubelet-serving/node"));
}

#[test]
fn every_rule_of_serving_certificates_has_its_place_in_the_list() {
    let mut ids: Vec<_> = approver::RULES.iter().map(|rule| rule.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}
