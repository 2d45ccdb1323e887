//! Who answers the approver's questions: the API server, the indexes that follow it, DNS, and servers themselves. Whatever runs a
//! decision, the controller or an explanation, gets its answers here.

use std::sync::Arc;

use approver::{Answer, Decision, Outcome, Question};

use crate::facts::record::Approval;
use crate::facts::{Facts, KeepError};
use crate::kube::call::CallError;
use crate::kube::review::Reviews;

/// Finds answers. Nothing is written for them.
#[derive(Clone, Debug)]
pub struct Answers {
    reviews: Reviews,
    facts: Arc<Facts>,
}

impl Answers {
    /// Answers from these.
    #[must_use]
    pub fn new(reviews: Reviews, facts: Arc<Facts>) -> Self {
        Self { reviews, facts }
    }

    /// The answer to a question, as it is now; `None` where nobody can say. Kubelets' certificates are `authority`'s, in DER.
    ///
    /// # Errors
    /// When the API server does not give it.
    pub async fn find(
        &self,
        question: &Question,
        authority: Option<&[u8]>,
    ) -> Result<Option<Answer>, CallError> {
        let facts = &self.facts;
        Ok(match question {
            Question::Review(permission) => Some(Answer::Review(self.reviews.verdict(permission).await?)),
            Question::Node(name) => Some(Answer::Node(facts.node(name).await?.map(Arc::new))),
            Question::Occupancy(name) => Some(Answer::Occupancy(facts.occupancy(name).await?)),
            Question::Resolve(name) => Some(Answer::Resolution(facts.resolve(name).await)),
            Question::LiveCertificate(address) => {
                let live = match authority {
                    Some(authority) => facts.live_certificate(*address, authority).await,
                    None => None,
                };
                Some(Answer::LiveCertificate(live.map(Arc::new)))
            }
            Question::Claims(_) | Question::Record(_) => facts.known(question),
        })
    }

    /// Records an approval before it is written.
    ///
    /// # Errors
    /// As [`Facts::keep`].
    pub(crate) async fn keep(&self, approval: Approval) -> Result<(), KeepError> {
        self.facts.keep(approval).await
    }

    /// From now on this replica leads: what others wrote meanwhile is read first.
    pub(crate) fn begin_term(&self) {
        self.facts.begin_term();
    }

    /// Decides, with the answers that the indexes give at once beside those in `known`.
    pub fn decided(&self, known: approver::Facts, decide: impl Fn(&approver::Facts) -> Decision) -> Decision {
        self.decided_by(known, decide).0
    }

    /// The same, with all answers that it came from.
    pub(crate) fn decided_by(
        &self,
        known: approver::Facts,
        decide: impl Fn(&approver::Facts) -> Decision,
    ) -> (Decision, approver::Facts) {
        decided_by(known, |question| self.facts.known(question), decide)
    }
}

/// Decides, with the answers that `find` gives at once beside those in `known`, until none of what is asked is among them.
pub fn decided(
    known: approver::Facts,
    find: impl Fn(&Question) -> Option<Answer>,
    decide: impl Fn(&approver::Facts) -> Decision,
) -> Decision {
    decided_by(known, find, decide).0
}

fn decided_by(
    mut known: approver::Facts,
    find: impl Fn(&Question) -> Option<Answer>,
    decide: impl Fn(&approver::Facts) -> Decision,
) -> (Decision, approver::Facts) {
    loop {
        let decision = decide(&known);
        let Outcome::Ask(questions) = &decision.outcome else { return (decision, known) };
        let answered = |question: &Question| Some((question.clone(), find(question)?));
        let found: Vec<_> = questions.iter().filter_map(answered).collect();
        if found.is_empty() {
            return (decision, known);
        }
        found.into_iter().for_each(|(question, answer)| known.add(question, answer));
    }
}
