//! Whether every name is this node's, and nobody else's too.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Case, Stop, node_name};
use crate::decide::Trace;
use crate::{Claims, LiveCertificate, Node, Question, Resolution, San, Source, rules};

/// Demands that a name which another Node lists too is in the certificate with which the requester serves now, at that very
/// address. A later claim so never takes anything from an owner, and of two without a certificate neither gets one.
pub(super) fn check_conflicts(case: &Case<'_>, node: &Node, trace: &mut Trace) -> Result<(), Stop> {
    let rule = &rules::NODE_SERVER_ADDRESS_CONFLICT;
    for san in &case.sans {
        let claims = case.facts.claims(san);
        let Some(other) = claims.and_then(|claims| claims.nodes.iter().find(|other| ***other != *case.node))
        else {
            continue;
        };
        if case.policy.lists(case.node, san) {
            continue;
        }
        let unknown = case.unknown_certificates(node);
        if !unknown.is_empty() {
            return Err(trace.ask(rule, unknown));
        }
        if !case.serves(san, node) {
            let on = [case.claims(), case.certificates(node)].concat();
            return Err(trace.refuse(case, rule, (on, format!("Node {other} lists {san} too"))));
        }
    }
    trace.check(rule, true);
    Ok(())
}

/// Demands that for every name all sources of one accepted combination confirm it.
pub(super) fn check(case: &Case<'_>, node: &Node, trace: &mut Trace) -> Result<(), Stop> {
    let rule = &rules::NODE_SERVER_SAN_JUSTIFIED;
    let unknown = case.unknown_sources(node);
    if !unknown.is_empty() {
        return Err(trace.ask(rule, unknown));
    }
    let mut confirmed = BTreeSet::new();
    for san in &case.sans {
        let by: BTreeSet<_> =
            Source::ALL.into_iter().filter(|source| case.confirms(*source, san, node)).collect();
        if !case.policy.accept.iter().any(|sources| !sources.is_empty() && sources.is_subset(&by)) {
            let note = case.unjustified(san, node, &by);
            return Err(trace.refuse(case, rule, (case.asked_sources(node), note)));
        }
        confirmed.extend(by);
    }
    let confirmed: Vec<_> = confirmed.into_iter().map(Source::label).collect();
    trace.holds(rule, format!("confirmed by {}", confirmed.join(", ")));
    Ok(())
}

impl Case<'_> {
    /// Whether a source says that a name is this node's.
    fn confirms(&self, source: Source, san: &San, node: &Node) -> bool {
        match source {
            Source::Inventory => self.policy.lists(self.node, san),
            Source::Dns => self.resolves(san),
            Source::LiveCertificate => self.serves(san, node),
            Source::NodeStatus => node.listed <= self.policy.max_addresses && node.addresses.contains(san),
        }
    }

    /// Whether DNS leads from a name that only this node can have to the address; and whether a name is one of those, and leads
    /// to addresses that are all this node's to have.
    fn resolves(&self, san: &San) -> bool {
        let addresses: BTreeSet<_> =
            self.own_names().iter().filter_map(|name| self.addresses(name)).flatten().collect();
        match san {
            San::Ip(address) => addresses.contains(address) && self.is_free(*address),
            San::Dns(name) => {
                let names = self.own_names();
                let leads = |name: &str| {
                    self.addresses(name).is_some_and(|found| found.iter().all(|ip| self.is_free(*ip)))
                };
                // The bare name leads to nothing by itself: it is as good as the full ones.
                let is_bare = **name == *self.node && names.iter().any(|full| leads(full));
                is_bare || names.iter().any(|own| **own == **name && leads(own))
            }
        }
    }

    /// The names in DNS that only this node has: the configured domains hold no two nodes of one name.
    fn own_names(&self) -> Vec<Arc<str>> {
        self.policy.node_domains.iter().map(|domain| format!("{}.{domain}", self.node).into()).collect()
    }

    fn addresses(&self, name: &str) -> Option<&BTreeSet<IpAddr>> {
        match self.facts.resolution(name)? {
            Resolution::Addresses(addresses) if !addresses.is_empty() => Some(addresses),
            Resolution::Addresses(_) | Resolution::NotFound | Resolution::Failed => None,
        }
    }

    /// Whether an address that DNS gives is reserved for nobody.
    fn is_free(&self, address: IpAddr) -> bool {
        let claims = self.facts.claims(&San::ip(address));
        claims.is_some_and(|claims| claims.unread.is_empty() && claims.reservations.is_empty())
    }

    /// Whether the requester serves with a certificate that has this name: an address must present it itself, a name may be in
    /// what any address presents that the Node lists.
    fn serves(&self, san: &San, node: &Node) -> bool {
        let is_proof = |live: &LiveCertificate| {
            node_name(&live.common_name) == Some(self.node) && live.sans.contains(san)
        };
        let live = |address: IpAddr| self.facts.live_certificate(address).flatten().is_some_and(is_proof);
        match san {
            San::Ip(address) => live(*address),
            San::Dns(_) => self.listed_addresses(node).any(live),
        }
    }

    /// The addresses that the Node lists and that are nobody else's: whom we connect to is not for a Node's status to say.
    fn listed_addresses<'n>(&self, node: &'n Node) -> impl Iterator<Item = IpAddr> + use<'_, 'n> {
        let listed = if node.listed <= self.policy.max_addresses { Some(&node.addresses) } else { None };
        listed.into_iter().flatten().filter(|san| self.is_free_for(san, node)).filter_map(address)
    }

    /// Whether it is known that an address is reserved for nobody but the node that asks.
    fn is_free_for(&self, san: &San, node: &Node) -> bool {
        let is_free = |claims: &Claims| {
            claims.unread.is_empty()
                && claims.reservations.iter().all(|found| self.is_own(san, claims, (found, Some(node))))
        };
        self.is_ordinary(san) && self.facts.claims(san).is_some_and(is_free)
    }

    /// The addresses at which to look for certificates.
    fn serving_addresses(&self, node: &Node) -> BTreeSet<IpAddr> {
        let asks_for_names = self.sans.iter().any(|san| matches!(san, San::Dns(_)));
        let listed = asks_for_names.then(|| self.listed_addresses(node));
        self.sans.iter().filter_map(address).chain(listed.into_iter().flatten()).collect()
    }

    fn certificates(&self, node: &Node) -> Vec<Question> {
        self.serving_addresses(node).into_iter().map(Question::LiveCertificate).collect()
    }

    /// What has to be asked before all certificates are known: first whose the addresses are.
    fn unknown_certificates(&self, node: &Node) -> Vec<Question> {
        let is_listed = node.listed <= self.policy.max_addresses;
        let listed =
            node.addresses.iter().filter(|san| is_listed && address(san).is_some() && self.is_ordinary(san));
        let unknown: Vec<_> = listed.filter(|san| self.facts.claims(san).is_none()).cloned().collect();
        if !unknown.is_empty() {
            return unknown.into_iter().map(Question::Claims).collect();
        }
        let is_unknown = |address: &IpAddr| self.facts.live_certificate(*address).is_none();
        self.serving_addresses(node).into_iter().filter(is_unknown).map(Question::LiveCertificate).collect()
    }

    /// What the accepted sources still have to be asked.
    fn unknown_sources(&self, node: &Node) -> Vec<Question> {
        let mut unknown = Vec::new();
        if self.policy.asks(Source::LiveCertificate) {
            unknown.extend(self.unknown_certificates(node));
        }
        if self.policy.asks(Source::Dns) {
            for name in self.own_names() {
                match self.facts.resolution(&name) {
                    None => unknown.push(Question::Resolve(name)),
                    Some(Resolution::Addresses(found)) => {
                        let sans = found.iter().map(|address| San::ip(*address));
                        unknown.extend(
                            sans.filter(|san| self.facts.claims(san).is_none()).map(Question::Claims),
                        );
                    }
                    Some(Resolution::NotFound | Resolution::Failed) => {}
                }
            }
        }
        unknown
    }

    /// Everything that the accepted sources were asked.
    fn asked_sources(&self, node: &Node) -> Vec<Question> {
        let mut asked = vec![self.own_node()];
        if self.policy.asks(Source::LiveCertificate) {
            asked.extend(self.certificates(node));
        }
        if self.policy.asks(Source::Dns) {
            asked.extend(self.own_names().into_iter().map(Question::Resolve));
        }
        asked
    }

    /// Why a name is not justified, for people.
    fn unjustified(&self, san: &San, node: &Node, by: &BTreeSet<Source>) -> String {
        if self.policy.asks(Source::NodeStatus) && node.listed > self.policy.max_addresses {
            return format!(
                "Node {} lists {} addresses, more than {}: none counts",
                self.node, node.listed, self.policy.max_addresses
            );
        }
        let lacking = |sources: &BTreeSet<Source>| {
            let labels: Vec<_> = sources.difference(by).map(|source| source.label()).collect();
            labels.join(" and ")
        };
        let combinations: Vec<_> = self.policy.accept.iter().map(lacking).collect();
        format!("{san} is not confirmed by {}", combinations.join(", nor by "))
    }
}

fn address(san: &San) -> Option<IpAddr> {
    match san {
        San::Ip(address) => Some(*address),
        San::Dns(_) => None,
    }
}
