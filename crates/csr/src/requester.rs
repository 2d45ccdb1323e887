use std::collections::BTreeMap;

use crate::memory::{allocation, map_nodes, texts};

/// The identity that the API server attested in `spec.username`, `uid`, `groups` and `extra`.
///
/// Two requesters are the same only when every field is, byte for byte and in order: a question about one may then be
/// answered by the answer about the other, and never otherwise.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Requester {
    /// `spec.username`; empty when the API server runs without authentication.
    pub username: String,

    /// `spec.uid`.
    pub uid: String,

    /// `spec.groups`, in the order received.
    pub groups: Vec<String>,

    /// `spec.extra`, the authenticator's further attributes.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Requester {
    /// Roughly the bytes that it holds in memory, itself included.
    pub(crate) fn size(&self) -> usize {
        let names = allocation(self.username.len()) + allocation(self.uid.len());
        let entry = |(key, values): (&String, &Vec<String>)| allocation(key.len()) + texts(values);
        let extra: usize = self.extra.iter().map(entry).sum();
        let nodes = map_nodes::<String, Vec<String>>(self.extra.len());
        allocation(size_of::<Self>()) + names + texts(&self.groups) + nodes + extra
    }
}
