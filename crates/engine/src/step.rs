//! The transition table: what is to be done next with an object, given where it stands and what our part in it is.

use csr::{Progress, Rule};
use time::OffsetDateTime;

use crate::{Standing, retention};

/// What is to be done next with one object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Delete it: this rule matches.
    Clean(&'static Rule),

    /// Ask the approver whether its requester may have it.
    Decide,

    /// Validate, sign and publish.
    Sign,

    /// Nothing, before this time at the earliest, or for ever.
    Rest {
        /// When a cleaning rule will match.
        until: Option<OffsetDateTime>,
    },
}

/// The next step for an object in this state. The only transition table there is.
///
/// Each rule is upstream's, and upstream's controllers disagree on purpose (`pkg/controller/certificates`): the cleaner
/// looks at every signerName, the approver does not look at Failed, the signer takes a denial or an effective failure for
/// the end. A due cleaning goes first, for what is signed past its time would be deleted at once.
pub fn next(progress: &Progress, standing: &Standing, now: OffsetDateTime) -> Step {
    let Standing { duties, retention } = standing;
    if duties.clean
        && let Some(rule) = retention::matching(progress, retention, now)
    {
        return Step::Clean(rule);
    }
    if duties.approve && is_undecided(progress) {
        return Step::Decide;
    }
    if duties.sign && is_signable(progress) {
        return Step::Sign;
    }
    Step::Rest { until: deadline(progress, standing) }
}

/// The first instant, past or future, at which the table says [`Step::Clean`]; `None` when it never will.
pub fn deadline(progress: &Progress, standing: &Standing) -> Option<OffsetDateTime> {
    let (at, _) = retention::deadline(progress, &standing.retention).filter(|_| standing.duties.clean)?;
    Some(at)
}

fn is_undecided(progress: &Progress) -> bool {
    progress.approved.is_none() && progress.denied.is_none() && !progress.certificate.is_present()
}

fn is_signable(progress: &Progress) -> bool {
    progress.approved.is_some()
        && progress.denied.is_none()
        && !progress.failed_effective
        && !progress.certificate.is_present()
}

impl Step {
    /// The step in one word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Clean(_) => "clean",
            Self::Decide => "decide",
            Self::Sign => "sign",
            Self::Rest { .. } => "rest",
        }
    }

    /// Whether it is the same work as another step, whatever rule or time goes with it.
    pub(crate) fn is_same_work(self, other: Self) -> bool {
        self.label() == other.label()
    }
}
