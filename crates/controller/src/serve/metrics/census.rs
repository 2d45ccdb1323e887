use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use csr::{IssuedCertificate, Progress, SignerName};
use prometheus::{GaugeVec, IntGaugeVec};
use time::{Duration, OffsetDateTime};

use super::{OTHER, Registrar, table};
use crate::explain::State;

/// How many requests stand where, and for how long there have been such.
#[derive(Debug)]
pub(super) struct CensusMetrics {
    requests: IntGaugeVec,
    oldest: GaugeVec,
    /// The signerNames that were shown last.
    shown: Mutex<BTreeSet<String>>,
}

/// Requests of one signerName that stand alike.
#[derive(Debug, Default)]
struct Tally {
    count: i64,
    oldest: Duration,
}

/// A certificate's end is in no condition: an issued request becomes an expired one by time alone.
const EXPIRED: &str = "expired";

const STATES: [&str; 6] = [
    State::Pending.label(),
    State::Approved.label(),
    State::Denied.label(),
    State::Failed.label(),
    State::Issued.label(),
    EXPIRED,
];

impl CensusMetrics {
    pub(super) fn new(into: &Registrar<'_>) -> prometheus::Result<Self> {
        let (requests, oldest) = (into.gauges(&table::REQUESTS)?, into.float_gauges(&table::OLDEST_REQUEST)?);
        Ok(Self { requests, oldest, shown: Mutex::default() })
    }

    /// Shows what there is now, by name for the signers of these `names`.
    pub(super) fn counted<'a>(
        &self,
        objects: impl Iterator<Item = (&'a SignerName, Progress)>,
        names: BTreeSet<String>,
        now: OffsetDateTime,
    ) {
        let mut tallies = BTreeMap::<_, Tally>::new();
        for name in &names {
            tallies.extend(STATES.map(|state| ((name.as_str(), state), Tally::default())));
        }
        for (signer, progress) in objects {
            let name = names.get(signer.as_str()).map_or(OTHER, String::as_str);
            let tally = tallies.entry((name, state(&progress, now))).or_default();
            tally.count += 1;
            tally.oldest = tally.oldest.max(progress.created.map_or(Duration::ZERO, |created| now - created));
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != names {
            self.requests.reset();
            self.oldest.reset();
            shown.clone_from(&names);
        }
        for ((name, state), tally) in tallies {
            self.requests.with_label_values(&[state, name]).set(tally.count);
            self.oldest.with_label_values(&[state, name]).set(tally.oldest.as_seconds_f64());
        }
    }
}

fn state(progress: &Progress, now: OffsetDateTime) -> &'static str {
    match progress.certificate {
        IssuedCertificate::NotAfter(end) if end < now => EXPIRED,
        _ => State::of(*progress).label(),
    }
}
