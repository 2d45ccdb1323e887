//! A Node as the API server sees it when it wants to reach the kubelet.

use clap::ValueEnum;
use serde::Deserialize;

use crate::facts::object::{Metadata, Source};

/// A Node, with nothing of it but where its kubelet serves.
#[derive(Debug, Deserialize)]
pub struct Node {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    addresses: Option<Vec<Address>>,
    daemon_endpoints: Option<DaemonEndpoints>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    r#type: String,
    address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DaemonEndpoints {
    kubelet_endpoint: Option<Endpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Endpoint {
    port: i32,
}

/// A type of address that a Node lists, in Kubernetes' spelling.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum AddressType {
    /// The name that the kubelet goes by.
    #[value(name = "Hostname")]
    Hostname,
    /// A name within the cluster's network.
    #[value(name = "InternalDNS")]
    InternalDns,
    /// An address within the cluster's network.
    #[value(name = "InternalIP")]
    InternalIp,
    /// A name outside.
    #[value(name = "ExternalDNS")]
    ExternalDns,
    /// An address outside.
    #[value(name = "ExternalIP")]
    ExternalIp,
}

impl AddressType {
    /// As a Node spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hostname => "Hostname",
            Self::InternalDns => "InternalDNS",
            Self::InternalIp => "InternalIP",
            Self::ExternalDns => "ExternalDNS",
            Self::ExternalIp => "ExternalIP",
        }
    }
}

impl Source for Node {
    const PATH: &'static str = "/api/v1/nodes";
    const RESOURCE: &'static str = "nodes";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl Node {
    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The first address of the first type of which there is one, as the API server chooses
    /// (`GetPreferredNodeAddress` in `pkg/util/node/node.go`).
    #[must_use]
    pub fn preferred(&self, types: &[AddressType]) -> Option<&str> {
        let listed = self.status.addresses.as_deref().unwrap_or_default();
        let first = |kind: &AddressType| listed.iter().find(|listed| listed.r#type == kind.as_str());
        types.iter().find_map(first).map(|listed| listed.address.as_str())
    }

    /// The port that the kubelet reports, or else the usual one (`pkg/kubelet/client/kubelet_client.go`).
    #[must_use]
    pub fn port(&self) -> u16 {
        let endpoint =
            self.status.daemon_endpoints.as_ref().and_then(|daemons| daemons.kubelet_endpoint.as_ref());
        let reported = endpoint.and_then(|endpoint| u16::try_from(endpoint.port).ok());
        reported.filter(|port| *port > 0).unwrap_or(USUAL_PORT)
    }
}

/// Of kubelets that report none.
const USUAL_PORT: u16 = 10250;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(status: Value) -> Node {
        serde_json::from_value(json!({"metadata": {"name": "a"}, "status": status})).unwrap()
    }

    #[test]
    fn the_first_address_of_the_first_type_that_is_listed_is_dialled() {
        use AddressType::{ExternalIp, Hostname, InternalDns, InternalIp};
        let listed = node(json!({"addresses": [
            {"type": "Hostname", "address": "a"},
            {"type": "InternalIP", "address": "203.0.113.1"},
            {"type": "InternalIP", "address": "203.0.113.2"},
        ]}));
        for (types, address) in [
            (&[InternalIp, ExternalIp, Hostname][..], Some("203.0.113.1")),
            (&[Hostname, InternalDns, InternalIp], Some("a")),
            (&[ExternalIp, Hostname], Some("a")),
            (&[ExternalIp], None),
            (&[], None),
        ] {
            assert_eq!(listed.preferred(types), address, "{types:?}");
        }
        assert_eq!(node(json!({"addresses": null})).preferred(&[InternalIp]), None);
    }

    #[test]
    fn a_port_is_the_reported_one_or_the_usual_one() {
        let reported = |port: i64| json!({"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}});
        for (status, port) in [
            (reported(10_260), 10_260),
            (reported(0), 10_250),
            (reported(-1), 10_250),
            (reported(70_000), 10_250),
            (json!({}), 10_250),
            (json!({"daemonEndpoints": null}), 10_250),
            (json!({"daemonEndpoints": {"kubeletEndpoint": null}}), 10_250),
        ] {
            assert_eq!(node(status.clone()).port(), port, "{status}");
        }
    }
}
