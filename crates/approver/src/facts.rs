use crate::{Answer, Permission, Question, Verdict};

/// The answers known for one decision. They are never kept for another.
#[derive(Clone, Debug, Default)]
pub struct Facts(Vec<(Question, Answer)>);

impl Facts {
    /// The verdict on a permission, when it was asked for.
    pub(crate) fn verdict(&self, permission: &Permission) -> Option<Verdict> {
        self.0.iter().rev().find_map(|(question, answer)| match (question, answer) {
            (Question::Review(asked), Answer::Review(verdict)) => (asked == permission).then_some(*verdict),
        })
    }
}

impl FromIterator<(Question, Answer)> for Facts {
    /// Of two answers to one question, the later counts.
    fn from_iter<I: IntoIterator<Item = (Question, Answer)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
