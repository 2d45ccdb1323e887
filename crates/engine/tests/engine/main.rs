//! The engine, one input and one effect at a time.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the simulation needs more of it")]
#[path = "../simulation/object.rs"]
mod object;

mod cleaning;
mod crowds;
mod events;
mod failures;
mod limits;
mod line;
mod questions;
mod superseded;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Condition, ConditionType, NextActor, Rule, SignerName};
use engine::{
    Duties, Effect, Engine, Failure, Input, Now, Outcome, Rank, RequesterKind, Retentions, Retry, Settings,
    Source, Standings, Ticket, Turn, Wait,
};
use time::OffsetDateTime;
use time::macros::datetime;

use object::{CLIENT, Content, FOREIGN, Object, SERVING};

const BEGIN: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

static RULE: Rule = Rule {
    id: "test/not-permitted",
    title: "the requester has the permission",
    remedy: "grant it",
    next_actor: NextActor::Administrator,
};

/// An engine and its clock. Questions are words, answers are yes or no.
struct Rig {
    engine: Engine<&'static str, bool>,
    now: Now,
}

type Step = (Ticket, Effect<&'static str, bool>);

impl Rig {
    fn leading() -> Self {
        let mut rig = Self::following();
        rig.tell(Input::Leading(true));
        rig
    }

    fn following() -> Self {
        let engine = Engine::new(Settings::default(), standings());
        Self { engine, now: Now { wall: BEGIN, monotonic: Duration::from_secs(5) } }
    }

    fn tell(&mut self, input: Input<&'static str, bool>) {
        self.engine.handle(input, self.now);
    }

    fn done(&mut self, ticket: Ticket, outcome: Outcome<&'static str, bool>) {
        self.tell(Input::Done(ticket, outcome));
    }

    fn pass(&mut self, by: Duration) {
        self.now.wall += by;
        self.now.monotonic += by;
    }

    /// The next effect, which must be of this kind.
    fn next(&mut self, label: &str) -> Step {
        match self.engine.poll(self.now) {
            Turn::Do(ticket, effect) => {
                assert_eq!(effect.label(), label, "{effect:?}");
                (ticket, effect)
            }
            Turn::Sleep(until) => panic!("{label} expected, but it sleeps until {until:?}"),
        }
    }

    /// There is nothing to do; returns for how long.
    fn sleep(&mut self) -> Option<Duration> {
        match self.engine.poll(self.now) {
            Turn::Do(_, effect) => panic!("{effect:?}, but nothing was to be done"),
            Turn::Sleep(until) => until.map(|until| until - self.now.monotonic),
        }
    }

    /// Gives an effect of this kind out, and ends it so.
    fn does(&mut self, label: &str, outcome: Outcome<&'static str, bool>) {
        let (ticket, _) = self.next(label);
        self.done(ticket, outcome);
    }

    /// Brings a request to being held on a question.
    fn hold(&mut self, object: Arc<CertificateSigningRequest>, question: &'static str) {
        self.tell(Input::Apply(object));
        self.does("decide", Outcome::Asks(vec![question]));
        self.does("ask", Outcome::Answered(false));
        self.does("decide", Outcome::Holds { on: vec![(question, None)], rule: &RULE });
    }
}

fn standings() -> Standings {
    Standings {
        duties: Duties { approve: true, sign: true, clean: true },
        decided: [SignerName::from(CLIENT)].into(),
        signed: [SignerName::from(CLIENT), SignerName::from(SERVING)].into(),
        retention: Retentions::default(),
    }
}

fn object() -> Object {
    Object {
        name: "csr-1".into(),
        uid: "uid-1".into(),
        resource_version: 10,
        created: BEGIN,
        signer_name: CLIENT,
        username: "user".into(),
        content: Content::Node,
        common_name: None,
        conditions: Vec::new(),
        certified: false,
    }
}

fn pending() -> Arc<CertificateSigningRequest> {
    object().decoded()
}

fn approved(resource_version: u64) -> Arc<CertificateSigningRequest> {
    with("Approved", resource_version)
}

fn with(condition: &'static str, resource_version: u64) -> Arc<CertificateSigningRequest> {
    Object { conditions: vec![(condition, Some(BEGIN))], resource_version, ..object() }.decoded()
}

fn issued(resource_version: u64) -> Arc<CertificateSigningRequest> {
    let conditions = vec![("Approved", Some(BEGIN))];
    Object { conditions, resource_version, certified: true, ..object() }.decoded()
}

fn condition(kind: ConditionType) -> Condition {
    Condition { kind, reason: "Test", message: String::new(), last_update_time: None }
}

/// The name of the object that is judged or signed.
fn subject(effect: Effect<&'static str, bool>) -> String {
    match effect {
        Effect::Decide { object, .. } | Effect::Sign { object, .. } => object.name().to_string(),
        other => panic!("{other:?}"),
    }
}
