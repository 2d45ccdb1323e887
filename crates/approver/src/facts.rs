use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use csr::PublicKey;

use crate::{
    Answer, Claims, LiveCertificate, Node, Occupancy, Permission, Question, Resolution, San, Verdict,
};

/// The answers known for one decision. They are never kept for another.
#[derive(Clone, Debug, Default)]
pub struct Facts(HashMap<Question, Answer>);

impl Facts {
    /// Adds an answer, in the place of an earlier one.
    pub fn add(&mut self, question: Question, answer: Answer) {
        self.0.insert(question, answer);
    }

    /// The answer to a question, when it was asked.
    pub fn answer(&self, question: &Question) -> Option<&Answer> {
        self.0.get(question)
    }

    /// The verdict on a permission, when it was asked for.
    pub(crate) fn verdict(&self, permission: Permission) -> Option<Verdict> {
        match self.0.get(&Question::Review(permission))? {
            Answer::Review(verdict) => Some(*verdict),
            _ => None,
        }
    }

    /// The Node of this name, when it was asked for; `None` within: there is none.
    pub(crate) fn node(&self, name: &str) -> Option<Option<&Arc<Node>>> {
        match self.0.get(&Question::Node(name.into()))? {
            Answer::Node(node) => Some(node.as_ref()),
            _ => None,
        }
    }

    /// Whether a node is there and alive, when that was asked for.
    pub(crate) fn occupancy(&self, question: &Question) -> Option<Occupancy> {
        match self.0.get(question)? {
            Answer::Occupancy(occupancy) => Some(*occupancy),
            _ => None,
        }
    }

    /// Who else has a name, when that was asked for.
    pub(crate) fn claims(&self, san: &San) -> Option<&Claims> {
        match self.0.get(&Question::Claims(san.clone()))? {
            Answer::Claims(claims) => Some(claims),
            _ => None,
        }
    }

    /// The Nodes that have a key by our record, when that was asked for; `None` within: it cannot be read.
    pub(crate) fn record(&self, key: Arc<PublicKey>) -> Option<Option<&BTreeSet<Arc<str>>>> {
        match self.0.get(&Question::Record(key))? {
            Answer::Record(nodes) => Some(nodes.as_ref()),
            _ => None,
        }
    }

    /// What DNS says of a name, when it was asked for.
    pub(crate) fn resolution(&self, name: &str) -> Option<&Resolution> {
        match self.0.get(&Question::Resolve(name.into()))? {
            Answer::Resolution(found) => Some(found),
            _ => None,
        }
    }

    /// The certificate served at an address, when it was asked for; `None` within: none that counts.
    pub(crate) fn live_certificate(&self, address: IpAddr) -> Option<Option<&LiveCertificate>> {
        match self.0.get(&Question::LiveCertificate(address))? {
            Answer::LiveCertificate(found) => Some(found.as_deref()),
            _ => None,
        }
    }

    /// Every question about the cluster that was answered: another answer to one of them may change a decision.
    pub(crate) fn about_the_cluster(&self) -> Vec<Question> {
        let questions = self.0.keys().filter(|question| !matches!(question, Question::Review(_)));
        questions.cloned().collect()
    }
}

impl FromIterator<(Question, Answer)> for Facts {
    /// Of two answers to one question, the later counts.
    fn from_iter<I: IntoIterator<Item = (Question, Answer)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
