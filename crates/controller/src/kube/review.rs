//! SubjectAccessReview: has this requester this permission?

use approver::{Permission, Verdict};
use http::Method;
use serde_json::{Value, json};

use super::call::{self, CallError, Caller, Operation};

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
        let review = review(permission).to_string().into_bytes();
        let answer = self.0.call(CREATE, call::json(Method::POST, PATH, review)).await?;
        verdict(&answer).map_err(|source| CallError::Unreadable { operation: CREATE, source: source.into() })
    }
}

/// The whole attested identity, and the attributes; neither name nor namespace.
fn review(permission: &Permission) -> Value {
    let (requester, asked) = (&permission.requester, permission.attributes());
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": requester.username,
            "uid": requester.uid,
            "groups": requester.groups,
            "extra": requester.extra,
            "resourceAttributes": {
                "group": asked.group,
                "version": asked.version,
                "resource": asked.resource,
                "subresource": asked.subresource,
                "verb": asked.verb,
            },
        },
    })
}

fn verdict(answer: &[u8]) -> Result<Verdict, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Review {
        status: Status,
    }
    #[derive(serde::Deserialize)]
    struct Status {
        allowed: bool,
    }
    let review: Review = serde_json::from_slice(answer)?;
    Ok(if review.status.allowed { Verdict::Allowed } else { Verdict::NotAllowed })
}
