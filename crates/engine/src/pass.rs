use std::sync::Arc;

use csr::{CertificateSigningRequest, Condition, Rule};

use crate::flights::Place;
use crate::guest::Found;
use crate::record::Record;
use crate::records::Slot;
use crate::step::Step;
use crate::{Effect, Ticket};

/// One handling of one object, from its turn to its outcome: a chain of effects.
#[derive(Debug)]
pub(crate) struct Pass<Q, A> {
    pub(crate) slot: Slot,
    /// What the table said.
    pub(crate) work: Step,
    /// The object that the pass is about; absent before it is read, and for a delete.
    pub(crate) object: Option<Arc<CertificateSigningRequest>>,
    /// Every answer so far.
    pub(crate) answers: Vec<Found<Q, A>>,
    /// Whether its turn came when its answers were too old: what it asks for now, it need not queue with again.
    pub(crate) has_turn: bool,
    /// The effect to be given out; `None` while one is under way.
    pub(crate) next: Option<Next>,
    /// The effect under way.
    pub(crate) ticket: Option<Ticket>,
    /// The resourceVersion that the effect under way was made for.
    pub(crate) resource_version: u64,
    /// The policy that the effect under way was given out under, by the number of reloads.
    pub(crate) policy: u64,
}

/// An effect of a pass.
#[derive(Debug)]
pub(crate) enum Next {
    Read,
    Decide,
    Approve(Condition),
    Deny(Condition),
    Sign,
    Publish(String),
    Fail(Condition, &'static str),
    Delete(&'static Rule),
}

impl Next {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Read | Self::Approve(_) | Self::Deny(_) | Self::Publish(_) | Self::Fail(..) => Place::Call,
            Self::Decide | Self::Sign => Place::Local,
            Self::Delete(_) => Place::Delete,
        }
    }
}

impl<Q: Clone, A: Clone> Pass<Q, A> {
    pub(crate) fn new(slot: Slot, work: Step, next: Next) -> Self {
        Self {
            slot,
            work,
            object: None,
            answers: Vec::new(),
            has_turn: false,
            next: Some(next),
            ticket: None,
            resource_version: 0,
            policy: 0,
        }
    }

    /// The effect, for an object that is as its record says. Without the object, it has to be read first.
    pub(crate) fn effect(&self, next: Next, record: &Record) -> Effect<Q, A> {
        let name = record.name.clone();
        if let Next::Delete(rule) = next {
            let uid = (&record.uid).into();
            return Effect::Delete { name, uid, resource_version: record.resource_version, rule: rule.id };
        }
        let Some(object) = self.object.clone() else {
            return Effect::Read { name };
        };
        match next {
            Next::Read | Next::Delete(_) => Effect::Read { name },
            Next::Decide => Effect::Decide { object, answers: self.answers() },
            Next::Approve(condition) => Effect::Approve { object, condition, answers: self.answers() },
            Next::Deny(condition) => Effect::Deny { object, condition },
            Next::Sign => Effect::Sign { object, answers: self.answers() },
            Next::Publish(pem) => Effect::Publish { object, pem },
            Next::Fail(condition, rejection) => Effect::Fail { object, condition, rejection },
        }
    }

    fn answers(&self) -> Vec<(Q, A)> {
        self.answers.iter().map(|found| (found.question.clone(), found.answer.clone())).collect()
    }
}
