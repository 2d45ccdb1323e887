use engine::{Counts, Rank, Wait};
use prometheus::{Gauge, HistogramVec, IntCounter, IntGauge, IntGaugeVec};

use super::{Registrar, table};

/// From a millisecond to a minute, finest where a healthy node's request should wait.
const BUCKETS: [f64; 15] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

/// What the engine holds, and how long it made requests wait.
#[derive(Debug)]
pub(super) struct QueueMetrics {
    /// Depth and age of each rank.
    ranks: [(IntGauge, Gauge); Rank::ALL.len()],
    queue_wait: HistogramVec,
    first_call: HistogramVec,
    held: IntGaugeVec,
    calls: IntGauge,
    call_limit: IntGauge,
    inquiries: IntGauge,
    shared_answers: IntCounter,
    budget_exceeded: IntCounter,
    cleaning_delay: Gauge,
}

impl QueueMetrics {
    pub(super) fn new(into: &Registrar<'_>) -> prometheus::Result<Self> {
        let (depth, age) = (into.gauges(&table::QUEUE_DEPTH)?, into.float_gauges(&table::QUEUE_AGE)?);
        Ok(Self {
            ranks: Rank::ALL.map(|rank| {
                let label = [rank.label()];
                (depth.with_label_values(&label), age.with_label_values(&label))
            }),
            queue_wait: into.histograms(&table::QUEUE_WAIT, &BUCKETS)?,
            first_call: into.histograms(&table::FIRST_CALL, &BUCKETS)?,
            held: into.gauges(&table::HELD)?,
            calls: into.gauge(&table::CALLS)?,
            call_limit: into.gauge(&table::CALL_LIMIT)?,
            inquiries: into.gauge(&table::INQUIRIES)?,
            shared_answers: into.counter(&table::SHARED_ANSWERS)?,
            budget_exceeded: into.counter(&table::BUDGET_EXCEEDED)?,
            cleaning_delay: into.float_gauge(&table::CLEANING_DELAY)?,
        })
    }

    pub(super) fn counted(&self, counts: &Counts) {
        for ((depth, age), queued) in self.ranks.iter().zip(counts.queued) {
            depth.set(gauge(queued.depth));
            age.set(queued.oldest_age.as_secs_f64());
        }
        self.calls.set(gauge(counts.calls));
        self.call_limit.set(gauge(counts.call_limit));
        self.inquiries.set(gauge(counts.inquiries));
        self.shared_answers.inc_by(counts.shared_answers.saturating_sub(self.shared_answers.get()));
        self.budget_exceeded.inc_by(counts.budget_exceeded.saturating_sub(self.budget_exceeded.get()));
        self.cleaning_delay.set(counts.cleaning_delay.as_secs_f64());
    }

    /// How many requests a rule holds.
    pub(super) fn held(&self, rule: &'static str, count: usize) {
        self.held.with_label_values(&[rule]).set(gauge(count));
    }

    pub(super) fn waited(&self, wait: Wait) {
        match wait {
            Wait::Turn { rank, requester, time } => {
                let labels = [rank.label(), requester.label()];
                self.queue_wait.with_label_values(&labels).observe(time.as_secs_f64());
            }
            Wait::FirstCall { requester, time } => {
                self.first_call.with_label_values(&[requester.label()]).observe(time.as_secs_f64());
            }
        }
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
