use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use csr::CertificateSigningRequest;
use engine::Retentions;
use time::OffsetDateTime;

use crate::object::{Content, Object};

/// A question of the model's approver: has this user this permission?
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Question {
    pub(crate) username: String,
    pub(crate) permission: Permission,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Permission {
    SelfNode,
    Node,
}

/// What the API server tells a watch.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Apply(Arc<CertificateSigningRequest>),
    Deleted { name: Arc<str>, uid: Arc<str> },
}

/// A write as it reaches the API server.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Condition { of: Arc<CertificateSigningRequest>, kind: &'static str },
    Certificate { of: Arc<CertificateSigningRequest> },
    Delete { name: Arc<str>, uid: Arc<str>, resource_version: u64 },
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Object(Arc<CertificateSigningRequest>),
    Deleted,
    Conflict,
    NotFound,
}

/// A model of the API server: optimistic locking, one resourceVersion for all, a log that watches replay.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) log: Vec<Change>,
    pub(crate) granted: BTreeSet<Question>,
    pub(crate) reviews: u64,
    /// The objects as they are sent.
    sent: BTreeMap<String, Arc<CertificateSigningRequest>>,
    resource_version: u64,
    uids: u64,
    /// uids that got a certificate.
    issued: BTreeSet<String>,
}

impl Server {
    pub(crate) fn create(&mut self, object: Object) {
        if self.objects.contains_key(&object.name) {
            return;
        }
        self.uids += 1;
        let uid = format!("5b4f1d6e-0a4c-4c3e-9d1c-{:012x}", self.uids);
        let name = object.name.clone();
        self.objects.insert(name.clone(), Object { uid, ..object });
        self.commit(&name);
    }

    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Object)) {
        if let Some(object) = self.objects.get_mut(name) {
            change(object);
            self.commit(name);
        }
    }

    pub(crate) fn delete(&mut self, name: &str) {
        if let Some(object) = self.objects.remove(name) {
            self.resource_version += 1;
            self.sent.remove(name);
            self.log.push(Change::Deleted { name: object.name.into(), uid: object.uid.into() });
        }
    }

    pub(crate) fn read(&self, name: &str) -> Reply {
        self.sent.get(name).map_or(Reply::NotFound, |object| Reply::Object(object.clone()))
    }

    pub(crate) fn write(&mut self, write: &Write, now: OffsetDateTime) -> Reply {
        let (name, uid, resource_version) = match write {
            Write::Condition { of, .. } | Write::Certificate { of } => {
                (of.name(), of.uid(), of.resource_version())
            }
            Write::Delete { name, uid, resource_version } => (name, uid, *resource_version),
        };
        let Some(object) = self.objects.get(&**name) else {
            return Reply::NotFound;
        };
        if object.uid != **uid || object.resource_version != resource_version {
            return Reply::Conflict;
        }
        check_content(object.content, write);
        let now = now.replace_nanosecond(0).unwrap();
        match write {
            Write::Condition { kind, .. } => {
                self.change(name, |object| object.conditions.push((kind, Some(now))))
            }
            Write::Certificate { .. } => self.certify(name),
            Write::Delete { .. } => {
                self.delete(name);
                return Reply::Deleted;
            }
        }
        self.read(name)
    }

    pub(crate) fn review(&mut self, question: &Question) -> bool {
        self.reviews += 1;
        self.granted.contains(question)
    }

    /// All objects as they were after the first `position` changes.
    pub(crate) fn snapshot(&self, position: usize) -> Vec<Arc<CertificateSigningRequest>> {
        let mut objects = BTreeMap::new();
        for change in &self.log[..position] {
            match change {
                Change::Apply(object) => drop(objects.insert(object.name().clone(), object.clone())),
                Change::Deleted { name, .. } => drop(objects.remove(name)),
            }
        }
        objects.into_values().collect()
    }

    /// Invariants 1 and 5, where they count: only what is approved and acceptable is ever issued, and once.
    fn certify(&mut self, name: &str) {
        let object = &self.objects[name];
        assert!(
            object.has("Approved") && !object.has("Denied") && !object.has("Failed"),
            "issued in vain: {object:?}"
        );
        assert!(
            !matches!(object.content, Content::Bad | Content::Broken),
            "issued what was refused: {object:?}"
        );
        assert!(self.issued.insert(object.uid.clone()), "issued twice: {object:?}");
        self.change(name, |object| object.certified = true);
    }

    fn commit(&mut self, name: &str) {
        self.resource_version += 1;
        if let Some(object) = self.objects.get_mut(name) {
            object.resource_version = self.resource_version;
            let sent = object.decoded();
            self.sent.insert(name.into(), sent.clone());
            self.log.push(Change::Apply(sent));
        }
    }
}

/// Invariant 4: what is merely not recognised is never denied; and nothing but the signer's refusal is a failure.
fn check_content(content: Content, write: &Write) {
    if let Write::Condition { kind, .. } = write {
        match *kind {
            "Denied" => assert_eq!(content, Content::Forbidden),
            "Failed" => assert_eq!(content, Content::Bad),
            _ => assert!(!matches!(content, Content::Unknown | Content::Broken | Content::Forbidden)),
        }
    }
}

/// When kube-controller-manager's cleaner would take an object for due: it must be later than this. Written down from its
/// rules, without a look at ours.
pub(crate) fn cleaned_after(csr: &CertificateSigningRequest, keep: &Retentions) -> Option<OffsetDateTime> {
    let (progress, keep) = (csr.progress(), keep.of(&csr.spec().signer_name));
    let issued = progress.certificate.is_present();
    let mut dates = Vec::new();
    if let Some(approved) = progress.approved.and_then(|since| since.0) {
        dates.push(approved + if issued { keep.issued } else { keep.approved });
    }
    dates.extend(progress.denied.and_then(|since| since.0).map(|since| since + keep.denied));
    dates.extend(progress.failed.and_then(|since| since.0).map(|since| since + keep.failed));
    let conditions = progress.approved.is_some() || progress.denied.is_some() || progress.failed.is_some();
    if !conditions && !progress.other_conditions {
        dates.extend(progress.created.map(|created| created + keep.pending));
    }
    dates.into_iter().min()
}
