use csr::{IssuedCertificate, NextActor, Progress, Rule, Since};
use time::{Duration, OffsetDateTime};

use crate::Retention;

/// The time that has to be exceeded for a rule to match; `None` when it does not apply.
type Deadline = fn(&Progress, &Retention) -> Option<OffsetDateTime>;

/// The six rules of kube-controller-manager's csrcleaner, in its order. An object is deleted when any of them matches.
///
/// None of them looks at a condition's status or at the signerName, and a zero time never matches
/// (`pkg/controller/certificates/cleaner/cleaner.go`).
const CLEANING: [(Rule, Deadline); 6] = [
    (rule("cleaning/issued", "an issued certificate is collected in time"), issued),
    (rule("cleaning/denied", "a denial is noticed in time"), |progress, keep| {
        after(progress.denied, keep.denied)
    }),
    (rule("cleaning/failed", "a failure is noticed in time"), |progress, keep| {
        after(progress.failed, keep.failed)
    }),
    (rule("cleaning/pending", "a request is approved or denied in time"), pending),
    (rule("cleaning/expired", "an issued certificate has not expired"), expired),
    (rule("cleaning/approved", "an approved request is signed in time"), approved),
];

/// The cleaning rules, for documentation, metrics and explanations.
pub static RULES: [Rule; 6] =
    [CLEANING[0].0, CLEANING[1].0, CLEANING[2].0, CLEANING[3].0, CLEANING[4].0, CLEANING[5].0];

/// The first cleaning rule that matches now.
pub(crate) fn matching(
    progress: &Progress,
    retention: &Retention,
    now: OffsetDateTime,
) -> Option<&'static Rule> {
    CLEANING
        .iter()
        .zip(&RULES)
        .find(|((_, deadline), _)| deadline(progress, retention).is_some_and(|at| now > at))
        .map(|(_, rule)| rule)
}

/// The first instant at which a cleaning rule matches, past or future, and that rule; `None` when none ever will.
pub fn deadline(progress: &Progress, retention: &Retention) -> Option<(OffsetDateTime, &'static Rule)> {
    let deadlines = CLEANING.iter().zip(&RULES).filter_map(|((_, deadline), rule)| {
        Some((deadline(progress, retention)?.checked_add(Duration::NANOSECOND)?, rule))
    });
    deadlines.min_by_key(|(at, _)| *at)
}

fn issued(progress: &Progress, keep: &Retention) -> Option<OffsetDateTime> {
    after(progress.approved, keep.issued).filter(|_| progress.certificate.is_present())
}

fn approved(progress: &Progress, keep: &Retention) -> Option<OffsetDateTime> {
    after(progress.approved, keep.approved).filter(|_| !progress.certificate.is_present())
}

fn pending(progress: &Progress, keep: &Retention) -> Option<OffsetDateTime> {
    let untouched = progress.approved.is_none()
        && progress.denied.is_none()
        && progress.failed.is_none()
        && !progress.other_conditions;
    after(untouched.then_some(Since(progress.created)), keep.pending)
}

/// Needs an approval, but not its time.
fn expired(progress: &Progress, keep: &Retention) -> Option<OffsetDateTime> {
    match progress.certificate {
        IssuedCertificate::NotAfter(at) => after(progress.approved.map(|_| Since(Some(at))), keep.expired),
        IssuedCertificate::None | IssuedCertificate::Unreadable => None,
    }
}

/// A requester may write any time into a status it can write to: one that overflows the calendar never comes.
fn after(since: Option<Since>, keep: std::time::Duration) -> Option<OffsetDateTime> {
    since?.0?.checked_add(Duration::try_from(keep).ok()?)
}

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule { id, title, remedy: "send a new request if one is still needed", next_actor: NextActor::Nobody }
}
