//! What is said about effects, and how often.

use std::time::Duration;

use approver::Question;
use csr::CertificateSigningRequest;
use http::StatusCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{Span, info_span};
use x509_cert::der::DecodePem;

use super::issue::IssueError;
use super::{Effect, Executor};
use crate::kube::call::CallError;

/// A failure that many requests share is said once in this time, and else at DEBUG.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// Admission's words where the verb on the signer is missing, and not the one on the object
/// (`plugin/pkg/admission/certificates`).
const MAY_NOT: [(&str, &str); 2] =
    [("not permitted to approve requests", "approve"), ("not permitted to sign requests", "sign")];

/// The span of one effect. Names come from requesters, so they are quoted.
pub(super) fn span(effect: &Effect) -> Span {
    let step = effect.label();
    match effect {
        Effect::Decide { object, .. }
        | Effect::Sign { object }
        | Effect::Approve { object, .. }
        | Effect::Deny { object, .. }
        | Effect::Fail { object, .. }
        | Effect::Publish { object, .. } => of_object(step, object),
        Effect::Read { name } | Effect::Delete { name, .. } => info_span!("pass", step, csr.name = ?name),
        Effect::Ask(Question::Review(permission)) => info_span!(
            "pass",
            step,
            csr.requester = ?permission.requester.username,
            recognizer = permission.recognizer.label(),
        ),
    }
}

/// A time as RFC 3339 has it, for a field of a log line.
pub(super) fn time(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}

/// A certificate is out: which one, and until when.
pub(super) fn issued(pem: &str) {
    // We made it, so it can be read; if not, it is out all the same.
    let certificate = x509_cert::Certificate::from_pem(pem).ok();
    let tbs = certificate.as_ref().map(x509_cert::Certificate::tbs_certificate);
    let serial = tbs.map(|tbs| {
        let octets = tbs.serial_number().as_bytes();
        format!("{:x}", octets.iter().fold(0, |number: u128, octet| number << 8 | u128::from(*octet)))
    });
    let end = tbs.map(|tbs| tbs.validity().not_after.to_unix_duration().as_secs());
    let end = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end.try_into().ok()?).ok());
    tracing::info!(cert.serial = serial, cert.not_after = end.and_then(time), "issued");
}

fn of_object(step: &'static str, object: &CertificateSigningRequest) -> Span {
    let spec = object.spec();
    info_span!(
        "pass",
        step,
        csr.name = ?object.name(),
        csr.signer = ?spec.signer_name.as_str(),
        csr.requester = ?spec.requester.username,
        cert.serial = tracing::field::Empty,
        cert.not_after = tracing::field::Empty,
    )
}

impl Executor {
    /// Says why there is no certificate yet: a CA that has expired fails every request, again and again.
    pub(super) fn report_unsigned(&self, error: &IssueError) {
        let cause = error as &dyn std::error::Error;
        if self.said.permits(error.label()) {
            tracing::warn!(error = cause, "failed to sign, retrying");
        } else {
            tracing::debug!(error = cause, "failed to sign, retrying");
        }
    }

    /// Says why a call failed: what RBAC lacks by name, what the whole API server suffers from once a minute, and what is
    /// wrong with one object each time.
    pub(super) fn report(&self, error: &CallError) {
        if let CallError::Status { operation, code: StatusCode::FORBIDDEN, message, .. } = error {
            let signer_verb = MAY_NOT.iter().find(|(words, _)| message.contains(words));
            return match signer_verb {
                Some((_, verb)) => self.missing.report(verb, "certificates.k8s.io/signers", message),
                None => self.missing.report(operation.verb, operation.resource, message),
            };
        }
        let cause = error as &dyn std::error::Error;
        let of_one_object = matches!(error.code(), Some(StatusCode::UNPROCESSABLE_ENTITY));
        if of_one_object || self.said.permits(error.label()) {
            tracing::warn!(error = cause, "the API server did not do it, retrying");
        } else {
            tracing::debug!(error = cause, "the API server did not do it, retrying");
        }
    }
}
