//! Elections against a model of the API server, in virtual time: never two leaders, and never for long none.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod model;

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use controller::kube::lease::{Elector, LeaseConfig, LeaseLost, Timing};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use model::{ApiServer, Link, Wire};

const DURATION: Duration = Duration::from_secs(15);
const DEADLINE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// One process that wants to lead.
struct Candidate {
    identity: String,
    leading: watch::Receiver<bool>,
    stop: CancellationToken,
    wire: Wire,
    task: JoinHandle<Result<(), LeaseLost>>,
}

impl Candidate {
    fn start(server: &ApiServer, link: Link) -> Self {
        let config = LeaseConfig::new("kube-system", "countersign", Timing::default()).unwrap();
        let identity = config.identity.to_string();
        let (wire, stop) = (Wire::default(), CancellationToken::new());
        wire.set(link);
        let (sender, leading) = watch::channel(false);
        let elector = Elector::new(server.client(wire.clone()), config);
        let task = tokio::spawn(elector.run(sender, stop.clone()));
        Self { identity, leading, stop, wire, task }
    }

    fn leads(&self) -> bool {
        *self.leading.borrow()
    }

    /// Waits until this candidate leads, and says for how long it took.
    async fn leads_within(&mut self, limit: Duration) -> Duration {
        let start = Instant::now();
        let led = timeout(limit, self.leading.wait_for(|leading| *leading)).await;
        assert!(led.is_ok_and(|led| led.is_ok()), "no leader within {limit:?}");
        start.elapsed()
    }

    /// Ends as a crash does: without a word to anybody.
    fn kill(&self) {
        self.task.abort();
    }
}

/// Asserts at every change of leadership that at most one of `candidates` leads.
fn watch_for_two(candidates: &[Candidate]) -> CancellationToken {
    let two = CancellationToken::new();
    let all: Vec<_> = candidates.iter().map(|candidate| candidate.leading.clone()).collect();
    for mut one in all.clone() {
        let (all, two) = (all.clone(), two.clone());
        tokio::spawn(async move {
            while one.changed().await.is_ok() {
                if all.iter().filter(|leading| *leading.borrow() && leading.has_changed().is_ok()).count() > 1
                {
                    two.cancel();
                }
            }
        });
    }
    two
}

/// The candidate that leads, when one does within `limit`.
async fn leader(candidates: &[Candidate], limit: Duration) -> Option<usize> {
    let until = Instant::now() + limit;
    while Instant::now() < until {
        if let Some(index) = candidates.iter().position(|one| one.leads() && !one.task.is_finished()) {
            return Some(index);
        }
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_does_not_exist_is_created() {
    let server = ApiServer::default();
    let mut candidate = Candidate::start(&server, Link::Up);
    candidate.leads_within(SECOND).await;
    let spec = server.lease().unwrap()["spec"].clone();
    assert_eq!(spec["holderIdentity"], json!(candidate.identity));
    assert_eq!(spec["leaseDurationSeconds"], json!(15));
    assert_eq!(spec["leaseTransitions"], json!(0));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_the_chart_made_empty_is_taken() {
    let server = ApiServer::with_empty_lease();
    let mut candidate = Candidate::start(&server, Link::Up);
    candidate.leads_within(SECOND).await;
    assert_eq!(server.holder(), candidate.identity);
    assert_eq!(server.count("POST"), 0, "RBAC cannot restrict create by name, so it is not asked for");
}

#[tokio::test(start_paused = true)]
async fn of_several_candidates_never_more_than_one_leads_through_crashes_and_stops() {
    let server = ApiServer::with_empty_lease();
    let candidates: Vec<_> = (0..5).map(|_| Candidate::start(&server, Link::Up)).collect();
    let two = watch_for_two(&candidates);
    for round in 0..5 {
        let index = leader(&candidates, DURATION + SECOND).await.expect("a leader");
        tokio::time::sleep(DURATION * 4).await;
        assert_eq!(leader(&candidates, SECOND).await, Some(index), "a healthy leader stays");
        if round % 2 == 0 {
            candidates[index].kill()
        } else {
            candidates[index].stop.cancel()
        }
        tokio::task::yield_now().await;
    }
    assert!(!two.is_cancelled(), "two candidates led at once");
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_releases_the_lease_and_a_follower_leads_within_a_second() {
    let server = ApiServer::with_empty_lease();
    let mut first = Candidate::start(&server, Link::Up);
    first.leads_within(SECOND).await;
    let mut second = Candidate::start(&server, Link::Up);
    tokio::time::sleep(DURATION * 3).await;
    assert!(!second.leads());
    first.stop.cancel();
    let took = second.leads_within(SECOND).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
    assert_eq!(first.task.await.unwrap(), Ok(()));
    assert_eq!(server.lease().unwrap()["spec"]["leaseTransitions"], json!(2));
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_names_nobody() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Up);
    only.leads_within(SECOND).await;
    only.stop.cancel();
    assert_eq!(only.task.await.unwrap(), Ok(()));
    let spec = server.lease().unwrap()["spec"].clone();
    assert_eq!((&spec["holderIdentity"], &spec["leaseDurationSeconds"]), (&json!(""), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_within_the_lease_duration_and_a_second() {
    let server = ApiServer::with_empty_lease();
    let mut first = Candidate::start(&server, Link::Up);
    first.leads_within(SECOND).await;
    let mut second = Candidate::start(&server, Link::Up);
    tokio::time::sleep(Duration::from_millis(31_337)).await;
    first.kill();
    let took = second.leads_within(DURATION + SECOND).await;
    assert!(took >= DURATION - Duration::from_millis(2_400), "taken {took:?} after the kill, too early");
}

#[tokio::test(start_paused = true)]
async fn where_watching_is_forbidden_a_follower_polls() {
    let server = ApiServer::with_empty_lease();
    let mut first = Candidate::start(&server, Link::Up);
    first.leads_within(SECOND).await;
    let mut second = Candidate::start(&server, Link::NoWatch);
    tokio::time::sleep(DURATION).await;
    first.stop.cancel();
    second.leads_within(Duration::from_millis(2_500)).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_only_gets_503_gives_up_before_the_lease_can_be_taken() {
    let server = ApiServer::with_empty_lease();
    let mut first = Candidate::start(&server, Link::Up);
    first.leads_within(SECOND).await;
    let mut second = Candidate::start(&server, Link::Up);
    for link in [Link::Unavailable, Link::Cut] {
        tokio::time::sleep(DURATION).await;
        first.wire.set(link);
        let start = Instant::now();
        let end = first.task.await.unwrap();
        assert_eq!(end, Err(LeaseLost::Expired { limit: DEADLINE }));
        assert!(!*first.leading.borrow());
        assert!(start.elapsed() <= DEADLINE, "{link:?}: led on for {:?}", start.elapsed());
        assert!(!second.leads(), "the lease could be taken before its holder gave up");
        second.leads_within(DURATION).await;
        (first, second) = (second, Candidate::start(&server, Link::Up));
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_of_the_api_server_ends_no_term() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Up);
    only.leads_within(SECOND).await;
    for link in [Link::Unavailable, Link::Cut, Link::AnswersLost] {
        only.wire.set(link);
        tokio::time::sleep(Duration::from_secs(5)).await;
        only.wire.set(Link::Up);
        tokio::time::sleep(DURATION).await;
        assert!(only.leads(), "{link:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_by_a_write_whose_answer_was_lost_is_ours_once_we_see_it() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::AnswersLost);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(server.holder(), only.identity);
    assert!(!only.leads(), "nobody leads on a write that was not answered");
    only.wire.set(Link::Up);
    only.leads_within(DURATION).await;
    assert_eq!(server.holder(), only.identity);
}

#[tokio::test(start_paused = true)]
async fn a_lease_edited_by_someone_else_is_kept_with_the_edit() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Up);
    only.leads_within(SECOND).await;
    server.edit(|lease| {
        lease["metadata"]["labels"] = json!({"who": "an operator"});
        lease["spec"]["ofTheFuture"] = json!(true);
    });
    tokio::time::sleep(DURATION * 2).await;
    assert!(only.leads());
    let lease = server.lease().unwrap();
    assert_eq!(lease["metadata"]["labels"]["who"], json!("an operator"));
    assert_eq!(lease["spec"]["ofTheFuture"], json!(true));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_someone_else_took_is_lost_at_the_next_renewal() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Up);
    only.leads_within(SECOND).await;
    server.edit(|lease| lease["spec"]["holderIdentity"] = json!("usurper"));
    let end = timeout(Duration::from_secs(3), only.task).await.unwrap().unwrap();
    assert_eq!(end, Err(LeaseLost::Taken { holder: "usurper".to_owned() }));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_again_by_its_holder() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Up);
    only.leads_within(SECOND).await;
    server.delete();
    tokio::time::sleep(DURATION).await;
    assert!(only.leads());
    assert_eq!(server.holder(), only.identity);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_without_permission_waits_and_leads_when_it_is_granted() {
    let server = ApiServer::with_empty_lease();
    let mut only = Candidate::start(&server, Link::Forbidden);
    tokio::time::sleep(DURATION).await;
    assert!(!only.leads());
    only.wire.set(Link::Up);
    only.leads_within(Duration::from_secs(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_stopped_leaves_the_lease_alone() {
    let server = ApiServer::with_empty_lease();
    let mut first = Candidate::start(&server, Link::Up);
    first.leads_within(SECOND).await;
    let second = Candidate::start(&server, Link::Up);
    tokio::time::sleep(SECOND).await;
    second.stop.cancel();
    assert_eq!(second.task.await.unwrap(), Ok(()));
    assert_eq!(server.holder(), first.identity);
    assert!(first.leads());
}

thread_local! {
    /// What is logged on this thread: a test and all its candidates have one to themselves.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes into the log of its thread.
struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_in_a_while_and_not_at_every_attempt() {
    // For all threads: with a subscriber of its own, one that logs first without any would switch the line off for all.
    let output = tracing_subscriber::fmt().with_writer(|| ThreadLog).finish();
    tracing::subscriber::set_global_default(output).unwrap();
    let candidate = Candidate::start(&ApiServer::with_empty_lease(), Link::Unavailable);
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(!candidate.leads());
    let log = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
    assert_eq!(log.matches("the lease could not be handled").count(), 2, "{log}");
}
