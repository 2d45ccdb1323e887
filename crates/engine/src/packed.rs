use csr::{IssuedCertificate, Progress, Since};
use time::OffsetDateTime;

use crate::moment::Moment;

/// A [`Progress`] in half the space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedProgress {
    /// Creation, approval, denial, failure, end of the certificate; what a missing one holds is not looked at.
    times: [Moment; 5],
    flags: u16,
}

const CREATED: usize = 0;
const APPROVED: usize = 1;
const DENIED: usize = 2;
const FAILED: usize = 3;
const NOT_AFTER: usize = 4;

/// Bits 0 to 4 tell which times are known, bits 8 and up what else is so.
const CONDITION: u16 = 8;
const FAILED_EFFECTIVE: u16 = 1 << 12;
const OTHER_CONDITIONS: u16 = 1 << 13;
const CERTIFICATE: u16 = 1 << 14;

impl PackedProgress {
    fn put(&mut self, place: usize, time: Option<OffsetDateTime>) {
        if let Some(time) = time {
            self.times[place] = time.into();
            self.flags |= 1 << place;
        }
    }

    fn put_condition(&mut self, place: usize, since: Option<Since>) {
        if let Some(Since(time)) = since {
            self.flags |= 1 << (CONDITION as usize + place);
            self.put(place, time);
        }
    }

    fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn time(self, place: usize) -> Option<OffsetDateTime> {
        self.has(1 << place).then(|| self.times[place].into())
    }

    fn condition(self, place: usize) -> Option<Since> {
        self.has(1 << (CONDITION as usize + place)).then(|| Since(self.time(place)))
    }

    fn certificate(self) -> IssuedCertificate {
        if !self.has(CERTIFICATE) {
            return IssuedCertificate::None;
        }
        self.time(NOT_AFTER).map_or(IssuedCertificate::Unreadable, IssuedCertificate::NotAfter)
    }
}

impl From<Progress> for PackedProgress {
    fn from(progress: Progress) -> Self {
        let mut packed = Self { times: [Moment::NEVER; 5], flags: 0 };
        packed.put(CREATED, progress.created);
        packed.put_condition(APPROVED, progress.approved);
        packed.put_condition(DENIED, progress.denied);
        packed.put_condition(FAILED, progress.failed);
        if progress.failed_effective {
            packed.flags |= FAILED_EFFECTIVE;
        }
        if progress.other_conditions {
            packed.flags |= OTHER_CONDITIONS;
        }
        if progress.certificate.is_present() {
            packed.flags |= CERTIFICATE;
        }
        if let IssuedCertificate::NotAfter(time) = progress.certificate {
            packed.put(NOT_AFTER, Some(time));
        }
        packed
    }
}

impl From<PackedProgress> for Progress {
    fn from(packed: PackedProgress) -> Self {
        Self {
            created: packed.time(CREATED),
            approved: packed.condition(APPROVED),
            denied: packed.condition(DENIED),
            failed: packed.condition(FAILED),
            failed_effective: packed.has(FAILED_EFFECTIVE),
            other_conditions: packed.has(OTHER_CONDITIONS),
            certificate: packed.certificate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time() -> impl Strategy<Value = OffsetDateTime> {
        (0..4_000_000_000_i64).prop_map(|at| OffsetDateTime::from_unix_timestamp(at).unwrap())
    }

    fn since() -> impl Strategy<Value = Option<Since>> {
        prop::option::of(prop::option::of(time()).prop_map(Since))
    }

    fn certificate() -> impl Strategy<Value = IssuedCertificate> {
        prop_oneof![
            Just(IssuedCertificate::None),
            Just(IssuedCertificate::Unreadable),
            time().prop_map(IssuedCertificate::NotAfter),
        ]
    }

    proptest! {
        #[test]
        fn a_progress_comes_back_as_it_was(
            created in prop::option::of(time()),
            (approved, denied, failed) in (since(), since(), since()),
            failed_effective: bool,
            other_conditions: bool,
            certificate in certificate(),
        ) {
            let progress =
                Progress { created, approved, denied, failed, failed_effective, other_conditions, certificate };
            prop_assert_eq!(Progress::from(PackedProgress::from(progress)), progress);
        }
    }
}
