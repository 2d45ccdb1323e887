//! SubjectAccessReview: has this requester this permission?

use std::collections::BTreeMap;

use approver::{Permission, Verdict};
use http::Method;
use serde::{Deserialize, Serialize};

use super::call::{self, CallError, Caller, Operation};
use super::path::AS_IT_IS;

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const CREATE: Operation = Operation::new("create", "authorization.k8s.io/subjectaccessreviews");

/// Asks the API server for verdicts.
#[derive(Clone, Debug)]
pub struct Reviews(Caller);

impl Reviews {
    /// Asks through `caller`.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self(caller)
    }

    /// The API server's verdict, taken from `status.allowed` alone, as upstream does.
    ///
    /// # Errors
    /// When there is no verdict. That is neither a yes nor a no.
    pub async fn verdict(&self, permission: &Permission) -> Result<Verdict, CallError> {
        let review = serde_json::to_vec(&Review::new(permission));
        let review = review.map_err(|source| CallError::Encode(Box::new(source)))?;
        let request = call::json(Method::POST, &format!("{PATH}?{AS_IT_IS}"), review);
        let answer = self.0.call(CREATE, request).await?;
        verdict(&answer).map_err(|source| CallError::Unreadable { operation: CREATE, source: source.into() })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec<'a>,
}

/// The whole attested identity, and the attributes; neither name nor namespace.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    user: &'a str,
    uid: &'a str,
    groups: &'a [String],
    extra: &'a BTreeMap<String, Vec<String>>,
    resource_attributes: ResourceAttributes,
}

#[derive(Serialize)]
struct ResourceAttributes {
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    subresource: &'static str,
    verb: &'static str,
}

impl<'a> Review<'a> {
    fn new(permission: &'a Permission) -> Self {
        let (requester, asked) = (&*permission.requester, permission.attributes());
        let resource_attributes = ResourceAttributes {
            group: asked.group,
            version: asked.version,
            resource: asked.resource,
            subresource: asked.subresource,
            verb: asked.verb,
        };
        let spec = Spec {
            user: &requester.username,
            uid: &requester.uid,
            groups: &requester.groups,
            extra: &requester.extra,
            resource_attributes,
        };
        Self { api_version: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec }
    }
}

fn verdict(answer: &[u8]) -> Result<Verdict, serde_json::Error> {
    #[derive(Deserialize)]
    struct Reviewed {
        status: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        allowed: bool,
    }
    let reviewed: Reviewed = serde_json::from_slice(answer)?;
    Ok(if reviewed.status.allowed { Verdict::Allowed } else { Verdict::NotAllowed })
}
