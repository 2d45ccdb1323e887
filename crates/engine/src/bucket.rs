use std::time::Duration;

/// A token bucket: so many at once after a quiet time, then so many per second.
///
/// What it holds is told by one time: when it will be full again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    interval: Duration,
    burst: u32,
    full_at: Duration,
}

impl Bucket {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            burst: burst.max(1),
            full_at: Duration::ZERO,
        }
    }

    /// Takes `tokens`, all or none. More than the bucket can hold counts as all it can hold.
    pub(crate) fn take(&mut self, tokens: u32, now: Duration) -> bool {
        let due = self.due(tokens);
        if due <= now {
            self.full_at = self.full_at.max(now) + self.interval * tokens.min(self.burst);
        }
        due <= now
    }

    /// When so many tokens can be taken.
    pub(crate) fn due(&self, tokens: u32) -> Duration {
        let missing = self.interval * (self.burst - tokens.min(self.burst));
        self.full_at.saturating_sub(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_until(bucket: &mut Bucket, from: Duration, until: Duration) -> usize {
        (from.as_millis()..until.as_millis())
            .filter(|&at| bucket.take(1, Duration::from_millis(u64::try_from(at).unwrap())))
            .count()
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let mut bucket = Bucket::new(10, 100);
        let start = Duration::from_secs(5);
        assert_eq!((0..1000).filter(|_| bucket.take(1, start)).count(), 100);
        assert_eq!(bucket.due(1), start + Duration::from_millis(100));
        assert_eq!(taken_until(&mut bucket, start, start + Duration::from_millis(1001)), 10);
    }

    #[test]
    fn it_never_holds_more_than_its_burst() {
        let mut bucket = Bucket::new(10, 3);
        assert!(bucket.take(3, Duration::from_secs(1)));
        let later = Duration::from_secs(1000);
        assert_eq!((0..10).filter(|_| bucket.take(1, later)).count(), 3);
    }

    #[test]
    fn several_tokens_go_together_or_not_at_all() {
        let mut bucket = Bucket::new(1, 4);
        let now = Duration::from_secs(10);
        assert!(bucket.take(3, now));
        assert!(!bucket.take(2, now));
        assert!(bucket.take(1, now));
        assert_eq!(bucket.due(9), now + Duration::from_secs(4));
    }
}
