//! The state machine, in four parts: what happens to objects, what comes of effects, whose turn it is, and this, which
//! holds them together.

mod events;
mod outcomes;
mod turns;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use csr::{Progress, Rule, SignerName};
use time::OffsetDateTime;

use crate::agenda::Agenda;
use crate::bucket::Bucket;
use crate::flights::{Flights, Place};
use crate::moment::Moment;
use crate::neighbours::Neighbours;
use crate::newest::Newest;
use crate::objects::Objects;
use crate::pass::Pass;
use crate::queue::Queue;
use crate::record::State;
use crate::records::{Records, Slot};
use crate::waiting::WaitingRoom;
use crate::waits::Waits;
use crate::{Counts, Input, Now, Queued, Rank, Settings, Source, Standings, Turn, Wait};

/// What is to be done next, for which object, when.
///
/// `Q` is a question that the approver needs answered, `A` its answer. Two equal answers must lead to the same decision:
/// a request that one answer holds stays held when the same answer comes back.
///
/// Every input and every turn costs the logarithm of the number of objects, for each request that it moves, or that is to share
/// the answer to a question that is due; only a list of all objects, a reload and [`Engine::objects`] look at all of them.
#[derive(Debug)]
pub struct Engine<Q, A> {
    settings: Settings,
    standings: Standings,
    now: Now,
    /// The number of reloads.
    policy: u64,
    leading: bool,
    records: Records,
    objects: Objects,
    queue: Queue,
    newest: Newest,
    waiting: WaitingRoom<Q, A>,
    waits: Waits,
    passes: HashMap<Slot, Pass<Q, A>>,
    /// Passes whose next effect is to be given out, by what it takes up.
    continued: [VecDeque<Slot>; Place::ALL.len()],
    flights: Flights,
    neighbours: Neighbours,
    back_off: Agenda<Duration, Slot>,
    /// Objects to clean. By the calendar, so that a step of the clock needs no reckoning.
    deadlines: Agenda<Moment, Slot>,
    retry_rate: Bucket,
    cleaning_rate: Bucket,
    /// Whether the next retry is a question's.
    question_retries: bool,
    /// Whether the next question that is asked again goes to others than the API server.
    inquiry_retries: bool,
}

impl<Q, A> Engine<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    /// An engine that knows of no object yet, and does not lead.
    pub fn new(settings: Settings, standings: Standings) -> Self {
        Self {
            settings,
            standings,
            now: Now { wall: OffsetDateTime::UNIX_EPOCH, monotonic: Duration::ZERO },
            policy: 0,
            leading: false,
            records: Records::default(),
            objects: Objects::new(settings.object_budget_bytes),
            queue: Queue::new(settings.max_identities),
            newest: Newest::default(),
            waiting: WaitingRoom::new(settings.retry),
            waits: Waits::default(),
            passes: HashMap::new(),
            continued: Default::default(),
            flights: Flights::new(&settings),
            neighbours: Neighbours::default(),
            back_off: Agenda::default(),
            deadlines: Agenda::default(),
            retry_rate: Bucket::new(settings.retry.per_second, settings.retry.burst),
            cleaning_rate: Bucket::new(settings.cleaning.per_second, settings.cleaning.burst),
            question_retries: false,
            inquiry_retries: false,
        }
    }

    /// The same; this says who answers a question. Without it, that is the API server for all.
    #[must_use]
    pub fn asking(mut self, source: fn(&Q) -> Source) -> Self {
        self.waiting.ask(source);
        self
    }

    /// Takes in what has happened. Never fails.
    pub fn handle(&mut self, input: Input<Q, A>, now: Now) {
        self.at(now);
        match input {
            Input::Init => self.records.begin_epoch(),
            Input::InitApply(object) | Input::Apply(object) => self.apply(object),
            Input::InitDone => self.forget_unlisted(),
            Input::Deleted { name, uid } => self.deleted(&name, &uid),
            Input::Done(ticket, outcome) => self.done(ticket, outcome),
            Input::FactChanged(question) => self.waiting.fact_changed(&question),
            Input::Reloaded(standings) => self.reload(standings),
            Input::Leading(leading) => self.lead(leading),
        }
    }

    /// The next thing to do, or how long there is nothing to do. To be called until it says [`Turn::Sleep`].
    pub fn poll(&mut self, now: Now) -> Turn<Q, A> {
        self.at(now);
        if !self.leading {
            return Turn::Sleep(None);
        }
        loop {
            let woken = self.wake();
            if let Some((ticket, effect)) = self.next_effect() {
                return Turn::Do(ticket, effect);
            }
            if !woken {
                return Turn::Sleep(self.next_wake());
            }
        }
    }

    fn at(&mut self, now: Now) {
        self.now = now;
        self.waiting.at(now.monotonic);
    }

    /// How much there is of everything.
    pub fn counts(&self) -> Counts {
        Counts {
            records: self.records.len(),
            queued: Rank::ALL.map(|rank| self.queued(rank)),
            backing_off: self.records.count(State::BackingOff(Duration::ZERO)),
            passes: self.passes.len(),
            waiting: self.records.count(State::Waiting),
            held: self.records.count(State::Held),
            questions: self.waiting.questions(),
            calls: self.flights.under_way(Place::Call),
            call_limit: self.flights.limit(Place::Call),
            deletes: self.flights.under_way(Place::Delete),
            local: self.flights.under_way(Place::Local),
            inquiries: self.flights.under_way(Place::Inquiry),
            cleaning_delay: self.since(self.deadlines.next()),
            object_bytes: self.objects.bytes(),
            shared_answers: self.waiting.shared_answers(),
            budget_exceeded: self.objects.exceeded(),
        }
    }

    /// Every wait that is over since this was last asked. To be asked after each round of [`Self::poll`], for they pile up.
    pub fn take_waits(&mut self) -> Vec<Wait> {
        self.waits.take()
    }

    fn queued(&self, rank: Rank) -> Queued {
        Queued { depth: self.queue.len(rank), oldest_age: self.since(self.queue.oldest(rank)) }
    }

    /// How long ago this was; nothing for what is to come, or not at all.
    fn since(&self, moment: Option<Moment>) -> Duration {
        let ago = moment.map(|moment| self.now.wall - OffsetDateTime::from(moment));
        ago.and_then(|ago| ago.try_into().ok()).unwrap_or_default()
    }

    /// Every object that is known, as it stands. It looks at all of them: not to be asked at every turn.
    pub fn objects(&self) -> impl Iterator<Item = (&SignerName, Progress)> {
        let records = self.records.slots().filter_map(|slot| self.records.get(slot));
        records.map(|record| (&record.signer_name, record.progress()))
    }

    /// The rule that holds the object of this name, if one does.
    pub fn held_by(&self, name: &str) -> Option<&'static Rule> {
        self.waiting.rule(self.records.find(name)?)
    }

    /// How many requests each rule holds, by its id. One that once held some stays, with 0.
    pub fn held_by_rule(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.waiting.held_by()
    }
}
