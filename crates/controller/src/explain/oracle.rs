use std::sync::Arc;

use approver::{Answer, Decision, Outcome, Question};
use csr::Rule;

use super::Judgement;
use super::live::Cluster;
use super::recorded::Recorded;

/// Where the answers are from.
#[derive(Debug)]
pub enum Oracle {
    /// A cluster, as it is now.
    Live(Arc<Cluster>),
    /// Files.
    Recorded(Box<Recorded>),
}

impl Oracle {
    /// Whether an API server vouches for requesters.
    #[must_use]
    pub fn is_attested(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Decides, until nothing more is asked or what is asked has no answer.
    pub(super) async fn judged(
        &self,
        chain: Vec<&'static Rule>,
        decide: impl Fn(&approver::Facts) -> Decision,
    ) -> Judgement {
        let mut known = approver::Facts::default();
        loop {
            let decision = decide(&known);
            let mut unanswered = Vec::new();
            if let Outcome::Ask(questions) = &decision.outcome {
                for question in questions {
                    match self.answer(question).await {
                        Ok(answer) => known.add(question.clone(), answer),
                        Err(why) => unanswered.push(why),
                    }
                }
                if unanswered.is_empty() {
                    continue;
                }
            }
            unanswered.dedup();
            return Judgement { decision, chain, unanswered };
        }
    }

    /// The answer, or why there is none.
    async fn answer(&self, question: &Question) -> Result<Answer, String> {
        match self {
            Self::Live(cluster) => cluster.answer(question).await,
            Self::Recorded(recorded) => recorded.answer(question),
        }
    }
}
