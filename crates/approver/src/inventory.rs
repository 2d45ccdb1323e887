use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::San;

/// The names and addresses of nodes, as the operator lists them: by node, and by name for each decision.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory {
    sans: BTreeMap<Arc<str>, BTreeSet<San>>,
    nodes: HashMap<San, BTreeSet<Arc<str>>>,
}

impl Inventory {
    /// Gives a node these names and addresses, besides those that it has.
    pub fn insert(&mut self, node: &str, sans: BTreeSet<San>) {
        let node = Arc::<str>::from(node);
        for san in &sans {
            self.nodes.entry(san.clone()).or_default().insert(Arc::clone(&node));
        }
        self.sans.entry(node).or_default().extend(sans);
    }

    /// Every node with its names and addresses, in the order of nodes.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &BTreeSet<San>)> {
        self.sans.iter()
    }

    /// Whether it lists no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sans.is_empty()
    }

    /// The nodes that have this name or address.
    pub fn nodes(&self, san: &San) -> impl Iterator<Item = &Arc<str>> {
        self.nodes.get(san).into_iter().flatten()
    }
}
