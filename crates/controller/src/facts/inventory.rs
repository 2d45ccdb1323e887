//! The part of the inventory that is kept in a ConfigMap, followed as the configuration names it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::config::inventory::{self, BadInventory};
use ::config::{ObjectName, in_one_line};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::follow::{EVENTS, put};
use super::object::{Metadata, Source};
use super::{Facts, Feed};
use crate::kube::watch::{Seen, Watcher};
use crate::policy::Policy;

/// A ConfigMap whose every entry names a node and what it serves under.
#[derive(Debug, Deserialize)]
#[serde(try_from = "ConfigMap")]
pub struct Inventory {
    metadata: Metadata,
    pub(super) entries: inventory::Inventory,
}

/// Any ConfigMap.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigMap {
    metadata: Metadata,
    #[serde(default)]
    data: BTreeMap<String, String>,
    #[serde(default)]
    binary_data: BTreeMap<String, String>,
}

/// Why a ConfigMap is no inventory.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InventoryError {
    /// Entries that mean nothing.
    #[error(transparent)]
    Entries(#[from] BadInventory),

    /// Entries that are no text.
    #[error("binaryData: expected text, and not the keys {}", in_one_line(.0))]
    Binary(Vec<String>),
}

impl TryFrom<ConfigMap> for Inventory {
    type Error = InventoryError;

    fn try_from(object: ConfigMap) -> Result<Self, InventoryError> {
        let ConfigMap { metadata, data, binary_data } = object;
        if !binary_data.is_empty() {
            return Err(InventoryError::Binary(binary_data.into_keys().collect()));
        }
        let entries = inventory::parse(data.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
        Ok(Self { metadata, entries })
    }
}

impl Source for Inventory {
    const PATH: &'static str = "/api/v1/configmaps";
    const RESOURCE: &'static str = "configmaps";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// Follows whichever ConfigMap the policy names, for ever.
pub(super) async fn follow(facts: Arc<Facts>, feed: Feed) {
    let mut policy = facts.policy.clone();
    loop {
        let name = named(&policy.borrow_and_update());
        facts.update(&feed.changed, |index| {
            index.keep_inventory_of(name.clone());
            Vec::new()
        });
        feed.metrics.inventory_in_use(name.is_none());
        // One task does both: what the former ConfigMap says cannot come after it is given up.
        let other = tokio::select! {
            other = policy.wait_for(|policy| named(policy) != name) => other.is_ok(),
            () = follow_one(&facts, &feed, name.as_ref()) => true,
        };
        if !other {
            return std::future::pending().await;
        }
    }
}

fn named(policy: &Policy) -> Option<ObjectName> {
    policy.kubelet_serving.as_ref()?.inventory_config_map.clone()
}

async fn follow_one(facts: &Facts, feed: &Feed, name: Option<&ObjectName>) {
    let Some(name) = name else {
        return std::future::pending().await;
    };
    let (seen, mut events) = mpsc::channel(EVENTS);
    let watcher = Watcher::<Inventory>::new(feed.caller.clone(), seen, Arc::clone(&feed.metrics));
    let watcher = watcher.of_one(Inventory::RESOURCE, (&name.namespace, &name.name));
    let take_in = async {
        let mut is_bad = false;
        while let Some(seen) = events.recv().await {
            is_bad = match &seen {
                Seen::Unreadable { .. } => true,
                Seen::InitApply(_) | Seen::Apply(_) | Seen::Deleted { .. } => false,
                Seen::Init | Seen::InitDone | Seen::Current | Seen::NotServed => is_bad,
            };
            let may_be_missing = matches!(seen, Seen::InitDone | Seen::Deleted { .. });
            facts.update(&feed.changed, |index| put(index, seen));
            let unread = facts.unread_inventory();
            feed.metrics.inventory_in_use(!is_bad && unread.is_none());
            if let Some(unread) = unread.filter(|_| may_be_missing) {
                tracing::warn!(config_map = %name, "no serving certificate is approved without {unread}");
            }
        }
    };
    tokio::join!(watcher.run(), take_in);
}
