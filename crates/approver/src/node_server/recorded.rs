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
    for san in case.sans.iter().filter(|san| case.rests_on_status(san, node)) {
        let claims = case.facts.claims(san);
        let Some(other) = claims.and_then(|claims| claims.nodes.iter().find(|other| ***other != *case.node))
        else {
            continue;
        };
        let unknown = case.unknown_certificates([san], node);
        if !unknown.is_empty() {
            return Err(trace.ask(rule, unknown));
        }
        if !case.serves(san, node) && !case.keeps(san, node) {
            let why = (case.facts.about_the_cluster(), format!("Node {other} lists {san} too"));
            return Err(trace.refuse(case, rule, why));
        }
    }
    trace.check(rule, true);
    Ok(())
}

impl Case<'_> {
    /// Whether a name is the requester's by the record, and by that alone: nobody else has it there, and nobody else serves with
    /// it where the requester would. Who serves is to be known before.
    pub(super) fn keeps(&self, san: &San, node: &Node) -> bool {
        let is_own = |owner: &Owner| *owner.node == *self.node && owner.uid == node.uid;
        let owners = self.facts.claims(san).map(|claims| &claims.owners);
        let is_owner = owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(is_own));
        is_owner && !self.serves_another(san, node)
    }
}
