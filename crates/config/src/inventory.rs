//! The inventory as a ConfigMap holds it: a key for each node, and behind it what the node serves under.

use std::collections::{BTreeMap, BTreeSet};

use approver::San;

use crate::in_one_line;
use crate::kubelet_serving::is_node_name;

/// Which node serves under which names and addresses.
pub type Inventory = BTreeMap<String, BTreeSet<San>>;

/// An inventory that is not used, with all that is wrong with it; never empty.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", in_one_line(.0))]
pub struct BadInventory(pub Vec<BadEntry>);

/// What is wrong with an entry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadEntry {
    /// No Node can have the key as its name.
    #[error("key {0:?}: expected the name of a Node")]
    Key(String),

    /// The value holds something that nobody serves under.
    #[error("key {key:?}: expected host names and addresses, not {found:?}")]
    Value {
        /// The key.
        key: String,
        /// What is neither.
        found: String,
    },
}

/// What the `data` of a ConfigMap says. As a file, it is used as a whole or not at all.
///
/// # Errors
/// With everything in it that is wrong.
pub fn parse<'a>(data: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Inventory, BadInventory> {
    let (mut inventory, mut bad) = (Inventory::new(), Vec::new());
    for (key, value) in data {
        if !is_node_name(key) {
            bad.push(BadEntry::Key(key.to_owned()));
        }
        let mut sans = BTreeSet::new();
        let is_between = |character: char| character == ',' || character.is_whitespace();
        for text in value.split(is_between).filter(|text| !text.is_empty()) {
            match San::from_text(text) {
                Some(san) => drop(sans.insert(san)),
                None => bad.push(BadEntry::Value { key: key.to_owned(), found: text.to_owned() }),
            }
        }
        inventory.insert(key.to_owned(), sans);
    }
    if bad.is_empty() { Ok(inventory) } else { Err(BadInventory(bad)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_blanks_and_lines_separate_what_a_node_serves_under() {
        let data = [("n1", "N1, 10.0.0.1\n::ffff:10.0.0.2\t n1.example.com. ,"), ("n2.example.com", "")];
        let found = parse(data).map(|inventory| {
            let texts = |sans: BTreeSet<San>| sans.iter().map(San::to_string).collect::<Vec<_>>().join(" ");
            inventory.into_iter().map(|(node, sans)| (node, texts(sans))).collect::<Vec<_>>()
        });
        let expected = [("n1", "n1 n1.example.com 10.0.0.1 10.0.0.2"), ("n2.example.com", "")];
        assert_eq!(found, Ok(expected.map(|(node, sans)| (node.to_owned(), sans.to_owned())).into()));
    }

    #[test]
    fn all_that_is_wrong_is_said_and_nothing_is_used() {
        let data = [("Node_1", "10.0.0.1"), ("n1", "10.0.0.1, *.example.com 10.0.0.0/24"), ("n2", "n2")];
        let bad = parse(data).map_err(|bad| bad.to_string());
        let expected = "key \"Node_1\": expected the name of a Node; \
            key \"n1\": expected host names and addresses, not \"*.example.com\"; \
            key \"n1\": expected host names and addresses, not \"10.0.0.0/24\"";
        assert_eq!(bad, Err(expected.to_owned()));
        let many: String = (0..12).map(|number| format!("_{number} ")).collect();
        let bad = parse([("n1", many.as_str())]).map_err(|bad| bad.to_string());
        assert!(bad.is_err_and(|bad| bad.contains("\"_9\"; and 2 more")));
    }
}
