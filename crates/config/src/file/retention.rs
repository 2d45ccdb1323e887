//! The form of the section `retention`.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::duration;

/// How long finished and stale requests are kept. Durations are such as 24h or 1h30m, 1m at least.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Retention {
    /// Approved, and the certificate issued: since its approval.
    #[serde(default = "issued")]
    pub issued: String,

    /// Denied: since its denial.
    #[serde(default = "denied")]
    pub denied: String,

    /// Failed: since its failure.
    #[serde(default = "failed")]
    pub failed: String,

    /// Without any condition: since its creation.
    #[serde(default = "pending")]
    pub pending: String,

    /// Approved, and no certificate yet: since its approval.
    #[serde(default = "approved")]
    pub approved: String,

    /// Since its certificate has expired; 0s is possible.
    #[serde(default = "expired")]
    pub expired: String,

    /// What holds for some signerNames in place of that.
    #[serde(default)]
    pub signers: BTreeMap<String, SignerRetention>,
}

/// How long finished and stale requests of one signerName are kept, where that differs from all others.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignerRetention {
    /// Approved, and the certificate issued: since its approval.
    #[serde(default)]
    pub issued: Option<String>,

    /// Denied: since its denial.
    #[serde(default)]
    pub denied: Option<String>,

    /// Failed: since its failure.
    #[serde(default)]
    pub failed: Option<String>,

    /// Without any condition: since its creation.
    #[serde(default)]
    pub pending: Option<String>,

    /// Approved, and no certificate yet: since its approval.
    #[serde(default)]
    pub approved: Option<String>,

    /// Since its certificate has expired; 0s is possible.
    #[serde(default)]
    pub expired: Option<String>,
}

impl Default for Retention {
    fn default() -> Self {
        (&engine::Retentions::default()).into()
    }
}

impl From<&engine::Retentions> for Retention {
    fn from(retentions: &engine::Retentions) -> Self {
        let engine::Retentions { general, of_signers } = retentions;
        let own = of_signers.iter();
        Self {
            issued: text(general.issued),
            denied: text(general.denied),
            failed: text(general.failed),
            pending: text(general.pending),
            approved: text(general.approved),
            expired: text(general.expired),
            signers: own.map(|(name, retention)| (name.to_string(), retention.into())).collect(),
        }
    }
}

impl From<&engine::Retention> for SignerRetention {
    fn from(retention: &engine::Retention) -> Self {
        Self {
            issued: Some(text(retention.issued)),
            denied: Some(text(retention.denied)),
            failed: Some(text(retention.failed)),
            pending: Some(text(retention.pending)),
            approved: Some(text(retention.approved)),
            expired: Some(text(retention.expired)),
        }
    }
}

fn text(span: Duration) -> String {
    duration::of_seconds(span.as_secs().cast_signed())
}

fn issued() -> String {
    Retention::default().issued
}

fn denied() -> String {
    Retention::default().denied
}

fn failed() -> String {
    Retention::default().failed
}

fn pending() -> String {
    Retention::default().pending
}

fn approved() -> String {
    Retention::default().approved
}

fn expired() -> String {
    Retention::default().expired
}
