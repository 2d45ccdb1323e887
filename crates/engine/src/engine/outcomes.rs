use std::hash::Hash;
use std::sync::Arc;

use csr::{CertificateSigningRequest, Rule};

use super::Engine;
use crate::flights::Errand;
use crate::limit::Reply;
use crate::pass::{Next, Pass};
use crate::question::QuestionId;
use crate::record::State;
use crate::records::Slot;
use crate::step::Step;
use crate::{Failure, Outcome, Ticket};

/// What comes of effects.
impl<Q, A> Engine<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    pub(super) fn done(&mut self, ticket: Ticket, outcome: Outcome<Q, A>) {
        match self.flights.close(ticket, Reply::of(&outcome), self.now.monotonic) {
            Some(Errand::Question(id)) => self.answered(id, outcome),
            Some(Errand::Pass(slot)) => {
                let is_current = self.passes.get(&slot).is_some_and(|pass| pass.ticket == Some(ticket));
                if is_current && let Some(pass) = self.passes.remove(&slot) {
                    self.passed(pass, outcome);
                }
            }
            None => {}
        }
    }

    fn answered(&mut self, id: QuestionId, outcome: Outcome<Q, A>) {
        if let Outcome::Answered(answer) | Outcome::Told(answer) = outcome {
            for slot in self.waiting.answered(id, &answer) {
                if self.waiting.has_turn(slot) {
                    self.go_on(slot);
                } else {
                    self.enqueue(slot);
                }
            }
        } else {
            let failure = if let Outcome::Failed(failure) = outcome { failure } else { Failure::NOT_DONE };
            self.waiting.failed(id, failure);
        }
    }

    /// Goes on with a request whose turn had come when it had to ask again. Queueing once more, it would ask in circles for as
    /// long as a round of the queue takes longer than an answer may wait.
    fn go_on(&mut self, slot: Slot) {
        let work = self.records.get(slot).map(|record| record.step(&self.standings, self.now.wall));
        let (work, next) = match work {
            Some(work @ Step::Decide) if self.leading => (work, Next::Decide),
            Some(work @ Step::Sign) if self.leading => (work, Next::Sign),
            _ => return self.enqueue(slot),
        };
        if let Some(mut pass) = self.taken_up(Pass::new(slot, work, next))
            && let Some(next) = pass.next.take()
        {
            self.proceed(pass, next);
        }
    }

    fn passed(&mut self, pass: Pass<Q, A>, outcome: Outcome<Q, A>) {
        match outcome {
            Outcome::Found(object) => self.found(pass, object),
            Outcome::Written(object) => self.written(pass, object),
            Outcome::Deleted | Outcome::Gone => self.forget(pass.slot),
            Outcome::Conflict => self.retry(pass, Failure::UNKNOWN),
            Outcome::Failed(failure) => self.retry(pass, failure),
            Outcome::Answered(_) | Outcome::Told(_) => self.retry(pass, Failure::NOT_DONE),
            Outcome::Asks(_)
            | Outcome::Holds { .. }
            | Outcome::NoOpinion
            | Outcome::Approves(_)
            | Outcome::Denies(_)
            | Outcome::Signed(_)
            | Outcome::Rejected { .. }
                if self.is_outdated(&pass) =>
            {
                self.end(pass);
            }
            Outcome::Asks(questions) => self.ask(pass, questions),
            Outcome::Holds { on, rule } => self.hold(pass, (on, rule)),
            Outcome::NoOpinion => self.succeed(pass.slot),
            Outcome::Approves(condition) => self.proceed(pass, Next::Approve(condition)),
            Outcome::Denies(condition) => self.proceed(pass, Next::Deny(condition)),
            Outcome::Signed(pem) => self.proceed(pass, Next::Publish(pem)),
            Outcome::Rejected { condition, rejection } => {
                self.proceed(pass, Next::Fail(condition, rejection));
            }
        }
    }

    /// Whether a judgement is about an object, a policy or a leadership that are no more.
    fn is_outdated(&self, pass: &Pass<Q, A>) -> bool {
        let known = self.records.get(pass.slot).map(|record| record.resource_version);
        known != Some(pass.resource_version) || pass.policy != self.policy || !self.leading
    }

    fn found(&mut self, pass: Pass<Q, A>, object: Arc<CertificateSigningRequest>) {
        let Some(record) = self.records.get_mut(pass.slot) else {
            return;
        };
        if !record.uid.is(object.uid()) {
            self.forget(pass.slot);
            return self.apply(object);
        }
        if object.resource_version() < record.resource_version {
            return self.retry(pass, Failure::NOT_DONE);
        }
        record.update(&object);
        self.advance(Pass { object: Some(object), ..pass });
    }

    /// The object that a write returns is the newest there is: it goes straight to its next step.
    fn written(&mut self, pass: Pass<Q, A>, object: Arc<CertificateSigningRequest>) {
        let Some(record) = self.records.get_mut(pass.slot) else {
            return;
        };
        if object.resource_version() < record.resource_version || !record.uid.is(object.uid()) {
            return self.end(pass);
        }
        record.update(&object);
        if record.step(&self.standings, self.now.wall).is_same_work(pass.work) {
            // The API server took the write and changed nothing: not to be repeated in a tight circle.
            return self.retry(pass, Failure::NOT_DONE);
        }
        record.attempts = 0;
        self.advance(Pass { object: Some(object), ..pass });
    }

    /// Goes on with the step that the table says, within the same pass if it is this pass's business.
    fn advance(&mut self, pass: Pass<Q, A>) {
        self.objects.take(pass.slot);
        self.schedule(pass.slot);
        let Some(record) = self.records.get(pass.slot).filter(|_| self.leading) else {
            return self.end(pass);
        };
        let work = record.step(&self.standings, self.now.wall);
        let next = match work {
            Step::Decide => Next::Decide,
            Step::Sign => Next::Sign,
            Step::Clean(rule) if pass.work.is_same_work(work) => Next::Delete(rule),
            Step::Clean(_) | Step::Rest { .. } => return self.end(pass),
        };
        self.proceed(Pass { work, ..pass }, next);
    }

    fn proceed(&mut self, pass: Pass<Q, A>, next: Next) {
        self.continued[next.place() as usize].push_back(pass.slot);
        self.passes.insert(pass.slot, Pass { next: Some(next), ticket: None, ..pass });
    }

    fn ask(&mut self, pass: Pass<Q, A>, questions: Vec<Q>) {
        let is_asked_again = pass.answers.iter().any(|found| questions.contains(&found.question));
        if questions.is_empty() || is_asked_again {
            return self.retry(pass, Failure::NOT_DONE);
        }
        let Some(identity) = self.records.get(pass.slot).map(|record| record.identity) else {
            return;
        };
        self.keep_object(pass.slot, pass.object.clone());
        self.schedule(pass.slot);
        self.records.set_state(pass.slot, State::Waiting);
        self.waiting.wait(questions, pass, identity);
    }

    /// Its object is read again should it ever be needed: whoever is not permitted must not take up room for long.
    fn hold(&mut self, pass: Pass<Q, A>, hold: (Vec<(Q, Option<A>)>, &'static Rule)) {
        let Some(identity) = self.records.get(pass.slot).map(|record| record.identity) else {
            return;
        };
        self.begin_anew(pass.slot);
        self.waits.leave(pass.slot);
        self.objects.take(pass.slot);
        self.records.set_state(pass.slot, State::Held);
        self.waiting.hold(pass, hold, identity);
    }

    /// Ends a pass that has done all there was to do.
    fn succeed(&mut self, slot: Slot) {
        self.begin_anew(slot);
        self.rest(slot);
    }

    /// Holds nothing against a record that its passes may have brought about.
    fn begin_anew(&mut self, slot: Slot) {
        if let Some(record) = self.records.get_mut(slot) {
            record.attempts = 0;
        }
        self.schedule(slot);
    }

    /// Ends a pass; the table is asked again.
    pub(super) fn end(&mut self, pass: Pass<Q, A>) {
        self.keep_object(pass.slot, pass.object);
        self.settle(pass.slot);
    }

    /// Ends a pass in vain. What may have happened all the same is looked up first, unless an event told already.
    pub(super) fn retry(&mut self, pass: Pass<Q, A>, failure: Failure) {
        let Some(record) = self.records.get_mut(pass.slot) else {
            return;
        };
        if failure.unknown && record.resource_version > pass.resource_version {
            return self.end(pass);
        }
        record.attempts = record.attempts.saturating_add(1);
        record.stale |= failure.unknown;
        let attempts = record.attempts;
        let due = self.now.monotonic + self.settings.retry.delay(attempts, failure.retry_after);
        self.records.set_state(pass.slot, State::BackingOff(due));
        self.back_off.insert(due, pass.slot);
        self.keep_object(pass.slot, pass.object);
        if attempts > 1 {
            // What fails again and again must not take up room for long.
            self.objects.take(pass.slot);
        }
        if let Step::Clean(_) = pass.work {
            self.unschedule(pass.slot);
        } else {
            self.schedule(pass.slot);
        }
    }

    /// Keeps the object of a pass for the next one, if it still is what its record says.
    fn keep_object(&mut self, slot: Slot, object: Option<Arc<CertificateSigningRequest>>) {
        let Some(record) = self.records.get(slot) else {
            return;
        };
        if record.stale {
            self.objects.take(slot);
        } else if let Some(object) = object
            && object.resource_version() == record.resource_version
        {
            self.objects.put(slot, object);
        }
    }
}
