//! The objects that names and addresses are learned from, with nothing of them but that.

use std::net::IpAddr;
use std::sync::Arc;

use approver::San;
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::kube::watch::Watched;

type DecodeError = Box<dyn std::error::Error + Send + Sync>;

/// The part of `metadata` that all of them have.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// `metadata.namespace`.
    pub namespace: String,

    /// `metadata.name`.
    pub name: String,

    /// `metadata.uid`.
    pub uid: String,

    labels: std::collections::BTreeMap<String, String>,

    resource_version: String,
}

impl Metadata {
    /// `namespace/name`, or the name alone.
    #[must_use]
    pub fn key(&self) -> Arc<str> {
        key(&self.namespace, &self.name)
    }
}

/// `namespace/name`, or the name alone.
#[must_use]
pub fn key(namespace: &str, name: &str) -> Arc<str> {
    if namespace.is_empty() { name.into() } else { format!("{namespace}/{name}").into() }
}

/// A kind of object that says something about names and addresses.
pub trait Source: DeserializeOwned + Send + Sync + 'static {
    /// See [`Watched::PATH`].
    const PATH: &'static str;
    /// See [`Watched::SELECTOR`].
    const SELECTOR: &'static str = "";
    /// See [`Watched::RESOURCE`].
    const RESOURCE: &'static str;

    /// `metadata`.
    fn metadata(&self) -> &Metadata;
}

impl<T: Source> Watched for T {
    const PATH: &'static str = <T as Source>::PATH;
    const RESOURCE: &'static str = <T as Source>::RESOURCE;
    const SELECTOR: &'static str = <T as Source>::SELECTOR;

    fn decode(json: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(json)?)
    }

    fn resource_version(&self) -> u64 {
        self.metadata().resource_version.parse().unwrap_or_default()
    }
}

/// A Node.
#[derive(Debug, Deserialize)]
pub struct Node {
    metadata: Metadata,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeSpec {
    #[serde(rename = "podCIDR")]
    pod_cidr: String,
    #[serde(rename = "podCIDRs")]
    pod_cidrs: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    addresses: Vec<NodeAddress>,
}

#[derive(Debug, Deserialize)]
struct NodeAddress {
    address: String,
}

impl Source for Node {
    const PATH: &'static str = "/api/v1/nodes";
    const RESOURCE: &'static str = "nodes";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl Node {
    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> Arc<str> {
        self.metadata.uid.as_str().into()
    }

    /// How many addresses it lists.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.status.addresses.len()
    }

    /// Those of them that a certificate can carry.
    pub fn addresses(&self) -> impl Iterator<Item = San> {
        self.status.addresses.iter().filter_map(|listed| San::from_text(&listed.address))
    }

    /// The ranges of its pods. A range of more addresses than the pods of one node have is none: a kubelet may set it where nobody
    /// else does, and would so keep all others from their addresses.
    pub fn pod_ranges(&self) -> impl Iterator<Item = IpNet> {
        let texts = self.spec.pod_cidrs.iter().chain([&self.spec.pod_cidr]);
        let ranges = texts.filter_map(|text| text.parse::<IpNet>().ok()).map(|range| range.trunc());
        ranges.filter(|range| range.prefix_len() >= if range.addr().is_ipv4() { 20 } else { 56 })
    }

    /// Whether it is one of the control plane's.
    #[must_use]
    pub fn is_control_plane(&self) -> bool {
        self.metadata.labels.contains_key("node-role.kubernetes.io/control-plane")
    }

    /// What the approver wants to know of it.
    #[must_use]
    pub fn fact(&self) -> approver::Node {
        approver::Node {
            uid: self.uid(),
            addresses: self.addresses().collect(),
            listed: self.listed(),
            is_control_plane: self.is_control_plane(),
        }
    }
}

/// A Service.
#[derive(Debug, Deserialize)]
pub struct Service {
    metadata: Metadata,
    #[serde(default)]
    spec: ServiceSpec,
    #[serde(default)]
    status: ServiceStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(rename = "clusterIP")]
    cluster_ip: String,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Vec<String>,
    #[serde(rename = "externalIPs")]
    external_ips: Vec<String>,
    #[serde(rename = "loadBalancerIP")]
    load_balancer_ip: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceStatus {
    load_balancer: LoadBalancer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Vec<Ingress>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ingress {
    ip: String,
    hostname: String,
}

impl Source for Service {
    const PATH: &'static str = "/api/v1/services";
    const RESOURCE: &'static str = "services";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl Service {
    /// The addresses at which it is reached within the cluster.
    pub fn inner(&self) -> impl Iterator<Item = San> {
        // A Service without an address of its own says "None".
        let texts =
            self.spec.cluster_ips.iter().chain([&self.spec.cluster_ip]).filter(|text| *text != "None");
        texts.filter_map(|text| San::from_text(text)).filter(|san| matches!(san, San::Ip(_)))
    }

    /// What else it is reached by: its name as pods of other namespaces use it, and what somebody has given it outside.
    pub fn outer(&self) -> impl Iterator<Item = San> {
        let Metadata { name, namespace, .. } = &self.metadata;
        let ingress =
            self.status.load_balancer.ingress.iter().flat_map(|ingress| [&ingress.ip, &ingress.hostname]);
        let texts = self.spec.external_ips.iter().chain([&self.spec.load_balancer_ip]).chain(ingress);
        texts.filter_map(|text| San::from_text(text)).chain(service_name(namespace, name))
    }
}

/// The name of a Service as pods of other namespaces use it.
#[must_use]
pub fn service_name(namespace: &str, name: &str) -> Option<San> {
    San::dns(&format!("{name}.{namespace}"))
}

/// An EndpointSlice of the Service `default/kubernetes`: where API servers are.
#[derive(Debug, Deserialize)]
pub struct ApiServers {
    metadata: Metadata,
    // An empty list is null in this kind.
    endpoints: Option<Vec<Endpoint>>,
    ports: Option<Vec<Port>>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Port {
    port: Option<u16>,
}

impl Source for ApiServers {
    const PATH: &'static str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    const RESOURCE: &'static str = "discovery.k8s.io/endpointslices";
    const SELECTOR: &'static str = "labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes&";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl ApiServers {
    /// Their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let endpoints = self.endpoints.iter().flatten();
        endpoints
            .flat_map(|endpoint| &endpoint.addresses)
            .filter_map(|text| text.parse().ok())
            .map(|address: IpAddr| address.to_canonical())
    }

    /// Where they are dialled.
    pub fn sockets(&self) -> impl Iterator<Item = (IpAddr, u16)> {
        let ports = self.ports.iter().flatten().filter_map(|port| port.port);
        ports.flat_map(|port| self.addresses().map(move |address| (address, port)))
    }
}

/// A ServiceCIDR.
#[derive(Debug, Deserialize)]
pub struct ServiceRanges {
    metadata: Metadata,
    #[serde(default)]
    spec: ServiceRangesSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceRangesSpec {
    cidrs: Vec<String>,
}

impl Source for ServiceRanges {
    const PATH: &'static str = "/apis/networking.k8s.io/v1/servicecidrs";
    const RESOURCE: &'static str = "networking.k8s.io/servicecidrs";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl ServiceRanges {
    /// The ranges from which Services get their addresses.
    pub fn ranges(&self) -> impl Iterator<Item = IpNet> {
        self.spec.cidrs.iter().filter_map(|text| text.parse::<IpNet>().ok()).map(|range| range.trunc())
    }
}
