//! One run of one contestant, and what was measured.

use std::time::Duration;

use anyhow::Result;
use countersign_e2e::ControlPlane;
use kube::Client;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::contestant::{Contestant, Running};
use crate::counters::Calls;
use crate::figures::{Figure, Figures};
use crate::load::Sent;
use crate::observer::Observer;
use crate::usage::Usage;

/// One run of one contestant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trial {
    pub(crate) scenario: &'static str,
    pub(crate) contestant: Contestant,
    /// Which pair of runs it belongs to.
    pub(crate) pair: usize,
    /// Requests sent.
    pub(crate) sent: usize,
    /// Those that got their certificate.
    pub(crate) issued: usize,
    /// Those that got two different ones.
    pub(crate) replaced: usize,
    pub(crate) figures: Figures,
    /// For the plot: when each request was sent since the first one, and how long it waited, in seconds.
    #[serde(skip)]
    pub(crate) waits: Vec<(f64, f64)>,
}

impl Trial {
    /// Whether it may be compared with others.
    pub(crate) fn is_complete(&self) -> bool {
        self.sent > 0 && self.issued == self.sent && self.replaced == 0
    }
}

/// A run that goes on: what was there when it began.
pub(crate) struct Course {
    client: Client,
    pub(crate) observer: Observer,
    usage: Usage,
    calls: Calls,
}

/// What a run was about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading {
    pub(crate) scenario: &'static str,
    pub(crate) contestant: Contestant,
    pub(crate) pair: usize,
}

impl Course {
    /// Takes note of how things stand before the work begins, which is about requests whose names begin with `prefix`.
    pub(crate) async fn begin(
        cluster: &ControlPlane,
        running: &mut Running,
        prefix: &'static str,
    ) -> Result<Self> {
        Ok(Self { usage: running.usage()?, ..Self::begin_before(cluster, prefix).await? })
    }

    /// The same, before the contestant is started.
    pub(crate) async fn begin_before(cluster: &ControlPlane, prefix: &'static str) -> Result<Self> {
        let client = cluster.admin().await?;
        let observer = Observer::start(cluster.admin().await?, prefix).await?;
        let calls = Calls::counted(&client).await?;
        Ok(Self { usage: Usage::default(), client, observer, calls })
    }

    /// Waits for the certificates of all that was sent, and takes note of what it took, from `start` to the last one.
    pub(crate) async fn end(
        mut self,
        (sent, start): (&[Sent], Instant),
        running: &mut Running,
        heading: Heading,
    ) -> Result<Trial> {
        self.observer.wait_for(sent.len(), LIMIT).await;
        // The last events are still being read.
        sleep(AFTERGLOW).await;
        let (usage, calls) = (running.usage()?, Calls::counted(&self.client).await?);
        let certificates = self.observer.certificates();
        let first = sent.iter().map(|sent| sent.at).min().unwrap_or(start);
        let waits: Vec<(f64, f64)> = sent
            .iter()
            .filter_map(|sent| {
                let at = certificates.get(&sent.name)?;
                Some(((sent.at - first).as_secs_f64(), at.duration_since(sent.at).as_secs_f64()))
            })
            .collect();
        let last = sent.iter().filter_map(|sent| certificates.get(&sent.name)).max();
        let seconds = last.map_or(f64::NAN, |last| last.duration_since(start).as_secs_f64());
        let number = sent.len() as f64;
        let mut figures = Figures::of_waits(waits.iter().map(|(_, wait)| *wait).collect());
        figures.set(Figure::Rate, waits.len() as f64 / seconds);
        figures.set(Figure::Cpu, (usage.cpu - self.usage.cpu) * 1000.0 / number);
        figures.set(Figure::Resident, usage.resident);
        figures.set(Figure::Peak, usage.peak);
        figures.set(Figure::Calls, calls.since(&self.calls) / number);
        let Heading { scenario, contestant, pair } = heading;
        let (issued, replaced) = (waits.len(), self.observer.replaced());
        Ok(Trial { scenario, contestant, pair, sent: sent.len(), issued, replaced, figures, waits })
    }
}

/// After this long without all certificates a run counts as incomplete.
const LIMIT: Duration = Duration::from_secs(600);
const AFTERGLOW: Duration = Duration::from_millis(500);
