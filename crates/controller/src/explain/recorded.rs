//! Answers from files: what `kubectl get` wrote, and what an operator says.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use approver::{Answer, Occupancy, Question, Recognizer, San, Verdict};
use config::{KubeletServing, ObjectName};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::facts::index::{Index, Indexed};
use crate::facts::inventory::Inventory;
use crate::facts::object::{ApiServers, Node, Service, ServiceRanges, Source};
use crate::facts::peer;
use crate::facts::record::{self, Shard};
use crate::facts::{announced, bounds};

/// What is known without a cluster.
#[derive(Debug)]
pub struct Recorded {
    index: Index,
    nodes: HashMap<Arc<str>, Arc<approver::Node>>,
    has_nodes: bool,
    has_objects: bool,
    has_record: bool,
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

    /// A ConfigMap `kube-public/cluster-info` that cannot be read.
    #[error("failed to read the ConfigMap kube-public/cluster-info")]
    ClusterInfo(#[source] announced::Unknown),
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
            has_record: false,
            allowed,
            serving,
            at: Instant::now(),
        }
    }

    /// Takes in objects, as `kubectl get nodes,services,endpointslices,servicecidrs,configmaps -A -o yaml` writes them. A kind of which there
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
        if let Some(name) = self.serving.as_ref().and_then(|serving| serving.inventory_config_map.clone()) {
            self.index.keep_inventory_of(Some(name.clone()));
            self.put::<Inventory>(&items, |object| is_named(object, &name))?;
        }
        let mut announced = BTreeSet::new();
        for item in &items {
            let servers = announced::servers(item).map_err(RecordedError::ClusterInfo)?;
            announced.extend(servers.into_iter().map(|server| server.host));
        }
        self.index.announces(announced, self.at);
        self.put_record(items);
        Ok(())
    }

    /// Takes in the record of what nodes were approved for, as far as it is among these.
    fn put_record(&mut self, items: Vec<Value>) {
        for item in items.into_iter().filter(|item| item["kind"] == "ConfigMap") {
            let seen = (self.index.record().term(), self.at);
            if let Some(number) = record::number_of(&item)
                && let Some(shard) = Shard::of(item, seen)
            {
                self.has_record = true;
                self.index.take_in(number, shard, self.at);
            }
        }
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
            Question::Record(key) if self.has_record => {
                Ok(Answer::Record(self.index.key_holders(key, self.at)))
            }
            Question::Record(_) => unknown("--facts holds none of the ConfigMaps countersign-owners-0 to -f"),
            Question::Resolve(_) => unknown("DNS is not asked offline"),
            Question::LiveCertificate(_) => unknown("nobody's live certificate is looked at offline"),
        }
    }

    fn claims(&self, san: &San) -> Answer {
        let default = KubeletServing::default();
        let serving = self.serving.as_ref().unwrap_or(&default);
        Answer::Claims(Arc::new(self.index.claims(san, bounds(serving), self.at)))
    }

    /// Takes in all of one kind that are wanted, and returns them.
    fn put<T: Kind>(
        &mut self,
        items: &[Value],
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Result<Vec<T>, RecordedError> {
        let of_kind = items.iter().filter(|item| item["kind"] == T::KIND && is_wanted(item));
        let wanted = of_kind.map(decoded).collect::<Result<Vec<T>, _>>()?;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        self.index.begin::<T>(self.at);
        for object in &wanted {
            self.index.put(object);
        }
        self.index.end::<T>();
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

impl Kind for Inventory {
    const KIND: &'static str = "ConfigMap";
}

/// Whether an object has this name.
fn is_named(object: &Value, name: &ObjectName) -> bool {
    object["metadata"]["namespace"] == *name.namespace && object["metadata"]["name"] == *name.name
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
