//! The approver's opinion, in the engine's words.

use std::sync::Arc;

use approver::{Answer, Decision, Facts, Finding, Outcome as Opinion, Question};
use csr::{CertificateSigningRequest, Condition, ConditionType, NextActor, ParseError, Request, Rule};

use super::Outcome;
use crate::answers::Answers;
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

    fn ask(
        &self,
        answers: Vec<(Question, Answer)>,
        decide: impl Fn(&Facts) -> Decision,
    ) -> (Decision, Facts) {
        // What the indexes know they are asked now: an answer of the same pass may be some time old.
        let found = answers.into_iter().filter(|(question, _)| !matches!(question, Question::Claims(_)));
        self.answers.decided_by(found.collect(), decide)
    }
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
