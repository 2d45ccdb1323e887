//! The approver's opinion, in the engine's words.

use std::sync::Arc;

use approver::{Answer, Decision, Facts, Finding, Outcome as Opinion, Question, San};
use csr::{
    CertificateSigningRequest, Condition, ConditionType, NextActor, ParseError, Request, Rule, SignerName,
};

use super::Outcome;
use crate::answers::Answers;
use crate::facts::record::{Approval, Entry, digest};
use crate::kube::events::Events;
use crate::policy::Policy;

/// Asks the approver, and answers at once what the indexes know.
pub(super) struct Judge {
    pub(super) policy: Arc<Policy>,
    pub(super) answers: Answers,
    pub(super) events: Events,
}

impl Judge {
    /// Whether the requester may have it.
    pub(super) fn decided(
        &self,
        object: &CertificateSigningRequest,
        answers: Vec<(Question, Answer)>,
    ) -> Result<Outcome, ParseError> {
        let request = Request::parse(object)?;
        let (decision, known) =
            self.ask(answers, |facts| approver::decide(&request, &self.policy.approval, facts));
        Ok(match decision.outcome.clone() {
            Opinion::NoOpinion => {
                let rule = decision.rule().map(|rule| rule.id);
                tracing::debug!(rule, "no opinion on this request");
                Outcome::NoOpinion
            }
            Opinion::Ask(questions) => Outcome::Asks(questions),
            Opinion::Approve(grant) => Outcome::Approves(grant.condition()),
            Opinion::Hold { rule, on } => {
                let note = note(&decision.trace);
                tracing::debug!(rule = rule.id, note, "the request is held");
                // What we cannot read is nothing that the requester could mend; the log says it once.
                if rule.next_actor != NextActor::Operator || on.is_empty() {
                    self.events.held(object, rule, note);
                }
                Outcome::Holds { on: with_answers(on, &known), rule }
            }
            Opinion::Deny { rule, note } => Outcome::Denies(denial(rule, &note)),
        })
    }

    /// What keeps an approved request from being signed; `None` where nothing does. One that cannot be read is the signer's to refuse.
    pub(super) fn stopped(
        &self,
        object: &CertificateSigningRequest,
        answers: Vec<(Question, Answer)>,
    ) -> Option<Outcome> {
        let is_asked = self.policy.approval.gate(&object.spec().signer_name).is_some();
        let request = if is_asked { Request::parse(object).ok()? } else { return None };
        let (decision, known) =
            self.ask(answers, |facts| approver::gate(&request, &self.policy.approval, facts));
        match decision.outcome {
            Opinion::NoOpinion | Opinion::Approve(_) => None,
            Opinion::Ask(questions) => Some(Outcome::Asks(questions)),
            Opinion::Hold { rule, on } => {
                let note = note(&decision.trace);
                tracing::warn!(rule = rule.id, note, "what others approved is not signed");
                self.events.held(object, rule, note);
                Some(Outcome::Holds { on: with_answers(on, &known), rule })
            }
            // What is approved cannot be denied any more.
            Opinion::Deny { rule, .. } => Some(Outcome::Holds { on: Vec::new(), rule }),
        }
    }

    /// What is to be recorded before a request is approved; `None` where nothing is.
    pub(super) fn approval(
        &self,
        object: &CertificateSigningRequest,
        answers: Vec<(Question, Answer)>,
    ) -> Result<Option<Approval>, Undecided> {
        if object.spec().signer_name.as_str() != SignerName::KUBELET_SERVING {
            return Ok(None);
        }
        let request = Request::parse(object).map_err(|_| Undecided)?;
        let (decision, known) =
            self.ask(answers, |facts| approver::decide(&request, &self.policy.approval, facts));
        let Opinion::Approve(_) = decision.outcome else { return Err(Undecided) };
        recorded(&request, &known).map(Some).ok_or(Undecided)
    }

    fn ask(
        &self,
        answers: Vec<(Question, Answer)>,
        decide: impl Fn(&Facts) -> Decision,
    ) -> (Decision, Facts) {
        // What the indexes know they are asked now: an answer of the same pass may be some time old.
        let found = answers.into_iter().filter(|(question, _)| !question.is_indexed());
        self.answers.decided_by(found.collect(), decide)
    }
}

/// An approval that would not be given any more.
#[derive(Debug)]
pub(super) struct Undecided;

/// What an approval says, and what the record said of it; `None` where not all of it was asked for.
fn recorded(request: &Request, known: &Facts) -> Option<Approval> {
    let node: Arc<str> = request.requester().username.strip_prefix("system:node:")?.into();
    let Some(Answer::Node(Some(of_requester))) = known.answer(&Question::Node(Arc::clone(&node))) else {
        return None;
    };
    let key = Arc::new(request.public_key().clone());
    let entry = Entry {
        uid: Arc::clone(&of_requester.uid),
        key: digest(&key),
        names: San::of(request.sans()).ok()?.into_iter().collect(),
    };
    let Some(Answer::Record(Some(key_holders))) = known.answer(&Question::Record(key)) else { return None };
    let owners = |san: &San| match known.answer(&Question::Claims(san.clone()))? {
        Answer::Claims(claims) => Some((san.clone(), claims.owners.clone())),
        _ => None,
    };
    let owners = entry.names.iter().map(owners).collect::<Option<_>>()?;
    Some(Approval { node, entry, owners, key_holders: key_holders.clone() })
}

/// The questions that hold a request, each with the answer that does.
fn with_answers(on: Vec<Question>, known: &Facts) -> Vec<(Question, Option<Answer>)> {
    let answered = |question: Question| {
        let answer = known.answer(&question).cloned();
        (question, answer)
    };
    on.into_iter().map(answered).collect()
}

/// What was found of the rule that does not hold.
fn note(trace: &[Finding]) -> &str {
    trace.iter().find(|finding| finding.holds == Some(false)).map_or("", |finding| finding.note.as_str())
}

/// What a denial says: the rule, what was found, and what to do.
fn denial(rule: &Rule, note: &str) -> Condition {
    let found = if note.is_empty() { String::new() } else { format!(" ({note})") };
    Condition {
        kind: ConditionType::Denied,
        reason: "RuleBroken",
        message: format!("{} does not hold: {}{found}; {}", rule.id, rule.title, rule.remedy),
        last_update_time: None,
    }
}
