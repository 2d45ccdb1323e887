//! What stands between a permission and a kubelet's client certificate.

use std::sync::Arc;

use csr::Request;

use crate::decide::Trace;
use crate::san::is_subdomain;
use crate::{Facts, Grant, Occupancy, Outcome, Policy, Question, Recognizer, rules};

/// Approves what a recognizer lets through, unless it would give a node's identity to somebody else while the node is alive.
pub(crate) fn grant(
    request: &Request,
    recognizer: Recognizer,
    (policy, facts): (&Policy, &Facts),
    trace: &mut Trace,
) -> Outcome {
    let is_own = request.requester().username == request.subject().common_name();
    if !policy.guards_nodes || is_own {
        return Outcome::Approve(Grant(recognizer));
    }
    let node = request.subject().common_name().strip_prefix("system:node:").unwrap_or_default();
    if !trace.check(&rules::NODE_CLIENT_NODE_NAME, is_subdomain(node)) {
        return Outcome::Hold { rule: &rules::NODE_CLIENT_NODE_NAME, on: Vec::new() };
    }
    let question = Question::Occupancy(Arc::from(node));
    match facts.occupancy(&question) {
        None => trace.ask(&rules::NODE_CLIENT_TAKEOVER, vec![question]),
        Some(occupancy @ (Occupancy::Ready | Occupancy::Renewed)) => {
            trace.broken(&rules::NODE_CLIENT_TAKEOVER, occupancy.to_string());
            Outcome::Hold { rule: &rules::NODE_CLIENT_TAKEOVER, on: vec![question] }
        }
        Some(occupancy @ (Occupancy::Vacant | Occupancy::Silent | Occupancy::Released)) => {
            trace.holds(&rules::NODE_CLIENT_TAKEOVER, occupancy.to_string());
            Outcome::Approve(Grant(recognizer))
        }
    }
}
