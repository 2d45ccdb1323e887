//! Whether every name is this node's, and nobody else's too.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::reserved::Standing;
use super::{Case, Stop, node_name};
use crate::decide::Trace;
use crate::{LiveCertificate, Node, Question, Resolution, San, Source, rules};

/// Demands that for every name all sources of one accepted combination confirm it.
pub(super) fn check(case: &Case<'_>, node: &Node, trace: &mut Trace) -> Result<(), Stop> {
    let rule = &rules::NODE_SERVER_SAN_JUSTIFIED;
    let unknown = case.unknown_sources(node);
    if !unknown.is_empty() {
        return Err(trace.ask(rule, unknown));
    }
    let mut confirmed = BTreeSet::new();
    for san in &case.sans {
        let by = case.confirming(san, node);
        if !case.policy.accept.iter().any(|sources| !sources.is_empty() && sources.is_subset(&by)) {
            let why = (case.facts.about_the_cluster(), case.unjustified(san, node, &by));
            return Err(trace.refuse(case, rule, why));
        }
        confirmed.extend(by);
    }
    let confirmed: Vec<_> = confirmed.into_iter().map(Source::label).collect();
    trace.holds(rule, format!("confirmed by {}", confirmed.join(", ")));
    Ok(())
}

impl Case<'_> {
    /// The sources that say that a name is this node's.
    fn confirming(&self, san: &San, node: &Node) -> BTreeSet<Source> {
        Source::ALL.into_iter().filter(|source| self.confirms(*source, san, node)).collect()
    }

    fn confirms(&self, source: Source, san: &San, node: &Node) -> bool {
        match source {
            Source::Inventory => self.inventory_lists(san),
            Source::Dns => self.resolves(san, node),
            Source::LiveCertificate => self.serves(san, node),
            Source::NodeStatus => {
                let is_listed = node.listed <= self.policy.max_addresses && node.addresses.contains(san);
                is_listed && self.could_be_its_name(san)
            }
        }
    }

    /// Whether a name is the node's own, with more or less of a domain. A node that merely says so gets no other: whose those
    /// are, only a source can say that the node does not write itself.
    fn could_be_its_name(&self, san: &San) -> bool {
        let extends =
            |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
        match san {
            San::Ip(_) => true,
            San::Dns(name) => **name == *self.node || extends(name, self.node) || extends(self.node, name),
        }
    }

    /// Whether the node's own word is all there is for a name.
    pub(super) fn rests_on_status(&self, san: &San, node: &Node) -> bool {
        let by = self.confirming(san, node);
        let is_independent = |sources: &BTreeSet<Source>| {
            !sources.is_empty() && !sources.contains(&Source::NodeStatus) && sources.is_subset(&by)
        };
        !self.inventory_lists(san) && !self.policy.accept.iter().any(is_independent)
    }

    /// Whether DNS leads from a name that only this node can have to the address; and whether a name is one of those, and leads
    /// to addresses that are all this node's to have.
    fn resolves(&self, san: &San, node: &Node) -> bool {
        let names = self.own_names();
        let is_free = |address: &IpAddr| self.is_free_for(&San::ip(*address), node);
        match san {
            San::Ip(address) => {
                let mut found = names.iter().filter_map(|name| self.addresses(name)).flatten();
                found.any(|found| found == address) && is_free(address)
            }
            San::Dns(name) => {
                let leads =
                    |name: &Arc<str>| self.addresses(name).is_some_and(|found| found.iter().all(is_free));
                // The bare name leads to nothing by itself: it is as good as the full ones.
                let is_bare = **name == *self.node;
                names.iter().any(|own| (is_bare || **own == **name) && leads(own))
            }
        }
    }

    /// The names in DNS that only this node has: the configured domains hold nothing but nodes.
    fn own_names(&self) -> Vec<Arc<str>> {
        self.policy.node_domains.iter().map(|domain| format!("{}.{domain}", self.node).into()).collect()
    }

    fn addresses(&self, name: &str) -> Option<&BTreeSet<IpAddr>> {
        match self.facts.resolution(name)? {
            Resolution::Addresses(addresses) if !addresses.is_empty() => Some(addresses),
            Resolution::Addresses(_) | Resolution::NotFound | Resolution::Failed => None,
        }
    }

    /// Whether the requester serves with a certificate that has this name: an address must present it itself, a name may be in
    /// what any address presents that the Node lists.
    pub(super) fn serves(&self, san: &San, node: &Node) -> bool {
        let is_proof = |live: &LiveCertificate| {
            node_name(&live.common_name) == Some(self.node) && live.sans.contains(san)
        };
        let live = |address: IpAddr| self.facts.live_certificate(address).flatten().is_some_and(is_proof);
        match san {
            San::Ip(address) => live(*address),
            San::Dns(_) => self.listed_addresses(node).any(live),
        }
    }

    /// Whether somebody else serves with a certificate of ours that has this name, where the requester would.
    pub(super) fn serves_another(&self, san: &San, node: &Node) -> bool {
        let is_proof = |live: &LiveCertificate| {
            let holder = node_name(&live.common_name);
            holder.is_some_and(|holder| holder != self.node) && live.sans.contains(san)
        };
        let live = |address: IpAddr| self.facts.live_certificate(address).flatten().is_some_and(is_proof);
        match san {
            San::Ip(address) => live(*address),
            San::Dns(_) => self.listed_addresses(node).any(live),
        }
    }

    /// The addresses that the Node lists and that are not for certain somebody else's: whom we connect to is not for a Node's status
    /// to say.
    fn listed_addresses<'n>(&self, node: &'n Node) -> impl Iterator<Item = IpAddr> + use<'_, 'n> {
        let listed = if node.listed <= self.policy.max_addresses { Some(&node.addresses) } else { None };
        let is_open =
            |san: &&San| self.standing_of(san, node).is_some_and(|standing| standing < Standing::Taken);
        listed.into_iter().flatten().filter(is_open).filter_map(address)
    }

    /// Whether it is known that an address is reserved for nobody but the node that asks, or shown to be its.
    fn is_free_for(&self, san: &San, node: &Node) -> bool {
        match self.standing_of(san, node) {
            Some(Standing::Own) => true,
            Some(Standing::Disputed) => {
                let reservations = self.facts.claims(san).into_iter().flat_map(|claims| &claims.reservations);
                reservations.into_iter().all(|reservation| self.is_settled(san, reservation, node))
            }
            Some(Standing::Taken) | None => false,
        }
    }

    /// Whose a name is by the worst that is known of it; `None`: that is not known.
    fn standing_of(&self, san: &San, node: &Node) -> Option<Standing> {
        if !self.is_ordinary(san) {
            return Some(Standing::Taken);
        }
        let claims = self.facts.claims(san).filter(|claims| claims.unread.is_empty())?;
        let standings =
            claims.reservations.iter().map(|found| self.standing(san, claims, (found, Some(node))));
        Some(standings.max().unwrap_or(Standing::Own))
    }

    /// What has to be asked before it is known whether certificates have these names: for addresses who serves there, where the
    /// Node lists them; for names who serves at the addresses that the Node lists, and first whose these are.
    pub(super) fn unknown_certificates<'s>(
        &self,
        sans: impl IntoIterator<Item = &'s San>,
        node: &Node,
    ) -> Vec<Question> {
        let (mut addresses, mut for_names) = (BTreeSet::new(), false);
        let counts = node.listed <= self.policy.max_addresses;
        for san in sans {
            match san {
                San::Ip(address) if counts && node.addresses.contains(san) => {
                    addresses.insert(*address);
                }
                San::Ip(_) => {}
                San::Dns(_) => for_names = true,
            }
        }
        if for_names {
            let is_counted = |san: &&San| counts && address(san).is_some();
            let listed = node.addresses.iter().filter(is_counted).filter(|san| self.is_ordinary(san));
            let unknown: Vec<_> = listed.filter(|san| self.facts.claims(san).is_none()).cloned().collect();
            if !unknown.is_empty() {
                return unknown.into_iter().map(Question::Claims).collect();
            }
            addresses.extend(self.listed_addresses(node));
        }
        let is_unknown = |address: &IpAddr| self.facts.live_certificate(*address).is_none();
        addresses.into_iter().filter(is_unknown).map(Question::LiveCertificate).collect()
    }

    /// What the accepted sources still have to be asked.
    fn unknown_sources(&self, node: &Node) -> Vec<Question> {
        let mut unknown = Vec::new();
        if self.policy.asks(Source::LiveCertificate) {
            unknown.extend(self.unknown_certificates(&self.sans, node));
        }
        if !self.policy.asks(Source::Dns) {
            return unknown;
        }
        for name in self.own_names() {
            match self.facts.resolution(&name) {
                None => unknown.push(Question::Resolve(name)),
                Some(Resolution::Addresses(found)) => {
                    for san in found.iter().map(|address| San::ip(*address)) {
                        match self.standing_of(&san, node) {
                            None if self.facts.claims(&san).is_none() => unknown.push(Question::Claims(san)),
                            Some(Standing::Disputed) => {
                                unknown.extend(self.unknown_certificates([&san], node))
                            }
                            Some(Standing::Own | Standing::Taken) | None => {}
                        }
                    }
                }
                Some(Resolution::NotFound | Resolution::Failed) => {}
            }
        }
        let mut seen = HashSet::new();
        unknown.retain(|question| seen.insert(question.clone()));
        unknown
    }

    /// Why a name is not justified, for people.
    fn unjustified(&self, san: &San, node: &Node, by: &BTreeSet<Source>) -> String {
        if self.policy.asks(Source::NodeStatus) && node.listed > self.policy.max_addresses {
            return format!(
                "Node {} lists {} addresses, more than {}: none counts",
                self.node, node.listed, self.policy.max_addresses
            );
        }
        if !self.could_be_its_name(san) && node.addresses.contains(san) {
            return format!(
                "{san} is not the name of Node {}: its status alone does not give it that",
                self.node
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
