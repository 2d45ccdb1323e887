use csr::Progress;

/// Leave to sign a request. There is no other way to [`crate::Signer::validate`], so that nothing is ever issued for a
/// request that is not approved.
#[derive(Debug)]
pub struct Approval(());

impl Approval {
    /// The approval that an object in a cluster has: a condition of type Approved, whatever its status, and none of type
    /// Denied; and it has not failed (`pkg/controller/certificates/certificate_controller_utils.go`).
    pub fn of(progress: &Progress) -> Option<Self> {
        let approved = progress.approved.is_some() && progress.denied.is_none();
        (approved && !progress.failed_effective).then_some(Self(()))
    }

    /// The approval of whoever holds the CA's key and signs at the command line.
    pub fn by_operator() -> Self {
        Self(())
    }
}

#[cfg(test)]
mod tests {
    use csr::Since;

    use super::*;

    #[test]
    fn only_what_is_approved_and_neither_denied_nor_failed_may_be_signed() {
        let stands = Some(Since(None));
        let approved = Progress { approved: stands, ..Progress::default() };
        for (progress, may) in [
            (approved, true),
            (Progress::default(), false),
            (Progress { denied: stands, ..Progress::default() }, false),
            (Progress { denied: stands, ..approved }, false),
            (Progress { failed: stands, ..approved }, true),
            (Progress { failed: stands, failed_effective: true, ..approved }, false),
        ] {
            assert_eq!(Approval::of(&progress).is_some(), may, "{progress:?}");
        }
    }
}
