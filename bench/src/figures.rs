//! Figures of a run, and how they are summed up.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Certificates per second.
    Rate,
    /// Half of the requests waited no longer, in milliseconds.
    P50,
    /// 99 of 100 waited no longer, in milliseconds.
    P99,
    /// Processor time per request, in milliseconds.
    Cpu,
    /// Resident memory before the work, one request served, in MiB.
    Idle,
    /// Resident memory after the run, in MiB.
    Resident,
    /// The most resident memory until then, in MiB.
    Peak,
    /// Calls to the API server per request, without lists and watches.
    Calls,
    /// The bound of the process' own histogram that 99 of 100 nodes' requests did not exceed before their first call, in
    /// milliseconds.
    FirstCall,
    /// Requests of the flood created, per second.
    Flood,
    /// The longest time without a certificate after the leader was told to go, in seconds.
    Gap,
}

impl Figure {
    /// The heading of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rate => "certificates/s",
            Self::P50 => "wait p50 ms",
            Self::P99 => "wait p99 ms",
            Self::Cpu => "CPU ms/request",
            Self::Idle => "RSS idle MiB",
            Self::Resident => "RSS MiB",
            Self::Peak => "RSS peak MiB",
            Self::Calls => "API calls/request",
            Self::FirstCall => "first call p99 ms",
            Self::Flood => "flood/s",
            Self::Gap => "gap s",
        }
    }
}

/// The figures of one run.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(BTreeMap<Figure, f64>);

impl Figures {
    /// Those of waiting times in seconds.
    pub(crate) fn of_waits(mut waits: Vec<f64>) -> Self {
        waits.sort_by(f64::total_cmp);
        let mut figures = Self::default();
        figures.set(Figure::P50, percentile(&waits, 50) * 1000.0);
        figures.set(Figure::P99, percentile(&waits, 99) * 1000.0);
        figures
    }

    pub(crate) fn set(&mut self, figure: Figure, value: f64) {
        self.0.insert(figure, value);
    }

    /// Leaves out all but these.
    pub(crate) fn keep(&mut self, figures: &[Figure]) {
        self.0.retain(|figure, _| figures.contains(figure));
    }

    pub(crate) fn value(&self, figure: Figure) -> Option<f64> {
        self.0.get(&figure).copied()
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = Figure> + '_ {
        self.0.keys().copied()
    }
}

/// The smallest value that `percent` of all do not exceed; `values` are sorted.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let rank = (values.len() * percent).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The one in the middle, or the mean of the two there.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (100.0, 198.0));
        assert_eq!(percentile(&[7.0], 99), 7.0);
        assert!(percentile(&[], 50).is_nan());
    }

    #[test]
    fn a_median_does_not_depend_on_the_order() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(vec![4.0, 1.0, 9.0, 2.0]), 3.0);
    }
}
