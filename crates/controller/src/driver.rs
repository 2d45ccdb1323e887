//! The task that owns the engine: it feeds it what happened, and starts what it wants done.
//!
//! Nothing is awaited here but the next thing that happened, so the loop always turns. Effects run as tasks of their own; each
//! of them gives its ticket back exactly once, whatever becomes of it.

use std::sync::Arc;
use std::time::Duration;

use approver::{Answer, Question};
use engine::{Engine, Failure, Now, Settings, Source, Ticket, Turn};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::executor::{Effect, Executor, Outcome};
use crate::facts::Change;
use crate::kube::watch::Seen;
use crate::policy::Policy;
use crate::serve::health::Health;
use crate::serve::metrics::Metrics;

type Input = engine::Input<Question, Answer>;

/// The loop turns at least this often: for those who ask whether it does, and for deadlines that a step of the wall clock
/// brought nearer.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// What the driver hears.
#[derive(Debug)]
pub struct Events {
    /// What the watch saw.
    pub seen: mpsc::Receiver<Seen>,

    /// Questions that may have another answer now.
    pub changed: mpsc::UnboundedReceiver<Change>,

    /// Whether this replica may act.
    pub leading: watch::Receiver<bool>,

    /// What it works by.
    pub policy: watch::Receiver<Arc<Policy>>,

    /// Cancelled when it is time to stop.
    pub stop: CancellationToken,
}

/// Owns the engine.
#[derive(Debug)]
pub struct Driver {
    engine: Engine<Question, Answer>,
    executor: Arc<Executor>,
    events: Events,
    effects: JoinSet<()>,
    ended: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
    start: Instant,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    /// When all objects were last looked at.
    counted: Option<Instant>,
}

/// An effect that has ended.
#[derive(Debug)]
struct Ended(Ticket, Outcome);

/// Why the driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The watch gave up, which it never does of its own will.
    #[error("the watch has ended")]
    WatchEnded,
}

impl Driver {
    /// An engine that knows nothing yet, and whoever carries out what it wants.
    #[must_use]
    pub fn new(settings: Settings, executor: Executor, events: Events, watched: Watched) -> Self {
        let Watched { health, metrics } = watched;
        let engine = Engine::new(settings, events.policy.borrow().standings.clone()).asking(source);
        Self {
            engine,
            executor: Arc::new(executor),
            events,
            effects: JoinSet::new(),
            ended: mpsc::unbounded_channel(),
            start: Instant::now(),
            health,
            metrics,
            counted: None,
        }
    }

    /// Works until told to stop; then takes nothing on, and gives what is under way `limit` to finish.
    ///
    /// # Errors
    /// When the watch has ended.
    pub async fn run(mut self, limit: Duration) -> Result<(), DriverError> {
        let leading = *self.events.leading.borrow_and_update();
        self.handle(Input::Leading(leading));
        loop {
            let due = self.start_effects();
            self.observe();
            match self.next(due).await? {
                Event::Input(input) => self.handle(input),
                Event::Nothing => (),
                Event::Stop => break,
            }
        }
        self.drain(Instant::now() + limit).await;
        Ok(())
    }

    /// Waits for what is under way, and shows meanwhile that it does.
    async fn drain(&mut self, latest: Instant) {
        while !self.effects.is_empty() {
            self.health.beat();
            let due = latest.min(Instant::now() + LONGEST_SLEEP);
            if timeout_at(due, self.effects.join_next()).await.is_err() && due == latest {
                tracing::warn!("not everything under way has finished in time");
                return;
            }
        }
    }

    /// Starts everything that the engine wants done now, and says when it wants to be asked again.
    fn start_effects(&mut self) -> Instant {
        loop {
            let now = self.now();
            match self.engine.poll(now) {
                Turn::Do(ticket, effect) => self.start(ticket, effect),
                Turn::Sleep(until) => {
                    let latest = now.monotonic + LONGEST_SLEEP;
                    return self.start + until.map_or(latest, |until| until.min(latest));
                }
            }
        }
    }

    fn start(&mut self, ticket: Ticket, effect: Effect) {
        let returned =
            Returned { ticket, outcome: None, to: self.ended.0.clone(), metrics: Arc::clone(&self.metrics) };
        let executor = Arc::clone(&self.executor);
        self.effects.spawn(async move {
            returned.with(executor.execute(effect).await);
        });
    }

    async fn next(&mut self, due: Instant) -> Result<Event, DriverError> {
        let Events { seen, changed, leading, policy, stop } = &mut self.events;
        // In this order: a stop goes before new work, and what has ended makes room before more comes in.
        let input = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Event::Stop),
            Ok(()) = leading.changed() => Input::Leading(*leading.borrow_and_update()),
            Some(Ended(ticket, outcome)) = self.ended.1.recv() => Input::Done(ticket, outcome),
            Ok(()) = policy.changed() => Input::Reloaded(policy.borrow_and_update().standings.clone()),
            seen = seen.recv() => match input(seen.ok_or(DriverError::WatchEnded)?) {
                Some(input) => input,
                None => return Ok(Event::Nothing),
            },
            Some(change) = changed.recv() => match change {
                Change::Question(question) => Input::FactChanged(question),
                Change::Everything => Input::Reloaded(policy.borrow().standings.clone()),
            },
            Some(_) = self.effects.join_next() => return Ok(Event::Nothing),
            () = sleep_until(due) => return Ok(Event::Nothing),
        };
        Ok(Event::Input(input))
    }

    fn handle(&mut self, input: Input) {
        match &input {
            Input::InitDone => self.health.listed(),
            Input::Leading(leading) => {
                self.metrics.leader.set(i64::from(*leading));
                if *leading {
                    self.executor.begin_term();
                }
            }
            // The engine tries again whatever has failed.
            Input::Done(_, Outcome::Failed(_)) => self.metrics.retries.inc(),
            _ => (),
        }
        let now = self.now();
        self.engine.handle(input, now);
    }

    fn observe(&mut self) {
        self.health.beat();
        self.metrics.counted(&self.engine.counts());
        for (rule, count) in self.engine.held_by_rule() {
            self.metrics.held(rule, count);
        }
        for wait in self.engine.take_waits() {
            self.metrics.waited(wait);
        }
        if self.counted.is_none_or(|counted| counted.elapsed() >= LONGEST_SLEEP) {
            let retentions = &self.events.policy.borrow().standings.retention;
            self.metrics.objects(self.engine.objects(), retentions, self.now().wall);
            self.counted = Some(Instant::now());
        }
    }

    fn now(&self) -> Now {
        Now { wall: OffsetDateTime::now_utc(), monotonic: self.start.elapsed() }
    }
}

/// Whom the driver tells how it is.
#[derive(Debug)]
pub struct Watched {
    /// Whether the loop turns.
    pub health: Arc<Health>,

    /// What is counted.
    pub metrics: Arc<Metrics>,
}

enum Event {
    Input(Input),
    Nothing,
    Stop,
}

/// Who answers a question: name servers and whoever serves at an address, the indexes, or the API server.
fn source(question: &Question) -> Source {
    match question {
        Question::Review(_) | Question::Node(_) | Question::Occupancy(_) => Source::ApiServer,
        Question::Claims(_) | Question::Record(_) => Source::Memory,
        Question::Resolve(_) | Question::LiveCertificate(_) => Source::Others,
    }
}

fn input(seen: Seen) -> Option<Input> {
    Some(match seen {
        Seen::Init => Input::Init,
        Seen::InitApply(object) => Input::InitApply(object),
        Seen::InitDone => Input::InitDone,
        Seen::Apply(object) => Input::Apply(object),
        Seen::Deleted { name, uid, .. } => Input::Deleted { name, uid },
        Seen::Unreadable { .. } | Seen::Current | Seen::NotServed => return None,
    })
}

/// Gives a ticket back when it is dropped, with what came of the effect, or with the news that nobody knows: the effect
/// panicked, or was cancelled.
struct Returned {
    ticket: Ticket,
    outcome: Option<Outcome>,
    to: mpsc::UnboundedSender<Ended>,
    metrics: Arc<Metrics>,
}

impl Returned {
    fn with(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.metrics.panics.inc();
            self.metrics.failed("panic");
            tracing::error!("carrying out an effect panicked, backing off");
        }
        let outcome = self.outcome.take().unwrap_or(Outcome::Failed(Failure::UNKNOWN));
        // When nobody listens any more, the engine is gone.
        let _ = self.to.send(Ended(self.ticket, outcome));
    }
}
