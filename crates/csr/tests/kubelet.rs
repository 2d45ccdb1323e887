//! The kubelet rules: what they accept, one request that breaks each, and which of several faults is named.

mod pkcs10;

use std::collections::BTreeSet;

use csr::{Request, kubelet};
use pkcs10::{CN, DNS, EMAIL, IP, O, Pkcs10, URI};

const NODE: &[(u8, &str)] = &[(O, "system:nodes"), (CN, "system:node:a")];
const CLIENT: &[&str] = &["client auth", "digital signature"];
const SERVING: &[&str] = &["server auth", "digital signature", "key encipherment"];
const NO_NAMES: &[(u8, &[u8])] = &[];
const A_NAME: &[(u8, &[u8])] = &[(DNS, b"a")];

fn request(subject: &[(u8, &str)], sans: &[(u8, &[u8])], usages: &[&str]) -> Request {
    Pkcs10::default().subject(subject).sans(sans).parse(usages).expect("sound")
}

#[test]
fn what_kubelets_send_is_accepted() {
    for usages in [CLIENT, &["client auth", "key encipherment", "digital signature", "client auth"]] {
        assert_eq!(kubelet::client(&request(NODE, NO_NAMES, usages)), Ok(()), "{usages:?}");
    }
    for sans in [A_NAME, &[(IP, &[10, 0, 0, 1])]] {
        assert_eq!(kubelet::serving(&request(NODE, sans, SERVING)), Ok(()), "{sans:?}");
        assert_eq!(kubelet::serving(&request(NODE, sans, &SERVING[..2])), Ok(()), "{sans:?}");
    }
    let nameless = [(O, "system:nodes"), (CN, "system:node:")];
    assert_eq!(kubelet::client(&request(&nameless, NO_NAMES, CLIENT)), Ok(()));
}

#[test]
fn each_rule_is_broken_by_a_request_that_is_otherwise_sound() {
    let other_organization = &[(O, "system:masters"), (CN, "system:node:a")][..];
    let two_organizations = &[(O, "system:nodes"), (O, "b"), (CN, "system:node:a")][..];
    let no_organization = &NODE[1..];
    let other_name = &[(O, "system:nodes"), (CN, "a")][..];
    let mut broken = BTreeSet::new();
    for (subject, sans, usages, rule) in [
        (other_organization, NO_NAMES, CLIENT, "kubelet-client/organization"),
        (two_organizations, NO_NAMES, CLIENT, "kubelet-client/organization"),
        (no_organization, NO_NAMES, CLIENT, "kubelet-client/organization"),
        (NODE, A_NAME, CLIENT, "kubelet-client/no-dns-san"),
        (NODE, &[(EMAIL, b"a@b")], CLIENT, "kubelet-client/no-email-san"),
        (NODE, &[(IP, &[10, 0, 0, 1])], CLIENT, "kubelet-client/no-ip-san"),
        (NODE, &[(URI, b"a:b")], CLIENT, "kubelet-client/no-uri-san"),
        (other_name, NO_NAMES, CLIENT, "kubelet-client/common-name"),
        (NODE, NO_NAMES, &["client auth"], "kubelet-client/usages"),
        (NODE, NO_NAMES, SERVING, "kubelet-client/usages"),
        (NODE, NO_NAMES, &["client auth", "signing"], "kubelet-client/usages"),
    ] {
        let rejection = kubelet::client(&request(subject, sans, usages)).expect_err(rule);
        assert_eq!(rejection.rule.id, rule);
        broken.insert(rule);
    }
    for (subject, sans, usages, rule) in [
        (other_organization, A_NAME, SERVING, "kubelet-serving/organization"),
        (NODE, NO_NAMES, SERVING, "kubelet-serving/dns-or-ip-san"),
        (NODE, &[(DNS, b"a"), (EMAIL, b"a@b")], SERVING, "kubelet-serving/no-email-san"),
        (NODE, &[(IP, &[10, 0, 0, 1]), (URI, b"a:b")], SERVING, "kubelet-serving/no-uri-san"),
        (NODE, A_NAME, CLIENT, "kubelet-serving/usages"),
        (other_name, A_NAME, SERVING, "kubelet-serving/common-name"),
    ] {
        let rejection = kubelet::serving(&request(subject, sans, usages)).expect_err(rule);
        assert_eq!(rejection.rule.id, rule);
        broken.insert(rule);
    }
    let all: BTreeSet<_> = kubelet::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(broken, all, "every rule needs a row");
}

#[test]
fn of_several_faults_the_one_upstream_looks_at_first_is_named() {
    let stranger = [(CN, "a")];
    let everything: &[(u8, &[u8])] = &[(EMAIL, b"a@b"), (URI, b"a:b")];
    for (subject, sans, client, serving) in [
        (
            &stranger[..],
            everything,
            "subject organization is not system:nodes",
            "subject organization is not system:nodes",
        ),
        (NODE, everything, "Email subjectAltNames are not allowed", "DNS or IP subjectAltName is required"),
        (
            &[(O, "system:nodes")],
            A_NAME,
            "DNS subjectAltNames are not allowed",
            "usages did not match [digital signature key encipherment server auth]",
        ),
        (
            &[(O, "system:nodes")],
            NO_NAMES,
            "subject common name does not begin with system:node:",
            "DNS or IP subjectAltName is required",
        ),
        (
            NODE,
            NO_NAMES,
            "usages did not match [client auth digital signature key encipherment]",
            "DNS or IP subjectAltName is required",
        ),
    ] {
        let request = request(subject, sans, &["code signing"]);
        assert_eq!(kubelet::client(&request).unwrap_err().to_string(), client);
        assert_eq!(kubelet::serving(&request).unwrap_err().to_string(), serving);
    }
}

#[test]
fn the_trace_has_a_finding_for_every_rule() {
    let request = request(&[(CN, "a")], A_NAME, CLIENT);
    let broken: Vec<_> = kubelet::trace(&kubelet::CLIENT, &request)
        .filter(|(_, finding)| finding.is_err())
        .map(|(rule, _)| rule.id)
        .collect();
    assert_eq!(
        broken,
        ["kubelet-client/organization", "kubelet-client/no-dns-san", "kubelet-client/common-name"]
    );
    assert_eq!(kubelet::trace(&kubelet::CLIENT, &request).count(), kubelet::CLIENT.len());
}
