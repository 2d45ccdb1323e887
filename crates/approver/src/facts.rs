use std::net::IpAddr;
use std::sync::Arc;

use crate::{Answer, Claims, LiveCertificate, Node, Permission, Question, Resolution, San, Verdict};

/// The answers known for one decision. They are never kept for another.
#[derive(Clone, Debug, Default)]
pub struct Facts(Vec<(Question, Answer)>);

impl Facts {
    /// The verdict on a permission, when it was asked for.
    pub(crate) fn verdict(&self, permission: &Permission) -> Option<Verdict> {
        self.find(|question, answer| match (question, answer) {
            (Question::Review(asked), Answer::Review(verdict)) if asked == permission => Some(*verdict),
            _ => None,
        })
    }

    /// The Node of this name, when it was asked for; `None` within: there is none.
    pub(crate) fn node(&self, name: &str) -> Option<Option<&Arc<Node>>> {
        self.find(|question, answer| match (question, answer) {
            (Question::Node(asked), Answer::Node(node)) if **asked == *name => Some(node.as_ref()),
            _ => None,
        })
    }

    /// Who else has a name, when that was asked for.
    pub(crate) fn claims(&self, san: &San) -> Option<&Claims> {
        self.find(|question, answer| match (question, answer) {
            (Question::Claims(asked), Answer::Claims(claims)) if asked == san => Some(&**claims),
            _ => None,
        })
    }

    /// What DNS says of a name, when it was asked for.
    pub(crate) fn resolution(&self, name: &str) -> Option<&Resolution> {
        self.find(|question, answer| match (question, answer) {
            (Question::Resolve(asked), Answer::Resolution(found)) if **asked == *name => Some(found),
            _ => None,
        })
    }

    /// The certificate served at an address, when it was asked for; `None` within: none that counts.
    pub(crate) fn live_certificate(&self, address: IpAddr) -> Option<Option<&LiveCertificate>> {
        self.find(|question, answer| match (question, answer) {
            (Question::LiveCertificate(asked), Answer::LiveCertificate(found)) if *asked == address => {
                Some(found.as_deref())
            }
            _ => None,
        })
    }

    /// Adds an answer.
    pub fn add(&mut self, question: Question, answer: Answer) {
        self.0.push((question, answer));
    }

    fn find<'a, T>(&'a self, read: impl Fn(&'a Question, &'a Answer) -> Option<T>) -> Option<T> {
        self.0.iter().rev().find_map(|(question, answer)| read(question, answer))
    }
}

impl FromIterator<(Question, Answer)> for Facts {
    /// Of two answers to one question, the later counts.
    fn from_iter<I: IntoIterator<Item = (Question, Answer)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
