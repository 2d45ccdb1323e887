//! What became of one request, as facts with a name.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::core::Status;

use crate::certificate;
use crate::outcome::{self, Outcome};
use crate::pki::Authority;

/// Facts by name, both as text to be read by whoever looks into a difference.
pub type Facts = BTreeMap<String, String>;

/// What became of one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// How it ended; `None` when it was refused at its creation.
    pub outcome: Option<Outcome>,
    /// Everything that must be equal.
    pub facts: Facts,
}

impl Observation {
    /// The API server did not let it in.
    pub(super) fn refused(status: &Status) -> Self {
        let text = format!("{} {}: {}", status.code, status.reason, status.message);
        Self { outcome: None, facts: Facts::from([("refused".to_owned(), text)]) }
    }

    /// What its object says in the end.
    pub(super) fn of(csr: &CertificateSigningRequest, authority: &Authority) -> Result<Self> {
        let mut facts = Facts::new();
        let conditions = csr.status.as_ref().and_then(|status| status.conditions.as_deref());
        for (index, condition) in conditions.unwrap_or_default().iter().enumerate() {
            let reason = condition.reason.as_deref().unwrap_or_default();
            let message = condition.message.as_deref().unwrap_or_default();
            let text = format!("{}={} {reason}: {message}", condition.type_, condition.status);
            facts.insert(format!("condition {index}"), text);
        }
        facts.insert("metadata".to_owned(), metadata(csr));
        facts.insert("spec".to_owned(), serde_json::to_string(&csr.spec)?);
        if let Some(pem) = outcome::certificate(csr) {
            let written = written(csr).context("nobody has written the certificate")?;
            facts.extend(certificate::facts(pem, written, authority)?);
        }
        Ok(Self { outcome: Some(Outcome::of(csr)), facts })
    }

    /// The condition `Failed` as `reason: message`.
    pub fn failure(&self) -> Option<&str> {
        self.facts.values().find_map(|fact| fact.strip_prefix("Failed=True "))
    }
}

/// What a requester, or a controller of somebody else's, keeps in the metadata.
fn metadata(csr: &CertificateSigningRequest) -> String {
    let of = &csr.metadata;
    format!("{:?} {:?} {:?} {:?}", of.labels, of.annotations, of.finalizers, of.owner_references)
}

/// When `/status` was last written, in seconds since 1970.
fn written(csr: &CertificateSigningRequest) -> Option<i64> {
    let managers = csr.metadata.managed_fields.iter().flatten();
    let of_status = managers.filter(|manager| manager.subresource.as_deref() == Some("status"));
    of_status.filter_map(|manager| Some(manager.time.as_ref()?.0.as_second())).max()
}
