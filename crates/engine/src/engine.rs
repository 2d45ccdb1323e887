use std::hash::Hash;
use std::marker::PhantomData;

use crate::{Input, Now, Settings, Standings, Turn};

/// What is to be done next, for which object, when.
///
/// `Q` is a question that the approver needs answered, `A` its answer. Two equal answers must lead to the same decision:
/// a request that one answer holds stays held when the same answer comes back.
#[derive(Debug)]
pub struct Engine<Q, A> {
    settings: Settings,
    standings: Standings,
    marker: PhantomData<(Q, A)>,
}

impl<Q, A> Engine<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    /// An engine that knows of no object yet, and does not lead.
    pub fn new(settings: Settings, standings: Standings) -> Self {
        Self { settings, standings, marker: PhantomData }
    }

    /// Takes in what has happened. Never fails, and never does more than the change asks for.
    pub fn handle(&mut self, input: Input<Q, A>, now: Now) {
        let _ = (input, now, self.settings);
    }

    /// The next thing to do, or how long there is nothing to do. To be called until it says [`Turn::Sleep`].
    pub fn poll(&mut self, now: Now) -> Turn<Q, A> {
        let _ = (now, &self.standings);
        Turn::Sleep(None)
    }
}
