//! What is read from and written to one CertificateSigningRequest.
//!
//! A write is a PUT of the whole object in the version that was decided on: upstream's role grants `update` and no `patch`,
//! and a version that is no longer the newest is refused with 409. What the answer holds is checked to be the object that
//! was meant, as a name alone does not tell: it may have been deleted and created again.
//!
//! An approval is answered with the whole object, and that is what is judged and signed: a webhook may have changed what we
//! sent, and nothing is signed on the strength of a condition that the API server did not store. After a write of status
//! nothing is left to be done, so its answer is asked for without the object: the API server need not encode it, nor we read it.

use std::borrow::Cow;

use csr::{CertificateSigningRequest, Condition};
use http::{HeaderValue, Method, Request, header};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::call::{CallError, Caller, Operation, json};
use super::path::{AS_IT_IS, certificate_signing_request};

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
        let found = whole(GET, &answer)?;
        if **found.name() == *name { Ok(found) } else { Err(other(GET, name, found.name())) }
    }

    /// Adds the condition Approved or Denied. Returns what the API server made of it.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn approve(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
    ) -> Result<CertificateSigningRequest, CallError> {
        let body = object.with_condition(condition).map_err(unencodable)?;
        let request = put(UPDATE_APPROVAL, object, body)?;
        let written = whole(UPDATE_APPROVAL, &self.0.call(UPDATE_APPROVAL, Ok(request)).await?)?;
        check(UPDATE_APPROVAL, object, (written.name(), written.uid()))?;
        Ok(written)
    }

    /// Adds the condition Failed. Returns what is believed of the object until its event comes.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn fail(
        &self,
        object: &CertificateSigningRequest,
        condition: &Condition,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.put_status(object, object.with_condition(condition).map_err(unencodable)?).await
    }

    /// Sets the certificate. Returns what is believed of the object until its event comes.
    ///
    /// # Errors
    /// 409 when the object is no longer what it was, 404 when it is gone.
    pub async fn publish(
        &self,
        object: &CertificateSigningRequest,
        pem: &str,
    ) -> Result<CertificateSigningRequest, CallError> {
        self.put_status(object, object.with_certificate(pem)).await
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

    async fn put_status(
        &self,
        object: &CertificateSigningRequest,
        body: Vec<u8>,
    ) -> Result<CertificateSigningRequest, CallError> {
        let sent = serde_json::from_slice(&body).map_err(unencodable)?;
        let mut request = put(UPDATE_STATUS, object, body)?;
        request.headers_mut().insert(header::ACCEPT, METADATA_ONLY);
        let answer = self.0.call(UPDATE_STATUS, Ok(request)).await?;
        believed(&answer, object, sent)
    }
}

/// A PUT of a subresource.
fn put(
    operation: Operation,
    object: &CertificateSigningRequest,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, CallError> {
    let subresource = operation.resource.rsplit('/').next();
    let path = certificate_signing_request(object.name(), subresource)?;
    json(Method::PUT, &format!("{path}?{AS_IT_IS}"), body).map_err(unencodable)
}

/// What is believed of `object` after a PUT of status that made it `sent`, had nobody changed that on its way.
///
/// Metadata does not tell what a mutating webhook made of the status. So `sent` keeps the version that it replaces: the event of
/// this write is newer, and has the last word. No event comes when the API server kept the version, for it stored nothing then:
/// the object is what it was.
fn believed(
    answer: &[u8],
    object: &CertificateSigningRequest,
    sent: CertificateSigningRequest,
) -> Result<CertificateSigningRequest, CallError> {
    let Written { metadata, spec } = serde_json::from_slice(answer).map_err(unreadable(UPDATE_STATUS))?;
    check(UPDATE_STATUS, object, (&metadata.name, &metadata.uid))?;
    // Whoever does not know what was asked for answers with the whole object.
    if spec.is_some() {
        return whole(UPDATE_STATUS, answer);
    }
    let is_stored = metadata.resource_version != object.resource_version().to_string();
    Ok(if is_stored { sent } else { object.clone() })
}

/// An answer to a PUT, which may be metadata alone.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
}

/// The object in an answer.
fn whole(operation: Operation, answer: &[u8]) -> Result<CertificateSigningRequest, CallError> {
    serde_json::from_slice(answer).map_err(unreadable(operation))
}

/// Checks that the answer to a write of `object` is about it.
fn check(
    operation: Operation,
    object: &CertificateSigningRequest,
    (name, uid): (&str, &str),
) -> Result<(), CallError> {
    if *name == **object.name() && *uid == **object.uid() {
        return Ok(());
    }
    Err(other(operation, object.name(), name))
}

fn other(operation: Operation, asked: &str, found: &str) -> CallError {
    CallError::OtherObject { operation, asked: asked.into(), found: found.into() }
}

fn unencodable(error: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError::Encode(Box::new(error))
}

fn unreadable(operation: Operation) -> impl FnOnce(serde_json::Error) -> CallError {
    move |error| CallError::Unreadable { operation, source: error.into() }
}

/// `PartialObjectMetadata`, from whoever knows it.
const METADATA_ONLY: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
