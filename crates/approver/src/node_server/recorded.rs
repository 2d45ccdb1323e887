//! What the record of former approvals says: whose a name was first, and whose a key is.

use std::sync::Arc;

use super::{Case, Stop};
use crate::decide::Trace;
use crate::{Node, Owner, Question, San, rules};

/// Demands that the record can be read, and that no other Node has the key by it. A node may keep its own.
pub(super) fn check_key(case: &Case<'_>, trace: &mut Trace) -> Result<(), Stop> {
    let key = Arc::new(case.request.public_key().clone());
    let question = Question::Record(Arc::clone(&key));
    let Some(recorded) = case.facts.record(key) else {
        return Err(trace.ask(&rules::NODE_SERVER_RECORD, vec![question]));
    };
    let Some(nodes) = recorded else {
        return Err(trace.refuse(case, &rules::NODE_SERVER_RECORD, (vec![question], String::new())));
    };
    trace.check(&rules::NODE_SERVER_RECORD, true);
    let other = nodes.iter().find(|other| ***other != *case.node);
    match other.filter(|_| !case.policy.constraints.allow_reused_keys) {
        Some(other) => {
            let why = (case.facts.about_the_cluster(), format!("Node {other} has it"));
            Err(trace.refuse(case, &rules::NODE_SERVER_KEY_REUSED, why))
        }
        None => {
            trace.check(&rules::NODE_SERVER_KEY_REUSED, true);
            Ok(())
        }
    }
}

/// Demands that a name which nothing but the Node's status confirms, and which another Node lists too, is in the certificate with
/// which the requester serves now, at that very address, or was approved for it last. A later claim so never takes anything from an
/// owner, and of two who are none neither gets it.
pub(super) fn check_conflicts(case: &Case<'_>, node: &Node, trace: &mut Trace) -> Result<(), Stop> {
    let rule = &rules::NODE_SERVER_ADDRESS_CONFLICT;
    let rests = case.sans.iter().filter(|san| case.rests_on_status(san, node));
    let contested: Vec<_> = rests.filter_map(|san| Some((san, case.contender(san)?))).collect();
    // All at once: whoever is not reached takes seconds, and answers are not good for long.
    let unknown = case.unknown_certificates(contested.iter().map(|(san, _)| *san), node);
    if !unknown.is_empty() {
        return Err(trace.ask(rule, unknown));
    }
    for (san, other) in contested {
        if !case.serves(san, node) && !case.keeps(san, node) {
            let why = (case.facts.about_the_cluster(), format!("Node {other} lists {san} too"));
            return Err(trace.refuse(case, rule, why));
        }
    }
    trace.check(rule, true);
    Ok(())
}

impl Case<'_> {
    /// Another Node with a claim to a name. To a node's very name it has none by merely listing it, and one by having been approved
    /// for it.
    fn contender(&self, san: &San) -> Option<&Arc<str>> {
        let claims = self.facts.claims(san)?;
        let is_other = |node: &&Arc<str>| ***node != *self.node;
        match san {
            San::Dns(name) if **name == *self.node => {
                claims.owners.iter().map(|owner| &owner.node).find(is_other)
            }
            San::Dns(_) | San::Ip(_) => claims.nodes.iter().find(is_other),
        }
    }

    /// Whether a name is the requester's by the record, and by that alone: nobody else has it there, and nobody else serves with
    /// it where the requester would. Who serves is to be known before.
    pub(super) fn keeps(&self, san: &San, node: &Node) -> bool {
        let is_own = |owner: &Owner| *owner.node == *self.node && owner.uid == node.uid;
        let owners = self.facts.claims(san).map(|claims| &claims.owners);
        let is_owner = owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(is_own));
        is_owner && !self.serves_another(san, node)
    }
}
