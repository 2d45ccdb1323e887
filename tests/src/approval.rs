//! Approval and denial by hand, as kubectl does it.

use anyhow::Result;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
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
    let (kind, reason) = match verdict {
        Verdict::Approved => ("Approved", "KubectlApprove"),
        Verdict::Denied => ("Denied", "KubectlDeny"),
    };
    let condition = CertificateSigningRequestCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(format!("{kind} by hand.")),
        ..Default::default()
    };
    let objects: Api<CertificateSigningRequest> = Api::all(client.clone());
    loop {
        let mut csr = objects.get(name).await?;
        let status = csr.status.get_or_insert_default();
        status.conditions.get_or_insert_default().push(condition.clone());
        match objects.replace_subresource("approval", name, &PostParams::default(), &csr).await {
            Err(kube::Error::Api(status)) if status.is_conflict() => (),
            answer => return Ok(answer.map(drop)?),
        }
    }
}
