//! Log output: where it goes, in which form, and how often one thing may be said.
//!
//! A controller that meets the same obstacle for ten thousand requests must say it once. [`OncePer`] is the limit, and
//! [`MissingPermissions`] the commonest use of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// For people: time, level, message, fields.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is neither a level nor a list of `target=level`.
    #[error("log level {level:?} is not understood")]
    Level {
        /// The text that was given.
        level: String,
        /// What the parser says of it.
        #[source]
        source: ParseError,
    },
    /// Something else in this process logs already.
    #[error("failed to install the log output")]
    Installed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Sends logs of this process to standard error from now on. `level` is `error`, `warn`, `info`, `debug`, `trace`, or a
/// list such as `info,kube=debug`.
///
/// # Errors
/// When `level` is not understood, or a log output is installed already.
pub fn init(format: Format, level: &str) -> Result<(), LogError> {
    let filter = filter(level)?;
    let output = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => registry.with(output.with_ansi(false)).try_init(),
        Format::Json => registry.with(output.json().flatten_event(true)).try_init(),
    }
    .map_err(|error| LogError::Installed(error.into()))
}

/// Checks a log level without installing anything, so that a wrong one is found with the other mistakes of a command line.
///
/// # Errors
/// When `level` is not understood.
pub fn check_level(level: &str) -> Result<(), LogError> {
    filter(level).map(drop)
}

fn filter(level: &str) -> Result<Targets, LogError> {
    // An answer that kube's client cannot decode it logs as WARN, as a whole: a TokenReview's holds the bearer token of whoever
    // reads our metrics, and a proxy's page in its place would bring that token into the log. That is nobody's to turn on.
    let directives = format!("{level},kube_client::client=error");
    directives.parse().map_err(|source| LogError::Level { level: level.to_owned(), source })
}

/// Lets each key through once per period.
#[derive(Debug)]
pub struct OncePer {
    period: Duration,
    said: Mutex<HashMap<String, Instant>>,
}

impl OncePer {
    /// More keys than this at once and the oldest are forgotten: a limit must not become a leak.
    const KEYS: usize = 256;

    /// A limit of once per `period` for each key.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { period, said: Mutex::default() }
    }

    /// Whether `key` may be said now; if so, it counts as said.
    pub fn permits(&self, key: &str) -> bool {
        let now = Instant::now();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.get(key).is_some_and(|at| now.duration_since(*at) < self.period) {
            return false;
        }
        if said.len() >= Self::KEYS {
            said.retain(|_, at| now.duration_since(*at) < self.period);
        }
        if said.len() >= Self::KEYS {
            said.clear();
        }
        said.insert(key.to_owned(), now);
        true
    }
}

/// Names what RBAC lacks: each verb and resource once per period, however many requests meet it.
#[derive(Debug)]
pub struct MissingPermissions(OncePer);

impl MissingPermissions {
    /// Each verb and resource is named once per `period`.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self(OncePer::new(period))
    }

    /// Says that the API server forbids `verb` on `resource` (as RBAC writes it: `group/resource/subresource`), with the
    /// server's own words.
    pub fn report(&self, verb: &'static str, resource: &'static str, message: &str) {
        if self.0.permits(&format!("{verb} {resource}")) {
            tracing::warn!(
                verb,
                resource,
                answer = message,
                "RBAC does not allow this identity what it needs"
            );
        }
    }
}

impl Default for MissingPermissions {
    /// Once in five minutes.
    fn default() -> Self {
        Self::new(Duration::from_secs(300))
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_is_permitted_once_per_period_and_keys_do_not_share() {
        let limit = OncePer::new(Duration::from_secs(60));
        assert!(limit.permits("get leases"));
        assert!(!limit.permits("get leases"));
        assert!(limit.permits("update leases"));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!limit.permits("get leases"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(limit.permits("get leases"));
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_keys_is_held_in_bounded_memory() {
        let limit = OncePer::new(Duration::from_secs(60));
        for key in 0..10_000 {
            assert!(limit.permits(&key.to_string()));
        }
        assert!(limit.said.lock().unwrap().len() <= OncePer::KEYS);
    }

    #[test]
    fn an_answer_that_may_hold_a_token_is_logged_at_no_level() {
        for level in ["info", "trace", "kube_client=warn", "kube_client::client=trace"] {
            let filter = filter(level).unwrap();
            tracing::subscriber::with_default(tracing_subscriber::registry().with(filter), || {
                assert!(!tracing::enabled!(target: "kube_client::client", tracing::Level::WARN), "{level}");
                assert!(tracing::enabled!(target: "kube_client::client", tracing::Level::ERROR), "{level}");
            });
        }
    }

    #[test]
    fn a_level_that_is_not_understood_is_refused_with_its_text() {
        for good in ["info", "debug,kube=warn", "WARN"] {
            assert!(check_level(good).is_ok(), "{good}");
        }
        let refused = check_level("kube=loud").unwrap_err();
        assert_eq!(refused.to_string(), "log level \"kube=loud\" is not understood");
    }
}
