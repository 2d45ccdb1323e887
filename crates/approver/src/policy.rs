use std::collections::BTreeSet;

use csr::SignerName;
use ipnet::IpNet;

use crate::pattern::NamePattern;
use crate::{Inventory, ReservedSubjects, Source};

/// What the approver works by. By default it knows no more than upstream's: kubelets' client certificates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// Whether, and by which proof, kubelets' serving certificates are approved.
    pub node_server: Option<NodeServer>,

    /// Further signers whose CA the cluster may trust: what they sign can stand in for a kubelet's serving certificate.
    pub sharing_cluster_ca: BTreeSet<SignerName>,

    /// Whom nobody becomes by a client certificate, whoever approves it; asked by the signer.
    pub reserved_subjects: Option<ReservedSubjects>,

    /// The group whose members get kubelets' client certificates without a permission for it.
    pub trusted_group: Option<String>,

    /// Whether nobody but the node itself gets the client certificate of a node that is alive.
    pub guards_nodes: bool,
}

impl Policy {
    /// By what it is judged which names certificates of this signer may not have, whoever approved them; `None` where nothing is
    /// reserved.
    pub fn gate(&self, signer: &SignerName) -> Option<&NodeServer> {
        let is_gated = *signer == *SignerName::KUBELET_SERVING || self.sharing_cluster_ca.contains(signer);
        self.node_server.as_ref().filter(|_| is_gated)
    }
}

/// How kubelets' serving certificates are judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeServer {
    /// A name is justified when every source of one of these sets confirms it.
    pub accept: Vec<BTreeSet<Source>>,

    /// The part of the inventory that the configuration holds: which node serves under which names and addresses. What is kept in
    /// the cluster comes with [`Claims::inventory`](crate::Claims::inventory).
    pub inventory: Inventory,

    /// Domains in which nodes have names in DNS, as `<node>.<domain>`.
    pub node_domains: Vec<String>,

    /// The domains of Services, which no node has a name in.
    pub cluster_domains: Vec<String>,

    /// Further names, and ranges of addresses, that no node may have.
    pub reserved_names: Vec<NamePattern>,

    /// See [`Self::reserved_names`].
    pub reserved_ranges: Vec<IpNet>,

    /// What a request may say at all.
    pub constraints: Constraints,

    /// Addresses that a Node may list before nothing that it lists counts: else one node could claim everybody's.
    pub max_addresses: usize,

    /// Ids of the rules that deny a request. All others hold it: a denial is for ever, and most of what is wrong can be mended.
    pub deny: BTreeSet<&'static str>,
}

/// What a serving certificate may say, whoever confirms it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Constraints {
    /// The forms of host names; none: any.
    pub names: Vec<NamePattern>,

    /// The ranges in which addresses lie; none: any.
    pub allowed_ranges: Vec<IpNet>,

    /// The ranges in which no address lies.
    pub denied_ranges: Vec<IpNet>,

    /// Names and addresses at most, repeated ones included.
    pub max_names: usize,

    /// The longest lifetime that may be asked for, in seconds.
    pub max_lifetime: Option<i32>,

    /// Whether a node may have the key that another one has.
    pub allow_reused_keys: bool,
}

impl Default for Constraints {
    /// Any name and address, as many as a node with several interfaces has.
    fn default() -> Self {
        Self {
            names: Vec::new(),
            allowed_ranges: Vec::new(),
            denied_ranges: Vec::new(),
            max_names: 32,
            max_lifetime: None,
            allow_reused_keys: false,
        }
    }
}

impl Default for NodeServer {
    /// What `--approve-kubelet-serving` alone means: the addresses in the Node's status, which the node reports itself, unless
    /// they are somebody else's.
    fn default() -> Self {
        Self {
            accept: vec![BTreeSet::from([Source::NodeStatus])],
            inventory: Inventory::default(),
            node_domains: Vec::new(),
            cluster_domains: vec!["cluster.local".to_owned()],
            reserved_names: Vec::new(),
            reserved_ranges: Vec::new(),
            constraints: Constraints::default(),
            max_addresses: 16,
            deny: BTreeSet::new(),
        }
    }
}

impl NodeServer {
    /// What a name is that leads to a Service, or to whoever asks for it, in any cluster with these domains; `None` where a node may
    /// have it.
    #[must_use]
    pub fn cluster_name(&self, name: &str) -> Option<String> {
        let is_within = |domain: &str| name == domain || name.ends_with(&format!(".{domain}"));
        if is_within("localhost") {
            return Some("a loopback name".to_owned());
        }
        if ["kubernetes", "kubernetes.default"].contains(&name) || is_within("svc") || is_within("pod") {
            return Some("a name of a Service or a pod".to_owned());
        }
        let plain = |domain: &String| domain.trim_end_matches('.').to_ascii_lowercase();
        let domain = self.cluster_domains.iter().map(plain).find(|domain| is_within(domain))?;
        Some(format!("in the cluster's domain {domain}"))
    }

    /// Whether any accepted combination asks this source.
    pub(crate) fn asks(&self, source: Source) -> bool {
        self.accept.iter().any(|sources| sources.contains(&source))
    }
}
