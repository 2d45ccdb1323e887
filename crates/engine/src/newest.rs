use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use csr::{AttributeType, CertificateSigningRequest, Request};

use crate::moment::Moment;
use crate::records::Slot;

/// What a node asks for: a fingerprint of signerName and subject.
///
/// Two purposes that share one would only cost the older request its place in the queue.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Purpose(u64);

/// When a request came: its creation, and within one second its resourceVersion.
pub(crate) type Seniority = (Moment, u64);

/// The newest of the requests for one purpose, as long as it is not served.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    requests: HashMap<Purpose, (Seniority, Slot)>,
    purposes: HashMap<Slot, Purpose>,
}

/// What is longer than any kubelet's request is not parsed, so that an event costs little whatever is in it.
const LONGEST: usize = 8 << 10;

impl Purpose {
    /// The purpose of a node that asks for itself; `None` for any other request.
    ///
    /// That the username is the subject's common name is what keeps others out: who shares a bootstrap token, or holds
    /// another node's credential, may ask in a victim's name, and must not push the victim's own request back by it.
    pub(crate) fn of(object: &CertificateSigningRequest) -> Option<Self> {
        let spec = object.spec();
        let username = &spec.requester.username;
        if !username.starts_with("system:node:") || spec.request.len() > LONGEST {
            return None;
        }
        let request = Request::parse(object).ok()?;
        let subject = request.subject();
        if subject.common_name() != username {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        spec.signer_name.hash(&mut hasher);
        for kind in AttributeType::ALL {
            subject.values(kind).for_each(|value| (kind, value).hash(&mut hasher));
        }
        Some(Self(hasher.finish()))
    }
}

impl Newest {
    /// Takes a request in. Returns the one that is superseded now: the newest up to now, or this one.
    pub(crate) fn enter(&mut self, purpose: Purpose, seniority: Seniority, slot: Slot) -> Option<Slot> {
        match self.requests.entry(purpose) {
            Entry::Occupied(newest) if newest.get().0 > seniority => Some(slot),
            Entry::Occupied(mut newest) => {
                let (_, former) = newest.insert((seniority, slot));
                self.purposes.remove(&former);
                self.purposes.insert(slot, purpose);
                Some(former)
            }
            Entry::Vacant(place) => {
                place.insert((seniority, slot));
                self.purposes.insert(slot, purpose);
                None
            }
        }
    }

    /// A request is served, or gone.
    pub(crate) fn leave(&mut self, slot: Slot) {
        if let Some(purpose) = self.purposes.remove(&slot) {
            self.requests.remove(&purpose);
        }
    }
}
