//! Answers from files: what `kubectl get` wrote, and what an operator says.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use approver::{Answer, Occupancy, Question, Recognizer, San, Verdict};
use config::KubeletServing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::facts::index::{Bounds, Index, Indexed};
use crate::facts::object::{ApiServers, Node, Service, ServiceRanges, Source};
use crate::facts::peer;

/// What is known without a cluster.
#[derive(Debug)]
pub struct Recorded {
    index: Index,
    nodes: HashMap<Arc<str>, Arc<approver::Node>>,
    has_nodes: bool,
    has_objects: bool,
    allowed: Option<BTreeSet<Recognizer>>,
    serving: Option<KubeletServing>,
    at: Instant,
}

/// Why objects cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// Neither an object nor a list of such.
    #[error("it holds no objects of the API: no kind is named")]
    NoObjects,

    /// One of them is not of its kind's form.
    #[error("failed to read the {kind} {name:?}")]
    Object {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },

    /// A certificate that cannot be read.
    #[error("failed to read the certificate")]
    Certificate(#[source] der::Error),
}

impl Recorded {
    /// Knows nothing yet but which permissions the requester has, where that is told, and what the controller works by.
    #[must_use]
    pub fn new(allowed: Option<BTreeSet<Recognizer>>, serving: Option<KubeletServing>) -> Self {
        Self {
            index: Index::default(),
            nodes: HashMap::new(),
            has_nodes: false,
            has_objects: false,
            allowed,
            serving,
            at: Instant::now(),
        }
    }

    /// Takes in objects, as `kubectl get nodes,services,endpointslices,servicecidrs -A -o yaml` writes them. A kind of which there
    /// is none counts as unread.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub fn take_in(&mut self, objects: Value) -> Result<(), RecordedError> {
        let items = items(objects).ok_or(RecordedError::NoObjects)?;
        self.has_objects = true;
        let nodes: Vec<Node> = self.put(&items, |_| true)?;
        self.has_nodes |= !nodes.is_empty();
        self.nodes.extend(nodes.iter().map(|node| (node.metadata().key(), Arc::new(node.fact()))));
        self.put::<Service>(&items, |_| true)?;
        self.put::<ApiServers>(&items, is_of_kubernetes)?;
        self.put::<ServiceRanges>(&items, |_| true)?;
        Ok(())
    }

    /// Takes in the certificate, in DER, that every API server presents. To where its names lead is not looked up.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn api_servers_present(&mut self, certificate: &[u8]) -> Result<(), RecordedError> {
        let sans = peer::read(certificate).map_err(RecordedError::Certificate)?.sans;
        for at in self.index.api_servers() {
            self.index.presents(at, sans.clone(), self.at);
        }
        Ok(())
    }

    /// The answer, or why there is none.
    pub(super) fn answer(&self, question: &Question) -> Result<Answer, String> {
        let unknown = |why: &str| Err(why.to_owned());
        match question {
            Question::Review(permission) => match &self.allowed {
                Some(allowed) if allowed.contains(&permission.recognizer) => {
                    Ok(Answer::Review(Verdict::Allowed))
                }
                Some(_) => Ok(Answer::Review(Verdict::NotAllowed)),
                None => unknown("--allowed does not say which permissions the requester has"),
            },
            Question::Node(name) if self.has_nodes => Ok(Answer::Node(self.nodes.get(name).cloned())),
            Question::Node(_) => unknown("--facts holds no Nodes"),
            Question::Occupancy(name) if self.has_nodes && !self.nodes.contains_key(name) => {
                Ok(Answer::Occupancy(Occupancy::Vacant))
            }
            Question::Occupancy(_) => unknown("whether a node is alive is asked of the cluster alone"),
            Question::Claims(san) if self.has_objects => Ok(self.claims(san)),
            Question::Claims(_) => unknown("--facts does not say whose names and addresses are whose"),
            Question::Resolve(_) => unknown("DNS is not asked offline"),
            Question::LiveCertificate(_) => unknown("nobody's live certificate is looked at offline"),
        }
    }

    fn claims(&self, san: &San) -> Answer {
        let default = KubeletServing::default();
        let serving = self.serving.as_ref().unwrap_or(&default);
        let bounds = Bounds {
            max_addresses: serving.judgement.max_addresses,
            service_ranges: &serving.service_ranges,
        };
        Answer::Claims(Arc::new(self.index.claims(san, bounds, self.at)))
    }

    /// Takes in all of one kind that are wanted, and returns them.
    fn put<T: Kind>(
        &mut self,
        items: &[Value],
        is_wanted: fn(&Value) -> bool,
    ) -> Result<Vec<T>, RecordedError> {
        let of_kind = items.iter().filter(|item| item["kind"] == T::KIND && is_wanted(item));
        let wanted = of_kind.map(decoded).collect::<Result<Vec<T>, _>>()?;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        self.index.begin::<T>();
        for object in &wanted {
            self.index.put(object);
        }
        self.index.end::<T>();
        self.index.heard::<T>(self.at);
        Ok(wanted)
    }
}

/// A kind as objects name it.
trait Kind: Indexed {
    const KIND: &'static str;
}

impl Kind for Node {
    const KIND: &'static str = "Node";
}

impl Kind for Service {
    const KIND: &'static str = "Service";
}

impl Kind for ApiServers {
    const KIND: &'static str = "EndpointSlice";
}

impl Kind for ServiceRanges {
    const KIND: &'static str = "ServiceCIDR";
}

/// Whether an EndpointSlice is one of the Service `default/kubernetes`; a watch selects those.
fn is_of_kubernetes(slice: &Value) -> bool {
    let metadata = &slice["metadata"];
    metadata["namespace"] == "default" && metadata["labels"]["kubernetes.io/service-name"] == "kubernetes"
}

fn decoded<T: Kind + DeserializeOwned>(item: &Value) -> Result<T, RecordedError> {
    let name = || item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    T::deserialize(item).map_err(|source| RecordedError::Object { kind: T::KIND, name: name(), source })
}

/// The objects of a list, or the one that there is.
fn items(mut objects: Value) -> Option<Vec<Value>> {
    let kind = objects.get("kind")?.as_str()?.to_owned();
    if !kind.ends_with("List") {
        return Some(vec![objects]);
    }
    let Value::Array(mut items) = objects.get_mut("items")?.take() else { return None };
    // Items of a list of one kind need not name it.
    let of_list = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(kind) = of_list {
            item.entry("kind").or_insert_with(|| kind.into());
        }
    }
    Some(items)
}
