//! Where the cluster sends nodes that join: the ConfigMap `kube-public/cluster-info`, which kubeadm makes. What is dialled there is an
//! API server, a load balancer before several, or a virtual address, and no node's.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use approver::{Resolution, San};
use http::{Request, StatusCode, Uri};
use kube::config::Kubeconfig;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::api_servers::{AGAIN, PERIOD};
use super::peer::Peers;
use super::{Changed, Facts};
use crate::kube::call::Operation;
use crate::log::OncePer;

const GET: Operation = Operation::new("get", "configmaps");
const PATH: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/// The port of an https URL that has none.
const HTTPS: u16 = 443;

/// Why nobody knows where it leads.
pub type Unknown = Box<dyn std::error::Error + Send + Sync>;

/// A server that the ConfigMap names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Its name or address.
    pub host: San,
    port: u16,
}

/// The servers in such an object; none in one of another name.
///
/// # Errors
/// When it does not hold what kubeadm writes.
pub fn servers(object: &Value) -> Result<Vec<Server>, Unknown> {
    let metadata = &object["metadata"];
    if (metadata["namespace"].as_str(), metadata["name"].as_str())
        != (Some("kube-public"), Some("cluster-info"))
    {
        return Ok(Vec::new());
    }
    let Some(text) = object["data"]["kubeconfig"].as_str() else {
        return Ok(Vec::new());
    };
    let clusters = Kubeconfig::from_yaml(text)?.clusters;
    let named = clusters.into_iter().filter_map(|named| named.cluster?.server);
    named
        .map(|server| self::server(&server).ok_or_else(|| format!("server {server:?} is no URL").into()))
        .collect()
}

fn server(url: &str) -> Option<Server> {
    let url: Uri = url.parse().ok()?;
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    Some(Server { host: San::from_text(host)?, port: url.port_u16().unwrap_or(HTTPS) })
}

/// Looks where it leads, for ever.
pub(super) async fn follow(facts: &Facts, peers: &Peers, changed: &Changed) {
    let said = OncePer::new(Duration::from_secs(600));
    loop {
        let pause = match look(facts, peers).await {
            Ok(sans) => {
                facts.update(changed, |index| index.announces(sans, Instant::now()));
                PERIOD
            }
            Err(error) => {
                if said.permits("cluster-info") {
                    tracing::warn!(
                        error = &*error,
                        "where kube-public/cluster-info sends nodes is not known"
                    );
                }
                AGAIN
            }
        };
        sleep(pause).await;
    }
}

/// Every name and address that is in use there now.
///
/// What is presented is looked at where it can be: API servers' own certificates are known from their endpoints, and a load balancer
/// need not let those in who are behind it.
///
/// # Errors
/// When the ConfigMap, or where its servers are, is not known.
async fn look(facts: &Facts, peers: &Peers) -> Result<BTreeSet<San>, Unknown> {
    let object = match facts.caller.call(GET, Request::get(PATH).body(Vec::new())).await {
        Ok(body) => serde_json::from_slice(&body)?,
        Err(error) if error.code() == Some(StatusCode::NOT_FOUND) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    let mut sans = BTreeSet::new();
    for Server { host, port } in servers(&object)? {
        let addresses = addresses(facts, &host).await?;
        for address in &addresses {
            match peers.certificate(SocketAddr::new(*address, port)).await {
                Ok(found) if !found.common_name.starts_with("system:node:") => sans.extend(found.sans),
                Ok(_) => {}
                Err(error) => tracing::debug!(
                    %address,
                    error = &error as &dyn std::error::Error,
                    "what is presented where nodes join is not known"
                ),
            }
        }
        sans.extend(addresses.into_iter().map(San::ip));
        sans.insert(host);
    }
    Ok(sans)
}

async fn addresses(facts: &Facts, host: &San) -> Result<BTreeSet<IpAddr>, Unknown> {
    match host {
        San::Ip(address) => Ok([*address].into()),
        // A name without a dot leads somewhere only with a search list or a hosts file.
        San::Dns(name) if !name.contains('.') => Ok(BTreeSet::new()),
        San::Dns(name) => match facts.resolve(name).await {
            Resolution::Addresses(found) => Ok(found),
            Resolution::NotFound => Ok(BTreeSet::new()),
            Resolution::Failed => Err(format!("the addresses of {name} are not known").into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(server: &str) -> Result<Vec<Server>, String> {
        let kubeconfig = json!({ "apiVersion": "v1", "kind": "Config", "clusters": [{ "name": "", "cluster": { "server": server } }] });
        let metadata = json!({ "namespace": "kube-public", "name": "cluster-info" });
        servers(&json!({ "metadata": metadata, "data": { "kubeconfig": kubeconfig.to_string() } }))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (url, host, port) in [
            ("https://10.0.0.1:6443", "10.0.0.1", 6443),
            ("https://[fd00::1]:6443", "fd00::1", 6443),
            ("https://API.example.com", "api.example.com", 443),
            ("https://lb/path", "lb", 443),
        ] {
            let host = San::from_text(host).unwrap();
            assert_eq!(named(url), Ok(vec![Server { host, port }]), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        assert_eq!(named("https://a_b:1"), Err("server \"https://a_b:1\" is no URL".to_owned()));
        let metadata = json!({ "namespace": "kube-public", "name": "cluster-info" });
        assert!(servers(&json!({ "metadata": metadata, "data": { "kubeconfig": "[" } })).is_err());
        assert_eq!(servers(&json!({ "metadata": metadata, "data": {} })).unwrap(), []);
        let other = json!({ "metadata": { "namespace": "default", "name": "cluster-info" }, "data": { "kubeconfig": "[" } });
        assert_eq!(servers(&other).unwrap(), [], "another object");
    }
}
