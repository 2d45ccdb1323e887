//! What stands between a permission and a kubelet's client certificate.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use std::sync::Arc;

use approver::{
    Answer, Decision, Facts, Grant, Occupancy, Outcome, Policy, Question, Recognizer, Verdict, chain, decide,
};
use csr::{Request, Requester, SignerName, Spec};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

const GROUP: &str = "example:joiners";

/// What the kubelet of `node` sends, as `username`, of these groups.
fn request(node: &str, (username, groups): (&str, &[&str])) -> Request {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, format!("system:node:{node}"));
    let pem = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    let groups = groups.iter().map(ToString::to_string).collect();
    let requester = Requester { username: username.into(), groups, ..Requester::default() };
    let spec = Spec {
        request: pem.into_bytes(),
        signer_name: SignerName::KUBE_APISERVER_CLIENT_KUBELET.into(),
        usages: ["digital signature", "client auth"].into_iter().collect(),
        expiration_seconds: None,
        requester: Arc::new(requester),
    };
    Request::from_spec(&spec).unwrap()
}

/// Decides until nothing more is asked, by these permissions and this occupancy. Says for which nodes that was asked.
fn decided(
    request: &Request,
    policy: &Policy,
    (allowed, occupancy): (&[Recognizer], Occupancy),
) -> (Decision, Vec<String>) {
    let (mut facts, mut asked) = (Facts::default(), Vec::new());
    loop {
        let decision = decide(request, policy, &facts);
        let Outcome::Ask(questions) = &decision.outcome else { return (decision, asked) };
        for question in questions {
            let answer = match question {
                Question::Review(permission) if allowed.contains(&permission.recognizer) => {
                    Answer::Review(Verdict::Allowed)
                }
                Question::Review(_) => Answer::Review(Verdict::NotAllowed),
                Question::Occupancy(node) => {
                    asked.push(node.to_string());
                    Answer::Occupancy(occupancy)
                }
                other => panic!("{other:?} is nothing to ask for a client certificate"),
            };
            facts.add(question.clone(), answer);
        }
    }
}

fn guarded() -> Policy {
    Policy { guards_nodes: true, ..Policy::default() }
}

fn trusting() -> Policy {
    Policy { trusted_group: Some(GROUP.to_owned()), ..Policy::default() }
}

const TOKEN: (&str, &[&str]) = ("system:bootstrap:abcdef", &["system:bootstrappers"]);
const BOOTSTRAP: &[Recognizer] = &[Recognizer::NodeClient];

#[test]
fn nobody_else_gets_the_certificate_of_a_node_that_is_alive() {
    for (occupancy, is_free) in [
        (Occupancy::Vacant, true),
        (Occupancy::Silent, true),
        (Occupancy::Released, true),
        (Occupancy::Ready, false),
        (Occupancy::Renewed, false),
    ] {
        let (decision, asked) = decided(&request("n", TOKEN), &guarded(), (BOOTSTRAP, occupancy));
        assert_eq!(asked, ["n"]);
        let expected = Outcome::Approve(Grant(Recognizer::NodeClient));
        match decision.outcome {
            Outcome::Hold { rule, ref on } if !is_free => {
                assert_eq!(rule.id, "node-client/takeover");
                assert_eq!(on, &[Question::Occupancy("n".into())], "another answer frees it");
                assert_eq!(decision.trace.last().unwrap().note, occupancy.to_string());
            }
            outcome => assert_eq!((outcome, is_free), (expected, true), "{occupancy:?}"),
        }
        // As upstream, where the guard is off.
        let (decision, asked) = decided(&request("n", TOKEN), &Policy::default(), (BOOTSTRAP, occupancy));
        assert_eq!(decision.outcome, Outcome::Approve(Grant(Recognizer::NodeClient)));
        assert!(asked.is_empty());
    }
}

#[test]
fn a_nodes_own_renewal_is_no_takeover() {
    let own = ("system:node:n", &["system:nodes"][..]);
    for recognizer in [Recognizer::SelfNodeClient, Recognizer::NodeClient] {
        let (decision, asked) = decided(&request("n", own), &guarded(), (&[recognizer], Occupancy::Ready));
        assert_eq!(decision.outcome, Outcome::Approve(Grant(recognizer)));
        assert!(asked.is_empty());
    }
    let other = ("system:node:m", &["system:nodes"][..]);
    let (decision, _) = decided(&request("n", other), &guarded(), (BOOTSTRAP, Occupancy::Ready));
    assert!(matches!(decision.outcome, Outcome::Hold { .. }), "another node is somebody else");
}

#[test]
fn a_name_that_no_node_can_have_is_held_and_never_asked_about() {
    for node in ["", "..", "n/status", "N", "n n", "n%2e", "n\u{e9}", "-n"] {
        let (decision, asked) = decided(&request(node, TOKEN), &guarded(), (BOOTSTRAP, Occupancy::Vacant));
        let Outcome::Hold { rule, on } = decision.outcome else { panic!("{node}: {decision:?}") };
        assert_eq!((rule.id, on.len(), asked.len()), ("node-client/node-name", 0, 0), "{node}");
    }
}

#[test]
fn without_the_permission_nothing_is_asked_about_the_node() {
    let (decision, asked) = decided(&request("n", TOKEN), &guarded(), (&[], Occupancy::Vacant));
    assert!(matches!(decision.outcome, Outcome::Hold { rule, .. } if rule.id == "node-client/permission"));
    assert!(asked.is_empty());
}

#[test]
fn a_member_of_the_trusted_group_needs_no_permission() {
    let approved = Some(Recognizer::TrustedGroup);
    for (groups, policy, expected) in [
        (&[GROUP][..], trusting(), approved),
        (&["a", GROUP], trusting(), approved),
        (&[], trusting(), None),
        (&["example:joiners2"], trusting(), None),
        (&["Example:joiners"], trusting(), None),
        (&[GROUP], Policy::default(), None),
    ] {
        let (decision, _) = decided(&request("n", ("joiner", groups)), &policy, (&[], Occupancy::Vacant));
        match decision.outcome {
            Outcome::Approve(Grant(by)) => assert_eq!(Some(by), expected, "{groups:?}"),
            Outcome::Hold { rule, on } => {
                assert_eq!((rule.id, on.len(), expected), ("node-client/permission", 1, None), "{groups:?}");
            }
            outcome => panic!("{groups:?}: {outcome:?}"),
        }
    }
}

#[test]
fn a_permission_goes_before_the_group_and_the_guard_before_both() {
    let member = ("joiner", &[GROUP][..]);
    let (decision, _) = decided(&request("n", member), &trusting(), (BOOTSTRAP, Occupancy::Vacant));
    assert_eq!(decision.outcome, Outcome::Approve(Grant(Recognizer::NodeClient)));
    let policy = Policy { guards_nodes: true, ..trusting() };
    let (decision, _) = decided(&request("n", member), &policy, (&[], Occupancy::Ready));
    assert!(matches!(decision.outcome, Outcome::Hold { rule, .. } if rule.id == "node-client/takeover"));
}

#[test]
fn every_rule_that_is_asked_is_in_the_chain() {
    let policy = Policy { guards_nodes: true, ..trusting() };
    let member = request("n", ("joiner", &[GROUP]));
    let (decision, _) = decided(&member, &policy, (&[], Occupancy::Ready));
    let chain = chain(member.signer_name(), &policy);
    for finding in decision.trace {
        assert!(chain.contains(&finding.rule), "{}", finding.rule.id);
    }
}
