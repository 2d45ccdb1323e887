use std::collections::HashMap;

use crate::question::QuestionId;
use crate::records::Slot;
use crate::{Settings, Ticket};

/// The effects that were given out and have not come back.
#[derive(Debug)]
pub(crate) struct Flights {
    last: u64,
    open: HashMap<Ticket, (Errand, Place)>,
    under_way: [usize; Place::ALL.len()],
    limits: [usize; Place::ALL.len()],
}

/// For whom an effect was given out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Errand {
    Pass(Slot),
    Question(QuestionId),
}

/// What an effect takes up while it is under way. Each kind has a limit of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// The API server.
    Call,
    /// The API server, for cleaning.
    Delete,
    /// A processor: to decide, or to sign.
    Local,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Call, Self::Delete, Self::Local];
}

impl Flights {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            last: 0,
            open: HashMap::new(),
            under_way: [0; Place::ALL.len()],
            limits: [settings.max_in_flight, settings.cleaning.max_in_flight, settings.max_in_flight]
                .map(|n| n.max(1)),
        }
    }

    /// Gives an effect out: its ticket.
    pub(crate) fn open(&mut self, errand: Errand, place: Place) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.open.insert(ticket, (errand, place));
        self.under_way[place as usize] += 1;
        ticket
    }

    /// Whose effect has come back; `None` for a ticket that came back before.
    pub(crate) fn close(&mut self, ticket: Ticket) -> Option<Errand> {
        let (errand, place) = self.open.remove(&ticket)?;
        self.under_way[place as usize] -= 1;
        Some(errand)
    }

    /// Whether one more of a kind may go out.
    pub(crate) fn has_room(&self, place: Place) -> bool {
        self.under_way(place) < self.limits[place as usize]
    }

    /// How many of a kind are out.
    pub(crate) fn under_way(&self, place: Place) -> usize {
        self.under_way[place as usize]
    }
}
