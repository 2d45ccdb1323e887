//! The transition table over the whole product of its inputs, against a reference written from upstream's rules alone.

use std::time::Duration as Std;

use csr::{IssuedCertificate, Progress, Since};
use engine::step::{Step, deadline, next};
use engine::{Duties, RULES, Retention, Retentions, Standing, Standings, cleaning_deadline};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);
const TICK: Duration = Duration::NANOSECOND;

/// What upstream's three controllers would do, from their sources (`pkg/controller/certificates`: `cleaner/cleaner.go`,
/// `approver/sarapprove.go`, `signer/signer.go`): which of the cleaner's rules matches first, whether the approver acts,
/// whether the signer does.
fn upstream(progress: &Progress, now: OffsetDateTime) -> (Option<usize>, bool, bool) {
    let older =
        |since: Option<OffsetDateTime>, limit: Duration| since.is_some_and(|since| now - since > limit);
    let time = |condition: Option<Since>| condition.and_then(|Since(time)| time);
    let issued = progress.certificate != IssuedCertificate::None;
    let has_no_conditions = progress.approved.is_none()
        && progress.denied.is_none()
        && progress.failed.is_none()
        && !progress.other_conditions;
    let expired = matches!(progress.certificate, IssuedCertificate::NotAfter(end) if end < now);
    let cleaned = [
        issued && older(time(progress.approved), Duration::hours(1)),
        older(time(progress.denied), Duration::hours(1)),
        older(time(progress.failed), Duration::hours(1)),
        has_no_conditions && older(progress.created, Duration::hours(24)),
        issued && progress.approved.is_some() && expired,
        !issued && older(time(progress.approved), Duration::hours(24)),
    ];
    let approver_acts = !issued && progress.approved.is_none() && progress.denied.is_none();
    let signer_acts =
        !issued && progress.approved.is_some() && progress.denied.is_none() && !progress.failed_effective;
    (cleaned.iter().position(|matches| *matches), approver_acts, signer_acts)
}

/// Times on both sides of every limit, the limits themselves, and the ends of the calendar.
fn times() -> Vec<OffsetDateTime> {
    let limits = [Duration::hours(1), Duration::hours(24)];
    let edges = limits.into_iter().flat_map(|limit| [NOW - limit - TICK, NOW - limit, NOW - limit + TICK]);
    edges.chain([NOW, datetime!(9999-12-31 23:59:59 UTC), datetime!(0001-01-02 0:00 UTC)]).collect()
}

fn conditions() -> Vec<Option<Since>> {
    let some = times().into_iter().map(|time| Some(Since(Some(time))));
    some.chain([None, Some(Since(None))]).collect()
}

fn certificates() -> [IssuedCertificate; 5] {
    let until = IssuedCertificate::NotAfter;
    [IssuedCertificate::None, IssuedCertificate::Unreadable, until(NOW - TICK), until(NOW), until(NOW + TICK)]
}

fn every_duties() -> impl Iterator<Item = Duties> {
    (0..8).map(|bits| Duties { approve: bits & 1 != 0, sign: bits & 2 != 0, clean: bits & 4 != 0 })
}

fn for_every_progress(mut check: impl FnMut(&Progress)) {
    let flags = [(false, false), (true, false), (false, true), (true, true)];
    for created in times().into_iter().map(Some).chain([None]) {
        for (failed_effective, other_conditions) in flags {
            for certificate in certificates() {
                for approved in conditions() {
                    for denied in conditions() {
                        for failed in conditions() {
                            check(&Progress {
                                created,
                                approved,
                                denied,
                                failed,
                                failed_effective,
                                other_conditions,
                                certificate,
                            });
                        }
                    }
                }
            }
        }
    }
}

fn standing(duties: Duties) -> Standing {
    Standing { duties, retention: Retention::default() }
}

#[test]
fn every_step_is_upstreams() {
    for_every_progress(|progress| {
        let (cleaned, approver_acts, signer_acts) = upstream(progress, NOW);
        for duties in every_duties() {
            let step = next(progress, &standing(duties), NOW);
            let expected = match cleaned {
                Some(rule) if duties.clean => step == Step::Clean(&RULES[rule]),
                _ if duties.approve && approver_acts => step == Step::Decide,
                _ if duties.sign && signer_acts => step == Step::Sign,
                _ => matches!(step, Step::Rest { .. }),
            };
            assert!(expected, "{step:?} for {progress:?} with {duties:?}");
        }
    });
}

#[test]
fn the_deadline_is_the_first_instant_at_which_a_rule_matches() {
    let cleaner = standing(Duties { approve: false, sign: false, clean: true });
    for_every_progress(|progress| match deadline(progress, &cleaner) {
        Some(deadline) => {
            assert!(matches!(next(progress, &cleaner, deadline), Step::Clean(_)), "not yet: {progress:?}");
            let early = next(progress, &cleaner, deadline - TICK);
            assert_eq!(early, Step::Rest { until: Some(deadline) }, "early: {progress:?}");
        }
        None => {
            let last = datetime!(9999-12-31 23:59:59.999_999_999 UTC);
            let finally = next(progress, &cleaner, last);
            assert_eq!(finally, Step::Rest { until: None }, "never: {progress:?}");
        }
    });
}

#[test]
fn without_the_duty_to_clean_nothing_is_ever_due() {
    let standing = standing(Duties { approve: true, sign: true, clean: false });
    let denied = Progress { denied: Some(Since(Some(NOW))), ..Progress::default() };
    assert_eq!(deadline(&denied, &standing), None);
    assert_eq!(next(&denied, &standing, NOW + Duration::days(9)), Step::Rest { until: None });
}

#[test]
fn a_retention_of_its_own_moves_one_rule_and_no_other() {
    let short = Std::from_secs(60);
    let upstream = Retention::default();
    for (retention, progress) in [
        (Retention { issued: short, ..upstream }, progress(true, IssuedCertificate::Unreadable)),
        (Retention { approved: short, ..upstream }, progress(true, IssuedCertificate::None)),
        (Retention { pending: short, ..upstream }, progress(false, IssuedCertificate::None)),
        (Retention { expired: short, ..upstream }, progress(true, IssuedCertificate::NotAfter(NOW))),
    ] {
        let standing = Standing { duties: Duties { clean: true, ..Duties::default() }, retention };
        assert_eq!(deadline(&progress, &standing), Some(NOW + short + TICK), "{retention:?}");
        let since = Some(Since(Some(NOW)));
        let denied = Progress { denied: since, ..Progress::default() };
        let failed = Progress { failed: since, ..Progress::default() };
        for other in [denied, failed] {
            assert_eq!(deadline(&other, &standing), Some(NOW + Duration::hours(1) + TICK), "{retention:?}");
        }
    }
}

#[test]
fn a_signer_with_a_retention_of_its_own_has_no_other() {
    let own = Retention { pending: Std::from_secs(60), ..Retention::default() };
    let general = Retention { pending: Std::from_secs(600), ..Retention::default() };
    let retention = Retentions { general, of_signers: [("example.com/a".into(), own)].into() };
    let standings =
        Standings { duties: Duties { clean: true, ..Duties::default() }, retention, ..Default::default() };
    let pending = progress(false, IssuedCertificate::None);
    for (signer, seconds) in [("example.com/a", 60), ("example.com/b", 600), ("example.com/A", 600)] {
        let expected = NOW + Duration::seconds(seconds) + TICK;
        assert_eq!(deadline(&pending, &standings.of(&signer.into())), Some(expected), "{signer}");
    }
}

#[test]
fn the_rule_that_will_clean_is_the_one_that_does() {
    for_every_progress(|progress| {
        let Some((at, rule)) = cleaning_deadline(progress, &Retention::default()) else { return };
        let cleaner = standing(Duties { clean: true, ..Duties::default() });
        assert_eq!(next(progress, &cleaner, at), Step::Clean(rule), "{progress:?}");
    });
}

#[test]
fn every_cleaning_rule_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    assert!(ids.iter().all(|id| id.starts_with("cleaning/")), "{ids:?}");
}

fn progress(approved: bool, certificate: IssuedCertificate) -> Progress {
    let approved = approved.then_some(Since(Some(NOW)));
    Progress { created: Some(NOW), approved, certificate, ..Progress::default() }
}
