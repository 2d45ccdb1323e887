//! Guards, as people write them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails where something is missing")]

use approver::{ReservedNames, ReservedSubjects};
use config::{Guards, parse};

/// A file whose section `guards` is line 3.
fn with(section: &str) -> String {
    format!("apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nguards: {section}\n")
}

fn guards(section: &str) -> Guards {
    parse(&with(section)).unwrap_or_else(|mistakes| panic!("{section}\n{mistakes}")).guards
}

#[test]
fn all_guards_are_off_unless_they_are_turned_on() {
    for section in
        ["", "{}", "{reservedSubjects: {enabled: false, users: [a]}}", "{nodeTakeover: {enabled: false}}"]
    {
        assert_eq!(guards(section), Guards::default(), "{section}");
    }
    assert!(guards("{reservedSubjects: {enabled: true}}").reserved_subjects.is_some());
    assert!(guards("{nodeTakeover: {enabled: true}}").node_takeover);
}

#[test]
fn patterns_take_the_place_of_the_defaults_and_exceptions_of_patterns() {
    let on =
        "{reservedSubjects: {enabled: true, groups: ['admin*'], except: {users: ['system:kube-proxy']}}}";
    let groups = ReservedNames { patterns: vec!["admin*".parse().unwrap()], ..ReservedNames::default() };
    let users = ReservedNames { except: ["system:kube-proxy".to_owned()].into(), ..ReservedNames::default() };
    assert_eq!(guards(on).reserved_subjects, Some(ReservedSubjects { users, groups }));
}

#[test]
fn what_is_shown_is_a_file_that_means_the_same() {
    for section in [
        "{}",
        "{nodeTakeover: {enabled: true}}",
        "{reservedSubjects: {enabled: true, users: [a], except: {users: [a]}}}",
    ] {
        let configuration = parse(&with(section)).unwrap();
        let yaml = serde_saphyr::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(parse(&yaml).unwrap().guards, configuration.guards, "{yaml}");
    }
}

#[test]
fn every_mistake_is_named_with_its_line_and_its_field() {
    for (section, expected) in [
        (
            "{reservedSubjects: {}}",
            "line 3, column 28: guards.reservedSubjects.enabled: missing: expected true or false",
        ),
        (
            "{reservedSubjects: {enabled: true, users: ['']}}",
            "line 3, column 52: guards.reservedSubjects.users[0]: expected a pattern of names, in which * stands for anything, not \"\"",
        ),
        (
            "{reservedSubjects: {enabled: true, except: {users: [alice]}}}",
            "line 3, column 61: guards.reservedSubjects.except.users[0]: expected a name that one of the patterns reserves, not \"alice\"",
        ),
        (
            "{nodeTakeover: true}",
            "line 3, column 24: guards.nodeTakeover: expected a mapping of fields, not true",
        ),
        (
            "{nodeTakeover: {}}",
            "line 3, column 24: guards.nodeTakeover.enabled: missing: expected true or false",
        ),
        (
            "{reservedSubject: {enabled: true}}",
            "line 3, column 10: guards.reservedSubject: unknown field (did you mean reservedSubjects?)",
        ),
    ] {
        let found = parse(&with(section)).expect_err(section).to_string();
        assert_eq!(found, expected, "{section}");
    }
}
