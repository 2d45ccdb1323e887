//! Names and addresses that are no node's, whatever any source says.

use std::net::{IpAddr, Ipv4Addr};

use super::{Case, Stop};
use crate::decide::Trace;
use crate::{Claims, Node, Reservation, San, rules};

const RULE: &csr::Rule = &rules::NODE_SERVER_SAN_RESERVED;

/// Demands that no name is one that no node can have, in any cluster or by configuration.
pub(super) fn check_always(case: &Case<'_>, trace: &mut Trace) -> Result<(), Stop> {
    match case.sans.iter().find_map(|san| Some((san, always(case, san)?))) {
        Some((san, why)) => Err(trace.refuse(case, RULE, (Vec::new(), format!("{san} is {why}")))),
        None => Ok(()),
    }
}

/// Demands that no name is one that this cluster has given to somebody else.
pub(super) fn check_claims(case: &Case<'_>, node: Option<&Node>, trace: &mut Trace) -> Result<(), Stop> {
    for san in &case.sans {
        let Some(claims) = case.facts.claims(san) else { continue };
        let Some(reservation) =
            claims.reservations.iter().find(|found| !case.is_own(san, claims, (found, node)))
        else {
            continue;
        };
        let mut on = case.claims();
        if node.is_some() {
            on.push(case.own_node());
        }
        return Err(trace.refuse(case, RULE, (on, format!("{san} is {reservation}"))));
    }
    trace.check(RULE, true);
    Ok(())
}

/// What a name is that no node has in any cluster.
fn always(case: &Case<'_>, san: &San) -> Option<String> {
    match san {
        San::Ip(address) => special(*address).map(str::to_owned).or_else(|| {
            let range = case.policy.reserved_ranges.iter().find(|range| range.contains(address))?;
            Some(format!("in the configured range {range}"))
        }),
        San::Dns(name) => service(case, name).or_else(|| {
            let pattern =
                case.policy.reserved_names.iter().find(|pattern| pattern.matches(name, case.node))?;
            Some(format!("of the configured form {pattern}"))
        }),
    }
}

/// What an address is that no other host reaches, or that is nobody's own.
fn special(address: IpAddr) -> Option<&'static str> {
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let is_broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let is_this_network = matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 0);
    [
        (address.is_loopback(), "a loopback address"),
        (address.is_unspecified() || is_this_network, "an unspecified address"),
        (is_link_local, "a link-local address"),
        (address.is_multicast() || is_broadcast, "a multicast or broadcast address"),
    ]
    .into_iter()
    .find_map(|(holds, what)| holds.then_some(what))
}

/// What a name is that leads to a Service, or to whoever asks.
fn service(case: &Case<'_>, name: &str) -> Option<String> {
    let is_within = |domain: &str| name == domain || name.ends_with(&format!(".{domain}"));
    if is_within("localhost") {
        return Some("a loopback name".to_owned());
    }
    if ["kubernetes", "kubernetes.default"].contains(&name) || is_within("svc") {
        return Some("a name of a Service".to_owned());
    }
    let domain = case.policy.cluster_domains.iter().find(|domain| is_within(domain))?;
    Some(format!("in the cluster's domain {domain}"))
}

impl Case<'_> {
    /// Whether a node could have this name in some cluster.
    pub(super) fn is_ordinary(&self, san: &San) -> bool {
        always(self, san).is_none()
    }

    /// Whether what is reserved is reserved for the very node that asks.
    ///
    /// Control-plane nodes serve at the addresses at which their API servers are reached, and the API servers' certificates hold
    /// these nodes' names: a plain reserved set would lock out their kubelets. What the label says NodeRestriction vouches for.
    /// Whatever else an API server presents, a virtual address above all, stays reserved for control-plane nodes too.
    pub(super) fn is_own(&self, san: &San, claims: &Claims, found: (&Reservation, Option<&Node>)) -> bool {
        let (reservation, node) = found;
        let Some(node) = node else { return false };
        match reservation {
            Reservation::NodeName(name) | Reservation::PodRange(name) => **name == *self.node,
            Reservation::Service(_) | Reservation::ServiceRange(_) => false,
            Reservation::ApiServerEndpoint | Reservation::ApiServerCertificate => {
                if self.policy.lists(self.node, san) {
                    return true;
                }
                let is_alone = claims.nodes.iter().all(|other| **other == *self.node);
                let is_its = match san {
                    San::Ip(_) => {
                        claims.reservations.contains(&Reservation::ApiServerEndpoint)
                            && node.addresses.contains(san)
                    }
                    San::Dns(name) => **name == *self.node,
                };
                node.is_control_plane && is_alone && is_its
            }
        }
    }
}

impl std::fmt::Display for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) => write!(f, "an address of Service {name}"),
            Self::ServiceRange(range) => write!(f, "in the range of Services {range}"),
            Self::ApiServerEndpoint => f.write_str("an API server's address"),
            Self::ApiServerCertificate => f.write_str("in an API server's certificate"),
            Self::PodRange(node) => write!(f, "in the range of pods of Node {node}"),
            Self::NodeName(node) => write!(f, "the name of Node {node}"),
        }
    }
}
