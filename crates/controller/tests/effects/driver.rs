//! The task that owns the engine: when it works, when it does not, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use controller::driver::{Driver, DriverError, Events, Watched};
use controller::kube::watch::Seen;
use controller::policy::Policy;
use controller::serve::health::{Health, Probe, Report};
use controller::serve::metrics::Metrics;
use engine::{Duties, Settings, Standings};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{Answer, Api, LIMIT};
use crate::executor;
use crate::objects::{decoded, metadata_of, object, policy, request};

/// How long a driver that is told to stop waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// A loop that does not turn for so long counts as dead.
const TOLERANCE: Duration = Duration::from_secs(7);

/// A driver at work on one approved request.
struct Running {
    api: Api,
    seen: mpsc::Sender<Seen>,
    leading: watch::Sender<bool>,
    stop: CancellationToken,
    driver: JoinHandle<Result<(), DriverError>>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn start(answer: Answer, leads: bool) -> Self {
        let (api, caller) = Api::answering(answer);
        let policy = Policy { standings: standings(), ..policy() };
        let policy = watch::Sender::new(Arc::new(policy));
        let (executor, metrics) = executor(caller, policy.subscribe());
        let (seen, events) = mpsc::channel(16);
        let (leading, stop) = (watch::Sender::new(leads), CancellationToken::new());
        let events = Events {
            seen: events,
            changed: mpsc::unbounded_channel().1,
            leading: leading.subscribe(),
            policy: policy.subscribe(),
            stop: stop.clone(),
        };
        let health = Health::new(TOLERANCE);
        let watched = Watched { health: Arc::clone(&health), metrics: Arc::clone(&metrics) };
        let driver = tokio::spawn(Driver::new(Settings::default(), executor, events, watched).run(GRACE));
        let running = Self { api, seen, leading, stop, driver, health, metrics };
        for event in [Seen::Init, Seen::InitApply(decoded(&approved())), Seen::InitDone] {
            running.seen.send(event).await.unwrap();
        }
        running
    }

    /// Waits until the API server was asked `number` times.
    async fn asked(&self, number: usize) {
        let asked = async {
            while self.api.asked().len() < number {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it is asked within a minute");
    }

    fn count(&self, metric: &str) -> usize {
        let text = String::from_utf8(self.metrics.text().unwrap()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{metric} ")));
        value.map_or(0, |value| value.parse().unwrap())
    }
}

fn approved() -> Value {
    object(&request("system:node:n"), true)
}

fn standings() -> Standings {
    let signed = policy().signers.into_keys().collect();
    Standings { duties: Duties { sign: true, ..Duties::default() }, signed, ..Standings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_leader_signs_what_it_knows() {
    let running = Running::start(Answer::Silence, true).await;
    running.asked(1).await;
    let asked = running.api.asked();
    assert_eq!((&*asked[0].method, asked[0].path.ends_with("/status")), ("PUT", true));
    assert!(asked[0].body["status"]["certificate"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_taken_off_on_its_way_is_published_again() {
    let running = Running::start(Answer::Json(200, metadata_of(&approved(), "43")), true).await;
    running.asked(1).await;
    let mut stripped = approved();
    stripped["metadata"]["resourceVersion"] = "43".into();
    running.seen.send(Seen::Apply(decoded(&stripped))).await.unwrap();
    running.asked(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_not_stored_is_published_again_after_a_while() {
    let start = Instant::now();
    let running = Running::start(Answer::Json(200, metadata_of(&approved(), "42")), true).await;
    running.asked(3).await;
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}: in a tight circle", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_published_is_not_published_again() {
    let running = Running::start(Answer::Json(200, metadata_of(&approved(), "43")), true).await;
    running.asked(1).await;
    let mut issued = running.api.asked()[0].body.clone();
    issued["metadata"]["resourceVersion"] = "43".into();
    running.seen.send(Seen::Apply(decoded(&issued))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(running.api.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_keeps_records_and_acts_at_once_when_it_leads() {
    let running = Running::start(Answer::Silence, false).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(running.api.asked(), []);
    assert!(
        Report::new(&running.health, Probe::Readyz, None).healthy,
        "a follower is ready, and its loop turns"
    );
    running.leading.send_replace(true);
    running.asked(1).await;
    assert_eq!(running.api.asked()[0].method, "PUT", "nothing had to be read first");
}

#[tokio::test(start_paused = true)]
async fn who_leads_no_more_begins_nothing() {
    let running = Running::start(Answer::status(500), true).await;
    running.asked(1).await;
    running.leading.send_replace(false);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = running.api.asked().len();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(running.api.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_what_is_under_way_finish_and_begins_nothing() {
    let mut written = approved();
    written["metadata"]["resourceVersion"] = "43".into();
    let late = Answer::Late(Duration::from_secs(3), Box::new(Answer::Json(200, written)));
    let running = Running::start(late, true).await;
    running.asked(1).await;
    let start = Instant::now();
    running.stop.cancel();
    let mut another = approved();
    another["metadata"]["name"] = "another".into();
    running.seen.send(Seen::Apply(decoded(&another))).await.unwrap();
    assert!(running.driver.await.unwrap().is_ok());
    assert!((2..=3).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(running.api.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let running = Running::start(Answer::Silence, true).await;
    running.asked(1).await;
    let start = Instant::now();
    running.stop.cancel();
    assert!(running.driver.await.unwrap().is_ok());
    assert_eq!(start.elapsed(), GRACE);
    assert!(GRACE < LIMIT, "else the call's own limit was what ended it");
}

#[tokio::test(start_paused = true)]
async fn who_stops_is_alive_to_the_last() {
    let running = Running::start(Answer::Silence, true).await;
    running.asked(1).await;
    running.stop.cancel();
    tokio::time::sleep(GRACE.saturating_sub(Duration::from_secs(1))).await;
    assert!(!running.driver.is_finished());
    assert!(Report::new(&running.health, Probe::Livez, None).healthy);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_counted_and_backs_off_and_ends_nothing() {
    let running = Running::start(Answer::Panic, true).await;
    running.asked(3).await;
    assert!(!running.driver.is_finished());
    assert!(running.count("countersign_panics_total") >= 2);
    assert_eq!(running.count("countersign_in_flight"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_watch_is_the_end_of_the_driver() {
    let Running { seen, driver, stop, .. } = Running::start(Answer::Silence, true).await;
    drop(seen);
    assert!(matches!(driver.await.unwrap(), Err(DriverError::WatchEnded)));
    assert!(!stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn how_long_a_request_waited_is_shown() {
    let running = Running::start(Answer::Silence, true).await;
    running.asked(1).await;
    assert_eq!(running.count("countersign_first_call_seconds_count{requester=\"node\"}"), 1);
    assert_eq!(running.count("countersign_calls_in_flight"), 1);
}
