use csr::{Rule, SignerName};

use crate::{Policy, node_server, rules};

/// Every rule that [`decide`](crate::decide) asks about a request for this signer, in order. What a trace lacks of it was not
/// reached.
pub fn chain(signer_name: &SignerName, policy: &Policy) -> Vec<&'static Rule> {
    if policy.node_server.is_some() && *signer_name == *SignerName::KUBELET_SERVING {
        return node_server::chain();
    }
    let mut chain = vec![&rules::NODE_CLIENT_SIGNER_NAME];
    chain.extend(csr::kubelet::CLIENT.iter().map(|(rule, _)| rule));
    chain.extend([
        &rules::SELF_NODE_CLIENT_REQUESTER,
        &rules::SELF_NODE_CLIENT_PERMISSION,
        &rules::NODE_CLIENT_PERMISSION,
    ]);
    chain.extend(policy.trusted_group.iter().map(|_| &rules::NODE_CLIENT_GROUP));
    if policy.guards_nodes {
        chain.extend([&rules::NODE_CLIENT_NODE_NAME, &rules::NODE_CLIENT_TAKEOVER]);
    }
    chain
}

/// The same for [`gate`](crate::gate).
pub fn gate_chain(signer_name: &SignerName, policy: &Policy) -> Vec<&'static Rule> {
    if policy.gate(signer_name).is_some() {
        return vec![&rules::NODE_SERVER_FACTS, &rules::NODE_SERVER_SAN_RESERVED];
    }
    Vec::new()
}
