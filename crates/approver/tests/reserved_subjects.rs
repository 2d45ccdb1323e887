//! Whom nobody becomes by a client certificate.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use approver::{EmptyPattern, ReservedNames, ReservedSubjects, SubjectPattern};
use csr::{Request, Requester, SignerName, Spec};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

fn request((common_name, organization): (&str, &str), signer_name: &str) -> Request {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, common_name);
    let pem = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    let spec = Spec {
        request: pem.into_bytes(),
        signer_name: signer_name.into(),
        usages: ["client auth"].into_iter().collect(),
        expiration_seconds: None,
        requester: Arc::new(Requester::default()),
    };
    Request::from_spec(&spec).unwrap()
}

fn except(name: &str) -> ReservedNames {
    ReservedNames { except: BTreeSet::from([name.to_owned()]), ..ReservedNames::default() }
}

#[test]
fn a_reserved_user_or_group_is_refused_and_nobody_else() {
    let guard = ReservedSubjects { users: except("system:kube-proxy"), groups: except("system:viewers") };
    for (user, group, reserved) in [
        ("alice", "developers", None),
        ("mallory", "system:masters", Some("group \"system:masters\"")),
        ("mallory", "system:nodes", Some("group \"system:nodes\"")),
        ("mallory", "kubeadm:cluster-admins", Some("group \"kubeadm:cluster-admins\"")),
        ("system:kube-scheduler", "a", Some("user \"system:kube-scheduler\"")),
        ("system:", "a", Some("user \"system:\"")),
        ("system:node:n", "a", Some("user \"system:node:n\"")),
        // An exception is for a user or a group, and for that very name.
        ("system:kube-proxy", "a", None),
        ("mallory", "system:kube-proxy", Some("group \"system:kube-proxy\"")),
        ("system:kube-proxy2", "a", Some("user \"system:kube-proxy2\"")),
        ("mallory", "system:viewers", None),
        ("system:viewers", "a", Some("user \"system:viewers\"")),
        // Names are compared as the API server compares them.
        ("System:kube-scheduler", " system:masters", None),
        ("my-system:x", "a", None),
    ] {
        for signer in [SignerName::KUBE_APISERVER_CLIENT, SignerName::LEGACY_UNKNOWN] {
            let found = guard.check(&request((user, group), signer));
            let text = found.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert!(text.ends_with(reserved.unwrap_or_default()), "{user} {group} {text}");
            assert_eq!(found.is_err(), reserved.is_some(), "{user} {group} {text}");
            let id = ReservedSubjects::RULE.id;
            assert!(text.is_empty() || text.contains(id), "the message names the rule: {text}");
        }
    }
}

#[test]
fn other_signers_have_rules_of_their_own() {
    let guard = ReservedSubjects::default();
    for signer in [SignerName::KUBE_APISERVER_CLIENT_KUBELET, SignerName::KUBELET_SERVING, "example.com/a"] {
        assert_eq!(guard.check(&request(("system:node:n", "system:nodes"), signer)), Ok(()), "{signer}");
    }
}

#[test]
fn a_pattern_is_the_whole_name_and_never_empty() {
    let with = |pattern: &str| ReservedNames { patterns: vec![pattern.parse().unwrap()], ..except("") };
    for (pattern, name, reserved) in [
        ("admin", "admin", true),
        ("admin", "admins", false),
        ("*-admin", "db-admin", true),
        ("*", "x", true),
    ] {
        assert_eq!(with(pattern).contains(name), reserved, "{pattern} {name}");
    }
    assert_eq!("".parse::<SubjectPattern>(), Err(EmptyPattern));
}
