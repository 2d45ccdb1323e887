//! One call to the API server: sent, limited in time, and its answer read.
//!
//! Nothing is retried here. The engine is the only one that tries again, and needs to know what a failure means: whether the
//! call may have been carried out all the same, and how long the API server wants to be left alone.

use std::sync::Arc;
use std::time::Duration;

use engine::Failure;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::path::NotASegment;
use super::rate::RateLimit;
use super::transport::{Answer, Transport};

/// What is asked of the API server, in RBAC's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    /// The verb that a role must grant.
    pub verb: &'static str,

    /// The resource it must grant it on, `group/resource/subresource`.
    pub resource: &'static str,
}

/// Makes calls over one transport.
#[derive(Clone, Debug)]
pub struct Caller {
    transport: Transport,
    limit: Duration,
    rate: Option<Arc<RateLimit>>,
}

/// Why a call did not give what was asked for. All of it is our failure, never the request's.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No object can have this name.
    #[error(transparent)]
    Name(#[from] NotASegment),

    /// What was to be sent could not be put into words.
    #[error("failed to encode what is to be sent")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// No answer in time. It may have been done all the same.
    #[error("no answer to {operation} within {limit:?}")]
    TimedOut {
        /// What was asked.
        operation: Operation,
        /// How long we waited.
        limit: Duration,
    },

    /// The connection failed. It may have been done all the same.
    #[error("failed to {operation}")]
    Connection {
        /// What was asked.
        operation: Operation,
        /// What came of it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The API server did not do it, and says why.
    #[error("the API server answers {code} to {operation}: {message:?}")]
    Status {
        /// What was asked.
        operation: Operation,
        /// The HTTP status.
        code: StatusCode,
        /// The API server's words.
        message: String,
        /// The object of which the API server says that it does not exist.
        missing: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },

    /// It was done, and the answer cannot be read.
    #[error("failed to read the answer to {operation}")]
    Unreadable {
        /// What was asked.
        operation: Operation,
        /// What is wrong with the answer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The answer is longer than anything that was to be expected. It was done all the same.
    #[error("the answer to {operation} is longer than {limit} bytes")]
    TooLong {
        /// What was asked.
        operation: Operation,
        /// How many bytes we take.
        limit: usize,
    },

    /// The answer is about another object than the one asked for.
    #[error("the answer to {operation} is about {found:?}, asked was for {asked:?}")]
    OtherObject {
        /// What was asked.
        operation: Operation,
        /// The name asked for.
        asked: String,
        /// The name in the answer.
        found: String,
    },
}

impl Operation {
    /// `verb` on `resource`, as RBAC spells them.
    pub(crate) const fn new(verb: &'static str, resource: &'static str) -> Self {
        Self { verb, resource }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)
    }
}

impl Caller {
    /// Calls through `transport`, each of which may take `limit`.
    #[must_use]
    pub fn new(transport: Transport, limit: Duration) -> Self {
        Self { transport, limit, rate: None }
    }

    /// The same, no faster than `rate`.
    #[must_use]
    pub fn with_rate(self, rate: Option<Arc<RateLimit>>) -> Self {
        Self { rate, ..self }
    }

    /// Sends a request and returns the body of the answer, which is about one object.
    pub(crate) async fn call(
        &self,
        operation: Operation,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<Vec<u8>, CallError> {
        self.call_for(operation, request, LONGEST_OBJECT).await
    }

    /// Sends a request and returns the body of the answer, which may have `longest` bytes.
    pub(crate) async fn call_for(
        &self,
        operation: Operation,
        request: http::Result<Request<Vec<u8>>>,
        longest: usize,
    ) -> Result<Vec<u8>, CallError> {
        self.within_limit(operation, async {
            let body = self.begin(operation, request).await?.into_body();
            collected(operation, body, longest).await
        })
        .await
    }

    /// Sends a request and returns the answer as soon as its head is there; the body is the caller's to wait for.
    pub(crate) async fn open(
        &self,
        operation: Operation,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<Answer, CallError> {
        self.within_limit(operation, async { Ok(self.begin(operation, request).await?.into_body()) }).await
    }

    async fn within_limit<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        // Waiting for a turn is not waiting for the API server.
        if let Some(rate) = &self.rate {
            rate.turn().await;
        }
        let limit = self.limit;
        timeout(limit, call).await.unwrap_or(Err(CallError::TimedOut { operation, limit }))
    }

    async fn begin(
        &self,
        operation: Operation,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<Response<Answer>, CallError> {
        let request = request.map_err(|source| CallError::Encode(Box::new(source)))?;
        let connection = |source| CallError::Connection { operation, source };
        let answer = self.transport.send(request.map(Into::into)).await.map_err(connection)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        // An error page that cannot be read takes nothing from the status.
        let body = collected(operation, body, LONGEST_OBJECT).await.unwrap_or_default();
        let Status { message, reason, details } = status(&body);
        let missing = details.map(|details| details.name).filter(|_| reason == "NotFound");
        let retry_after = retry_after(&head.headers);
        Err(CallError::Status { operation, code: head.status, message, missing, retry_after })
    }
}

impl CallError {
    /// The HTTP status, where the API server gave one.
    pub fn code(&self) -> Option<StatusCode> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the API server itself says that there is no object `name`. A load balancer answers 404 too, and the object
    /// stays as it is.
    pub fn is_gone(&self, name: &str) -> bool {
        matches!(self, Self::Status { code: StatusCode::NOT_FOUND, missing: Some(missing), .. } if missing == name)
    }

    /// What it means for whoever wants to try again.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Name(_) | Self::Encode(_) => Failure::NOT_DONE,
            Self::TimedOut { .. }
            | Self::Connection { .. }
            | Self::Unreadable { .. }
            | Self::TooLong { .. }
            | Self::OtherObject { .. } => Failure::UNKNOWN,
            // A server that fails may do so after it wrote (etcd timing out on the answer, 504 from the request's own limit).
            // After a 404, what we know of the object may be wrong.
            Self::Status { code, retry_after, .. } => Failure {
                retry_after: *retry_after,
                unknown: code.is_server_error() || *code == StatusCode::NOT_FOUND,
            },
        }
    }

    /// The failure in one word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Encode(_) => "encode",
            Self::TimedOut { .. } => "timed_out",
            Self::Connection { .. } => "connection",
            Self::Unreadable { .. } => "answer_unreadable",
            Self::TooLong { .. } => "answer_too_long",
            Self::OtherObject { .. } => "answer_other_object",
            Self::Status { code, .. } => match code.as_u16() {
                400 => "bad_request",
                401 => "unauthorized",
                403 => "forbidden",
                404 => "not_found",
                409 => "conflict",
                410 => "gone",
                413 => "too_large",
                422 => "invalid",
                429 => "too_many_requests",
                500..=599 => "server_error",
                _ => "other_status",
            },
        }
    }
}

/// A body sent as JSON.
pub(crate) fn json(method: http::Method, path: &str, body: Vec<u8>) -> http::Result<Request<Vec<u8>>> {
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body)
}

/// The whole body, unless it has more than `limit` bytes: whoever may create objects must not decide what memory we need.
async fn collected(operation: Operation, mut body: Answer, limit: usize) -> Result<Vec<u8>, CallError> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| CallError::Connection { operation, source: source.into() })?;
        let Some(data) = frame.data_ref() else { continue };
        if collected.len() + data.len() > limit {
            return Err(CallError::TooLong { operation, limit });
        }
        collected.extend_from_slice(data);
    }
    Ok(collected)
}

/// What a failed call is answered with: of a `metav1.Status` what matters to us.
#[derive(Default, serde::Deserialize)]
struct Status {
    message: String,
    #[serde(default)]
    reason: String,
    details: Option<Details>,
}

#[derive(serde::Deserialize)]
struct Details {
    #[serde(default)]
    name: String,
}

/// The status in `body`, or one with what stands in its place: the beginning of a proxy's page.
fn status(body: &[u8]) -> Status {
    const LONGEST: usize = 1024;
    let page = |_| Status { message: String::from_utf8_lossy(body).into_owned(), ..Status::default() };
    let status = serde_json::from_slice(body).unwrap_or_else(page);
    Status { message: status.message.chars().take(LONGEST).collect(), ..status }
}

/// Retry-After in seconds (RFC 9110 §10.2.3); the API server sends no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Bytes in an answer about one object. etcd takes some 1.5 MB, and JSON makes more of it.
const LONGEST_OBJECT: usize = 8 << 20;
