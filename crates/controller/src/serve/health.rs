//! Is this process alive, is it ready: named checks, and their report in the form of Kubernetes' own components.
//!
//! Alive means that the engine's loop still turns. Ready means that the first list is done; a follower is ready too, as it could
//! lead at once. That every CA is loaded needs no check: without, there is no process to ask.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What the shell reports about itself. Shared by those who know and those who ask.
#[derive(Debug)]
pub struct Health {
    beat: Mutex<Instant>,
    tolerance: Duration,
    listed: AtomicBool,
    stopping: AtomicBool,
}

impl Health {
    /// Of a process whose loop has just begun, and counts as dead when it does not [`beat`](Self::beat) for `tolerance`.
    #[must_use]
    pub fn new(tolerance: Duration) -> Arc<Self> {
        Arc::new(Self {
            beat: Mutex::new(Instant::now()),
            tolerance,
            listed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        })
    }

    /// The engine's loop turned. Call it several times within the tolerance, also when nothing is to be done.
    pub fn beat(&self) {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The first list of the API server's objects is done.
    pub fn listed(&self) {
        self.listed.store(true, Ordering::Relaxed);
    }

    /// The process is about to end: no longer ready, still alive.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn check(&self, check: Check) -> Result<(), &'static str> {
        let passed = match check {
            Check::Ping => true,
            Check::Engine => {
                let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
                beat.elapsed() <= self.tolerance
            }
            Check::FirstList => self.listed.load(Ordering::Relaxed),
            Check::Shutdown => !self.stopping.load(Ordering::Relaxed),
        };
        if passed { Ok(()) } else { Err(check.fault()) }
    }
}

/// The endpoints that ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Probe {
    /// The older name of `/livez`, which kubeadm's manifests probe.
    Healthz,
    /// Should this process be restarted?
    Livez,
    /// Can it do its work?
    Readyz,
}

impl Probe {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Healthz, Self::Livez, Self::Readyz];

    /// The path without its slash.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Healthz => "healthz",
            Self::Livez => "livez",
            Self::Readyz => "readyz",
        }
    }

    fn checks(self) -> &'static [Check] {
        match self {
            Self::Healthz | Self::Livez => &[Check::Ping, Check::Engine],
            Self::Readyz => &[Check::Ping, Check::Engine, Check::FirstList, Check::Shutdown],
        }
    }
}

/// One line of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Check {
    Ping,
    Engine,
    FirstList,
    Shutdown,
}

impl Check {
    fn label(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Engine => "engine",
            Self::FirstList => "first-list",
            Self::Shutdown => "shutdown",
        }
    }

    fn fault(self) -> &'static str {
        match self {
            Self::Ping => "no answer",
            Self::Engine => "the engine's loop does not turn",
            Self::FirstList => "the first list is not done",
            Self::Shutdown => "the process is stopping",
        }
    }
}

/// What a probe is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Whether every check passed that was not excluded.
    pub healthy: bool,
    /// The body of the answer.
    pub text: String,
}

impl Report {
    /// The report for `probe`, asked with `query` (`verbose`, `exclude=<check>`, any number of them).
    #[must_use]
    pub fn new(health: &Health, probe: Probe, query: Option<&str>) -> Self {
        let pairs =
            || query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let verbose = pairs().any(|(key, _)| key == "verbose");
        let excluded: Vec<_> = pairs().filter(|(key, _)| *key == "exclude").map(|(_, check)| check).collect();
        Self::of(health, probe, &excluded, verbose)
    }

    fn of(health: &Health, probe: Probe, excluded: &[&str], verbose: bool) -> Self {
        let (mut healthy, mut text) = (true, String::new());
        for check in probe.checks() {
            let name = check.label();
            // Writing to a String cannot fail.
            let _ = match health.check(*check) {
                _ if excluded.contains(&name) => writeln!(text, "[+]{name} excluded: ok"),
                Ok(()) => writeln!(text, "[+]{name} ok"),
                Err(fault) => {
                    healthy = false;
                    writeln!(text, "[-]{name} failed: {fault}")
                }
            };
        }
        if excluded.iter().any(|name| !probe.checks().iter().any(|check| check.label() == *name)) {
            text.push_str("warn: some health checks cannot be excluded: no matches\n");
        }
        match (healthy, verbose) {
            (true, false) => text = "ok".to_owned(),
            (true, true) => text.push_str(&format!("{} check passed\n", probe.label())),
            (false, _) => text.push_str(&format!("{} check failed\n", probe.label())),
        }
        Self { healthy, text }
    }

    /// The report of one check alone, as asked by `/<probe>/<check>`; `None` when there is no such check.
    #[must_use]
    pub fn single(health: &Health, probe: Probe, name: &str) -> Option<Self> {
        let check = probe.checks().iter().find(|check| check.label() == name)?;
        let text = match health.check(*check) {
            Ok(()) => return Some(Self { healthy: true, text: "ok".to_owned() }),
            Err(fault) => format!("{name} failed: {fault}\n"),
        };
        Some(Self { healthy: false, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Duration = Duration::from_secs(30);

    fn ready() -> Arc<Health> {
        let health = Health::new(TOLERANCE);
        health.listed();
        health
    }

    #[tokio::test(start_paused = true)]
    async fn ready_is_what_has_its_first_list_and_is_not_stopping() {
        let health = Health::new(TOLERANCE);
        let is_ready = |health: &Health| Report::new(health, Probe::Readyz, None).healthy;
        assert!(!is_ready(&health));
        health.listed();
        assert!(is_ready(&health));
        health.stopping();
        assert!(!is_ready(&health));
        assert!(Report::new(&health, Probe::Livez, None).healthy, "a process that stops is alive");
    }

    #[tokio::test(start_paused = true)]
    async fn alive_is_what_beats_within_the_tolerance() {
        let health = ready();
        tokio::time::advance(TOLERANCE).await;
        assert!(Report::new(&health, Probe::Livez, None).healthy);
        tokio::time::advance(Duration::from_secs(1)).await;
        for probe in Probe::ALL {
            assert!(!Report::new(&health, probe, None).healthy, "{probe:?}");
        }
        health.beat();
        assert!(Report::new(&health, Probe::Livez, None).healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn reports_read_as_those_of_kubernetes() {
        let health = ready();
        let text = |probe, query| Report::new(&health, probe, query).text;
        assert_eq!(text(Probe::Readyz, None), "ok");
        assert_eq!(text(Probe::Livez, Some("verbose")), "[+]ping ok\n[+]engine ok\nlivez check passed\n");
        assert_eq!(
            text(Probe::Livez, Some("verbose=true&exclude=engine")),
            "[+]ping ok\n[+]engine excluded: ok\nlivez check passed\n"
        );
        assert_eq!(
            text(Probe::Livez, Some("exclude=nothing&verbose")),
            "[+]ping ok\n[+]engine ok\nwarn: some health checks cannot be excluded: no matches\nlivez check passed\n"
        );
        health.stopping();
        let failed = text(Probe::Readyz, None);
        assert!(failed.contains("[-]shutdown failed: the process is stopping\n"), "{failed}");
        assert!(failed.ends_with("readyz check failed\n"), "{failed}");
        assert!(Report::new(&health, Probe::Readyz, Some("exclude=shutdown")).healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_can_be_asked_alone() {
        let health = ready();
        health.stopping();
        let single = |name| Report::single(&health, Probe::Readyz, name);
        assert!(single("first-list").is_some_and(|report| report.healthy));
        assert!(single("shutdown").is_some_and(|report| !report.healthy));
        assert_eq!(single("leader"), None);
        assert_eq!(Report::single(&health, Probe::Livez, "shutdown"), None);
    }
}
