//! Who may read `/metrics` and `/configz`: the API server says, as for any Kubernetes component.
//!
//! A client certificate is authenticated by the cluster's client CA, a bearer token by a TokenReview, and the user authorised by
//! a SubjectAccessReview for the path and the verb. Verdicts are kept for a few seconds by a hash of what was presented; failures are not verdicts, and are not kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::client_certificate::ClientAuthorities;
use crate::config::AllowedPath;
use crate::log::MissingPermissions;

/// How long a verdict is kept, as kube-controller-manager does by default.
const KEPT: Duration = Duration::from_secs(10);
/// How many are kept: tokens are the callers' to invent.
const VERDICTS: usize = 256;
/// How many callers are asked about at once.
const REVIEWS: usize = 4;
/// How long a caller waits for the API server.
const LIMIT: Duration = Duration::from_secs(5);

/// One request, as far as admission goes.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The URL's path.
    pub path: &'a str,
    /// The HTTP method in lower case, which is the verb of a non-resource URL.
    pub verb: &'a str,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// The client certificate that the caller has the key of, and what it sent along with it; nothing of it is verified yet.
    pub certificates: &'a [CertificateDer<'static>],
}

/// Why a request is not served.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Neither a certificate nor a token, or none that the cluster knows.
    #[error("a bearer token or a client certificate is needed that the cluster knows")]
    Unauthenticated,
    /// The user lacks the permission.
    #[error("user {user:?} cannot {verb} path {path:?}")]
    Forbidden {
        /// Who asks.
        user: String,
        /// What for.
        verb: String,
        /// And where.
        path: String,
    },
    /// The API server does not answer.
    #[error("the API server does not say who the caller is")]
    Unavailable,
}

/// Whom to ask: kube-controller-manager's `--authentication-kubeconfig` and `--authorization-kubeconfig` may name two servers.
/// Clients of their own, so that a scrape does not wait behind the work.
#[derive(Clone)]
pub struct Delegates {
    /// Who the caller is.
    pub authentication: kube::Client,
    /// What the caller may do.
    pub authorization: kube::Client,
}

impl std::fmt::Debug for Delegates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delegates").finish_non_exhaustive()
    }
}

/// Decides on each request.
#[derive(Debug)]
pub struct Gate {
    open: Vec<AllowedPath>,
    reviewer: Reviewer,
}

impl Gate {
    /// A gate that asks the API server but for the paths in `open`.
    #[must_use]
    pub fn delegated(delegates: &Delegates, open: Vec<AllowedPath>) -> Self {
        Self { open, reviewer: Reviewer::new(delegates) }
    }

    /// Whether the request may be served.
    ///
    /// # Errors
    /// With the reason, when it may not.
    pub async fn admit(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        if self.open.iter().any(|open| open.covers(asked.path)) {
            return Ok(());
        }
        self.reviewer.admit(asked).await
    }
}

/// What a review came to.
#[derive(Clone, Debug)]
enum Verdict {
    Allowed,
    Refused(Refusal),
}

#[derive(Debug)]
struct Reviewer {
    tokens: Api<TokenReview>,
    access: Api<SubjectAccessReview>,
    authorities: ClientAuthorities,
    kept: Mutex<HashMap<[u8; 32], (Instant, Verdict)>>,
    reviews: Semaphore,
    missing: MissingPermissions,
}

impl Reviewer {
    fn new(delegates: &Delegates) -> Self {
        Self {
            tokens: Api::all(delegates.authentication.clone()),
            access: Api::all(delegates.authorization.clone()),
            authorities: ClientAuthorities::new(&delegates.authentication),
            kept: Mutex::default(),
            reviews: Semaphore::new(REVIEWS),
            missing: MissingPermissions::default(),
        }
    }

    async fn admit(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        if asked.token.is_none() && asked.certificates.is_empty() {
            return Err(Refusal::Unauthenticated);
        }
        let key = key(asked);
        let verdict = match self.kept(&key) {
            Some(verdict) => verdict,
            None => {
                let verdict = timeout(LIMIT, self.review(asked)).await;
                let verdict = verdict.ok().flatten().ok_or(Refusal::Unavailable)?;
                self.keep(key, verdict.clone());
                verdict
            }
        };
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    /// The API server's verdict, or nothing when there is none.
    async fn review(&self, asked: Asked<'_>) -> Option<Verdict> {
        let _permit = self.reviews.acquire().await.ok()?;
        let Some(user) = self.authenticate(asked).await? else {
            return Some(Verdict::Refused(Refusal::Unauthenticated));
        };
        let name = user.username.clone().unwrap_or_default();
        let review = SubjectAccessReview { spec: access(user, asked), ..Default::default() };
        let answer = self.access.create(&PostParams::default(), &review).await;
        let status = self.answered("authorization.k8s.io/subjectaccessreviews", answer)?.status?;
        if status.allowed && status.denied != Some(true) {
            return Some(Verdict::Allowed);
        }
        let (verb, path) = (asked.verb.to_owned(), asked.path.to_owned());
        Some(Verdict::Refused(Refusal::Forbidden { user: name, verb, path }))
    }

    /// Who asks, by certificate or else by token; the inner `None` when neither says.
    async fn authenticate(&self, asked: Asked<'_>) -> Option<Option<UserInfo>> {
        let by_certificate = self.authorities.user(asked.certificates).await;
        match (by_certificate, asked.token) {
            (Some(Some(user)), _) => Some(Some(user)),
            (_, Some(token)) => self.review_token(token).await,
            (by_certificate, None) => by_certificate,
        }
    }

    /// The token's user; the inner `None` when the API server knows no such token.
    async fn review_token(&self, token: &str) -> Option<Option<UserInfo>> {
        let spec = TokenReviewSpec { token: token.to_owned(), audiences: None };
        let review = TokenReview { spec, ..Default::default() };
        let answer = self.tokens.create(&PostParams::default(), &review).await;
        let status = self.answered("authentication.k8s.io/tokenreviews", answer)?.status?;
        Some(status.user.filter(|_| status.authenticated == Some(true)))
    }

    fn answered<T>(&self, resource: &'static str, answer: kube::Result<T>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                self.missing.report("create", resource, &status.message);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(resource, error, "no review, so no metrics for this caller");
            }
        }
        None
    }

    fn kept(&self, key: &[u8; 32]) -> Option<Verdict> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, verdict) = kept.get(key)?;
        (at.elapsed() < KEPT).then(|| verdict.clone())
    }

    fn keep(&self, key: [u8; 32], verdict: Verdict) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= VERDICTS {
            kept.retain(|_, (at, _)| at.elapsed() < KEPT);
        }
        // Full of invented tokens: good ones are rather kept than the next invention.
        if kept.len() < VERDICTS || matches!(verdict, Verdict::Allowed) {
            if kept.len() >= VERDICTS {
                kept.retain(|_, (_, verdict)| matches!(verdict, Verdict::Allowed));
            }
            if kept.len() >= VERDICTS {
                kept.clear();
            }
            kept.insert(key, (Instant::now(), verdict));
        }
    }
}

fn access(user: UserInfo, asked: Asked<'_>) -> SubjectAccessReviewSpec {
    SubjectAccessReviewSpec {
        user: user.username,
        uid: user.uid,
        groups: user.groups,
        extra: user.extra.filter(|extra: &BTreeMap<_, _>| !extra.is_empty()),
        non_resource_attributes: Some(NonResourceAttributes {
            path: Some(asked.path.to_owned()),
            verb: Some(asked.verb.to_owned()),
        }),
        resource_attributes: None,
    }
}

/// One way: a dump of this process' memory gives no tokens away.
fn key(asked: Asked<'_>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let words = [asked.token.unwrap_or_default(), asked.verb, asked.path].map(str::as_bytes);
    for part in words.into_iter().chain(asked.certificates.iter().map(|certificate| &**certificate)) {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests;
