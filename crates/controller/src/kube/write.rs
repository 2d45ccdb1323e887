//! What is read from and written to one CertificateSigningRequest.
//!
//! A write is a PUT of the whole object in the version that was decided on: upstream's role grants `update` and no `patch`,
//! and a version that is no longer the newest is refused with 409. What the answer holds is checked to be the object that
//! was meant, as a name alone does not tell: it may have been deleted and created again.

use csr::{CertificateSigningRequest, Condition};
use http::{Method, Request};
use serde_json::json;

use super::call::{CallError, Caller, Operation, json};
use super::path::certificate_signing_request;

const RESOURCE: &str = "certificates.k8s.io/certificatesigningrequests";
const GET: Operation = Operation::new("get", RESOURCE);
const UPDATE_APPROVAL: Operation =
    Operation::new("update", "certificates.k8s.io/certificatesigningrequests/approval");
const UPDATE_STATUS: Operation =
    Operation::new("update", "certificates.k8s.io/certificatesigningrequests/status");
const DELETE: Operation = Operation::new("delete", RESOURCE);

/// Reads and writes CertificateSigningRequests.
#[derive(Clone, Debug)]
pub struct Requests(Caller);

/// One object in one version: what a delete is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version<'a> {
    /// `metadata.name`.
    pub name: &'a str,

    /// `metadata.uid`.
    pub uid: &'a str,

    /// `metadata.resourceVersion`.
    pub resource_version: u64,
}

impl Requests {
    /// Reads and writes through `caller`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self(caller)
    }

    /// The object of this name as it is now.
    ///
    /// # Errors
    /// 404 when there is none.
    pub async fn read(&self, name: &str) -> Result<CertificateSigningRequest, CallError> {
        let path = certificate_signing_request(name, None)?;
        let answer = self.0.call(GET, Request::get(path).body(Vec::new())).await?;
        object(GET, &answer, name)
    }

    /// Adds the condition Approved or Denied.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn approve(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.put(UPDATE_APPROVAL, object, object.with_condition(condition)).await
    }

    /// Adds the condition Failed.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn fail(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.put(UPDATE_STATUS, object, object.with_condition(condition)).await
    }

    /// Sets the certificate.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn publish(
        &self,
        object: &CertificateSigningRequest,
        pem: &str,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.put(UPDATE_STATUS, object, object.with_certificate(pem)).await
    }

    /// Deletes this very object, in this very version.
    ///
    /// # Errors
    /// 409 when it is no longer what it was, 404 when it is gone.
    pub async fn delete(&self, version: Version<'_>) -> Result<(), CallError> {
        let path = certificate_signing_request(version.name, None)?;
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": version.uid, "resourceVersion": version.resource_version.to_string()},
        });
        let request = json(Method::DELETE, &path, options.to_string().into_bytes());
        self.0.call(DELETE, request).await.map(drop)
    }

    async fn put(
        &self,
        operation: Operation,
        from: &CertificateSigningRequest,
        body: Result<Vec<u8>, serde_json::Error>,
    ) -> Result<CertificateSigningRequest, CallError> {
        let body = body.map_err(|source| CallError::Encode(Box::new(source)))?;
        let subresource = operation.resource.rsplit('/').next();
        let path = certificate_signing_request(from.name(), subresource)?;
        let answer = self.0.call(operation, json(Method::PUT, &path, body)).await?;
        let written = object(operation, &answer, from.name())?;
        if written.uid() != from.uid() {
            return Err(other(operation, from.name(), &written));
        }
        Ok(written)
    }
}

/// The object in an answer, which must be the one asked for.
fn object(operation: Operation, answer: &[u8], name: &str) -> Result<CertificateSigningRequest, CallError> {
    let found: CertificateSigningRequest = serde_json::from_slice(answer)
        .map_err(|source| CallError::Unreadable { operation, source: Box::new(source) })?;
    if **found.name() == *name { Ok(found) } else { Err(other(operation, name, &found)) }
}

fn other(operation: Operation, asked: &str, found: &CertificateSigningRequest) -> CallError {
    CallError::OtherObject { operation, asked: asked.into(), found: found.name().to_string() }
}
