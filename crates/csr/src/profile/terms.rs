//! How certificates are made, as values.

use time::Duration;

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

/// For clocks that are behind.
pub const BACKDATING: Duration = Duration::minutes(5);

/// How long a certificate lasts at least, whatever is asked for, unless the signer is configured to less.
pub const SHORTEST_LIFETIME: Duration = Duration::minutes(10);

#[cfg(test)]
mod tests {
    use super::*;

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
}
