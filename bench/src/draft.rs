//! Requests made beforehand, so that making them costs nothing while it is measured.

use anyhow::Result;
use countersign_e2e::requests;

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
}

/// What the kubelets of `number` nodes send for their client certificates, with objects called `<prefix>-<number>`.
pub(crate) fn kubelets(prefix: &str, number: usize) -> Result<Vec<Draft>> {
    (0..number).map(|index| kubelet(&format!("{prefix}-{index:06}"), &format!("{prefix}-{index}"))).collect()
}

/// What the kubelet of `node` sends, with an object called `name`.
pub(crate) fn kubelet(name: &str, node: &str) -> Result<Draft> {
    named(name, requests::kubelet_client(node)?)
}

/// What the kubelet of `node` sends for a certificate to serve with at `address`, with an object called `name`.
pub(crate) fn serving(name: &str, node: &str, address: &str) -> Result<Draft> {
    named(name, requests::kubelet_serving(node, &[node, address])?)
}

fn named(name: &str, draft: requests::Draft) -> Result<Draft> {
    let mut object = draft.named(name).object;
    object.metadata.generate_name = None;
    Ok(Draft { name: name.to_owned(), body: serde_json::to_vec(&object)? })
}
