//! How long a certificate is valid.

use csr::profile::Terms;
use time::{Duration, OffsetDateTime};

use crate::{Error, SerialNumber, Validity};

/// When a certificate is valid for which `requested` seconds were asked; with the jitter that its number stands for.
pub(super) fn validity(
    terms: &Terms,
    requested: Option<i32>,
    (now, ca_not_after): (OffsetDateTime, OffsetDateTime),
    serial: Option<SerialNumber>,
) -> Result<Validity, Error> {
    let lifetime = terms.lifetime.of(requested);
    let less = serial.map_or(Duration::ZERO, |serial| shortening(terms, lifetime, serial));
    Validity::backdated(terms.backdate, lifetime - less, (now, ca_not_after))
}

/// A number of seconds below the jitter, the same for the same number.
fn shortening(terms: &Terms, lifetime: Duration, serial: SerialNumber) -> Duration {
    let most = terms.jitter.min(lifetime / 10).max(Duration::ZERO).whole_seconds();
    // The last octets: the first may be fixed by those who draw numbers otherwise.
    let fraction = u32::from_be_bytes(*serial.octets().last_chunk().unwrap_or(&[0; 4]));
    let seconds = (i128::from(most) * i128::from(fraction)) >> u32::BITS;
    Duration::seconds(i64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00 UTC);
    const LATE: OffsetDateTime = datetime!(2046-11-22 12:00:00 UTC);

    #[test]
    fn what_is_backdated_less_begins_later() {
        let terms = Terms { backdate: Duration::SECOND, ..Terms::upstream(Duration::hours(9)) };
        let validity = validity(&terms, None, (NOW, LATE), None).unwrap();
        assert_eq!(validity.not_before, NOW - Duration::SECOND);
        assert_eq!(validity.not_after - validity.not_before, Duration::hours(9));
    }

    #[test]
    fn jitter_is_spread_by_the_number_and_bounded_by_a_tenth() {
        let jitter = Duration::hours(10);
        for (last, hours, less) in [
            (0, 1000, Duration::ZERO),
            (u32::MAX, 1000, jitter - Duration::SECOND),
            (1 << 31, 1000, Duration::hours(5)),
            (1 << 31, 10, Duration::minutes(30)),
        ] {
            let terms = Terms { jitter, ..Terms::upstream(Duration::hours(hours)) };
            let serial = SerialNumber::from_random(u128::from(last).to_be_bytes());
            let whole = validity(&terms, None, (NOW, LATE), None).unwrap();
            let validity = validity(&terms, None, (NOW, LATE), Some(serial)).unwrap();
            assert_eq!(whole.not_after - validity.not_after, less, "{last} {hours}");
        }
    }

    proptest! {
        #[test]
        fn validity_is_always_within_the_ca(
            requested in any::<Option<i32>>(),
            (configured, jitter) in (any::<i64>(), 0..i64::MAX),
            left in -1_000_i64..100_000_000,
            serial in any::<[u8; 16]>(),
        ) {
            let ca_not_after = NOW + Duration::seconds(left);
            let upstream = Terms::upstream(Duration::nanoseconds(configured));
            let terms = Terms { jitter: Duration::nanoseconds(jitter), ..upstream };
            let serial = Some(SerialNumber::from_random(serial));
            if let Ok(validity) = validity(&terms, requested, (NOW, ca_not_after), serial) {
                prop_assert!(validity.not_after <= ca_not_after && NOW < ca_not_after);
                prop_assert!(validity.not_before < NOW);
            }
        }
    }
}
