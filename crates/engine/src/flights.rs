use std::collections::HashMap;
use std::time::Duration;

use crate::limit::{Limit, Reply, Returned};
use crate::question::QuestionId;
use crate::records::Slot;
use crate::{Settings, Ticket};

/// The effects that were given out and have not come back.
#[derive(Debug)]
pub(crate) struct Flights {
    last: u64,
    open: HashMap<Ticket, Flight>,
    under_way: [usize; Place::ALL.len()],
    calls: Limit,
    max_deletes: usize,
    max_local: usize,
    max_inquiries: usize,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    errand: Errand,
    place: Place,
    sent: Duration,
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
    /// This process, for questions that it answers from memory.
    Memory,
    /// Somebody else than the API server, who may take seconds to answer or never do.
    Inquiry,
}

impl Place {
    pub(crate) const ALL: [Self; 5] = [Self::Call, Self::Delete, Self::Local, Self::Memory, Self::Inquiry];

    /// Where questions go.
    pub(crate) const ASKED: [Self; 3] = [Self::Memory, Self::Call, Self::Inquiry];

    /// Whether a question that is asked there again costs somebody something: what does not is not held to the rate of retries.
    pub(crate) fn is_at_rate(self) -> bool {
        match self {
            Self::Call | Self::Delete | Self::Inquiry => true,
            Self::Local | Self::Memory => false,
        }
    }
}

impl Flights {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            last: 0,
            open: HashMap::new(),
            under_way: [0; Place::ALL.len()],
            calls: Limit::new(settings),
            max_deletes: settings.cleaning.max_in_flight.max(1),
            max_local: settings.max_local.max(1),
            max_inquiries: settings.max_inquiries.max(1),
        }
    }

    /// Gives an effect out: its ticket.
    pub(crate) fn open(&mut self, errand: Errand, place: Place, now: Duration) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.open.insert(ticket, Flight { errand, place, sent: now });
        self.under_way[place as usize] += 1;
        ticket
    }

    /// Whose effect has come back; `None` for a ticket that came back before.
    pub(crate) fn close(&mut self, ticket: Ticket, reply: Reply, now: Duration) -> Option<Errand> {
        let Flight { errand, place, sent } = self.open.remove(&ticket)?;
        if place == Place::Call {
            self.calls.returned(reply, &Returned { sent, now, in_flight: self.under_way(place) });
        }
        self.under_way[place as usize] -= 1;
        Some(errand)
    }

    /// Whether one more of a kind may go out.
    pub(crate) fn has_room(&self, place: Place) -> bool {
        self.under_way(place) < self.limit(place)
    }

    /// How many of a kind may be out.
    pub(crate) fn limit(&self, place: Place) -> usize {
        match place {
            Place::Call => self.calls.calls(),
            Place::Delete => self.max_deletes,
            Place::Local | Place::Memory => self.max_local,
            Place::Inquiry => self.max_inquiries,
        }
    }

    /// How many of a kind are out.
    pub(crate) fn under_way(&self, place: Place) -> usize {
        self.under_way[place as usize]
    }
}
