//! A page of a list.

use http::Request;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Place, WatchError, Watched};
use crate::kube::call::{CallError, Caller, Operation};
use crate::kube::path::encoded;

/// Objects in a page, unless that is too much at once.
pub(super) const LENGTH: usize = 100;

/// Bytes in a page. An object is up to some 2 MB, and whoever has a bootstrap token may create any number of them.
pub(super) const LONGEST: usize = 32 << 20;

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

/// The path of the first page of `length` objects, or of that at which `next` points.
pub(super) fn path(place: &Place, length: usize, next: Option<&str>) -> String {
    let next = next.map_or_else(String::new, |next| format!("&continue={}", encoded(next)));
    let Place { path, selector } = place;
    format!("{path}?{selector}limit={length}{next}")
}

/// Every object of a kind, listed once. One that cannot be read is passed over.
///
/// # Errors
/// When a page of the list does not come, or is none.
pub async fn all<T: Watched>(caller: &Caller) -> Result<Vec<T>, WatchError> {
    let operation = Operation::new("list", T::RESOURCE);
    let (mut objects, mut next, mut length) = (Vec::new(), None, LENGTH);
    let place = Place::of::<T>();
    loop {
        let request = Request::get(path(&place, length, next.as_deref())).body(Vec::new());
        let answer = match caller.call_for(operation, request, LONGEST).await {
            Err(CallError::TooLong { .. }) if length > 1 => {
                length /= 2;
                continue;
            }
            answer => answer?,
        };
        let page: Page<'_> = serde_json::from_slice(&answer).map_err(WatchError::List)?;
        objects.extend(page.items.iter().filter_map(|item| T::decode(item.get()).ok()));
        if page.metadata.r#continue.is_empty() {
            return Ok(objects);
        }
        next = Some(page.metadata.r#continue);
    }
}
