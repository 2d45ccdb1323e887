use std::collections::BTreeMap;
use std::time::Duration;

use engine::{Duties, Effect, Failure, Input, Outcome, Retentions, Settings, Standings, Ticket};

use crate::approver::{self, Answer, Policy};
use crate::dice::Dice;
use crate::object::{CLIENT, SERVING};
use crate::replica::{BEGIN, Micros, ModelEffect, ModelInput, Replica, SECOND};
use crate::server::{Question, Reply, Server, Write};

pub(crate) type ModelOutcome = Outcome<Question, Answer>;

/// An API server, some replicas, a clock, and everything that is on its way.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now: Micros,
    pub(crate) server: Server,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) standings: Standings,
    /// How often in a hundred times something goes wrong.
    pub(crate) faults: u64,
    pub(crate) outage_until: Micros,
    /// How long a call takes, each way.
    pub(crate) latency: (Micros, Micros),
    /// How long an event takes from the watch.
    pub(crate) lag: (Micros, Micros),
    /// API calls, by kind.
    pub(crate) calls: BTreeMap<&'static str, u64>,
    coming: BTreeMap<(Micros, u64), Event>,
    sequence: u64,
}

/// Something on its way.
#[derive(Debug)]
pub(crate) enum Event {
    Wake {
        replica: usize,
        life: u32,
    },
    Arrive {
        replica: usize,
        life: u32,
        ticket: Ticket,
        call: Call,
    },
    Tell {
        replica: usize,
        life: u32,
        input: ModelInput,
    },
    Watch {
        replica: usize,
        life: u32,
    },
    /// Somebody does something: the caller knows what.
    Act,
}

/// A call on its way to the API server.
#[derive(Debug)]
pub(crate) enum Call {
    Read(String),
    Ask(Question, u64),
    Write(Write),
}

impl World {
    pub(crate) fn new(seed: u64, replicas: usize, settings: Settings, retention: Retentions) -> Self {
        let standings = Standings {
            duties: Duties { approve: true, sign: true, clean: true },
            decided: [CLIENT.into()].into(),
            signed: [CLIENT.into(), SERVING.into()].into(),
            retention,
        };
        Self {
            dice: Dice::new(seed),
            now: 0,
            server: Server::default(),
            replicas: (0..replicas).map(|_| Replica::new(settings, standings.clone())).collect(),
            standings,
            faults: 0,
            outage_until: 0,
            latency: (500, 3000),
            lag: (200, 5000),
            calls: BTreeMap::new(),
            coming: BTreeMap::new(),
            sequence: 0,
        }
    }

    pub(crate) fn wall(&self) -> time::OffsetDateTime {
        BEGIN + Duration::from_micros(self.now)
    }

    pub(crate) fn after(&mut self, delay: Micros, event: Event) {
        self.sequence += 1;
        self.coming.insert((self.now + delay, self.sequence), event);
    }

    /// Tells a replica something, after a while.
    pub(crate) fn tell(&mut self, replica: usize, delay: Micros, input: ModelInput) {
        let life = self.replicas[replica].life;
        self.after(delay, Event::Tell { replica, life, input });
    }

    /// Lets the next thing up to `end` happen. Says whether it is the actor's turn; `None`: nothing happens until `end`.
    pub(crate) fn step(&mut self, end: Micros) -> Option<bool> {
        self.announce();
        let entry = self.coming.first_entry().filter(|entry| entry.key().0 <= end);
        let Some(entry) = entry else {
            self.now = end;
            return None;
        };
        self.now = entry.key().0;
        match entry.remove() {
            Event::Act => return Some(true),
            Event::Wake { replica, life } if self.is_alive(replica, life) => {
                self.replicas[replica].wake = None;
                self.pump(replica);
            }
            Event::Tell { replica, life, input } if self.is_alive(replica, life) => {
                self.replicas[replica].tell(input, self.now);
                self.pump(replica);
            }
            Event::Watch { replica, life } if self.is_alive(replica, life) => self.watch(replica),
            Event::Arrive { replica, life, ticket, call } => {
                let outcome = self.arrive(call);
                let delay = self.dice.between(self.latency.0, self.latency.1);
                self.after(delay, Event::Tell { replica, life, input: Input::Done(ticket, outcome) });
            }
            Event::Wake { .. } | Event::Tell { .. } | Event::Watch { .. } => {}
        }
        Some(false)
    }

    /// Runs until `end`.
    pub(crate) fn run(&mut self, end: Micros) {
        while self.step(end).is_some() {}
    }

    pub(crate) fn is_alive(&self, replica: usize, life: u32) -> bool {
        self.replicas[replica].life == life
    }

    /// Sees to it that every replica with news to hear will hear them.
    fn announce(&mut self) {
        for replica in 0..self.replicas.len() {
            let state = &mut self.replicas[replica];
            if !state.watched && state.has_news(&self.server) {
                state.watched = true;
                let (life, pause) = (state.life, state.deaf_until.saturating_sub(self.now));
                let lag = self.dice.between(self.lag.0, self.lag.1);
                self.after(pause.max(lag), Event::Watch { replica, life });
            }
        }
    }

    fn watch(&mut self, replica: usize) {
        let state = &mut self.replicas[replica];
        state.watched = false;
        if state.deaf_until <= self.now
            && let Some(input) = state.hear(&self.server)
        {
            state.tell(input, self.now);
            self.pump(replica);
        }
    }

    /// Carries out whatever the engine of a replica wants now.
    pub(crate) fn pump(&mut self, replica: usize) {
        loop {
            match self.replicas[replica].next(self.now) {
                Ok((ticket, effect, order)) => self.carry_out(replica, (ticket, order), effect),
                Err(until) => return self.sleep(replica, until),
            }
        }
    }

    fn sleep(&mut self, replica: usize, until: Option<Duration>) {
        let state = &mut self.replicas[replica];
        let Some(until) = until.map(|until| state.world_time(until)) else {
            return;
        };
        if state.wake.is_none_or(|wake| wake > until) {
            state.wake = Some(until);
            let life = state.life;
            self.after(until - self.now, Event::Wake { replica, life });
        }
    }

    fn carry_out(&mut self, replica: usize, (ticket, order): (Ticket, u64), effect: ModelEffect) {
        *self.calls.entry(effect.label()).or_default() += 1;
        let state = &self.replicas[replica];
        let (life, policy) = (state.life, state.policy);
        let call = match effect {
            Effect::Decide { object, answers } => {
                return self.finish(replica, ticket, approver::decide(&object, policy, &answers));
            }
            Effect::Sign { object, .. } => {
                return self.finish(replica, ticket, approver::sign(&object, policy));
            }
            Effect::Read { name } => Call::Read(name.to_string()),
            Effect::Ask(question) => Call::Ask(question, order),
            Effect::Approve { object, .. } => Call::Write(Write::Condition { of: object, kind: "Approved" }),
            Effect::Deny { object, .. } => Call::Write(Write::Condition { of: object, kind: "Denied" }),
            Effect::Fail { object, .. } => Call::Write(Write::Condition { of: object, kind: "Failed" }),
            Effect::Publish { object, .. } => Call::Write(Write::Certificate { of: object }),
            Effect::Delete { name, uid, resource_version, .. } => {
                let when = (&self.standings.retention, self.now);
                state.check_delete(&self.server, (&uid, resource_version), when);
                Call::Write(Write::Delete { name, uid, resource_version })
            }
        };
        let slow = if self.dice.percent(self.faults / 4) { 10 * SECOND } else { 0 };
        let delay = slow + self.dice.between(self.latency.0, self.latency.1);
        self.after(delay, Event::Arrive { replica, life, ticket, call });
    }

    /// What needs no API server, a panic included.
    fn finish(&mut self, replica: usize, ticket: Ticket, outcome: ModelOutcome) {
        let panics = self.dice.percent(self.faults / 8);
        let outcome = if panics { Outcome::Failed(Failure::UNKNOWN) } else { outcome };
        let delay = self.dice.between(10, 400);
        self.tell(replica, delay, Input::Done(ticket, outcome));
    }

    fn arrive(&mut self, call: Call) -> ModelOutcome {
        if self.now < self.outage_until {
            let unknown = self.dice.percent(50);
            return Outcome::Failed(Failure { retry_after: None, unknown });
        }
        if !self.dice.percent(self.faults) {
            return self.answer(call);
        }
        match self.dice.below(4) {
            0 => Outcome::Failed(Failure {
                retry_after: Some(Duration::from_secs(self.dice.between(1, 30))),
                unknown: false,
            }),
            1 => Outcome::Failed(Failure::NOT_DONE),
            2 => Outcome::Failed(Failure::UNKNOWN),
            _ => {
                self.answer(call);
                Outcome::Failed(Failure::UNKNOWN)
            }
        }
    }

    fn answer(&mut self, call: Call) -> ModelOutcome {
        let wall = self.wall();
        match call {
            Call::Ask(question, asked_at) => {
                let allowed = self.server.review(&question);
                Outcome::Answered(Answer { allowed, asked_at })
            }
            Call::Read(name) => match self.server.read(&name) {
                Reply::Object(object) => Outcome::Found(object),
                Reply::NotFound | Reply::Deleted | Reply::Conflict => Outcome::Gone,
            },
            Call::Write(write) => match self.server.write(&write, wall) {
                Reply::Object(object) => Outcome::Written(object),
                Reply::Deleted => Outcome::Deleted,
                Reply::Conflict => Outcome::Conflict,
                Reply::NotFound => Outcome::Gone,
            },
        }
    }

    /// Gives a replica another policy.
    pub(crate) fn reload(&mut self, replica: usize, policy: Policy) {
        self.replicas[replica].policy = policy;
        let standings = self.standings.clone();
        self.tell(replica, 0, Input::Reloaded(standings));
    }
}
