use time::OffsetDateTime;
use time::macros::format_description;

use crate::{KeyError, SignatureError};

/// Why a request that breaks no rule could not be signed: ours to repair, so it is retried. The texts are upstream's where
/// upstream has one (`pkg/controller/certificates/authority`).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The request's own signature.
    #[error("unable to verify certificate request signature")]
    RequestSignature(#[source] SignatureError),

    /// Usages that no extension stands for.
    #[error("unrecognized usage values: [{}]", quoted(.0))]
    UnrecognizedUsages(Vec<String>),

    /// The CA expired more than the backdating ago.
    #[error("the signer has expired: NotAfter={}", go_time(*.not_after))]
    SignerExpired {
        /// When it did.
        not_after: OffsetDateTime,
    },

    /// The CA expired just now.
    #[error("refusing to sign a certificate that expired in the past: NotAfter={}", go_time(*.not_after))]
    ExpiredInThePast {
        /// When it did.
        not_after: OffsetDateTime,
    },

    /// The request is for another signer than the one it was given to.
    #[error("request for signer {requested} was given to signer {given}")]
    OtherSigner {
        /// `spec.signerName`.
        requested: String,
        /// The signer's own name.
        given: String,
    },

    /// The key would not sign.
    #[error("failed to sign certificate")]
    Key(#[source] KeyError),

    /// The signature is not one of the CA's key.
    #[error("failed to sign certificate: the signature does not verify with the CA's public key")]
    Signature,
}

impl Error {
    /// The error in a word, for conditions and Events.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::RequestSignature(_) => "RequestSignature",
            Self::UnrecognizedUsages(_) => "UnrecognizedUsages",
            Self::SignerExpired { .. } => "SignerExpired",
            Self::ExpiredInThePast { .. } => "ExpiredInThePast",
            Self::OtherSigner { .. } => "OtherSigner",
            Self::Key(_) => "Key",
            Self::Signature => "Signature",
        }
    }

    /// The error in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::RequestSignature(_) => "request_signature",
            Self::UnrecognizedUsages(_) => "unrecognized_usages",
            Self::SignerExpired { .. } => "signer_expired",
            Self::ExpiredInThePast { .. } => "expired_in_the_past",
            Self::OtherSigner { .. } => "other_signer",
            Self::Key(_) => "key",
            Self::Signature => "signature",
        }
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

fn quoted(values: &[String]) -> String {
    values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" ")
}

/// A time as Go prints it, for instance `2026-01-02 03:04:05 +0000 UTC`.
fn go_time(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] +0000 UTC");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
