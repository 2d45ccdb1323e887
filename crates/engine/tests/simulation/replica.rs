use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use csr::CertificateSigningRequest;
use engine::{Effect, Engine, Input, Now, Outcome, Retentions, Settings, Standings, Ticket, Turn, Wait};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::approver::{Answer, Policy};
use crate::object::{CLIENT, SERVING};
use crate::server::{Change, Question, Server, cleaned_after};

/// When the world begins.
pub(crate) const BEGIN: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

/// Microseconds since then.
pub(crate) type Micros = u64;

pub(crate) const SECOND: Micros = 1_000_000;

pub(crate) type ModelInput = Input<Question, Answer>;
pub(crate) type ModelEffect = Effect<Question, Answer>;

/// One process: an engine, what it was told, and what it has under way.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) engine: Engine<Question, Answer>,
    pub(crate) settings: Settings,
    /// Counts restarts: what was begun in an earlier life is answered to nobody.
    pub(crate) life: u32,
    pub(crate) leading: bool,
    pub(crate) policy: Policy,
    /// What its calendar is off.
    pub(crate) skew: time::Duration,
    pub(crate) wake: Option<Micros>,
    pub(crate) watched: bool,
    pub(crate) deaf_until: Micros,
    started: Micros,
    inbox: VecDeque<ModelInput>,
    position: usize,
    under_way: BTreeMap<Ticket, (&'static str, Option<Arc<str>>)>,
    /// When each uid was first heard of, by the order of what happened.
    seen: HashMap<Arc<str>, u64>,
    /// The newest version of each object that there is for all this process was told.
    newest: HashMap<Arc<str>, (Arc<str>, u64)>,
    /// The names in the list that is under way.
    listed: BTreeSet<Arc<str>>,
    order: u64,
}

impl Replica {
    pub(crate) fn new(settings: Settings, standings: Standings) -> Self {
        Self {
            engine: Engine::new(settings, standings),
            settings,
            life: 0,
            leading: false,
            policy: Policy::default(),
            skew: time::Duration::ZERO,
            wake: None,
            watched: false,
            deaf_until: 0,
            started: 0,
            inbox: VecDeque::new(),
            position: 0,
            under_way: BTreeMap::new(),
            seen: HashMap::new(),
            newest: HashMap::new(),
            listed: BTreeSet::new(),
            order: 0,
        }
    }

    /// The process is killed, and another one takes its place.
    pub(crate) fn restart(&mut self, standings: Standings, now: Micros) {
        let life = self.life + 1;
        let policy = self.policy;
        *self = Self { life, policy, started: now, ..Self::new(self.settings, standings) };
    }

    pub(crate) fn now(&self, now: Micros) -> Now {
        let wall = BEGIN + Duration::from_micros(now) + self.skew;
        Now { wall, monotonic: Duration::from_micros(now - self.started) }
    }

    /// A monotonic time of this process as one of the world's, rounded up.
    pub(crate) fn world_time(&self, monotonic: Duration) -> Micros {
        self.started + u64::try_from(monotonic.as_nanos().div_ceil(1000)).unwrap()
    }

    pub(crate) fn tell(&mut self, input: ModelInput, now: Micros) {
        self.order += 1;
        self.note(&input);
        self.engine.handle(input, self.now(now));
        self.check_counts();
    }

    /// What a process that was told this must know.
    fn note(&mut self, input: &ModelInput) {
        match input {
            Input::Init => self.listed.clear(),
            Input::InitApply(object) => {
                self.listed.insert(object.name().clone());
                self.see(object);
            }
            Input::InitDone => {
                let unlisted = self.newest.keys().filter(|name| !self.listed.contains(*name));
                for name in unlisted.cloned().collect::<Vec<_>>() {
                    self.forget(&name);
                }
            }
            Input::Apply(object) => self.see(object),
            Input::Deleted { name, .. } => self.forget(name),
            Input::Done(ticket, outcome) => {
                // An answer about an object that was forgotten meanwhile is told to nobody.
                let name = self.under_way.remove(ticket).and_then(|(_, name)| name);
                match (outcome, name) {
                    (Outcome::Found(object) | Outcome::Written(object), Some(_)) => self.see(object),
                    (Outcome::Gone | Outcome::Deleted, Some(name)) => self.forget(&name),
                    _ => {}
                }
            }
            Input::Leading(leading) => self.leading = *leading,
            Input::FactChanged(_) | Input::Reloaded(_) => {}
        }
    }

    /// What the engine wants next, checked against what it may want; `Err`: when to ask again.
    pub(crate) fn next(&mut self, now: Micros) -> Result<(Ticket, ModelEffect, u64), Option<Duration>> {
        let time = self.now(now);
        match self.engine.poll(time) {
            Turn::Do(ticket, effect) => {
                self.order += 1;
                assert!(self.leading, "{effect:?} without leadership");
                self.check(&effect);
                let what = (effect.label(), name_of(&effect));
                assert!(self.under_way.insert(ticket, what).is_none(), "a ticket twice");
                self.check_counts();
                Ok((ticket, effect, self.order))
            }
            Turn::Sleep(until) => {
                assert!(
                    until.is_none_or(|until| until > time.monotonic),
                    "a sleep that has ended: {until:?}"
                );
                for wait in self.engine.take_waits() {
                    let (Wait::Turn { time: waited, .. } | Wait::FirstCall { time: waited, .. }) = wait;
                    assert!(waited <= time.monotonic, "{wait:?}");
                }
                Err(until)
            }
        }
    }

    /// What the watch says next.
    pub(crate) fn hear(&mut self, server: &Server) -> Option<ModelInput> {
        if self.inbox.is_empty() {
            let news = server.log[self.position..].iter().map(|change| match change.clone() {
                Change::Apply(object) => Input::Apply(object),
                Change::Deleted { name, uid } => Input::Deleted { name, uid },
            });
            self.inbox.extend(news);
            self.position = server.log.len();
        }
        self.inbox.pop_front()
    }

    pub(crate) fn has_news(&self, server: &Server) -> bool {
        !self.inbox.is_empty() || self.position < server.log.len()
    }

    /// The watch begins again some events before the last one heard. A list that is under way goes on.
    pub(crate) fn rewind(&mut self, back: usize) {
        if !self.inbox.iter().any(|input| matches!(input, Input::InitDone)) {
            self.position = (self.position - self.inbox.len()).saturating_sub(back);
            self.inbox.clear();
        }
    }

    /// The watch begins again with a list of all objects as they were at `position`; `partial`: after one that broke off.
    pub(crate) fn relist(&mut self, server: &Server, position: usize, partial: Option<usize>) {
        let objects = server.snapshot(position);
        self.inbox.clear();
        if let Some(length) = partial {
            self.inbox.push_back(Input::Init);
            self.inbox.extend(objects.iter().take(length).cloned().map(Input::InitApply));
        }
        self.inbox.push_back(Input::Init);
        self.inbox.extend(objects.into_iter().map(Input::InitApply));
        self.inbox.push_back(Input::InitDone);
        self.position = position;
    }

    fn see(&mut self, object: &CertificateSigningRequest) {
        self.seen.entry(object.uid().clone()).or_insert(self.order);
        let known = self.newest.get(object.name()).cloned();
        if known.as_ref().is_some_and(|(_, version)| *version >= object.resource_version()) {
            return;
        }
        if known.is_some_and(|(uid, _)| uid != *object.uid()) {
            self.forget(object.name());
        }
        let newest = (object.uid().clone(), object.resource_version());
        self.newest.insert(object.name().clone(), newest);
    }

    fn forget(&mut self, name: &str) {
        self.newest.remove(name);
        for (_, subject) in self.under_way.values_mut() {
            subject.take_if(|subject| **subject == *name);
        }
    }

    /// Nothing is begun on what is known to be out of date.
    fn check_newest(&self, object: &CertificateSigningRequest) {
        let newest = self.newest.get(object.name()).map_or(0, |(_, version)| *version);
        assert!(object.resource_version() >= newest, "out of date, {newest} is known: {object:?}");
    }

    fn check(&self, effect: &ModelEffect) {
        let pending = |object: &CertificateSigningRequest| {
            let progress = object.progress();
            progress.approved.is_none() && progress.denied.is_none() && !progress.certificate.is_present()
        };
        match effect {
            Effect::Decide { object, answers } => {
                self.check_newest(object);
                assert!(pending(object), "decided twice: {object:?}");
                for (_, answer) in answers {
                    assert!(
                        answer.asked_at > self.seen[object.uid()],
                        "an answer older than the request: {object:?}"
                    );
                }
            }
            Effect::Approve { object, .. } | Effect::Deny { object, .. } => {
                self.check_newest(object);
                assert!(pending(object), "decided twice: {object:?}");
                assert_eq!(object.spec().signer_name.as_str(), CLIENT, "not ours to decide");
            }
            Effect::Sign { object, .. } | Effect::Publish { object, .. } | Effect::Fail { object, .. } => {
                self.check_newest(object);
                let progress = object.progress();
                assert!(progress.approved.is_some() && progress.denied.is_none(), "not approved: {object:?}");
                assert!(
                    !progress.failed_effective && !progress.certificate.is_present(),
                    "at its end: {object:?}"
                );
                assert!([CLIENT, SERVING].contains(&object.spec().signer_name.as_str()), "not ours to sign");
            }
            Effect::Delete { .. } | Effect::Read { .. } | Effect::Ask(_) => {}
        }
    }

    /// Never early: a delete needs a version of the object that is due by this replica's calendar.
    pub(crate) fn check_delete(
        &self,
        server: &Server,
        delete: (&str, u64),
        (retention, now): (&Retentions, Micros),
    ) {
        let (uid, resource_version) = delete;
        let version = server.log.iter().find_map(|change| match change {
            Change::Apply(object)
                if &**object.uid() == uid && object.resource_version() == resource_version =>
            {
                Some(object)
            }
            Change::Apply(_) | Change::Deleted { .. } => None,
        });
        let due = cleaned_after(version.expect("a version that never was"), retention);
        let wall = self.now(now).wall;
        assert!(due.is_some_and(|due| wall > due), "cleaned early: due {due:?}, now {wall}");
    }

    /// Everything given out is counted, and within its bounds.
    fn check_counts(&self) {
        let counts = self.engine.counts();
        let of = |kinds: &[&str]| self.under_way.values().filter(|(kind, _)| kinds.contains(kind)).count();
        assert_eq!(counts.calls, of(&["read", "ask", "approve", "deny", "fail", "publish"]));
        assert_eq!(counts.deletes, of(&["delete"]));
        assert_eq!(counts.local, of(&["decide", "sign"]));
        assert!(counts.calls <= self.settings.max_in_flight, "{counts:?}");
        assert!((1..=self.settings.max_in_flight).contains(&counts.call_limit), "{counts:?}");
        assert!(counts.local <= self.settings.max_local, "{counts:?}");
        assert!(counts.deletes <= self.settings.cleaning.max_in_flight, "{counts:?}");
        assert!(counts.object_bytes <= self.settings.object_budget_bytes, "{counts:?}");
    }
}

/// The object that an effect is about.
fn name_of(effect: &ModelEffect) -> Option<Arc<str>> {
    match effect {
        Effect::Read { name } | Effect::Delete { name, .. } => Some(name.clone()),
        Effect::Ask(_) => None,
        Effect::Decide { object, .. }
        | Effect::Sign { object, .. }
        | Effect::Approve { object, .. }
        | Effect::Deny { object, .. }
        | Effect::Fail { object, .. }
        | Effect::Publish { object, .. } => Some(object.name().clone()),
    }
}
