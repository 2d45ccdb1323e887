use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use csr::CertificateSigningRequest;

use super::Engine;
use crate::Standings;
use crate::moment::Moment;
use crate::newest::Purpose;
use crate::queue::Waiting;
use crate::record::State;
use crate::records::Slot;
use crate::step::Step;

/// What happens to objects, and to this process.
impl<Q, A> Engine<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    /// An object is as given. An event no newer than what is known says nothing.
    pub(super) fn apply(&mut self, object: Arc<CertificateSigningRequest>) {
        let epoch = self.records.epoch();
        if let Some(slot) = self.records.find(object.name())
            && let Some(record) = self.records.get_mut(slot)
        {
            record.epoch = epoch;
            if object.resource_version() <= record.resource_version {
                return;
            }
            if record.uid.is(object.uid()) {
                return self.update(slot, object);
            }
            self.forget(slot);
        }
        let slot = self.records.insert(&object);
        self.objects.put(slot, object.clone());
        if self.arrive(slot) {
            self.supersede(slot, &object);
        }
    }

    pub(super) fn deleted(&mut self, name: &str, uid: &Arc<str>) {
        if let Some(slot) = self.records.find(name)
            && self.records.get(slot).is_some_and(|record| record.uid.is(uid))
        {
            self.forget(slot);
        }
    }

    pub(super) fn forget_unlisted(&mut self) {
        let epoch = self.records.epoch();
        for slot in self.records.slots() {
            if self.records.get(slot).is_some_and(|record| record.epoch != epoch) {
                self.forget(slot);
            }
        }
    }

    /// What is held may be granted now, and what failed may have failed for a reason that is gone. A pass under way
    /// notices when its effect comes back.
    pub(super) fn reload(&mut self, standings: Standings) {
        self.standings = standings;
        self.policy += 1;
        for slot in self.records.slots() {
            let Some(record) = self.records.get_mut(slot) else {
                continue;
            };
            record.attempts = 0;
            let is_undecided = record.step(&self.standings, self.now.wall) == Step::Decide;
            match record.state {
                State::InHand => self.schedule(slot),
                State::Waiting if is_undecided => self.schedule(slot),
                State::Waiting | State::Resting | State::Queued(_) | State::Held | State::BackingOff(_) => {
                    self.leave(slot);
                    self.settle(slot);
                }
            }
        }
    }

    /// Without leadership nothing goes out, and what was about to go out is looked at anew by the time it may again.
    pub(super) fn lead(&mut self, leading: bool) {
        self.leading = leading;
        if leading {
            return;
        }
        for slot in std::mem::take(&mut self.continued).into_iter().flatten() {
            if self.passes.get(&slot).is_some_and(|pass| pass.next.is_some())
                && let Some(pass) = self.passes.remove(&slot)
            {
                self.end(pass);
            }
        }
    }

    /// Puts a record where the table says, once nothing else has it.
    pub(super) fn settle(&mut self, slot: Slot) {
        self.schedule(slot);
        let Some(record) = self.records.get(slot) else {
            return;
        };
        match record.step(&self.standings, self.now.wall) {
            Step::Decide | Step::Sign => self.enqueue(slot),
            Step::Clean(_) | Step::Rest { .. } => self.rest(slot),
        }
    }

    pub(super) fn enqueue(&mut self, slot: Slot) {
        self.enqueue_since(slot, self.now.monotonic);
    }

    /// Has a record wait for its turn that has begun to wait before, in another rank.
    pub(super) fn enqueue_since(&mut self, slot: Slot, since: Duration) {
        let Some(record) = self.records.get(slot) else {
            return;
        };
        let rank = record.rank(self.now);
        let place = (record.age(), slot);
        self.queue.push(rank, record.identity, Waiting { place, since });
        self.records.set_state(slot, State::Queued(rank));
    }

    pub(super) fn rest(&mut self, slot: Slot) {
        self.newest.leave(slot);
        self.waits.leave(slot);
        self.objects.take(slot);
        self.records.set_state(slot, State::Resting);
    }

    /// Enters the record in the agenda of cleaning, where it belongs now.
    pub(super) fn schedule(&mut self, slot: Slot) {
        let Some(record) = self.records.get_mut(slot) else {
            return;
        };
        let deadline = record.cleaning(&self.standings);
        let former = std::mem::replace(&mut record.deadline, deadline);
        if former == deadline {
            return;
        }
        if former != Moment::NEVER {
            self.deadlines.remove(former, slot);
        }
        if deadline != Moment::NEVER {
            self.deadlines.insert(deadline, slot);
        }
    }

    pub(super) fn unschedule(&mut self, slot: Slot) {
        if let Some(record) = self.records.get_mut(slot) {
            let former = std::mem::replace(&mut record.deadline, Moment::NEVER);
            self.deadlines.remove(former, slot);
        }
    }

    /// Takes a record out of whatever it queues or waits for; a pass under way goes on without effect.
    pub(super) fn leave(&mut self, slot: Slot) {
        let Some(record) = self.records.get(slot) else {
            return;
        };
        match record.state {
            State::Queued(rank) => {
                self.queue.remove(rank, record.identity, (record.age(), slot));
                self.waiting.leave(slot);
            }
            State::Waiting | State::Held => self.waiting.leave(slot),
            State::BackingOff(due) => self.back_off.remove(due, slot),
            State::InHand => drop(self.passes.remove(&slot)),
            State::Resting => {}
        }
        self.records.set_state(slot, State::Resting);
    }

    pub(super) fn forget(&mut self, slot: Slot) {
        self.leave(slot);
        self.unschedule(slot);
        self.newest.leave(slot);
        self.waits.leave(slot);
        self.objects.take(slot);
        self.records.remove(slot);
    }

    /// Puts a record where the table says after an event. Says whether that gives us something to do for its requester.
    fn arrive(&mut self, slot: Slot) -> bool {
        self.settle(slot);
        let Some(record) = self.records.get(slot) else {
            return false;
        };
        let is_queued = matches!(record.state, State::Queued(_));
        if is_queued {
            self.waits.arrived(slot, record.requester, self.now.monotonic);
        }
        is_queued
    }

    /// A node that asks again waits for its new request, and no longer for the one before. Whichever of the two comes first, the
    /// older one is not disturbed where it is under way.
    fn supersede(&mut self, slot: Slot, object: &CertificateSigningRequest) {
        let Some(record) = self.records.get(slot) else {
            return;
        };
        let seniority = (record.age(), object.resource_version());
        let superseded = Purpose::of(object).and_then(|purpose| self.newest.enter(purpose, seniority, slot));
        let Some((slot, record)) = superseded.and_then(|slot| Some((slot, self.records.get_mut(slot)?)))
        else {
            return;
        };
        record.superseded = true;
        if let State::Queued(rank) = record.state
            && let Some(since) = self.queue.remove(rank, record.identity, (record.age(), slot))
        {
            self.enqueue_since(slot, since);
        }
    }

    /// The same object, changed. What waits for the same work waits on; a pass under way notices when it comes back.
    fn update(&mut self, slot: Slot, object: Arc<CertificateSigningRequest>) {
        let Some(record) = self.records.get_mut(slot) else {
            return;
        };
        let before = record.step(&self.standings, self.now.wall);
        let was_stale = record.stale;
        record.update(&object);
        let work = record.step(&self.standings, self.now.wall);
        let is_same_work = work.is_same_work(before);
        let waits_on = match record.state {
            State::InHand => true,
            State::Queued(_) | State::Waiting | State::Held => is_same_work,
            State::BackingOff(_) => is_same_work && !was_stale,
            State::Resting => false,
        };
        if !is_same_work {
            record.attempts = 0;
        }
        if matches!(work, Step::Decide | Step::Sign) {
            self.objects.put(slot, object);
        } else {
            self.objects.take(slot);
        }
        if waits_on {
            self.schedule(slot);
        } else {
            self.leave(slot);
            self.arrive(slot);
        }
    }
}
