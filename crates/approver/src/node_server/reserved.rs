//! Names and addresses that are no node's, whatever any source says.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

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
///
/// Nodes and tenants can bring about some reservations, for a neighbour's address too: a range of pods, a Service's external
/// address, a Node of the same name. What the inventory gives to other nodes alone is theirs, whether they say so or not. Whoever is in the inventory, or serves there now with a certificate of ours, is not shut out
/// by those, and by another Node's neither who was approved for the name last.
pub(super) fn check_claims(case: &Case<'_>, node: Option<&Node>, trace: &mut Trace) -> Result<(), Stop> {
    let found = || {
        let claims = |san| case.facts.claims(san).map(|claims| (san, claims));
        let claims = case.sans.iter().filter_map(claims);
        claims.flat_map(|(san, claims)| claims.reservations.iter().map(move |found| (san, claims, found)))
    };
    let refused = |trace: &mut Trace, san: &San, found: &Reservation| {
        let why = (case.facts.about_the_cluster(), format!("{san} is {found}"));
        Err(trace.refuse(case, RULE, why))
    };
    for san in case.sans.iter().filter(|san| !case.inventory_lists(san)) {
        if let Some(other) = case.inventory_nodes(san).next() {
            let note = format!("{san} is node {other}'s in the inventory");
            return Err(trace.refuse(case, RULE, (case.facts.about_the_cluster(), note)));
        }
    }
    for (san, claims, reservation) in found() {
        if case.standing(san, claims, (reservation, node)) == Standing::Taken {
            return refused(trace, san, reservation);
        }
    }
    if let Some(node) = node {
        let is_disputed = |(san, claims, reservation): &(&San, &Claims, &Reservation)| {
            let standing = case.standing(san, claims, (reservation, Some(node)));
            standing == Standing::Disputed && !case.inventory_lists(san)
        };
        let unknown = case.unknown_certificates(found().filter(is_disputed).map(|(san, ..)| san), node);
        if !unknown.is_empty() {
            return Err(trace.ask(RULE, unknown));
        }
        for (san, _, reservation) in found().filter(is_disputed) {
            if !case.is_settled(san, reservation, node) {
                return refused(trace, san, reservation);
            }
        }
    }
    trace.check(RULE, true);
    Ok(())
}

/// Whose a reserved name is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Standing {
    /// The very node's that asks.
    Own,
    /// Not shown to be its, and not for certain somebody else's.
    Disputed,
    /// Somebody else's.
    Taken,
}

/// What a name is that no node has in any cluster.
fn always(case: &Case<'_>, san: &San) -> Option<String> {
    match san {
        San::Ip(address) => special(*address).map(str::to_owned).or_else(|| {
            let range = case.policy.reserved_ranges.iter().find(|range| range.contains(address))?;
            Some(format!("in the configured range {range}"))
        }),
        San::Dns(name) => case.policy.cluster_name(name).or_else(|| {
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
    let embeds = |text: &str| text.parse::<IpNet>().is_ok_and(|range| range.contains(&address));
    [
        (address.is_loopback(), "a loopback address"),
        (address.is_unspecified() || is_this_network, "an unspecified address"),
        (is_link_local, "a link-local address"),
        (address.is_multicast() || is_broadcast, "a multicast or broadcast address"),
        (EMBEDDING.into_iter().any(embeds), "an IPv4 address in the form of an IPv6 one, or site-local"),
    ]
    .into_iter()
    .find_map(|(holds, what)| holds.then_some(what))
}

/// Ranges in which an IPv6 address stands for an IPv4 one, which would have to be judged in its place (RFC 4291 §2.5.5, RFC 2765,
/// RFC 6052, RFC 8215, RFC 3056), and site-local ones (RFC 3879).
const EMBEDDING: [&str; 6] =
    ["::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10"];

impl Case<'_> {
    /// Whether a node could have this name in some cluster.
    pub(super) fn is_ordinary(&self, san: &San) -> bool {
        always(self, san).is_none()
    }

    /// Whether a name that somebody else disputes is shown to be the requester's. Who serves is to be known before.
    pub(super) fn is_settled(&self, san: &San, reservation: &Reservation, node: &Node) -> bool {
        // To an address that a Service has outside, its clients are led whoever had it first.
        let by_record = !matches!(reservation, Reservation::ServiceName(_)) && self.keeps(san, node);
        by_record || self.inventory_lists(san) || self.serves(san, node)
    }

    /// Whose a reserved name is.
    ///
    /// Control-plane nodes serve at the addresses at which their API servers are reached, and the API servers' certificates hold
    /// these nodes' names: a plain reserved set would lock out their kubelets. What the label says NodeRestriction vouches for.
    /// Whatever else an API server presents, a virtual address above all, stays reserved for control-plane nodes too.
    pub(super) fn standing(
        &self,
        san: &San,
        claims: &Claims,
        found: (&Reservation, Option<&Node>),
    ) -> Standing {
        let (reservation, node) = found;
        let Some(node) = node else { return Standing::Taken };
        match reservation {
            Reservation::NodeName(name) | Reservation::PodRange(name) if **name == *self.node => {
                Standing::Own
            }
            Reservation::NodeName(_) | Reservation::PodRange(_) | Reservation::ServiceName(_) => {
                Standing::Disputed
            }
            Reservation::Service(_) | Reservation::ServiceRange(_) => Standing::Taken,
            Reservation::ApiServerEndpoint
            | Reservation::ApiServerCertificate
            | Reservation::ApiServerAnnounced => {
                let is_its = match san {
                    San::Ip(_) => {
                        claims.reservations.contains(&Reservation::ApiServerEndpoint)
                            && node.addresses.contains(san)
                    }
                    San::Dns(name) => **name == *self.node,
                };
                let is_alone = claims.nodes.iter().all(|other| **other == *self.node);
                match (self.inventory_lists(san), node.is_control_plane && is_its, is_alone) {
                    (true, ..) | (_, true, true) => Standing::Own,
                    (false, true, false) => Standing::Disputed,
                    (false, false, _) => Standing::Taken,
                }
            }
        }
    }
}

impl std::fmt::Display for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) => write!(f, "an address of Service {name}"),
            Self::ServiceName(name) => write!(f, "a name or an outer address of Service {name}"),
            Self::ServiceRange(range) => write!(f, "in the range of Services {range}"),
            Self::ApiServerEndpoint => f.write_str("an API server's address"),
            Self::ApiServerCertificate => f.write_str("in an API server's certificate"),
            Self::ApiServerAnnounced => f.write_str("where nodes join, by kube-public/cluster-info"),
            Self::PodRange(node) => write!(f, "in the range of pods of Node {node}"),
            Self::NodeName(node) => write!(f, "the name of Node {node}"),
        }
    }
}
