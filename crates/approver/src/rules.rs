use csr::{NextActor, Rule};

/// Every rule of the approver, in the order in which it is asked. Those on what a kubelet's certificate may say at all are
/// [`csr`]'s, because the signer asks them again.
pub const RULES: &[Rule] = &[
    NODE_CLIENT_SIGNER_NAME,
    SELF_NODE_CLIENT_REQUESTER,
    SELF_NODE_CLIENT_PERMISSION,
    NODE_CLIENT_PERMISSION,
    NODE_CLIENT_GROUP,
    NODE_CLIENT_NODE_NAME,
    NODE_CLIENT_TAKEOVER,
    NODE_SERVER_SIGNER_NAME,
    NODE_SERVER_REQUESTER,
    NODE_SERVER_GROUP,
    NODE_SERVER_NODE_NAME,
    NODE_SERVER_SAN_COUNT,
    NODE_SERVER_UNAMBIGUOUS,
    NODE_SERVER_SUBJECT,
    NODE_SERVER_OTHER_SAN,
    NODE_SERVER_SAN_FORM,
    NODE_SERVER_KEY,
    NODE_SERVER_LIFETIME,
    NODE_SERVER_NAME_PATTERN,
    NODE_SERVER_ADDRESS_RANGE,
    NODE_SERVER_SAN_RESERVED,
    SELF_NODE_SERVER_PERMISSION,
    NODE_SERVER_NODE,
    NODE_SERVER_FACTS,
    NODE_SERVER_SAN_JUSTIFIED,
    NODE_SERVER_RECORD,
    NODE_SERVER_KEY_REUSED,
    NODE_SERVER_ADDRESS_CONFLICT,
    RESERVED_SUBJECT,
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

pub(crate) const NODE_CLIENT_GROUP: Rule = Rule {
    id: "node-client/group",
    title: "the requester is in the group of --insecure-experimental-approve-all-kubelet-csrs-for-group",
    remedy: "give the requester the permission nodeclient, and do without this flag",
    next_actor: NextActor::Administrator,
};

/// A name that no Node can have is nobody's to ask for, and gets into no path.
pub(crate) const NODE_CLIENT_NODE_NAME: Rule = Rule {
    id: "node-client/node-name",
    title: "what follows system:node: is a name that a Node can have (guards.nodeTakeover)",
    remedy: "no Node can have this name: find out who asks for it, with which bootstrap token",
    next_actor: NextActor::Administrator,
};

/// Without it, whoever has a bootstrap token becomes any node of the cluster, with its Secrets.
pub(crate) const NODE_CLIENT_TAKEOVER: Rule = Rule {
    id: "node-client/takeover",
    title: "no node of this name is alive (guards.nodeTakeover)",
    remedy: "find out who asks; where the node was set up anew, delete its Node, or label it countersign.node-restriction.kubernetes.io/allow-rejoin=true",
    next_actor: NextActor::Administrator,
};

pub(crate) const NODE_SERVER_SIGNER_NAME: Rule = Rule {
    id: "kubelet-serving/signer-name",
    title: "signerName is kubernetes.io/kubelet-serving, and --approve-kubelet-serving is given",
    remedy: "requests for other signers are approved by hand (kubectl certificate approve) or by another approver",
    next_actor: NextActor::Administrator,
};

/// Without it, whoever may create requests gets a certificate with which to serve as any node (GHSA-87pw-5j2g-6376).
pub(crate) const NODE_SERVER_REQUESTER: Rule = Rule {
    id: "kubelet-serving/requester",
    title: "the requester is the node that the common name names",
    remedy: "a serving certificate is for the kubelet that asks for it: let it ask with its own credentials",
    next_actor: NextActor::Requester,
};

/// A username is anybody's who can register it with some authenticator; the group comes with a kubelet's certificate.
pub(crate) const NODE_SERVER_GROUP: Rule = Rule {
    id: "kubelet-serving/group",
    title: "the requester is in group system:nodes",
    remedy: "let the kubelet ask with its client certificate, whose O is system:nodes",
    next_actor: NextActor::Requester,
};

/// A bootstrap token can obtain the identity `system:node:..`, which must not get into a path, a field selector or a log line.
pub(crate) const NODE_SERVER_NODE_NAME: Rule = Rule {
    id: "kubelet-serving/node-name",
    title: "what follows system:node: is a name that a Node can have",
    remedy: "no Node can have this name: find out who asked for a client certificate with it",
    next_actor: NextActor::Administrator,
};

pub(crate) const NODE_SERVER_UNAMBIGUOUS: Rule = Rule {
    id: "kubelet-serving/unambiguous",
    title: "the request can be read in one way only",
    remedy: "send one plain PEM block with one common name, each extension once, and no octet that nobody reads",
    next_actor: NextActor::Requester,
};

pub(crate) const NODE_SERVER_SUBJECT: Rule = Rule {
    id: "kubelet-serving/subject",
    title: "the subject has O and CN and nothing else",
    remedy: "send a request whose subject is O = system:nodes, CN = system:node:<node name>",
    next_actor: NextActor::Requester,
};

pub(crate) const NODE_SERVER_OTHER_SAN: Rule = Rule {
    id: "kubelet-serving/other-san",
    title: "there is no subjectAltName of another type than DNS and IP",
    remedy: "send a request with DNS and IP subjectAltNames only",
    next_actor: NextActor::Requester,
};

pub(crate) const NODE_SERVER_SAN_FORM: Rule = Rule {
    id: "kubelet-serving/san-form",
    title: "every DNS subjectAltName is a plain host name",
    remedy: "ask for host names of letters, digits and hyphens: no wildcards, no xn-- labels, no addresses written as names",
    next_actor: NextActor::Requester,
};

pub(crate) const NODE_SERVER_KEY: Rule = Rule {
    id: "kubelet-serving/key",
    title: "the key is RSA of 2048 bits or more, ECDSA on P-256 or larger, or Ed25519",
    remedy: "make a new key; kubelets use ECDSA P-256",
    next_actor: NextActor::Requester,
};

pub(crate) const NODE_SERVER_SAN_COUNT: Rule = Rule {
    id: "kubelet-serving/san-count",
    title: "there are no more subjectAltNames than the configuration allows",
    remedy: "ask for fewer names, or raise maxNames",
    next_actor: NextActor::Operator,
};

pub(crate) const NODE_SERVER_LIFETIME: Rule = Rule {
    id: "kubelet-serving/lifetime",
    title: "no longer lifetime is asked for than the configuration allows",
    remedy: "ask for a shorter lifetime (spec.expirationSeconds), or raise maxLifetime",
    next_actor: NextActor::Operator,
};

pub(crate) const NODE_SERVER_NAME_PATTERN: Rule = Rule {
    id: "kubelet-serving/name-pattern",
    title: "every DNS subjectAltName is of a form that the configuration allows",
    remedy: "rename the node, or add the form of its names to the configuration",
    next_actor: NextActor::Operator,
};

pub(crate) const NODE_SERVER_ADDRESS_RANGE: Rule = Rule {
    id: "kubelet-serving/address-range",
    title: "every IP subjectAltName lies in the ranges that the configuration allows",
    remedy: "give the node another address, or add its range to the configuration",
    next_actor: NextActor::Operator,
};

/// Without it, a node that adds the API server's address to its own status gets a certificate with which to serve as that.
pub(crate) const NODE_SERVER_SAN_RESERVED: Rule = Rule {
    id: "kubelet-serving/san-reserved",
    title: "no subjectAltName is reserved for the API server, Services, the cluster's domain, loopback or another node",
    remedy: "find out why a node asks for a name that is not a node's; an inventory entry can give it the address of an API server",
    next_actor: NextActor::Administrator,
};

pub(crate) const SELF_NODE_SERVER_PERMISSION: Rule = Rule {
    id: "kubelet-serving/permission",
    title: "the requester may create certificatesigningrequests/selfnodeserver",
    remedy: "bind ClusterRole countersign:selfnodeserver to group system:nodes",
    next_actor: NextActor::Administrator,
};

pub(crate) const NODE_SERVER_NODE: Rule = Rule {
    id: "kubelet-serving/node",
    title: "the Node exists",
    remedy: "nothing: the kubelet registers its Node, and then the request is looked at again",
    next_actor: NextActor::Nobody,
};

/// What cannot be read might forbid the name.
pub(crate) const NODE_SERVER_FACTS: Rule = Rule {
    id: "kubelet-serving/facts",
    title: "what the cluster knows of every name could be read",
    remedy: "see which permission or connection Countersign lacks; it tries again by itself",
    next_actor: NextActor::Operator,
};

/// What is approved is recorded before, so that who was first stays so; without the record nobody knows who that was.
pub(crate) const NODE_SERVER_RECORD: Rule = Rule {
    id: "kubelet-serving/record",
    title: "the record of what nodes were approved for could be read",
    remedy: "apply deploy/kubelet-serving.yaml: it has the ConfigMaps countersign-owners-0 to -f in kube-system, and the Role to get and update them",
    next_actor: NextActor::Operator,
};

/// Whoever has the key of one node can serve as the other too: images are cloned with it, and a stolen key is used elsewhere.
pub(crate) const NODE_SERVER_KEY_REUSED: Rule = Rule {
    id: "kubelet-serving/key-reused",
    title: "no other Node was approved with the same key",
    remedy: "make a new key: delete the kubelet's pki directory where a disk was cloned, and find out who else has the key",
    next_actor: NextActor::Requester,
};

/// Without it, a node that lists another's address gets a certificate for it, and each could serve as the other.
pub(crate) const NODE_SERVER_ADDRESS_CONFLICT: Rule = Rule {
    id: "kubelet-serving/address-conflict",
    title: "no other Node lists what only the Node's status confirms, or the requester serves there now with a certificate of ours, or got one for it last",
    remedy: "delete the Node that is no more, or correct its address",
    next_actor: NextActor::Administrator,
};

pub(crate) const NODE_SERVER_SAN_JUSTIFIED: Rule = Rule {
    id: "kubelet-serving/san-justified",
    title: "every subjectAltName is confirmed by a source that the configuration accepts",
    remedy: "wait until the Node lists the address, or add it where the sources look: inventory, DNS",
    next_actor: NextActor::Administrator,
};

/// Without it, whoever may approve for kube-apiserver-client makes cluster administrators: the API server itself stops
/// `system:masters` alone (the admission plugin CertificateSubjectRestriction).
pub(crate) const RESERVED_SUBJECT: Rule = Rule {
    id: "kube-apiserver-client/reserved-subject",
    title: "the subject names no user and no group that the configuration reserves",
    remedy: "find out who asks for this and why; who is meant to have it needs an exception in guards.reservedSubjects, and another request",
    next_actor: NextActor::Operator,
};
