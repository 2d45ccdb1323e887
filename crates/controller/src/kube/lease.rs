//! Leadership: one Lease, one leader.
//!
//! A candidate reads the Lease, and writes itself into it with the resourceVersion it read; the API server lets one of
//! several such writes through. Somebody else's Lease counts as abandoned when its resourceVersion has not changed for its
//! own duration *by our monotonic clock since we saw it*; the clocks of two machines are never compared. A leader that could
//! not renew stops leading before anybody may take over: its deadline counts from the instant before its last successful
//! write, and is shorter than the duration. The remaining fence is the API server: a leader that was suspended between two
//! instructions writes with a resourceVersion and is refused.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::Api;
use kube::api::{DynamicObject, PostParams, WatchEvent, WatchParams};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::log::{MissingPermissions, OncePer};

mod config;
mod error;
mod record;

pub(crate) use config::{FOREIGN_NAME, JITTER};
pub use config::{Identity, LeaseConfig, LeaseConfigError, Timing};
pub use error::{LeaseError, LeaseLost, Verb};

use record::{Observation, Record};

/// How often the same failure is told.
const WARNINGS: Duration = Duration::from_secs(60);

/// A candidate for leadership.
#[derive(Debug)]
pub struct Elector {
    api: Api<DynamicObject>,
    config: LeaseConfig,
    missing: MissingPermissions,
    failures: OncePer,
    observation: Option<Observation>,
}

/// A Lease that we hold.
struct Term {
    record: Record,
    /// The instant before the last successful write was sent.
    renewed: Instant,
}

impl Elector {
    /// A candidate that talks through `client`, which must be its own (see [`LeaseConfig::client_config`]): a shared one
    /// queues renewals behind other work, and one that retries by itself eats the deadline.
    #[must_use]
    pub fn new(client: kube::Client, config: LeaseConfig) -> Self {
        let api = Api::namespaced_with(client, &config.namespace, &Record::resource());
        let (missing, failures) = (MissingPermissions::default(), OncePer::new(WARNINGS));
        Self { api, config, missing, failures, observation: None }
    }

    /// Takes the Lease when it is free, then keeps it until `cancel`. `leading` says which of the two is the case.
    ///
    /// Cancel when all work has stopped: until then the Lease is renewed, then it is released, and a successor takes it at once.
    ///
    /// # Errors
    /// When the Lease was held and is lost: the process must end, as work may be under way that another one does now too.
    pub async fn run(
        mut self,
        leading: watch::Sender<bool>,
        cancel: CancellationToken,
    ) -> Result<(), LeaseLost> {
        let Some(term) = self.follow(&cancel).await else {
            return Ok(());
        };
        tracing::info!(lease = %self.config, identity = %self.config.identity, "started leading");
        leading.send_replace(true);
        let end = self.lead(term, &cancel).await;
        leading.send_replace(false);
        self.release(end?).await;
        Ok(())
    }

    /// The term that begins when the Lease could be taken, or nothing when cancelled before.
    async fn follow(&mut self, cancel: &CancellationToken) -> Option<Term> {
        // An attempt is never cut short by `cancel`: a PUT under way would leave a Lease that nobody releases.
        while !cancel.is_cancelled() {
            match self.try_acquire().await {
                Ok(Some(term)) => return Some(term),
                Ok(None) => {
                    cancel.run_until_cancelled(self.held_by_another()).await;
                }
                Err(error) => {
                    self.report(&error);
                    cancel.run_until_cancelled(self.pause()).await;
                }
            }
        }
        None
    }

    /// One attempt: read, judge, write. `None`: someone else holds it.
    async fn try_acquire(&mut self) -> Result<Option<Term>, LeaseError> {
        let found = self.call(Verb::Get, self.api.get_opt(&self.config.name)).await?;
        let before = Instant::now();
        let Some(found) = found else {
            let record = self.create(&Record::new(&self.config)).await?;
            return Ok(Some(Term { record, renewed: before }));
        };
        let observation = Observation::seen(self.observation.take(), Record::from(found), before);
        let taken =
            observation.free_for(&self.config, before).then(|| observation.record.taken_by(&self.config));
        self.observation = Some(observation);
        let Some(taken) = taken else {
            return Ok(None);
        };
        let record = self.replace(&taken).await?;
        Ok(Some(Term { record, renewed: before }))
    }

    /// Returns when another look at the Lease is worth while: it was released or deleted, its time is over, or it could
    /// not be watched and a retry period has passed.
    async fn held_by_another(&mut self) {
        if let Err(error) = self.watch_until_free().await {
            self.report(&error);
            let due = self.free_at();
            tokio::select! {
                () = sleep_until(due) => (),
                () = self.pause() => (),
            }
        }
    }

    async fn watch_until_free(&mut self) -> Result<(), LeaseError> {
        let params = WatchParams::default().fields(&format!("metadata.name={}", self.config.name));
        let version = self.observation.as_ref().map_or("0", |seen| seen.record.resource_version()).to_owned();
        let mut changes = self.call(Verb::Watch, self.api.watch(&params, &version)).await?.boxed();
        loop {
            let due = self.free_at();
            let change = tokio::select! {
                () = sleep_until(due) => return Ok(()),
                change = changes.try_next() => change.map_err(|source| LeaseError::from_api(Verb::Watch, source))?,
            };
            match change {
                Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    let (now, last) = (Instant::now(), self.observation.take());
                    let observation = Observation::seen(last, Record::from(object), now);
                    let free = observation.free_for(&self.config, now);
                    self.observation = Some(observation);
                    if free {
                        return Ok(());
                    }
                }
                Some(WatchEvent::Deleted(_)) => return Ok(()),
                Some(WatchEvent::Bookmark(_)) => (),
                Some(WatchEvent::Error(status)) => {
                    return Err(LeaseError::from_api(Verb::Watch, kube::Error::Api(status)));
                }
                None => return Err(LeaseError::WatchEnded),
            }
        }
    }

    /// When the Lease last seen may be taken if it does not change again.
    fn free_at(&self) -> Instant {
        self.observation.as_ref().map_or_else(Instant::now, |seen| seen.free_at(&self.config))
    }

    /// Renews until `cancel`, and returns the term to be released.
    async fn lead(&mut self, mut term: Term, cancel: &CancellationToken) -> Result<Term, LeaseLost> {
        loop {
            let deadline = term.renewed + self.config.timing.renew_deadline();
            tokio::select! {
                biased;
                () = sleep_until(deadline) => return Err(self.expired()),
                () = cancel.cancelled() => return Ok(term),
                () = self.pause() => (),
            }
            match timeout_at(deadline, self.renew(&term)).await {
                Ok(Ok(renewed)) => term = renewed,
                Ok(Err(LeaseError::Taken { holder })) => return Err(LeaseLost::Taken { holder }),
                Ok(Err(error)) => self.report(&error),
                Err(_) => return Err(self.expired()),
            }
        }
    }

    fn expired(&self) -> LeaseLost {
        LeaseLost::Expired { limit: self.config.timing.renew_deadline() }
    }

    async fn renew(&self, term: &Term) -> Result<Term, LeaseError> {
        let before = Instant::now();
        let record = self.write_held(&term.record, Record::renewed).await;
        match record {
            Err(LeaseError::NotFound) => self.create(&term.record.recreated()).await,
            other => other,
        }
        .map(|record| Term { record, renewed: before })
    }

    /// Gives the Lease back, so that a successor need not wait for it to expire. It expires anyhow.
    async fn release(&self, term: Term) {
        match self.write_held(&term.record, Record::released).await {
            Ok(_) => tracing::info!(lease = %self.config, "released the lease"),
            Err(error) => self.report(&error),
        }
    }

    /// Writes a change to the Lease that we hold. A conflict means that somebody edited it, or that the answer to our last
    /// write was lost: it is read again, and changed if it is still ours.
    async fn write_held(&self, held: &Record, change: fn(&Record) -> Record) -> Result<Record, LeaseError> {
        match self.replace(&change(held)).await {
            Err(LeaseError::Conflict) => {
                let found = self.call(Verb::Get, self.api.get(&self.config.name)).await.map(Record::from)?;
                if !found.is_held_by(&self.config.identity) {
                    return Err(LeaseError::Taken { holder: found.holder().to_owned() });
                }
                self.replace(&change(&found)).await
            }
            other => other,
        }
    }

    async fn replace(&self, record: &Record) -> Result<Record, LeaseError> {
        let params = writer();
        let put = self.api.replace(&self.config.name, &params, record.object());
        self.call(Verb::Update, put).await.map(Record::from)
    }

    async fn create(&self, record: &Record) -> Result<Record, LeaseError> {
        let params = writer();
        let post = self.api.create(&params, record.object());
        self.call(Verb::Create, post).await.map(Record::from)
    }

    /// Every call has a limit, short enough that a second one fits into the deadline.
    async fn call<T>(
        &self,
        verb: Verb,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, LeaseError> {
        let limit = self.config.timing.call_limit();
        match timeout(limit, call).await {
            Ok(answer) => answer.map_err(|source| LeaseError::from_api(verb, source)),
            Err(_) => Err(LeaseError::TimedOut { verb, limit }),
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(self.config.timing.next_retry()).await;
    }

    fn report(&self, error: &LeaseError) {
        let lease = &self.config;
        match error {
            LeaseError::Forbidden { verb, message } => {
                self.missing.report(verb.as_str(), "coordination.k8s.io/leases", message);
            }
            LeaseError::Conflict | LeaseError::WatchEnded => {
                tracing::debug!(%lease, %error, "looking at the lease again")
            }
            // In an outage every attempt fails, and mostly in the same way.
            _ if self.failures.permits(&error.to_string()) => {
                tracing::warn!(%lease, error = error as &dyn std::error::Error, "the lease could not be handled, retrying")
            }
            _ => {
                tracing::debug!(%lease, error = error as &dyn std::error::Error, "the lease could still not be handled")
            }
        }
    }
}

/// Names us in `metadata.managedFields`.
fn writer() -> PostParams {
    PostParams { field_manager: Some("countersign".to_owned()), ..PostParams::default() }
}
