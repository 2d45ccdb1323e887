//! Approval and denial by hand, as kubectl does it.

use anyhow::Result;
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestCondition, CertificateSigningRequestStatus,
};
use kube::api::PostParams;
use kube::{Api, Client};

/// What a human says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No.
    Denied,
}

/// Adds the condition of `verdict` to the object `name`, however often others change it meanwhile.
///
/// # Errors
/// When the API server refuses.
pub async fn decide(client: &Client, name: &str, verdict: Verdict) -> Result<()> {
    add(client, name, verdict.condition()).await
}

/// Adds any condition to the object `name`. The API server keeps the times it has.
///
/// # Errors
/// When the API server refuses.
pub async fn add(client: &Client, name: &str, condition: CertificateSigningRequestCondition) -> Result<()> {
    let decides = ["Approved", "Denied"].contains(&condition.type_.as_str());
    let subresource = if decides { "approval" } else { "status" };
    let add = |status: &mut CertificateSigningRequestStatus| {
        status.conditions.get_or_insert_default().push(condition.clone());
    };
    replace(client, name, (subresource, add)).await
}

/// Sets the certificate of the object `name`, as its signer would.
///
/// # Errors
/// When the API server refuses.
pub async fn publish(client: &Client, name: &str, pem: &str) -> Result<()> {
    let set = |status: &mut CertificateSigningRequestStatus| {
        status.certificate = Some(ByteString(pem.as_bytes().to_vec()));
    };
    replace(client, name, ("status", set)).await
}

async fn replace(
    client: &Client,
    name: &str,
    (subresource, change): (&str, impl Fn(&mut CertificateSigningRequestStatus)),
) -> Result<()> {
    let objects: Api<CertificateSigningRequest> = Api::all(client.clone());
    loop {
        let mut csr = objects.get(name).await?;
        change(csr.status.get_or_insert_default());
        match objects.replace_subresource(subresource, name, &PostParams::default(), &csr).await {
            Err(kube::Error::Api(status)) if status.is_conflict() => (),
            answer => return Ok(answer.map(drop)?),
        }
    }
}

impl Verdict {
    /// The condition that says so.
    pub fn condition(self) -> CertificateSigningRequestCondition {
        let (kind, reason) = match self {
            Self::Approved => ("Approved", "KubectlApprove"),
            Self::Denied => ("Denied", "KubectlDeny"),
        };
        condition(kind, reason, &format!("{kind} by hand."))
    }
}

/// A condition that holds, with times for the API server to fill in.
pub fn condition(kind: &str, reason: &str, message: &str) -> CertificateSigningRequestCondition {
    CertificateSigningRequestCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..Default::default()
    }
}
