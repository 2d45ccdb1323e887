use time::{Duration, OffsetDateTime};

/// A wall-clock time in eight bytes, for the thousands of times that records hold: nanoseconds since 1970.
///
/// Times before 1678 and after 2262 become the first and the last one: neither is ever near a deadline.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Later than every deadline.
    pub(crate) const NEVER: Self = Self(i64::MAX);
}

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Self {
        let nanoseconds = time.unix_timestamp_nanos().clamp(i64::MIN.into(), i64::MAX.into());
        Self(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
    }
}

impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH + Duration::nanoseconds(moment.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_comes_back_as_it_was_and_one_out_of_range_as_the_nearest() {
        for (time, expected) in [
            (datetime!(2026-11-22 08:00:00.000_000_001 UTC), datetime!(2026-11-22 08:00:00.000_000_001 UTC)),
            (datetime!(2026-11-22 08:00 +2), datetime!(2026-11-22 06:00 UTC)),
            (datetime!(9999-12-31 23:59:59 UTC), OffsetDateTime::from(Moment::NEVER)),
            (datetime!(0001-01-01 0:00 UTC), OffsetDateTime::from(Moment(i64::MIN))),
        ] {
            assert_eq!(OffsetDateTime::from(Moment::from(time)), expected);
        }
    }
}
