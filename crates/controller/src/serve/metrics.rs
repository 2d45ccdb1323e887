//! What is counted and timed, and its text for Prometheus.
//!
//! Label values come from enums and from configuration, never from a request: a label of an enum is its `label()`, which only
//! `&'static str` lets through, and a signerName that is not configured is counted as `other`.

use std::collections::BTreeSet;
use std::time::Instant;

use csr::{Progress, SignerName};
use engine::{Counts, Retentions, Wait};
use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};
use time::OffsetDateTime;

mod census;
mod documentation;
mod queue;
mod table;

pub use documentation::documentation;

use census::CensusMetrics;
use queue::QueueMetrics;
use table::Description;

/// From a millisecond, the fastest an API server answers, to the longest a call may take.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a signerName that is not configured is counted as.
const OTHER: &str = "other";

/// The metrics of one process, or of one test: the registry is its own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    signers: BTreeSet<String>,
    passes: IntCounterVec,
    pass_duration: HistogramVec,
    reviews: IntCounterVec,
    approved: IntCounterVec,
    issued: IntCounterVec,
    rejected: IntCounterVec,
    cleaned: IntCounterVec,
    errors: IntCounterVec,
    ca_reloads: IntCounterVec,
    ca_loaded: IntGaugeVec,
    ca_expiry: IntGaugeVec,
    client_expiry: IntGaugeVec,
    config_reloads: IntCounterVec,
    config_last_reload: IntGauge,
    config_digest: IntGaugeVec,
    inventory: IntGauge,
    queue: QueueMetrics,
    census: CensusMetrics,
    /// Retries after failures of ours.
    pub retries: IntCounter,
    /// API calls, decisions and signatures under way.
    pub in_flight: IntGauge,
    /// 1 while a group's members get kubelets' client certificates without a permission.
    pub insecure_group: IntGauge,
    /// 1 while leading.
    pub leader: IntGauge,
    /// Watches opened again.
    pub watch_restarts: IntCounter,
    /// Panics caught.
    pub panics: IntCounter,
}

impl Metrics {
    /// Metrics in which certificates of `signers` are counted by name.
    ///
    /// # Errors
    /// When two metrics have one name, which a test would have found.
    pub fn new<S: Into<String>>(signers: impl IntoIterator<Item = S>) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let into = Registrar(&registry);
        let metrics = Self {
            signers: signers.into_iter().map(Into::into).collect(),
            passes: into.counters(&table::PASSES)?,
            pass_duration: into.histograms(&table::PASS_DURATION, &BUCKETS)?,
            reviews: into.counters(&table::REVIEWS)?,
            approved: into.counters(&table::APPROVED)?,
            issued: into.counters(&table::ISSUED)?,
            rejected: into.counters(&table::REJECTED)?,
            cleaned: into.counters(&table::CLEANED)?,
            errors: into.counters(&table::ERRORS)?,
            ca_reloads: into.counters(&table::CA_RELOADS)?,
            ca_loaded: into.gauges(&table::CA_LOADED)?,
            ca_expiry: into.gauges(&table::CA_EXPIRY)?,
            config_reloads: into.counters(&table::CONFIG_RELOADS)?,
            config_last_reload: into.gauge(&table::CONFIG_LAST_RELOAD)?,
            config_digest: into.gauges(&table::CONFIG_DIGEST)?,
            inventory: into.gauge(&table::INVENTORY)?,
            client_expiry: into.gauges(&table::CLIENT_EXPIRY)?,
            retries: into.counter(&table::RETRIES)?,
            in_flight: into.gauge(&table::IN_FLIGHT)?,
            queue: QueueMetrics::new(&into)?,
            census: CensusMetrics::new(&into)?,
            insecure_group: into.gauge(&table::INSECURE_GROUP)?,
            leader: into.gauge(&table::LEADER)?,
            watch_restarts: into.counter(&table::WATCH_RESTARTS)?,
            panics: into.counter(&table::PANICS)?,
            registry: registry.clone(),
        };
        into.gauges(&table::BUILD_INFO)?.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// A counter that appears with its first event has no rate for it: what can be known beforehand starts at 0.
    fn begin_at_zero(&self) {
        for signer in &self.signers {
            self.issued.with_label_values(&[signer.as_str()]);
        }
        for result in ["success", "failure"] {
            self.ca_reloads.with_label_values(&[result]);
            self.config_reloads.with_label_values(&[result]);
        }
        self.config_last_reload.set(1);
        self.inventory.set(1);
    }

    /// Counts a pass, and times it until the guard is dropped, however that comes about.
    #[must_use]
    pub fn pass(&self, step: &'static str) -> PassGuard<'_> {
        self.passes.with_label_values(&[step]).inc();
        self.in_flight.inc();
        PassGuard { metrics: self, step, start: Instant::now() }
    }

    /// A SubjectAccessReview was answered; both labels are `label()` of the enums they are named for.
    pub fn reviewed(&self, recognizer: &'static str, verdict: &'static str) {
        self.reviews.with_label_values(&[recognizer, verdict]).inc();
    }

    /// A request was approved by a recognizer.
    pub fn approved(&self, recognizer: &'static str) {
        self.approved.with_label_values(&[recognizer]).inc();
    }

    /// A certificate was published.
    pub fn issued(&self, signer: &str) {
        self.issued.with_label_values(&[self.signer(signer)]).inc();
    }

    /// A request was marked as failed; `reason` is the rejection's `label()`.
    pub fn rejected(&self, signer: &str, reason: &'static str) {
        self.rejected.with_label_values(&[self.signer(signer), reason]).inc();
    }

    /// An object was deleted by the cleaning rule with the id `rule`.
    pub fn cleaned(&self, rule: &'static str) {
        let phase = rule.strip_prefix("cleaning/").unwrap_or(rule);
        self.cleaned.with_label_values(&[phase]).inc();
    }

    /// We failed; `error` is the error's `label()`.
    pub fn failed(&self, error: &'static str) {
        self.errors.with_label_values(&[error]).inc();
    }

    /// Changed CA files were read again, with or without success.
    pub fn ca_reloaded(&self, success: bool) {
        let result = if success { "success" } else { "failure" };
        self.ca_reloads.with_label_values(&[result]).inc();
    }

    /// The CA in use for `signer` was loaded at `now` and expires at `not_after`, both in Unix seconds.
    pub fn ca_in_use(&self, signer: &str, now: i64, not_after: i64) {
        let signer = self.signer(signer);
        self.ca_loaded.with_label_values(&[signer]).set(now);
        self.ca_expiry.with_label_values(&[signer]).set(not_after);
    }

    /// A changed configuration file was read again, with or without success.
    pub fn config_reloaded(&self, success: bool) {
        let result = if success { "success" } else { "failure" };
        self.config_reloads.with_label_values(&[result]).inc();
        self.config_last_reload.set(success.into());
    }

    /// The configuration of this digest is in use, and no other.
    pub fn config_in_use(&self, digest: &str) {
        self.config_digest.reset();
        self.config_digest.with_label_values(&[digest]).set(1);
    }

    /// Whether the ConfigMap of the inventory as it is now is in use.
    pub fn inventory_in_use(&self, is: bool) {
        self.inventory.set(is.into());
    }

    /// The client certificate we present to the API server expires at `not_after`, in Unix seconds.
    pub fn client_certificate(&self, not_after: i64) {
        self.client_expiry.with_label_values::<&str>(&[]).set(not_after);
    }

    /// What the engine holds at present.
    pub fn counted(&self, counts: &Counts) {
        self.queue.counted(counts);
    }

    /// Every object there is. Those of signers with a retention of their own are counted by name too.
    pub fn objects<'a>(
        &self,
        objects: impl Iterator<Item = (&'a SignerName, Progress)>,
        retentions: &Retentions,
        now: OffsetDateTime,
    ) {
        let own = retentions.of_signers.keys().map(ToString::to_string);
        let names = self.signers.iter().cloned().chain(own).chain([OTHER.to_owned()]).collect();
        self.census.counted(objects, names, now);
    }

    /// How many requests a rule holds.
    pub fn held(&self, rule: &'static str, count: usize) {
        self.queue.held(rule, count);
    }

    /// A request has waited.
    pub fn waited(&self, wait: Wait) {
        self.queue.waited(wait);
    }

    /// Everything, in Prometheus' text format.
    ///
    /// # Errors
    /// When it cannot be encoded, which no input can bring about.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    fn signer<'a>(&self, name: &'a str) -> &'a str {
        if self.signers.contains(name) { name } else { OTHER }
    }
}

/// Times a pass. Dropping it observes the duration: a panic or a cancelled task is measured too.
#[derive(Debug)]
pub struct PassGuard<'a> {
    metrics: &'a Metrics,
    step: &'static str,
    start: Instant,
}

impl Drop for PassGuard<'_> {
    fn drop(&mut self) {
        let seconds = self.start.elapsed().as_secs_f64();
        self.metrics.pass_duration.with_label_values(&[self.step]).observe(seconds);
        self.metrics.in_flight.dec();
    }
}

struct Registrar<'a>(&'a Registry);

impl Registrar<'_> {
    fn counter(&self, what: &Description) -> prometheus::Result<IntCounter> {
        self.register(IntCounter::new(what.name, what.help)?)
    }

    fn gauge(&self, what: &Description) -> prometheus::Result<IntGauge> {
        self.register(IntGauge::new(what.name, what.help)?)
    }

    fn counters(&self, what: &Description) -> prometheus::Result<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(what.name, what.help), &label_names(what))?)
    }

    fn gauges(&self, what: &Description) -> prometheus::Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(what.name, what.help), &label_names(what))?)
    }

    fn float_gauge(&self, what: &Description) -> prometheus::Result<Gauge> {
        self.register(Gauge::new(what.name, what.help)?)
    }

    fn float_gauges(&self, what: &Description) -> prometheus::Result<GaugeVec> {
        self.register(GaugeVec::new(Opts::new(what.name, what.help), &label_names(what))?)
    }

    fn histograms(&self, what: &Description, buckets: &[f64]) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::new(what.name, what.help).buckets(buckets.to_vec());
        self.register(HistogramVec::new(options, &label_names(what))?)
    }

    fn register<C: Clone + Collector + 'static>(&self, metric: C) -> prometheus::Result<C> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

fn label_names(what: &Description) -> Vec<&'static str> {
    what.labels.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests;
