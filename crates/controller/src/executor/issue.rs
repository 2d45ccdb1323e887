//! From an approved object to a certificate, on a thread of its own.

use csr::{CertificateSigningRequest, Condition, ConditionType, ParseError, Rejection, Request, SignerName};
use signer::{Approval, Certificate, SerialNumber};
use time::OffsetDateTime;

use super::report;
use crate::cluster_ca::Clash;
use crate::policy::Policy;

/// What came of it.
#[derive(Debug)]
pub(super) enum Issued {
    /// The certificate, in PEM.
    Certificate(String),

    /// The request is not acceptable, for ever.
    Rejection {
        /// What to tell the requester.
        condition: Condition,
        /// The rejection in a word, for metrics.
        label: &'static str,
    },
}

/// Why there is no certificate yet. As upstream, none of it is written into a condition, and all of it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum IssueError {
    /// Nobody but the API server's validation is between us and such a request.
    #[error("unable to parse csr")]
    Unreadable(#[source] ParseError),

    /// The engine asked for what must not be done.
    #[error("the request is not approved")]
    NotApproved,

    /// A reload took the signer away.
    #[error("nobody signs for {0} any more")]
    NoSigner(SignerName),

    /// Who trusts its certificates is not known, or is the cluster: what it signs could be worth more than it says.
    #[error("{0} does not sign")]
    Clash(SignerName, #[source] Clash),

    /// The signer could not.
    #[error("error auto signing csr")]
    Signer(#[from] signer::Error),

    /// No random octets for a serial number.
    #[error("failed to draw a serial number")]
    Random,
}

impl IssueError {
    /// The error in a word, for metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "request_unreadable",
            Self::NotApproved => "not_approved",
            Self::NoSigner(_) => "no_signer",
            Self::Clash(_, clash) => clash.label(),
            Self::Signer(error) => error.label(),
            Self::Random => "random",
        }
    }
}

/// Validates, prepares, signs and verifies, now.
pub(super) fn issue(object: &CertificateSigningRequest, policy: &Policy) -> Result<Issued, IssueError> {
    let approval = Approval::of(&object.progress()).ok_or(IssueError::NotApproved)?;
    let signer_name = &object.spec().signer_name;
    let signer = policy.signers.get(signer_name).ok_or_else(|| IssueError::NoSigner(signer_name.clone()))?;
    if let Some(clash) = policy.clashes.get(signer_name) {
        return Err(IssueError::Clash(signer_name.clone(), *clash));
    }
    let request = Request::parse(object).map_err(IssueError::Unreadable)?;
    let now = OffsetDateTime::now_utc();
    let validated = match signer.validate(&request, approval)? {
        Ok(validated) => validated,
        Err(rejection) => return Ok(rejected(&rejection, now)),
    };
    // Of what is refused for ever, nothing is left to be signed on the day on which the guard is lifted.
    if let Some(Err(rejection)) =
        policy.approval.reserved_subjects.as_ref().map(|guard| guard.check(&request))
    {
        tracing::warn!(rule = rejection.rule.id, %rejection, "what others approved is refused");
        return Ok(rejected(&rejection, now));
    }
    let to_be_signed = validated.prepare(now, serial()?)?;
    let signature = to_be_signed.authority().key().sign(to_be_signed.bytes()).map_err(signer::Error::from)?;
    let certificate = to_be_signed.finish(&signature)?;
    record(&certificate);
    Ok(Issued::Certificate(certificate.pem().to_owned()))
}

fn rejected(rejection: &Rejection, now: OffsetDateTime) -> Issued {
    tracing::debug!(rule = rejection.rule.id, "the request is not acceptable");
    Issued::Rejection {
        label: rejection.label(),
        condition: Condition {
            kind: ConditionType::Failed,
            reason: rejection.reason(),
            message: rejection.to_string(),
            last_update_time: Some(now),
        },
    }
}

fn serial() -> Result<SerialNumber, IssueError> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| IssueError::Random)?;
    Ok(SerialNumber::from_random(octets))
}

/// A serial number that was signed is on record even when it is never published.
fn record(certificate: &Certificate) {
    let span = tracing::Span::current();
    span.record("cert.serial", tracing::field::display(certificate.serial()));
    span.record("cert.not_after", report::time(certificate.not_after()));
    tracing::debug!("signed");
}
