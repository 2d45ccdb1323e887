//! Tokens of a ServiceAccount, requested and renewed (`--use-service-account-credentials`).
//!
//! The identity of kube-controller-manager may neither write nor sign CertificateSigningRequests; it may request tokens for
//! the ServiceAccount that may, kube-system/certificate-controller, and create that account where it does not exist yet. As
//! upstream (`controller-manager/pkg/clientbuilder`), a token is asked for an hour and replaced when a fifth of that is left.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::backoff::Backoff;
use super::call::{self, CallError, Caller, Operation};
use crate::log::{MissingPermissions, OncePer};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "certificate-controller";
const CREATE_TOKEN: Operation = Operation::new("create", "serviceaccounts/token");
const CREATE_ACCOUNT: Operation = Operation::new("create", "serviceaccounts");

/// Seconds that a token is asked for. The API server may give it for another time.
const LIFETIME: u32 = 3600;

/// Not more often than this, whatever the API server says of our tokens.
const SHORTEST: Duration = Duration::from_secs(10);

/// The token of the moment.
#[derive(Clone, Debug)]
pub struct Tokens {
    current: watch::Receiver<Option<Token>>,
    refused: Arc<Notify>,
}

/// A bearer token.
#[derive(Clone, PartialEq)]
pub struct Token(HeaderValue);

/// Requests tokens and replaces them in time.
#[derive(Debug)]
pub struct TokenSource {
    caller: Caller,
    current: watch::Sender<Option<Token>>,
    refused: Arc<Notify>,
    missing: MissingPermissions,
    said: OncePer,
}

/// There will be no token any more: its source has ended.
#[derive(Debug, thiserror::Error)]
#[error("no token can be had any more")]
pub struct NoSource;

impl Tokens {
    /// The token to be used now. Waits for the first one.
    ///
    /// # Errors
    /// When the source has ended before there was one.
    pub async fn current(&self) -> Result<Token, NoSource> {
        let mut current = self.current.clone();
        let token = current.wait_for(Option::is_some).await.map_err(|_| NoSource)?;
        token.clone().ok_or(NoSource)
    }

    /// The API server does not know `token` any more: its keys may have been replaced.
    pub fn refused(&self, token: &Token) {
        if self.current.borrow().as_ref() == Some(token) {
            self.refused.notify_one();
        }
    }
}

impl Token {
    /// What goes into the header Authorization.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn new(token: &str) -> Result<Self, http::header::InvalidHeaderValue> {
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl TokenSource {
    /// Requests through `caller`, which is somebody who may.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        let (missing, said) = (MissingPermissions::default(), OncePer::new(Duration::from_secs(60)));
        Self { caller, current: watch::Sender::new(None), refused: Arc::default(), missing, said }
    }

    /// Where its tokens can be had.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        Tokens { current: self.current.subscribe(), refused: Arc::clone(&self.refused) }
    }

    /// Keeps the token fresh, for ever.
    pub async fn run(self) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            match self.request().await {
                Ok((token, lifetime)) => {
                    backoff.reset();
                    self.current.send_replace(Some(token));
                    tokio::time::sleep(SHORTEST).await;
                    let rest = lifetime.mul_f64(0.8).saturating_sub(SHORTEST);
                    // Either way it is time for another one.
                    let _ = tokio::time::timeout(rest, self.refused.notified()).await;
                }
                Err(error) => {
                    self.report(&error);
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        }
    }

    async fn request(&self) -> Result<(Token, Duration), CallError> {
        match self.request_once().await {
            Err(error) if error.code() == Some(StatusCode::NOT_FOUND) => {
                self.create_account().await?;
                self.request_once().await
            }
            other => other,
        }
    }

    async fn request_once(&self) -> Result<(Token, Duration), CallError> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token");
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [], "expirationSeconds": LIFETIME},
        });
        let request = call::json(Method::POST, &path, request.to_string().into_bytes());
        let answer = self.caller.call(CREATE_TOKEN, request).await?;
        token(&answer).map_err(|source| CallError::Unreadable { operation: CREATE_TOKEN, source })
    }

    async fn create_account(&self) -> Result<(), CallError> {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"namespace": NAMESPACE, "name": NAME},
        });
        let request = call::json(Method::POST, &path, account.to_string().into_bytes());
        match self.caller.call(CREATE_ACCOUNT, request).await {
            Err(error) if error.code() == Some(StatusCode::CONFLICT) => Ok(()),
            other => other.map(drop),
        }
    }

    fn report(&self, error: &CallError) {
        if let CallError::Status { operation, code: StatusCode::FORBIDDEN, message, .. } = error {
            return self.missing.report(operation.verb, operation.resource, message);
        }
        let permitted = self.said.permits(error.label());
        let error = error as &dyn std::error::Error;
        if !permitted {
            return tracing::debug!(error, "no token for {NAMESPACE}/{NAME} yet, retrying");
        }
        tracing::warn!(error, "no token for {NAMESPACE}/{NAME} yet, retrying");
    }
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn token(answer: &[u8]) -> Result<(Token, Duration), Unreadable> {
    #[derive(Deserialize)]
    struct TokenRequest {
        spec: Spec,
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        expiration_seconds: u32,
    }
    #[derive(Deserialize)]
    struct Status {
        token: String,
    }
    // The parser's own words may quote the token.
    let granted: TokenRequest = serde_json::from_slice(answer).map_err(|_| "no token in it")?;
    let lifetime = Duration::from_secs(granted.spec.expiration_seconds.into());
    Ok((Token::new(&granted.status.token).map_err(|_| "its token is no header")?, lifetime))
}
