use std::time::Duration;

/// The engine's bounds. Every one of them holds whatever the API server or a requester does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// API calls in flight at most; deletes have a bound of their own. How many there are below it follows the API
    /// server's answers.
    pub max_in_flight: usize,

    /// Questions to others than the API server in flight at most. Each may take seconds, and takes no place from a call.
    pub max_inquiries: usize,

    /// How long our calls may wait in the API server before fewer are made at once.
    pub queueing_target: Duration,

    /// Decisions and signatures under way at most, and as many questions that are answered from memory. What waits beyond it waits in the queue, where the order is fair.
    pub max_local: usize,

    /// Bytes of decoded objects kept for their turn. An object beyond it is read again when its turn comes.
    pub object_budget_bytes: usize,

    /// Identities that are told apart in a rank; those beyond share one lane.
    pub max_identities: usize,

    /// How long an answer may wait for its request's turn before it has to be asked for again.
    pub answer_lifetime: Duration,

    /// How failures are retried.
    pub retry: Retry,

    /// How fast objects are cleaned.
    pub cleaning: Cleaning,
}

/// How failures are retried: `max(first_delay × 2ⁿ, Retry-After)`, and all retries together no faster than the rate.
///
/// The figures are kube-controller-manager's (`pkg/controller/certificates/certificate_controller.go`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retry {
    /// The delay after the first failure; it doubles with each further one.
    pub first_delay: Duration,

    /// The delay is never longer than this.
    pub max_delay: Duration,

    /// Retries per second, over all objects and questions, but for questions that are answered from memory.
    pub per_second: u32,

    /// Retries that may go at once after a quiet time.
    pub burst: u32,
}

/// How fast objects are cleaned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cleaning {
    /// Deletes in flight at most.
    pub max_in_flight: usize,

    /// Deletes per second while there is nothing else to do.
    pub per_second: u32,

    /// Deletes that may go at once after a quiet time.
    pub burst: u32,

    /// While there is other work, one delete counts as this many: cleaning yields, and still gets on.
    pub yield_factor: u32,
}

impl Retry {
    /// How long to stay away after so many failures in a row.
    pub(crate) fn delay(&self, failures: u8, retry_after: Option<Duration>) -> Duration {
        let doublings = u32::from(failures.saturating_sub(1)).min(31);
        let delay = self.first_delay.saturating_mul(1 << doublings);
        delay.max(retry_after.unwrap_or_default()).min(self.max_delay)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_in_flight: 64,
            // As many as the rate of retries can keep waiting for four seconds each, and some more.
            max_inquiries: 64,
            queueing_target: Duration::from_millis(50),
            max_local: 16,
            object_budget_bytes: 2 << 20,
            max_identities: 4096,
            answer_lifetime: Duration::from_secs(1),
            retry: Retry::default(),
            cleaning: Cleaning::default(),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(1000),
            per_second: 10,
            burst: 100,
        }
    }
}

impl Default for Cleaning {
    fn default() -> Self {
        Self { max_in_flight: 4, per_second: 20, burst: 30, yield_factor: 20 }
    }
}
