use time::{Duration, OffsetDateTime};

use crate::validity::{BACKDATING, SHORTEST_LIFETIME, Validity};
use crate::{Error, SerialNumber};

/// How a certificate is made, whatever it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// How long certificates last.
    pub lifetime: Lifetime,

    /// How long before its issuance a certificate begins to be valid, for clocks that are behind.
    pub backdate: Duration,

    /// By how much certificates last less at most, each by another part of it, so that those that were issued together do not
    /// all expire together; never more than a tenth of the lifetime.
    pub jitter: Duration,

    /// What is published besides the certificate.
    pub chain: Chain,

    /// Where certificates say that more is to be found.
    pub pointers: Pointers,
}

/// How long certificates last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    /// The shortest: who asks for less gets this, unless even the longest is shorter.
    pub min: Duration,

    /// That of a certificate for which no lifetime is asked for.
    pub default: Duration,

    /// The longest: who asks for more gets this.
    pub max: Duration,
}

/// What is published besides the certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Chain {
    /// Nothing.
    #[default]
    Leaf,
    /// The certificates in the CA's file that are not self-signed, that of the signing CA first: for relying parties that know
    /// the root alone.
    Intermediates,
}

/// URLs in a certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pointers {
    /// OCSP responders (RFC 5280 §4.2.2.1).
    pub ocsp: Vec<String>,

    /// The CA's own certificate (RFC 5280 §4.2.2.1).
    pub ca_issuers: Vec<String>,

    /// Lists of revoked certificates (RFC 5280 §4.2.1.13).
    pub crl: Vec<String>,
}

impl Terms {
    /// Upstream's: at most `lifetime`, at least ten minutes, five minutes of which are past; the certificate alone.
    #[must_use]
    pub fn upstream(lifetime: Duration) -> Self {
        Self {
            lifetime: Lifetime { min: SHORTEST_LIFETIME, default: lifetime, max: lifetime },
            backdate: BACKDATING,
            jitter: Duration::ZERO,
            chain: Chain::Leaf,
            pointers: Pointers::default(),
        }
    }

    /// When a certificate is valid for which `requested` seconds were asked; with the jitter that its number stands for.
    pub(crate) fn validity(
        &self,
        requested: Option<i32>,
        (now, ca_not_after): (OffsetDateTime, OffsetDateTime),
        serial: Option<SerialNumber>,
    ) -> Result<Validity, Error> {
        let lifetime = self.lifetime.of(requested);
        let less = serial.map_or(Duration::ZERO, |serial| self.shortening(lifetime, serial));
        Validity::backdated(self.backdate, lifetime - less, (now, ca_not_after))
    }

    /// A number of seconds below the jitter, the same for the same number.
    fn shortening(&self, lifetime: Duration, serial: SerialNumber) -> Duration {
        let most = self.jitter.min(lifetime / 10).max(Duration::ZERO).whole_seconds();
        // The last octets: the first may be fixed by those who draw numbers otherwise.
        let fraction = u32::from_be_bytes(*serial.octets().last_chunk().unwrap_or(&[0; 4]));
        let seconds = (i128::from(most) * i128::from(fraction)) >> u32::BITS;
        Duration::seconds(i64::try_from(seconds).unwrap_or(0))
    }
}

impl Lifetime {
    /// How long a certificate lasts for which `requested` seconds were asked. What is configured wins over the shortest lifetime;
    /// it may even be zero or negative, which upstream does not check (`(*signer).duration` in upstream's `signer.go`).
    #[must_use]
    pub fn of(self, requested: Option<i32>) -> Duration {
        let Some(seconds) = requested else {
            return self.default;
        };
        let requested = Duration::seconds(seconds.into());
        if requested > self.max { self.max } else { requested.max(self.min) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00 UTC);
    const LATE: OffsetDateTime = datetime!(2046-11-22 12:00:00 UTC);

    #[test]
    fn the_lifetime_is_what_was_asked_for_within_bounds() {
        let hour = Duration::hours(1);
        for (requested, configured, expected) in [
            (None, hour, hour),
            (Some(30 * 60), hour, Duration::minutes(30)),
            (Some(3 * 3600), hour, hour),
            (Some(3600), hour, hour),
            (Some(600), hour, SHORTEST_LIFETIME),
            (Some(599), hour, SHORTEST_LIFETIME),
            (Some(-60), hour, SHORTEST_LIFETIME),
            (Some(i32::MIN), hour, SHORTEST_LIFETIME),
            (Some(600), Duration::minutes(5), Duration::minutes(5)),
            (Some(60), Duration::minutes(5), SHORTEST_LIFETIME),
            (None, Duration::ZERO, Duration::ZERO),
            (Some(1), -hour, -hour),
        ] {
            let lifetime = Terms::upstream(configured).lifetime;
            assert_eq!(lifetime.of(requested), expected, "{requested:?} of {configured}");
        }
    }

    #[test]
    fn a_configured_lifetime_has_three_bounds() {
        let lifetime =
            Lifetime { min: Duration::hours(1), default: Duration::hours(8), max: Duration::hours(24) };
        for (requested, hours) in [(None, 8), (Some(60), 1), (Some(2 * 3600), 2), (Some(i32::MAX), 24)] {
            assert_eq!(lifetime.of(requested), Duration::hours(hours), "{requested:?}");
        }
    }

    #[test]
    fn what_is_backdated_less_begins_later() {
        let terms = Terms { backdate: Duration::SECOND, ..Terms::upstream(Duration::hours(9)) };
        let validity = terms.validity(None, (NOW, LATE), None).unwrap();
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
            let whole = terms.validity(None, (NOW, LATE), None).unwrap();
            let validity = terms.validity(None, (NOW, LATE), Some(serial)).unwrap();
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
            if let Ok(validity) = terms.validity(requested, (NOW, ca_not_after), serial) {
                prop_assert!(validity.not_after <= ca_not_after && NOW < ca_not_after);
                prop_assert!(validity.not_before < NOW);
            }
        }
    }
}
