//! What is said about effects, and how often.

use std::time::Duration;

use approver::Question;
use csr::asn1::{self, Elements};
use csr::{CertificateSigningRequest, DerError, pem};
use http::StatusCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{Span, info_span};

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
        | Effect::Sign { object, .. }
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
        Effect::Ask(question) => info_span!("pass", step, question = ?question),
    }
}

/// A time as RFC 3339 has it, for a field of a log line.
pub(super) fn time(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}

/// A certificate is out: which one, and until when.
pub(super) fn issued(pem: &str) {
    // We made it, so it can be read; if not, it is out all the same.
    let (serial, end) = pem::blocks(pem.as_bytes())
        .next()
        .and_then(|block| serial_and_end(&block.contents).ok())
        .map_or((None, None), |(serial, end)| (Some(serial), time(end)));
    tracing::info!(cert.serial = serial, cert.not_after = end, "issued");
}

/// Of a certificate the serial number, in hexadecimal, and the end of its validity (RFC 5280 §4.1). Nothing else of it is decoded.
fn serial_and_end(certificate: &[u8]) -> Result<(String, OffsetDateTime), DerError> {
    let mut certificate = Elements(certificate).expect(asn1::SEQUENCE)?.children();
    let mut fields = certificate.expect(asn1::SEQUENCE)?.children();
    fields.optional(asn1::context(0))?;
    let octets = fields.expect(asn1::INTEGER)?.integer()?;
    let serial = octets.iter().fold(0, |number: u128, octet| number << 8 | u128::from(*octet));
    let (_signature_algorithm, _issuer) = (fields.any()?, fields.any()?);
    let mut validity = fields.expect(asn1::SEQUENCE)?.children();
    let (_not_before, not_after) = (validity.any()?, validity.any()?.time()?);
    Ok((format!("{serial:x}"), not_after))
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

#[cfg(test)]
mod tests {
    use ::time::macros::datetime;
    use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};

    use super::*;

    #[test]
    fn serial_number_and_end_of_a_certificate_are_read_as_they_are_written() {
        for (serial, expected) in
            [(vec![1], "1"), (vec![0xff; 16], "ffffffffffffffffffffffffffffffff"), (vec![0x0a, 0], "a00")]
        {
            let mut params = CertificateParams::default();
            params.serial_number = Some(SerialNumber::from(serial));
            params.not_after = date_time_ymd(2036, 11, 19);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let read = serial_and_end(certificate.der());
            assert_eq!(read, Ok((expected.to_owned(), datetime!(2036-11-19 0:00 UTC))));
        }
    }
}
