use csr::{NextActor, Rule};

/// Every rule of the approver, in the order in which it is asked. Those on what a kubelet's client certificate may say are
/// [`csr`]'s, because the signer asks them again.
pub const RULES: &[Rule] = &[
    NODE_CLIENT_SIGNER_NAME,
    SELF_NODE_CLIENT_REQUESTER,
    SELF_NODE_CLIENT_PERMISSION,
    NODE_CLIENT_PERMISSION,
];

/// Only one signerName is approved here.
pub(crate) const NODE_CLIENT_SIGNER_NAME: Rule = Rule {
    id: "node-client/signer-name",
    title: "signerName is kubernetes.io/kube-apiserver-client-kubelet",
    remedy: "requests for other signers are approved by hand (kubectl certificate approve) or by another approver",
    next_actor: NextActor::Administrator,
};

/// Without it, any node could renew any other node's certificate with a permission meant for its own.
pub(crate) const SELF_NODE_CLIENT_REQUESTER: Rule = Rule {
    id: "self-node-client/requester",
    title: "the requester is the node that the common name names",
    remedy: "a node renews only its own certificate; anyone else needs the nodeclient permission",
    next_actor: NextActor::Requester,
};

pub(crate) const SELF_NODE_CLIENT_PERMISSION: Rule = Rule {
    id: "self-node-client/permission",
    title: "the requester may create certificatesigningrequests/selfnodeclient",
    remedy: "bind ClusterRole system:certificates.k8s.io:certificatesigningrequests:selfnodeclient to group system:nodes",
    next_actor: NextActor::Administrator,
};

pub(crate) const NODE_CLIENT_PERMISSION: Rule = Rule {
    id: "node-client/permission",
    title: "the requester may create certificatesigningrequests/nodeclient",
    remedy: "bind ClusterRole system:certificates.k8s.io:certificatesigningrequests:nodeclient to the bootstrap group",
    next_actor: NextActor::Administrator,
};
