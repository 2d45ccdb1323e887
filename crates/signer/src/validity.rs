use csr::profile::BACKDATING;
use time::{Duration, OffsetDateTime};

use crate::Error;
use crate::encoding::{Encoder, GENERALIZED_TIME, SEQUENCE, UTC_TIME};

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The first moment.
    pub not_before: OffsetDateTime,

    /// The last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// The validity of a certificate that is to last for `lifetime`.
    ///
    /// It begins five minutes in the past, for clocks that are behind. A certificate of less than eight hours keeps its
    /// whole lifetime from now on; a longer one ends five minutes earlier, so that its span is the lifetime. None
    /// outlasts its CA (`pkg/controller/certificates/authority/policies.go`).
    ///
    /// # Errors
    ///
    /// When the CA has expired.
    pub fn new(lifetime: Duration, now: OffsetDateTime, ca_not_after: OffsetDateTime) -> Result<Self, Error> {
        Self::backdated(BACKDATING, lifetime, (now, ca_not_after))
    }

    /// The same with another time than five minutes.
    pub(crate) fn backdated(
        backdate: Duration,
        lifetime: Duration,
        (now, ca_not_after): (OffsetDateTime, OffsetDateTime),
    ) -> Result<Self, Error> {
        let not_before = now.saturating_sub(backdate);
        let from_now_on = if lifetime < SHORT { lifetime } else { lifetime.saturating_sub(backdate) };
        let not_after = now.saturating_add(from_now_on).min(ca_not_after);
        if not_before >= ca_not_after {
            return Err(Error::SignerExpired { not_after: ca_not_after });
        }
        if now >= ca_not_after {
            return Err(Error::ExpiredInThePast { not_after: ca_not_after });
        }
        Ok(Self { not_before: whole_seconds(not_before), not_after: whole_seconds(not_after) })
    }

    pub(crate) fn write(&self, encoder: &mut Encoder) {
        encoder.nested(SEQUENCE, |validity| {
            write_time(validity, self.not_before);
            write_time(validity, self.not_after);
        });
    }
}

fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

/// UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5).
fn write_time(encoder: &mut Encoder, time: OffsetDateTime) {
    let time = time.to_offset(time::UtcOffset::UTC);
    let digits = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    match time.year() {
        1950..2050 => encoder.element(UTC_TIME, &digits.as_bytes()[2..]),
        _ => encoder.element(GENERALIZED_TIME, digits.as_bytes()),
    }
}

/// Five minutes are about one per cent of it.
const SHORT: Duration = Duration::hours(8);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00 UTC);

    #[test]
    fn short_certificates_keep_their_whole_lifetime_and_long_ones_their_span() {
        let eight_hours = Duration::hours(8);
        for (lifetime, from_now_on) in [
            (Duration::hours(1), Duration::hours(1)),
            (eight_hours - Duration::SECOND, eight_hours - Duration::SECOND),
            (eight_hours, eight_hours - Duration::minutes(5)),
            (Duration::days(365), Duration::days(365) - Duration::minutes(5)),
            (Duration::ZERO, Duration::ZERO),
            (-Duration::HOUR, -Duration::HOUR),
        ] {
            let validity = Validity::new(lifetime, NOW, datetime!(2036-01-01 0:00 UTC)).unwrap();
            assert_eq!(validity.not_before, NOW - Duration::minutes(5));
            assert_eq!(validity.not_after, NOW + from_now_on);
        }
    }

    #[test]
    fn a_certificate_never_outlasts_its_ca() {
        let ca_not_after = NOW + Duration::HOUR;
        let validity = Validity::new(Duration::days(365), NOW, ca_not_after).unwrap();
        assert_eq!(validity.not_after, ca_not_after);
    }

    #[test]
    fn an_expired_ca_signs_nothing() {
        for (expired, expected) in [
            (NOW - Duration::minutes(5), "the signer has expired: NotAfter=2026-11-22 11:55:00 +0000 UTC"),
            (
                NOW - Duration::minutes(5) + Duration::SECOND,
                "refusing to sign a certificate that expired in the past: NotAfter=2026-11-22 11:55:01 +0000 UTC",
            ),
            (
                NOW,
                "refusing to sign a certificate that expired in the past: NotAfter=2026-11-22 12:00:00 +0000 UTC",
            ),
        ] {
            assert_eq!(Validity::new(Duration::HOUR, NOW, expired).unwrap_err().to_string(), expected);
        }
        assert!(Validity::new(Duration::HOUR, NOW, NOW + Duration::SECOND).is_ok());
    }

    #[test]
    fn from_2050_on_times_have_four_digits_for_the_year() {
        for (time, identifier, digits) in [
            (datetime!(2049-12-31 23:59:59 UTC), UTC_TIME, "491231235959Z"),
            (datetime!(2050-01-01 0:00 UTC), GENERALIZED_TIME, "20500101000000Z"),
            (datetime!(1950-01-01 0:00 UTC), UTC_TIME, "500101000000Z"),
            (datetime!(1949-12-31 23:59:59 UTC), GENERALIZED_TIME, "19491231235959Z"),
        ] {
            let mut encoder = Encoder::default();
            write_time(&mut encoder, time);
            let encoded = encoder.finish();
            assert_eq!(encoded[0], identifier);
            assert_eq!(&encoded[2..], digits.as_bytes());
        }
    }
}
