//! An event of a watch: one line of JSON.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Place, WatchError};
use crate::kube::path::encoded;

/// Seconds that the API server is asked to keep a watch open.
const LIFETIME: u32 = 480;

#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    pub(super) r#type: &'a str,
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

/// What can be read of an object that cannot be read as a whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) namespace: String,
    /// Empty in a bookmark.
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) uid: String,
    pub(super) resource_version: String,
}

/// The path of a watch of all that changed since `version`.
pub(super) fn path(place: &Place, version: &str) -> String {
    let (Place { path, selector }, version) = (place, encoded(version));
    format!(
        "{path}?{selector}watch=true&allowWatchBookmarks=true&timeoutSeconds={LIFETIME}&resourceVersion={version}"
    )
}

pub(super) fn metadata(object: &RawValue) -> Option<Metadata> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    serde_json::from_str(object.get()).ok().map(|object: Object| object.metadata)
}

/// What an event of type ERROR says: its object is a `metav1.Status`.
pub(super) fn ended(status: &RawValue) -> WatchError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        code: u16,
        message: String,
    }
    let Status { code, message } = serde_json::from_str(status.get()).unwrap_or_default();
    if code == 410 { WatchError::Expired } else { WatchError::Ended { code, message } }
}
