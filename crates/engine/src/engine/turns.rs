use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use csr::CertificateSigningRequest;

use super::Engine;
use crate::flights::{Errand, Place};
use crate::guest::Answered;
use crate::moment::Moment;
use crate::neighbours::Neighbours;
use crate::objects::Objects;
use crate::pass::{Next, Pass};
use crate::question::QuestionId;
use crate::queue::Served;
use crate::record::State;
use crate::records::{Records, Slot};
use crate::step::Step;
use crate::waiting::WaitingRoom;
use crate::{Effect, Rank, Ticket, Wait};

/// Due entries that one turn takes in before it looks for something to do.
const BATCH: usize = 64;

/// The part of the calls in flight that one requester's passes may take up while others are served too: of those that are allowed,
/// as what is not used up does not grow.
const CROWD_SHARE: usize = 20;

/// So many passes under way are no crowd.
const CROWD_LEAST: usize = 3;

/// A step of the wall clock is noticed after this long at the latest.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Whose turn it is.
impl<Q, A> Engine<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    /// Takes in what is due to be tried again. Says whether there was anything.
    pub(super) fn wake(&mut self) -> bool {
        let mut woken = 0;
        while woken < BATCH
            && let Some(slot) = self.back_off.pop_due(self.now.monotonic)
        {
            self.settle(slot);
            woken += 1;
        }
        while woken < BATCH && self.waiting.wake() {
            woken += 1;
        }
        woken > 0
    }

    /// What is begun goes before what is not, and cleaning goes last.
    pub(super) fn next_effect(&mut self) -> Option<(Ticket, Effect<Q, A>)> {
        self.carry_on().or_else(|| self.send_question()).or_else(|| self.admit()).or_else(|| self.clean())
    }

    /// When something will be due.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        let retries = self.queue.len(Rank::Retries) > 0 || self.may_ask_again();
        let retry = retries.then(|| self.retry_rate.due(1));
        let dates = [self.back_off.next(), self.waiting.next_round(), retry, self.next_cleaning()];
        dates.into_iter().flatten().filter(|date| *date > self.now.monotonic).min()
    }

    fn next_cleaning(&self) -> Option<Duration> {
        let deadline: time::OffsetDateTime = self.deadlines.next()?.into();
        let ahead = deadline - self.now.wall;
        Some(if ahead.is_positive() {
            self.now.monotonic + ahead.unsigned_abs().min(LONGEST_SLEEP)
        } else {
            self.cleaning_rate.due(self.cleaning_cost())
        })
    }

    /// The next effect of a pass that has begun. Nothing new begins before it finds its place.
    fn carry_on(&mut self) -> Option<(Ticket, Effect<Q, A>)> {
        for place in Place::ALL {
            while self.flights.has_room(place)
                && let Some(slot) = self.continued[place as usize].pop_front()
            {
                if let Some(given_out) = self.give_out(slot) {
                    return Some(given_out);
                }
            }
        }
        None
    }

    /// The next effect of a pass; `None` when it has none, or is about an object that has changed.
    fn give_out(&mut self, slot: Slot) -> Option<(Ticket, Effect<Q, A>)> {
        let pass = self.passes.get_mut(&slot)?;
        let next = pass.next.take()?;
        let record = self.records.get(slot)?;
        let is_outdated =
            |object: &Arc<CertificateSigningRequest>| object.resource_version() != record.resource_version;
        if pass.object.as_ref().is_some_and(is_outdated) {
            let pass = self.passes.remove(&slot)?;
            self.end(pass);
            return None;
        }
        let place = next.place();
        let ticket = self.flights.open(Errand::Pass(slot), place, self.now.monotonic);
        pass.ticket = Some(ticket);
        pass.resource_version = record.resource_version;
        pass.policy = self.policy;
        let effect = pass.effect(next, record);
        if place == Place::Call {
            self.call_for(slot);
        }
        Some((ticket, effect))
    }

    fn send_question(&mut self) -> Option<(Ticket, Effect<Q, A>)> {
        let mut places = Place::ASKED;
        if self.inquiry_retries {
            places.reverse();
        }
        places.into_iter().find_map(|place| self.send_question_to(place))
    }

    fn send_question_to(&mut self, place: Place) -> Option<(Ticket, Effect<Q, A>)> {
        if !self.flights.has_room(place) {
            return None;
        }
        let (id, question) = self.waiting.send(place).or_else(|| self.question_again(place))?;
        let ticket = self.flights.open(Errand::Question(id), place, self.now.monotonic);
        if place == Place::Call {
            for slot in self.waiting.sharers(id).collect::<Vec<_>>() {
                self.call_for(slot);
            }
        }
        Some((ticket, Effect::Ask(question)))
    }

    /// Whether a question for whose answer there is room waits for the rate of retries.
    fn may_ask_again(&self) -> bool {
        let mut places = Place::ASKED.into_iter().filter(|place| place.is_at_rate());
        places.any(|place| self.flights.has_room(place) && self.waiting.has_overdue(place))
    }

    /// Retried questions and retried requests take turns, but for what costs nothing.
    fn question_again(&mut self, place: Place) -> Option<(QuestionId, Q)> {
        if !place.is_at_rate() {
            return self.waiting.send_again(place);
        }
        let is_its_turn = self.question_retries || self.queue.len(Rank::Retries) == 0;
        if !is_its_turn || self.retry_rate.due(1) > self.now.monotonic {
            return None;
        }
        let again = self.waiting.send_again(place)?;
        self.retry_rate.take(1, self.now.monotonic);
        self.question_retries = false;
        self.inquiry_retries = place == Place::Call;
        Some(again)
    }

    /// Begins the pass of whose turn it is.
    fn admit(&mut self) -> Option<(Ticket, Effect<Q, A>)> {
        while self.may_begin() {
            let slot = self.next_in_turn()?;
            let record = self.records.get(slot)?;
            let work = record.step(&self.standings, self.now.wall);
            let next = match work {
                Step::Decide => Next::Decide,
                Step::Sign => Next::Sign,
                Step::Clean(_) | Step::Rest { .. } => {
                    self.waiting.leave(slot);
                    self.settle(slot);
                    continue;
                }
            };
            if let Some(given_out) = self.begin(Pass::new(slot, work, next)) {
                return Some(given_out);
            }
        }
        None
    }

    /// Whether there is room for another pass: those that have begun go first. A delete that waits hinders nobody.
    fn may_begin(&self) -> bool {
        [Place::Call, Place::Local]
            .into_iter()
            .all(|place| self.continued[place as usize].is_empty() && self.flights.has_room(place))
    }

    fn next_in_turn(&mut self) -> Option<Slot> {
        loop {
            let is_their_turn = !self.question_retries || !self.may_ask_again();
            let may_retry = is_their_turn && self.retry_rate.due(1) <= self.now.monotonic;
            let share = self.share();
            let crowds =
                Crowds { records: &self.records, passes: &self.passes, waiting: &self.waiting, share };
            let may = |slot| !crowds.takes_its_share(slot, &self.neighbours, self.now.monotonic);
            let cost = |slot| calls(&self.records, &self.objects, slot);
            let Served { rank, slot, since } = self.queue.pop(may_retry, may, cost)?;
            let record = self.records.get(slot)?;
            if rank == Rank::Fresh && record.rank(self.now) == Rank::Late {
                self.enqueue_since(slot, since);
                continue;
            }
            if rank == Rank::Retries {
                self.retry_rate.take(1, self.now.monotonic);
                self.question_retries = true;
            }
            let time = self.now.monotonic.saturating_sub(since);
            self.waits.over(Wait::Turn { rank, requester: record.requester, time });
            return Some(slot);
        }
    }

    /// The passes that one requester may have under way while others are served too. Never all that the API server bears.
    fn share(&self) -> usize {
        let share = (self.settings.max_in_flight / CROWD_SHARE).max(CROWD_LEAST);
        share.min(self.flights.limit(Place::Call).saturating_sub(1)).max(1)
    }

    /// A call goes out for a request.
    fn call_for(&mut self, slot: Slot) {
        self.waits.called(slot, self.now.monotonic);
        if let Some(record) = self.records.get(slot) {
            self.neighbours.served(record.identity, self.now.monotonic);
        }
    }

    fn begin(&mut self, pass: Pass<Q, A>) -> Option<(Ticket, Effect<Q, A>)> {
        let slot = pass.slot;
        let pass = self.taken_up(pass)?;
        self.passes.insert(slot, pass);
        self.give_out(slot)
    }

    /// A pass with all that is kept for it: the object, if that is current, and the answers.
    pub(super) fn taken_up(&mut self, mut pass: Pass<Q, A>) -> Option<Pass<Q, A>> {
        let slot = pass.slot;
        let record = self.records.get(slot)?;
        let is_current = |object: &Arc<CertificateSigningRequest>| {
            !record.stale && object.resource_version() == record.resource_version
        };
        pass.object = self.objects.take(slot).filter(is_current);
        if pass.object.is_none() {
            pass.next = Some(Next::Read);
        }
        let Answered { answers, has_turn } = self.waiting.take_answers(slot, self.settings.answer_lifetime);
        pass = Pass { answers, has_turn, ..pass };
        self.records.set_state(slot, State::InHand);
        Some(pass)
    }

    /// Deletes what is due.
    fn clean(&mut self) -> Option<(Ticket, Effect<Q, A>)> {
        let cost = self.cleaning_cost();
        while self.flights.has_room(Place::Delete) && self.cleaning_rate.due(cost) <= self.now.monotonic {
            let slot = self.deadlines.due(Moment::from(self.now.wall))?;
            let record = self.records.get(slot)?;
            let (state, stale, work) =
                (record.state, record.stale, record.step(&self.standings, self.now.wall));
            if stale && !self.flights.has_room(Place::Call) {
                return None;
            }
            self.unschedule(slot);
            if let Step::Clean(rule) = work
                && state != State::InHand
            {
                self.leave(slot);
                self.cleaning_rate.take(cost, self.now.monotonic);
                let next = if stale { Next::Read } else { Next::Delete(rule) };
                self.objects.take(slot);
                self.records.set_state(slot, State::InHand);
                self.passes.insert(slot, Pass::new(slot, work, next));
                return self.give_out(slot);
            }
        }
        None
    }

    /// While there is other work, a delete costs more than one.
    fn cleaning_cost(&self) -> u32 {
        let is_idle = self.queue.is_empty() && self.flights.under_way(Place::Call) == 0;
        if is_idle { 1 } else { self.settings.cleaning.yield_factor }
    }
}

/// Who takes up how much of what all want.
struct Crowds<'a, Q, A> {
    records: &'a Records,
    passes: &'a HashMap<Slot, Pass<Q, A>>,
    waiting: &'a WaitingRoom<Q, A>,
    share: usize,
}

impl<Q: Clone + Eq + Hash, A: Clone + PartialEq> Crowds<'_, Q, A> {
    /// Whether the requester of this object has its share of passes under way already, while others are served too. However many
    /// requests it has, the API server then stays quick enough for the others.
    fn takes_its_share(&self, slot: Slot, neighbours: &Neighbours, now: Duration) -> bool {
        let Some(identity) = self.records.get(slot).map(|record| record.identity) else {
            return false;
        };
        let works = |pass: &&Pass<Q, A>| !matches!(pass.work, Step::Clean(_));
        let passes = self.passes.values().filter(works).map(|pass| pass.slot);
        // Whose turn has come goes on as soon as it is answered: nothing but its answer holds it back.
        let under_way = passes.chain(self.waiting.in_turn());
        let is_own = |slot: &Slot| self.records.get(*slot).is_some_and(|record| record.identity == identity);
        neighbours.has_others(identity, now) && under_way.filter(is_own).nth(self.share - 1).is_some()
    }
}

/// The API calls that serving a request takes.
fn calls(records: &Records, objects: &Objects, slot: Slot) -> u32 {
    let Some(record) = records.get(slot) else {
        return 1;
    };
    let read = u32::from(record.stale || !objects.holds(slot));
    read + if record.is_approved() { 1 } else { 2 }
}
