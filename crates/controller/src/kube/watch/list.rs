//! A page of a list.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::kube::path::{CERTIFICATE_SIGNING_REQUESTS, encoded};

/// Objects in a page. One is up to some 2 MB, so this is a bound on memory too.
const LENGTH: usize = 100;

/// A page whose objects are not decoded yet, so that one that cannot be takes no other with it.
#[derive(Debug, Deserialize)]
pub(super) struct Page<'a> {
    pub(super) metadata: ListMetadata,
    #[serde(borrow)]
    pub(super) items: Vec<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMetadata {
    /// Where the next page begins; empty on the last one.
    pub(super) r#continue: String,
    pub(super) resource_version: String,
}

/// The path of the first page, or of that at which `next` points.
pub(super) fn path(next: Option<&str>) -> String {
    let next = next.map_or_else(String::new, |next| format!("&continue={}", encoded(next)));
    format!("{CERTIFICATE_SIGNING_REQUESTS}?limit={LENGTH}{next}")
}
