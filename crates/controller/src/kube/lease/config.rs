//! What an elector is told: which Lease, who we are, and the three times of client-go's leader election.

use std::fmt;
use std::time::Duration;

/// The largest factor by which a retry period is stretched, so that candidates do not march in step (client-go's
/// `JitterFactor`).
pub(crate) const JITTER: f64 = 1.2;

/// The Lease of kube-controller-manager. Holding it would stop the rest of a cluster's controllers.
pub(crate) const FOREIGN_NAME: &str = "kube-controller-manager";

/// Which Lease is to be held, by whom, and how it is kept.
#[derive(Clone, Debug)]
pub struct LeaseConfig {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Who we are in `holderIdentity`.
    pub identity: Identity,
    /// How long a Lease lasts, and how it is kept.
    pub timing: Timing,
}

impl LeaseConfig {
    /// The Lease `namespace/name`, to be held by this process.
    ///
    /// # Errors
    /// When the name is that of kube-controller-manager's own Lease.
    pub fn new(namespace: &str, name: &str, timing: Timing) -> Result<Self, LeaseConfigError> {
        if name == FOREIGN_NAME {
            return Err(LeaseConfigError::Foreign);
        }
        let identity = Identity::of_this_process();
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), identity, timing })
    }

    /// The configuration of the client that an elector needs: no retries of its own, which would eat the deadline, and a
    /// connection that falls silent is given up.
    #[must_use]
    pub fn client_config(base: &kube::Config) -> kube::Config {
        let mut config = base.clone();
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        config.read_timeout = Some(Duration::from_secs(5));
        config
    }
}

impl fmt::Display for LeaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A name for this process that no other one has, nor the next one on this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity(String);

impl Identity {
    /// `<hostname>_<16 random hexadecimal digits>`.
    #[must_use]
    pub fn of_this_process() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = match host.trim() {
            "" => "localhost",
            name => name,
        };
        Self(format!("{host}_{:016x}", random()))
    }

    /// As in `holderIdentity`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The three times of an election, checked against each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    lease_seconds: i32,
    renew_deadline: Duration,
    retry_period: Duration,
}

impl Timing {
    /// A Lease of `lease_duration` (whole seconds, as the API has it; a rest is cut off), given up by its holder when it could
    /// not be renewed for `renew_deadline`, tried every `retry_period`.
    ///
    /// # Errors
    /// When the times do not leave the holder room to stop before another may start, or to try a second time.
    pub fn new(
        lease_duration: Duration,
        renew_deadline: Duration,
        retry_period: Duration,
    ) -> Result<Self, LeaseConfigError> {
        let whole = lease_duration.as_secs();
        let lease_seconds = i32::try_from(whole).map_err(|_| LeaseConfigError::TooLong(lease_duration))?;
        if Duration::from_secs(whole) <= renew_deadline {
            return Err(LeaseConfigError::Duration { lease_duration, renew_deadline });
        }
        if retry_period.is_zero() {
            return Err(LeaseConfigError::NoRetryPeriod);
        }
        if renew_deadline <= retry_period.mul_f64(JITTER) {
            return Err(LeaseConfigError::Deadline { renew_deadline, retry_period });
        }
        Ok(Self { lease_seconds, renew_deadline, retry_period })
    }

    /// For how long nobody may take a Lease of ours: `leaseDurationSeconds`.
    #[must_use]
    pub fn lease_seconds(&self) -> i32 {
        self.lease_seconds
    }

    /// After how long without a successful renewal we stop leading.
    #[must_use]
    pub fn renew_deadline(&self) -> Duration {
        self.renew_deadline
    }

    /// The retry period, stretched by a random part of up to a fifth.
    pub(super) fn next_retry(&self) -> Duration {
        let part = f64::from(u32::try_from(random() >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        self.retry_period.mul_f64(1.0 + (JITTER - 1.0) * part)
    }

    /// How long one call may take: two fit into the deadline.
    pub(super) fn call_limit(&self) -> Duration {
        (self.renew_deadline / 2).min(Duration::from_secs(5))
    }
}

impl Default for Timing {
    /// 15 s, 10 s and 2 s, as kube-controller-manager.
    fn default() -> Self {
        let (renew_deadline, retry_period) = (Duration::from_secs(10), Duration::from_secs(2));
        Self { lease_seconds: 15, renew_deadline, retry_period }
    }
}

/// What is wrong with an election's configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeaseConfigError {
    /// The Lease of another program.
    #[error(
        "the lease {FOREIGN_NAME:?} is that of kube-controller-manager: holding it would stop its other controllers"
    )]
    Foreign,
    /// A leader would lead on after its Lease may be taken.
    #[error(
        "lease duration ({lease_duration:?}, in whole seconds) must be greater than the renew deadline ({renew_deadline:?})"
    )]
    Duration {
        /// As given.
        lease_duration: Duration,
        /// As given.
        renew_deadline: Duration,
    },
    /// A leader would have one attempt to renew.
    #[error(
        "renew deadline ({renew_deadline:?}) must be greater than {JITTER} times the retry period ({retry_period:?})"
    )]
    Deadline {
        /// As given.
        renew_deadline: Duration,
        /// As given.
        retry_period: Duration,
    },
    /// Candidates would try without pause.
    #[error("retry period must be greater than zero")]
    NoRetryPeriod,
    /// More seconds than the API's field holds.
    #[error("lease duration {0:?} is longer than a Lease can say")]
    TooLong(Duration),
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // The generator of AWS-LC has no failure that a process survives; zero would cost the jitter, and uniqueness lies in the
    // host name as well.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn times_that_leave_no_room_are_refused() {
        type Check = fn(&LeaseConfigError) -> bool;
        let duration: Check = |error| matches!(error, LeaseConfigError::Duration { .. });
        let deadline: Check = |error| matches!(error, LeaseConfigError::Deadline { .. });
        let rows: [(u64, u64, u64, Check); 6] = [
            (10_000, 10_000, 2_000, duration),
            (9_000, 10_000, 2_000, duration),
            (10_900, 10_500, 2_000, duration),
            (15_000, 2_400, 2_000, deadline),
            (15_000, 10_000, 0, |error| *error == LeaseConfigError::NoRetryPeriod),
            (u64::MAX, 10_000, 2_000, |error| matches!(error, LeaseConfigError::TooLong(_))),
        ];
        for (lease, renew, retry, expected) in rows {
            let error = Timing::new(ms(lease), ms(renew), ms(retry)).unwrap_err();
            assert!(expected(&error), "{lease} {renew} {retry}: {error}");
        }
        assert_eq!(Timing::new(ms(15_000), ms(10_000), ms(2_000)), Ok(Timing::default()));
        assert!(Timing::new(ms(15_000), ms(2_401), ms(2_000)).is_ok());
    }

    #[test]
    fn the_lease_of_kube_controller_manager_is_refused() {
        let refused = LeaseConfig::new("kube-system", "kube-controller-manager", Timing::default());
        assert_eq!(refused.unwrap_err(), LeaseConfigError::Foreign);
    }

    #[test]
    fn a_retry_is_stretched_by_at_most_a_fifth() {
        for _ in 0..1_000 {
            let pause = Timing::default().next_retry();
            assert!((ms(2_000)..=ms(2_400)).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn two_processes_of_one_host_have_two_identities() {
        let (one, other) = (Identity::of_this_process(), Identity::of_this_process());
        assert_ne!(one, other);
        assert_eq!(one.as_str().rsplit_once('_').map(|(_, random)| random.len()), Some(16));
    }
}
