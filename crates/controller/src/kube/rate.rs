//! A limit on calls per second, for those who ask for one (`--kube-api-qps`, `--kube-api-burst`).

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// A token bucket as client-go's: `burst` calls at once, then `per_second`. Callers are served in the order they came.
#[derive(Debug)]
pub struct RateLimit {
    interval: Duration,
    depth: Duration,
    /// When the bucket will be full again.
    full: Mutex<Instant>,
}

impl RateLimit {
    /// At most `burst` calls at once, and `per_second` of them over time; both greater than zero.
    #[must_use]
    pub fn new(per_second: f32, burst: u32) -> Self {
        let interval = Duration::from_secs_f64(1.0 / f64::from(per_second.max(1e-6)));
        Self { interval, depth: interval * burst.max(1), full: Mutex::new(Instant::now()) }
    }

    /// Returns when a call may be made.
    pub async fn turn(&self) {
        // Held while waiting: the next in line waits for the lock, in the order of arrival.
        let mut full = self.full.lock().await;
        let next = (*full).max(Instant::now()) + self.interval;
        if let Some(turn) = next.checked_sub(self.depth) {
            sleep_until(turn).await;
        }
        *full = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limit = RateLimit::new(10.0, 3);
        let start = Instant::now();
        let mut waited = Vec::new();
        for _ in 0..6 {
            limit.turn().await;
            waited.push(start.elapsed().as_millis());
        }
        assert_eq!(waited, [0, 0, 0, 100, 200, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gave_up_costs_no_turn() {
        let limit = RateLimit::new(1.0, 1);
        limit.turn().await;
        assert!(tokio::time::timeout(Duration::from_millis(500), limit.turn()).await.is_err());
        let start = Instant::now();
        limit.turn().await;
        assert_eq!(start.elapsed().as_millis(), 500);
    }
}
