//! The configuration file: its form, its schema, and what it means.
//!
//! [`parse`] reads a file and finds all that is wrong with it at once; [`effective`] writes down what it amounts to, defaults
//! filled in, in the same form. Nothing here reads files, watches them or asks anybody.

pub mod duration;
pub mod file;
mod guards;
pub mod import;
pub mod inventory;
mod kubelet_serving;
mod mistake;
mod node;
pub mod range;
mod reader;
mod retention;
mod signers;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use csr::SignerName;
use engine::Retentions;
use ipnet::IpNet;

pub use kubelet_serving::DENIABLE;
pub use mistake::{Fault, Mistake, Mistakes, Place, in_one_line};
pub use signers::{CaFiles, GivenLifetime, Signer};

use node::Value;
use reader::{Item, Reader};

/// The version of the file's form.
pub const API_VERSION: &str = "countersign.dev/v1alpha1";

/// The kind of object that the file is.
pub const KIND: &str = "CountersignConfiguration";

/// What a file says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Configuration {
    /// Whether and how kubelets' serving certificates are approved; `None` where the file has no word about it.
    pub kubelet_serving: Option<KubeletServing>,

    /// The signers that the file has a word about, each name once.
    pub signers: Vec<Signer>,
    /// How long finished and stale requests are kept.
    pub retention: Retentions,

    /// What stands against requests that upstream would grant.
    pub guards: Guards,

    /// The group whose members get kubelets' client certificates without a permission; for this a file has no field, as
    /// nobody should have it for long.
    pub trusted_group: Option<String>,
}

/// What stands against requests that upstream would grant. By default, nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Guards {
    /// Whom nobody becomes by a client certificate.
    pub reserved_subjects: Option<approver::ReservedSubjects>,

    /// Whether nobody but the node itself gets the client certificate of a node that is alive.
    pub node_takeover: bool,
}

/// Whether and how kubelets' serving certificates are approved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KubeletServing {
    /// Whether they are.
    pub enabled: bool,

    /// By what they are judged.
    pub judgement: approver::NodeServer,

    /// Where a further part of the inventory is kept, which goes together with that in the judgement.
    pub inventory_config_map: Option<ObjectName>,

    /// Whom to ask for names; with none, the resolvers of the machine.
    pub resolvers: Vec<SocketAddr>,

    /// From where Services get their addresses, besides the ranges that the API server tells.
    pub service_ranges: Vec<IpNet>,

    /// Where a kubelet serves, to look at the certificate with which it does.
    pub kubelet_port: u16,
}

/// The name of an object in a namespace.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectName {
    /// `metadata.namespace`.
    pub namespace: String,

    /// `metadata.name`.
    pub name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Default for KubeletServing {
    /// What `--approve-kubelet-serving` alone means.
    fn default() -> Self {
        Self {
            enabled: true,
            judgement: approver::NodeServer::default(),
            inventory_config_map: None,
            resolvers: Vec::new(),
            service_ranges: Vec::new(),
            kubelet_port: 10250,
        }
    }
}

impl Configuration {
    /// Whether some name is approved for no other reason than that the node which asks for it says so itself.
    #[must_use]
    pub fn rests_on_nodes_own_word(&self) -> bool {
        let alone = BTreeSet::from([approver::Source::NodeStatus]);
        self.approval().node_server.is_some_and(|policy| policy.accept.contains(&alone))
    }

    /// What the file says of a signer.
    #[must_use]
    pub fn signer(&self, name: &SignerName) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.name == *name)
    }

    /// The rules by which requests are approved.
    pub fn approval(&self) -> approver::Policy {
        let serving = self.kubelet_serving.as_ref().filter(|serving| serving.enabled);
        let sharing = self.signers.iter().filter(|signer| signer.allow_cluster_ca);
        approver::Policy {
            node_server: serving.map(|serving| serving.judgement.clone()),
            sharing_cluster_ca: sharing.map(|signer| signer.name.clone()).collect(),
            reserved_subjects: self.guards.reserved_subjects.clone(),
            trusted_group: self.trusted_group.clone(),
            guards_nodes: self.guards.node_takeover,
        }
    }
}

/// What a file says.
///
/// # Errors
/// With all that is wrong with it.
pub fn parse(text: &str) -> Result<Configuration, Mistakes> {
    let root = node::read(text).map_err(|mistake| Mistakes(vec![mistake]))?;
    let mut reader = Reader::default();
    let configuration = read(&Item::root(&root), &mut reader);
    reader.finish()?;
    Ok(configuration)
}

/// What a configuration amounts to, defaults filled in.
pub fn effective(configuration: &Configuration) -> file::CountersignConfiguration {
    configuration.into()
}

/// The JSON schema of the file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(file::CountersignConfiguration).to_value()
}

fn read(root: &Item<'_>, reader: &mut Reader) -> Configuration {
    if matches!(root.value, Value::Null) {
        reader.note("", Place::default(), Fault::Empty);
        return Configuration::default();
    }
    let Some(mut section) = root.section(reader) else {
        return Configuration::default();
    };
    for (name, value) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if let Some(item) = section.required(reader, name, value) {
            item.word(reader, &[value]);
        }
    }
    let mut kubelet_serving = None;
    if let Some(mut approval) = section.field("approval").and_then(|item| item.section(reader)) {
        let item = approval.field("kubeletServing");
        kubelet_serving = item.and_then(|item| kubelet_serving::read(&item, reader));
        approval.finish(reader);
    }
    let signers = section.field("signers").map(|item| signers::read(&item, reader)).unwrap_or_default();
    let retention = section.field("retention").and_then(|item| retention::read(&item, reader));
    let guards = section.field("guards").and_then(|item| guards::read(&item, reader));
    section.finish(reader);
    Configuration {
        kubelet_serving,
        signers,
        retention: retention.unwrap_or_default(),
        guards: guards.unwrap_or_default(),
        trusted_group: None,
    }
}
