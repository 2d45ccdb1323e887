//! Why a list or a watch ended.

use std::time::Duration;

use http::StatusCode;

use crate::kube::call::CallError;

/// Why a list or a watch ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The version to go on from is too old.
    #[error("the API server no longer knows the version to go on from")]
    Expired,

    /// The call failed.
    #[error("failed to watch")]
    Call(#[from] CallError),

    /// The connection broke.
    #[error("the connection of the watch broke")]
    Broken(#[source] std::io::Error),

    /// Nothing came any more.
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),

    /// The API server ended the watch with an error.
    #[error("the API server ended the watch with {code}: {message:?}")]
    Ended {
        /// Its code, like an HTTP status.
        code: u16,
        /// Its words.
        message: String,
    },

    /// A list that is not one.
    #[error("failed to read the list")]
    List(#[source] serde_json::Error),

    /// Nobody listens any more.
    #[error("nobody listens to the watch")]
    Unheard,
}

impl WatchError {
    /// How long the API server wants to be left alone, within reason.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Call(error) => error.failure().retry_after.map(|asked| asked.min(LONGEST_AWAY)),
            _ => None,
        }
    }

    /// The error in one word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Expired => "watch_expired",
            Self::Call(error) => error.label(),
            Self::Broken(_) => "watch_broken",
            Self::Silent(_) => "watch_silent",
            Self::Ended { .. } => "watch_ended",
            Self::List(_) => "list_unreadable",
            Self::Unheard => "watch_unheard",
        }
    }
}

/// 410 is no failure: the way on is a list.
pub(super) fn expired_or_failed(error: CallError) -> WatchError {
    if error.code() == Some(StatusCode::GONE) { WatchError::Expired } else { WatchError::Call(error) }
}

/// However long the API server wants to be left alone, requests are waiting.
const LONGEST_AWAY: Duration = Duration::from_secs(60);
