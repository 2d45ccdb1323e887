use std::borrow::Cow;

use csr::{CertificateSigningRequest, Condition, ConditionType, NextActor, Rule};
use engine::{Failure, Outcome};

use crate::object::Content;
use crate::server::{Permission, Question};

/// An answer and the review it came from. Two answers are equal when they say the same: the review is not looked at.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    /// When the question went out, by the order of what happened.
    pub(crate) asked_at: u64,
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.allowed == other.allowed
    }
}

/// What one replica goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// Whether what was unpolitic is granted.
    pub(crate) generous: bool,
    /// Whether the authority cannot sign.
    pub(crate) broken_authority: bool,
}

static NOT_PERMITTED: Rule = Rule {
    id: "model/not-permitted",
    title: "the requester has the permission",
    remedy: "grant it",
    next_actor: NextActor::Administrator,
};

/// A model of the approver.
pub(crate) fn decide(
    csr: &CertificateSigningRequest,
    policy: Policy,
    answers: &[(Question, Answer)],
) -> Outcome<Question, Answer> {
    let question = |permission| Question { username: csr.spec().requester.username.clone(), permission };
    let both = || vec![question(Permission::SelfNode), question(Permission::Node)];
    match Content::of(csr) {
        Content::Node | Content::Bad => ask(vec![question(Permission::Node)], answers, 1),
        Content::SelfNode => ask(both(), answers, 1),
        Content::Either => ask(both(), answers, 2),
        Content::Unknown => Outcome::NoOpinion,
        Content::Broken => Outcome::Failed(Failure::NOT_DONE),
        Content::Forbidden => Outcome::Denies(condition(ConditionType::Denied)),
        Content::Unpolitic if policy.generous => Outcome::Approves(condition(ConditionType::Approved)),
        Content::Unpolitic if csr.resource_version().is_multiple_of(2) => Outcome::NoOpinion,
        Content::Unpolitic => Outcome::Holds { on: Vec::new(), rule: &NOT_PERMITTED },
    }
}

/// A model of the signer.
pub(crate) fn sign(csr: &CertificateSigningRequest, policy: Policy) -> Outcome<Question, Answer> {
    match Content::of(csr) {
        _ if policy.broken_authority => Outcome::Failed(Failure::NOT_DONE),
        Content::Broken => Outcome::Failed(Failure::NOT_DONE),
        Content::Bad => {
            Outcome::Rejected { condition: condition(ConditionType::Failed), rejection: "usages" }
        }
        _ => Outcome::Signed("PEM".into()),
    }
}

fn ask(
    questions: Vec<Question>,
    answers: &[(Question, Answer)],
    at_once: usize,
) -> Outcome<Question, Answer> {
    let answer = |question: &Question| answers.iter().find(|(asked, _)| asked == question);
    if questions.iter().filter_map(answer).any(|(_, answer)| answer.allowed) {
        return Outcome::Approves(condition(ConditionType::Approved));
    }
    let missing: Vec<_> = questions.iter().filter(|question| answer(question).is_none()).cloned().collect();
    if missing.is_empty() {
        return Outcome::Holds {
            on: questions.into_iter().map(|question| (question, None)).collect(),
            rule: &NOT_PERMITTED,
        };
    }
    Outcome::Asks(missing.into_iter().take(at_once).collect())
}

fn condition(kind: ConditionType) -> Condition {
    Condition { kind, reason: "Model", message: Cow::Borrowed("").into_owned(), last_update_time: None }
}
