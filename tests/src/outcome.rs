//! What has become of a CertificateSigningRequest.

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
use kube::runtime::wait::await_condition;
use kube::{Api, Client};
use tokio::time::timeout;

use crate::wait::PATIENCE;

/// Where a request stands; a later variant is further along.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// Nobody has decided.
    Pending,
    /// Approved, with no certificate yet.
    Approved,
    /// Denied.
    Denied,
    /// The signer will never sign it.
    Failed,
    /// It has its certificate.
    Issued,
}

impl Outcome {
    /// Reads it from the object's status.
    pub fn of(csr: &CertificateSigningRequest) -> Self {
        if certificate(csr).is_some() {
            return Self::Issued;
        }
        let has = |kind| condition(csr, kind).is_some();
        match () {
            () if has("Failed") => Self::Failed,
            () if has("Denied") => Self::Denied,
            () if has("Approved") => Self::Approved,
            () => Self::Pending,
        }
    }
}

/// The condition of a type, if the object has it.
pub fn condition<'a>(
    csr: &'a CertificateSigningRequest,
    kind: &str,
) -> Option<&'a CertificateSigningRequestCondition> {
    csr.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// The certificate in PEM, if one is issued.
pub fn certificate(csr: &CertificateSigningRequest) -> Option<&[u8]> {
    let certificate = csr.status.as_ref()?.certificate.as_ref()?;
    (!certificate.0.is_empty()).then_some(certificate.0.as_slice())
}

/// Watches the object `name` until it stands at `outcome`, and returns it.
///
/// # Errors
/// When it does not get there in time; the error says where it stands.
pub async fn reached(client: &Client, name: &str, outcome: Outcome) -> Result<CertificateSigningRequest> {
    let api: Api<CertificateSigningRequest> = Api::all(client.clone());
    let there = |csr: Option<&CertificateSigningRequest>| csr.is_some_and(|csr| Outcome::of(csr) == outcome);
    match timeout(PATIENCE, await_condition(api.clone(), name, there)).await {
        Ok(answer) => answer?.with_context(|| format!("{name} has been deleted")),
        Err(_) => {
            let now = api.get(name).await?;
            bail!("{name} should be {outcome:?}, but is {:?}: {:?}", Outcome::of(&now), now.status)
        }
    }
}

/// How many of the objects `names` have no certificate yet.
///
/// # Errors
/// When the API server refuses, or one has been deleted.
pub async fn waiting(client: &Client, names: &[String]) -> Result<usize> {
    let api: Api<CertificateSigningRequest> = Api::all(client.clone());
    let mut waiting = 0;
    for name in names {
        waiting += usize::from(Outcome::of(&api.get(name).await?) != Outcome::Issued);
    }
    Ok(waiting)
}

/// Watches until the object `name` no longer exists.
///
/// # Errors
/// When it is not deleted in time.
pub async fn deleted(client: &Client, name: &str) -> Result<()> {
    let api: Api<CertificateSigningRequest> = Api::all(client.clone());
    let gone = |csr: Option<&CertificateSigningRequest>| csr.is_none();
    timeout(PATIENCE, await_condition(api, name, gone))
        .await
        .with_context(|| format!("{name} still exists"))??;
    Ok(())
}
