//! Every rule of the approver: accepted, and one row for each way to be wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use std::sync::Arc;

use approver::{
    Answer, Facts, Grant, Occupancy, Outcome, Permission, Policy, Question, RULES, Recognizer, Verdict,
    decide,
};
use csr::{Request, Requester, SignerName, Spec};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

const NODE: &str = "system:node:n";

/// A request as a kubelet sends it; each field is there to be wrong in one row.
struct Sample {
    username: &'static str,
    common_name: &'static str,
    organization: &'static str,
    signer_name: &'static str,
    usages: &'static [&'static str],
    san: Option<SanType>,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            username: NODE,
            common_name: NODE,
            organization: "system:nodes",
            signer_name: SignerName::KUBE_APISERVER_CLIENT_KUBELET,
            usages: &["digital signature", "client auth"],
            san: None,
        }
    }
}

impl Sample {
    fn request(self) -> Request {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, self.organization);
        params.distinguished_name.push(DnType::CommonName, self.common_name);
        params.subject_alt_names.extend(self.san);
        let pem = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        let requester = Requester { username: self.username.into(), ..Requester::default() };
        let spec = Spec {
            request: pem.into_bytes(),
            signer_name: self.signer_name.into(),
            usages: self.usages.iter().copied().collect(),
            expiration_seconds: None,
            requester: Arc::new(requester),
        };
        Request::from_spec(&spec).unwrap()
    }
}

fn question(request: &Request, recognizer: Recognizer) -> Question {
    Question::Review(Permission { requester: Arc::clone(request.requester()), recognizer })
}

/// Decides until nothing more is asked; returns what was asked on the way.
fn decided(request: &Request, allowed: &[Recognizer]) -> (Outcome, Vec<Recognizer>) {
    let (mut answers, mut asked) = (Vec::new(), Vec::new());
    loop {
        let Outcome::Ask(questions) =
            decide(request, &Policy::default(), &answers.iter().cloned().collect()).outcome
        else {
            return (decide(request, &Policy::default(), &answers.into_iter().collect()).outcome, asked);
        };
        for question in questions {
            let permission = match &question {
                Question::Review(permission) => permission,
                other => unreachable!("{other:?} is nothing to ask for a client certificate"),
            };
            assert!(!asked.contains(&permission.recognizer), "what is known is never asked again");
            asked.push(permission.recognizer);
            let allowed = allowed.contains(&permission.recognizer);
            let verdict = if allowed { Verdict::Allowed } else { Verdict::NotAllowed };
            answers.push((question, Answer::Review(verdict)));
        }
    }
}

#[test]
fn the_first_permission_that_the_requester_has_approves() {
    use Recognizer::{NodeClient, SelfNodeClient};
    let other = || Sample { username: "system:bootstrap:abcdef", ..Sample::default() };
    for (sample, allowed, expected, asked) in [
        (Sample::default(), &[SelfNodeClient][..], SelfNodeClient, &[SelfNodeClient][..]),
        (Sample::default(), &[SelfNodeClient, NodeClient], SelfNodeClient, &[SelfNodeClient]),
        (Sample::default(), &[NodeClient], NodeClient, &[SelfNodeClient, NodeClient]),
        (other(), &[NodeClient], NodeClient, &[NodeClient]),
        (other(), &[SelfNodeClient, NodeClient], NodeClient, &[NodeClient]),
    ] {
        let (outcome, questions) = decided(&sample.request(), allowed);
        assert_eq!(outcome, Outcome::Approve(Grant(expected)));
        assert_eq!(questions, asked);
    }
}

#[test]
fn without_a_permission_the_request_is_held_on_every_question_that_was_asked() {
    use Recognizer::{NodeClient, SelfNodeClient};
    for (username, allowed, on) in [
        (NODE, &[][..], &[SelfNodeClient, NodeClient][..]),
        ("system:node:other", &[], &[NodeClient]),
        // Another node's right to renew its own certificate is no right to this one.
        ("system:node:other", &[SelfNodeClient], &[NodeClient]),
        // Neither is a name that merely looks alike.
        ("system:node:N", &[SelfNodeClient], &[NodeClient]),
        ("system:node:n ", &[SelfNodeClient], &[NodeClient]),
    ] {
        let request = Sample { username, ..Sample::default() }.request();
        let (outcome, _) = decided(&request, allowed);
        let Outcome::Hold { rule, on: held } = outcome else { panic!("{username}: {outcome:?}") };
        assert_eq!(rule.id, "node-client/permission");
        assert_eq!(held, on.iter().map(|recognizer| question(&request, *recognizer)).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_no_kubelets_client_certificate_is_left_to_others() {
    let dns = || Some(SanType::DnsName("n".try_into().unwrap()));
    for (sample, broken) in [
        (Sample { signer_name: SignerName::KUBELET_SERVING, ..Sample::default() }, "node-client/signer-name"),
        (
            Sample { signer_name: SignerName::KUBE_APISERVER_CLIENT, ..Sample::default() },
            "node-client/signer-name",
        ),
        (Sample { organization: "system:masters", ..Sample::default() }, "kubelet-client/organization"),
        (Sample { common_name: "mike", ..Sample::default() }, "kubelet-client/common-name"),
        (Sample { san: dns(), ..Sample::default() }, "kubelet-client/no-dns-san"),
        (Sample { usages: &["client auth", "server auth"], ..Sample::default() }, "kubelet-client/usages"),
    ] {
        let request = sample.request();
        let decision = decide(&request, &Policy::default(), &Facts::default());
        assert_eq!(decision.outcome, Outcome::NoOpinion, "{broken}");
        let findings: Vec<_> = decision.trace.iter().filter(|finding| finding.holds == Some(false)).collect();
        assert_eq!(findings.len(), 1, "{broken}");
        assert_eq!(findings[0].rule.id, broken);
    }
}

#[test]
fn every_rule_has_a_row_that_breaks_it() {
    let broken_by = |sample: Sample, allowed: &[Recognizer]| -> Vec<&'static str> {
        let request = sample.request();
        let verdict = |recognizer| match allowed.contains(&recognizer) {
            true => Verdict::Allowed,
            false => Verdict::NotAllowed,
        };
        let reviews = [Recognizer::SelfNodeClient, Recognizer::NodeClient]
            .map(|of| (question(&request, of), Answer::Review(verdict(of))));
        let alive = (Question::Occupancy("n".into()), Answer::Occupancy(Occupancy::Ready));
        let trusted_group = Some("joiners".to_owned());
        let policy = Policy { guards_nodes: true, trusted_group, ..Policy::default() };
        let trace = decide(&request, &policy, &reviews.into_iter().chain([alive]).collect()).trace;
        trace.iter().filter(|finding| finding.holds == Some(false)).map(|finding| finding.rule.id).collect()
    };
    let broken: Vec<_> = [
        broken_by(Sample::default(), &[]),
        broken_by(Sample { username: "system:node:other", ..Sample::default() }, &[Recognizer::NodeClient]),
        broken_by(Sample { common_name: "system:node:..", ..Sample::default() }, &[Recognizer::NodeClient]),
        broken_by(Sample { signer_name: "example.com/any", ..Sample::default() }, &[]),
    ]
    .concat();
    for rule in RULES.iter().filter(|rule| rule.id.contains("node-client/")) {
        assert!(broken.contains(&rule.id), "no row breaks {}", rule.id);
    }
    assert!(broken_by(Sample::default(), &[Recognizer::SelfNodeClient]).is_empty());
}

#[test]
fn an_answer_about_one_requester_is_none_about_another_of_the_same_name() {
    let mine = Sample::default().request();
    let mut theirs = (**mine.requester()).clone();
    for change in [
        |requester: &mut Requester| requester.groups.push("system:nodes".into()),
        |requester: &mut Requester| requester.uid.push('1'),
        |requester: &mut Requester| drop(requester.extra.insert("scope".into(), vec!["all".into()])),
    ] {
        change(&mut theirs);
        let permission =
            Permission { requester: Arc::new(theirs.clone()), recognizer: Recognizer::SelfNodeClient };
        let facts = [(Question::Review(permission), Answer::Review(Verdict::Allowed))].into_iter().collect();
        let expected = Outcome::Ask(vec![question(&mine, Recognizer::SelfNodeClient)]);
        assert_eq!(decide(&mine, &Policy::default(), &facts).outcome, expected);
    }
}

#[test]
fn the_approval_says_what_upstreams_says() {
    for (recognizer, message) in [
        (
            Recognizer::SelfNodeClient,
            "Auto approving self kubelet client certificate after SubjectAccessReview.",
        ),
        (Recognizer::NodeClient, "Auto approving kubelet client certificate after SubjectAccessReview."),
    ] {
        let condition = Grant(recognizer).condition();
        assert_eq!(condition.kind, csr::ConditionType::Approved);
        assert_eq!(condition.reason, "AutoApproved");
        assert_eq!(condition.message, message);
        assert_eq!(condition.last_update_time, None, "the API server fills it in");
    }
}

#[test]
fn the_review_asks_exactly_what_upstream_asks() {
    for (recognizer, subresource) in
        [(Recognizer::SelfNodeClient, "selfnodeclient"), (Recognizer::NodeClient, "nodeclient")]
    {
        let attributes = Permission { requester: Arc::default(), recognizer }.attributes();
        assert_eq!(
            (attributes.group, attributes.resource),
            ("certificates.k8s.io", "certificatesigningrequests")
        );
        assert_eq!((attributes.verb, attributes.version), ("create", "*"));
        assert_eq!(attributes.subresource, subresource);
    }
}
