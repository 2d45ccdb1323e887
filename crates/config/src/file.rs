//! The form of the file. From these types come its schema, and what [`crate::effective`] shows; the comments on the fields are
//! the schema's descriptions.

mod guards;
mod retention;
pub mod signers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use approver::{NamePattern, NodeServer, San, Source};
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

pub use guards::{Exceptions, Guards, ReservedSubjects};
pub use retention::{Retention, SignerRetention};

use crate::kubelet_serving::{MOST_ADDRESSES, MOST_NAMES};
use crate::{Configuration, DENIABLE, duration};

/// The configuration of Countersign.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CountersignConfiguration {
    /// Version of this form.
    pub api_version: ApiVersion,

    /// Kind of this object.
    pub kind: Kind,

    /// Which requests are approved, and by what proof.
    #[serde(default)]
    pub approval: Approval,

    /// What each signer issues, and with which CA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<signers::Signer>,
    /// How long finished and stale requests are kept.
    #[serde(default)]
    pub retention: Retention,

    /// Guards on client certificates; without them, everything is as upstream has it.
    #[serde(default)]
    pub guards: Guards,
}

/// Version of the form.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(inline)]
pub enum ApiVersion {
    /// The one there is.
    #[serde(rename = "countersign.dev/v1alpha1")]
    V1Alpha1,
}

/// Kind of object.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(inline)]
pub enum Kind {
    /// The one there is.
    CountersignConfiguration,
}

/// Which requests are approved, and by what proof.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Approval {
    /// Kubelets' serving certificates. Without this section the flag --approve-kubelet-serving decides, and defaults hold.
    #[serde(default)]
    pub kubelet_serving: Option<KubeletServing>,
}

/// Whether kubelets' serving certificates are approved, and by what proof.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubeletServing {
    /// Whether they are approved: true is the same as --approve-kubelet-serving.
    pub enabled: bool,

    /// Combinations of sources: a name or an address is justified when every source of one of them confirms it.
    #[serde(default = "default_accept")]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub accept: Vec<BTreeSet<SourceName>>,

    /// The names and addresses of each node, as the operator lists them.
    #[serde(default)]
    pub inventory: BTreeMap<String, BTreeSet<String>>,

    /// ConfigMap with more of the inventory: its keys are names of nodes, its values their names and addresses, separated by
    /// commas or blanks.
    #[serde(default)]
    pub inventory_config_map: Option<ObjectName>,

    /// Where nodes have names in DNS.
    #[serde(default)]
    pub dns: Dns,

    /// Domains of Services, which no node has a name in.
    #[serde(default = "default_cluster_domains")]
    pub cluster_domains: Vec<String>,

    /// Ranges from which Services get their addresses, in addition to those that the API server's ServiceCIDR objects tell.
    #[serde(default)]
    pub service_ranges: Vec<IpRange>,

    /// Further names and addresses that no node may have.
    #[serde(default)]
    pub reserved: Reserved,

    /// What a request may say at all.
    #[serde(default)]
    pub constraints: Constraints,

    /// Addresses that a Node may list in its status; of one that lists more, none counts.
    #[serde(default = "default_max_addresses")]
    #[schemars(range(min = 1, max = MOST_ADDRESSES))]
    pub max_addresses: usize,

    /// Port at which kubelets serve.
    #[serde(default = "default_kubelet_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub kubelet_port: u16,

    /// Ids of rules (see docs/rules.md) that deny a request for good. All others hold it.
    #[serde(default)]
    pub deny: BTreeSet<RuleId>,
}

/// Who confirms that a name or an address is a node's.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum SourceName {
    /// The list in inventory, or in inventoryConfigMap.
    Inventory,
    /// DNS: the node's name in one of dns.domains leads to the address.
    Dns,
    /// The certificate with which the node serves at that address now.
    LiveCertificate,
    /// The addresses in the Node's status, which the node reports itself.
    NodeStatus,
}

/// The name of an object in a namespace.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,

    /// Its name.
    pub name: String,
}

/// Where nodes have names in DNS.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dns {
    /// Domains in which a node's name is `<node>.<domain>`.
    #[serde(default)]
    pub domains: Vec<String>,

    /// Name servers that are asked, each an address, with a port where that is not 53. None: those of the machine.
    #[serde(default)]
    pub resolvers: Vec<Resolver>,
}

/// Names and addresses that no node may have, whatever any source says.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Reserved {
    /// Patterns of host names: * stands for any part of one label.
    #[serde(default)]
    pub names: Vec<String>,

    /// Ranges of addresses.
    #[serde(default)]
    pub ranges: Vec<IpRange>,
}

/// What a request may say, whoever confirms it.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Constraints {
    /// Patterns of which every host name is one: * stands for any part of one label, {node} for the node's name. None: any name.
    #[serde(default)]
    pub names: Vec<String>,

    /// Ranges in which every address lies. None: any address.
    #[serde(default)]
    pub allowed_ranges: Vec<IpRange>,

    /// Ranges in which no address lies.
    #[serde(default)]
    pub denied_ranges: Vec<IpRange>,

    /// Names and addresses in one request, at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = MOST_NAMES))]
    pub max_names: Option<usize>,

    /// Longest lifetime that may be asked for: a duration such as 24h or 1h30m.
    #[serde(default)]
    pub max_lifetime: Option<String>,

    /// Whether a node may have a public key with which another Node was approved.
    #[serde(default)]
    pub allow_reused_keys: bool,
}

/// The address of a name server, with its port.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Resolver(pub SocketAddr);

/// A range of addresses, without bits behind its prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IpRange(pub IpNet);

/// The id of a rule that may deny.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct RuleId(pub &'static str);

impl Serialize for IpRange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for IpRange {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IpRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9A-Fa-f:.]+/[0-9]+$", "examples": ["10.0.0.0/8", "fd00::/8"] })
    }
}

impl JsonSchema for Resolver {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resolver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["10.0.0.53", "10.0.0.53:5353", "[fd00::53]:53"] })
    }
}

impl JsonSchema for RuleId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RuleId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": DENIABLE })
    }
}

impl From<&Configuration> for CountersignConfiguration {
    fn from(configuration: &Configuration) -> Self {
        let serving = configuration.kubelet_serving.clone();
        let serving =
            serving.unwrap_or_else(|| crate::KubeletServing { enabled: false, ..Default::default() });
        let approval = Approval { kubelet_serving: Some((&serving).into()) };
        let signers = configuration.signers.iter().map(Into::into).collect();
        Self {
            api_version: ApiVersion::V1Alpha1,
            kind: Kind::CountersignConfiguration,
            approval,
            signers,
            retention: (&configuration.retention).into(),
            guards: (&configuration.guards).into(),
        }
    }
}

impl From<&crate::KubeletServing> for KubeletServing {
    fn from(serving: &crate::KubeletServing) -> Self {
        let judgement = &serving.judgement;
        let inventory = judgement.inventory.iter();
        let texts = |sans: &BTreeSet<San>| sans.iter().map(San::to_string).collect();
        Self {
            enabled: serving.enabled,
            accept: accept(judgement),
            inventory: inventory.map(|(node, sans)| (node.to_string(), texts(sans))).collect(),
            inventory_config_map: serving.inventory_config_map.as_ref().map(ObjectName::from),
            dns: Dns {
                domains: judgement.node_domains.clone(),
                resolvers: serving.resolvers.iter().copied().map(Resolver).collect(),
            },
            cluster_domains: judgement.cluster_domains.clone(),
            service_ranges: ranges(&serving.service_ranges),
            reserved: Reserved {
                names: patterns(&judgement.reserved_names),
                ranges: ranges(&judgement.reserved_ranges),
            },
            constraints: (&judgement.constraints).into(),
            max_addresses: judgement.max_addresses,
            kubelet_port: serving.kubelet_port,
            deny: judgement.deny.iter().copied().map(RuleId).collect(),
        }
    }
}

impl From<&crate::ObjectName> for ObjectName {
    fn from(object: &crate::ObjectName) -> Self {
        Self { namespace: object.namespace.clone(), name: object.name.clone() }
    }
}

impl From<&approver::Constraints> for Constraints {
    fn from(constraints: &approver::Constraints) -> Self {
        Self {
            names: patterns(&constraints.names),
            allowed_ranges: ranges(&constraints.allowed_ranges),
            denied_ranges: ranges(&constraints.denied_ranges),
            max_names: Some(constraints.max_names),
            max_lifetime: constraints.max_lifetime.map(|seconds| duration::of_seconds(seconds.into())),
            allow_reused_keys: constraints.allow_reused_keys,
        }
    }
}

impl From<Source> for SourceName {
    fn from(source: Source) -> Self {
        match source {
            Source::Inventory => Self::Inventory,
            Source::Dns => Self::Dns,
            Source::LiveCertificate => Self::LiveCertificate,
            Source::NodeStatus => Self::NodeStatus,
        }
    }
}

fn accept(judgement: &NodeServer) -> Vec<BTreeSet<SourceName>> {
    let combinations = judgement.accept.iter();
    combinations.map(|sources| sources.iter().copied().map(SourceName::from).collect()).collect()
}

fn patterns(patterns: &[NamePattern]) -> Vec<String> {
    patterns.iter().map(NamePattern::to_string).collect()
}

fn ranges(ranges: &[IpNet]) -> Vec<IpRange> {
    ranges.iter().copied().map(IpRange).collect()
}

fn default_accept() -> Vec<BTreeSet<SourceName>> {
    accept(&NodeServer::default())
}

fn default_cluster_domains() -> Vec<String> {
    NodeServer::default().cluster_domains
}

fn default_max_addresses() -> usize {
    NodeServer::default().max_addresses
}

fn default_kubelet_port() -> u16 {
    crate::KubeletServing::default().kubelet_port
}
