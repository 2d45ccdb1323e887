use std::collections::BTreeMap;

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
        let list = |texts: &Vec<String>| -> usize {
            texts.iter().map(|text| size_of::<String>() + text.len()).sum()
        };
        let extra: usize = self.extra.iter().map(|(key, values)| key.len() + list(values)).sum();
        size_of::<Self>() + self.username.len() + self.uid.len() + list(&self.groups) + extra
    }
}
