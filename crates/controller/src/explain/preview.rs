//! What the signer will make of a request, before it does: its own checks, for which no key is needed.

use std::collections::BTreeMap;

use ::config::{Configuration, GivenLifetime};
use approver::ReservedSubjects;
use csr::{Rejection, Request, Rule, SignerName};
use serde::Serialize;
use signer::{Profile, RuleFinding, Validity};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::{Finding, Found, Subject};
use crate::policy::profile;

/// What a controller signs by, but for its keys.
#[derive(Clone, Debug, Default)]
pub struct Signing {
    /// How long certificates last when nothing shorter is asked for (`--cluster-signing-duration`).
    pub lifetime: Duration,

    /// What the configuration file says.
    pub configuration: Configuration,

    /// When the CA of each signer expires, as far as that is known.
    pub ca_not_after: BTreeMap<SignerName, OffsetDateTime>,
}

/// What a signer will make of a request. Its JSON form has names that stay.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Every rule of the signer, in order.
    pub findings: Vec<Finding>,

    /// When a certificate that were issued now would expire (RFC 3339); `None` where there will be none.
    pub not_after: Option<String>,

    /// What decides that.
    pub limit: String,

    #[serde(skip)]
    verdict: Result<Validity, Obstacle>,
}

/// What keeps a signer from signing what is approved.
#[derive(Clone, Debug)]
pub(super) enum Obstacle {
    /// It will say so in a condition.
    Refused(Rejection),
    /// It will try again and again.
    Fails(signer::Error),
}

impl Preview {
    /// What the signer would make of a request now; `None` where nobody here signs it.
    pub(super) fn new(request: &Request, subject: Subject<'_>) -> Option<Self> {
        let Subject { signing, policy, now, .. } = subject;
        let profile = profile(&signing.configuration, request.signer_name(), signing.lifetime)?;
        let ca_not_after = signing.ca_not_after.get(request.signer_name()).copied();
        let guard = policy.reserved_subjects.as_ref();
        let guard = guard.filter(|_| ReservedSubjects::concern(request.signer_name()));
        let guarded = guard.map_or(Ok(()), |guard| guard.check(request));
        let permitted = profile.validate(request).and_then(|()| guarded.clone());
        let verdict = permitted.map_err(Obstacle::Refused).and_then(|()| {
            let end = ca_not_after.unwrap_or(PrimitiveDateTime::MAX.assume_utc());
            profile.validity(request, now, end).map_err(Obstacle::Fails)
        });
        let validity = verdict.as_ref().ok();
        let mut findings = findings(&profile, request);
        if guard.is_some() {
            findings.push(guard_finding(&findings, guarded));
        }
        Some(Self {
            findings,
            not_after: validity.and_then(|validity| validity.not_after.format(&Rfc3339).ok()),
            limit: validity
                .map(|validity| limit(request, signing, (&profile, *validity)))
                .unwrap_or_default(),
            verdict,
        })
    }

    /// What will keep the signer from it.
    pub(super) fn obstacle(&self) -> Option<&Obstacle> {
        self.verdict.as_ref().err()
    }
}

/// Every rule up to the first that is broken; those behind it are not reached.
fn findings(profile: &Profile, request: &Request) -> Vec<Finding> {
    let mut broken = false;
    let found = |(rule, finding): RuleFinding| {
        if broken {
            return Finding::not_reached(rule);
        }
        let fault = finding.err();
        broken = fault.is_some();
        let result = if broken { Found::Fail } else { Found::Pass };
        let note = fault.map(|fault| fault.to_string()).unwrap_or_default();
        Finding { rule: rule.id, title: rule.title, holds: Some(!broken), result, note }
    };
    profile.trace(request).into_iter().map(found).collect()
}

/// What the guard on subjects says, which is asked last.
fn guard_finding(before: &[Finding], guarded: Result<(), Rejection>) -> Finding {
    if before.iter().any(|finding| finding.holds != Some(true)) {
        return Finding::not_reached(ReservedSubjects::RULE);
    }
    let (result, note) = match &guarded {
        Ok(()) => (Found::Pass, String::new()),
        Err(rejection) => (Found::Fail, rejection.to_string()),
    };
    let Rule { id, title, .. } = *ReservedSubjects::RULE;
    Finding { rule: id, title, holds: Some(guarded.is_ok()), result, note }
}

/// What decides when a certificate expires.
fn limit(request: &Request, signing: &Signing, (profile, validity): (&Profile, Validity)) -> String {
    let configured = signing.configuration.signer(request.signer_name());
    let is_configured = configured.is_some_and(|signer| signer.lifetime != GivenLifetime::default());
    let ca_not_after = signing.ca_not_after.get(request.signer_name());
    if ca_not_after == Some(&validity.not_after) {
        return "when its CA does".to_owned();
    }
    let lifetime = profile.terms().lifetime;
    let requested = request.expiration_seconds().map(|seconds| Duration::seconds(seconds.into()));
    let limit = match requested {
        None if is_configured => "no lifetime is asked for: the signer's in the configuration file",
        None => "no lifetime is asked for: --cluster-signing-duration",
        Some(requested) if requested > lifetime.max && is_configured => {
            "longer is asked for: the signer's longest in the configuration file"
        }
        Some(requested) if requested > lifetime.max => "longer is asked for: --cluster-signing-duration",
        Some(requested) if requested < lifetime.min => "shorter is asked for than any certificate lasts",
        Some(_) => "as asked for",
    };
    let unless = if ca_not_after.is_none() { ", unless its CA expires before" } else { "" };
    format!("{limit}{unless}")
}
