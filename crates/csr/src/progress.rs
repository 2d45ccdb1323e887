use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use time::OffsetDateTime;

use crate::asn1::{self, DerError, Elements};
use crate::pem;

/// Where an object stands, in the terms that upstream's rules look at.
///
/// Signer, approver and cleaner disagree about what counts: the approver does not look at Failed, the signer takes a
/// Failed with status `False` for no failure, the cleaner looks at no status at all, and a zero time never reaches a
/// deadline (`pkg/controller/certificates/{certificate_controller_utils,approver,cleaner}`). So this keeps the facts,
/// and the rules read them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Progress {
    /// `metadata.creationTimestamp`; `None` when zero.
    pub created: Option<OffsetDateTime>,

    /// A condition of type Approved, whatever its status.
    pub approved: Option<Since>,

    /// A condition of type Denied, whatever its status.
    pub denied: Option<Since>,

    /// A condition of type Failed, whatever its status.
    pub failed: Option<Since>,

    /// A condition of type Failed whose status is `True` or empty: what a signer takes for a failure.
    pub failed_effective: bool,

    /// A condition of any other type: such an object is never cleaned for having no condition.
    pub other_conditions: bool,

    /// What `status.certificate` holds.
    pub certificate: IssuedCertificate,
}

/// Since when a condition stands: the earliest `lastUpdateTime` of its type; `None` when that is zero.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Since(pub Option<OffsetDateTime>);

impl Since {
    /// The earlier of both; a zero time is no time.
    pub fn earlier(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        })
    }
}

/// What `status.certificate` holds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum IssuedCertificate {
    /// Nothing yet.
    #[default]
    None,

    /// Something in which no certificate can be read; it counts as issued, and never expires.
    Unreadable,

    /// A certificate that is valid up to this time.
    NotAfter(OffsetDateTime),
}

impl IssuedCertificate {
    /// What a `status.certificate`, in base64, holds: the first certificate of its first PEM block counts, as for
    /// upstream's cleaner.
    pub fn from_base64(encoded: &str) -> Self {
        if encoded.is_empty() {
            return Self::None;
        }
        not_after(encoded).map_or(Self::Unreadable, Self::NotAfter)
    }

    /// Whether `status.certificate` is filled, readable or not.
    pub fn is_present(self) -> bool {
        !matches!(self, Self::None)
    }
}

fn not_after(encoded: &str) -> Option<OffsetDateTime> {
    let text = BASE64_STANDARD.decode(encoded).ok()?;
    let block = pem::blocks(&text).next()?;
    read_not_after(&block.contents).ok()
}

/// The end of the validity of the first certificate in `octets` (RFC 5280 §4.1.2.5).
fn read_not_after(octets: &[u8]) -> Result<OffsetDateTime, DerError> {
    let mut certificate = Elements(octets).expect(asn1::SEQUENCE)?.children();
    let mut fields = certificate.expect(asn1::SEQUENCE)?.children();
    fields.optional(asn1::context(0))?;
    fields.expect(asn1::INTEGER)?;
    let (_signature_algorithm, _issuer) = (fields.expect(asn1::SEQUENCE)?, fields.expect(asn1::SEQUENCE)?);
    let mut validity = fields.expect(asn1::SEQUENCE)?.children();
    let (_not_before, not_after) = (validity.any()?.time()?, validity.any()?.time()?);
    Ok(not_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    /// A self-signed P-256 certificate that expires on 2036-11-19.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBbTCCAROgAwIBAgIUZgFUlKzqcX+QcJafDK9tJKo7mxEwCgYIKoZIzj0EAwIw\n\
DDEKMAgGA1UEAwwBYTAeFw0yNjExMjIwODE4NTJaFw0zNjExMTkwODE4NTJaMAwx\n\
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATtTQQ4jhE8QGyj\n\
Uutc1fLlYzj7lIaQUw4xnu2DlPEJKZohS2jc2xmkTYakX7lYURoo5S8MIl04zHNU\n\
9lIBbA4+o1MwUTAdBgNVHQ4EFgQULjCu0rhKEsCkd5KGYsLAnereankwHwYDVR0j\n\
BBgwFoAULjCu0rhKEsCkd5KGYsLAnereankwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n\
hkjOPQQDAgNIADBFAiAgN0VgAzfRkj/8Qf0OTzvkw8yriQa14tFd1L5L0tWrnQIh\n\
ANQp+ma759K2vNCIPaVwIk65EI20b4QogyDz+Q7D0yIz\n\
-----END CERTIFICATE-----\n\n";

    #[test]
    fn the_first_certificate_of_the_first_block_counts() {
        let expires = IssuedCertificate::NotAfter(datetime!(2036-11-19 08:18:52 UTC));
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, expected) in [
            (String::new(), IssuedCertificate::None),
            (CERTIFICATE.into(), expires),
            (CERTIFICATE.trim_end().into(), expires),
            (format!("leading text\n{CERTIFICATE}between{junk}"), expires),
            (format!("{junk}{CERTIFICATE}"), IssuedCertificate::Unreadable),
            ("no PEM at all".into(), IssuedCertificate::Unreadable),
            ("-----BEGIN CERTIFICATE-----".into(), IssuedCertificate::Unreadable),
        ] {
            assert_eq!(IssuedCertificate::from_base64(&BASE64_STANDARD.encode(&pem)), expected, "{pem}");
        }
        assert_eq!(IssuedCertificate::from_base64("%"), IssuedCertificate::Unreadable);
    }

    #[test]
    fn of_two_times_the_earlier_counts_and_a_zero_time_is_none() {
        let (early, late) =
            (Since(Some(datetime!(2026-01-01 0:00 UTC))), Since(Some(datetime!(2026-01-02 0:00 UTC))));
        for (one, two, expected) in
            [(early, late, early), (late, early, early), (Since(None), late, late), (late, Since(None), late)]
        {
            assert_eq!(one.earlier(two), expected);
        }
    }
}
