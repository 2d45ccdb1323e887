use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::San;

/// A Node, read for this decision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// `metadata.uid`: a Node that was deleted and made again is another.
    pub uid: Arc<str>,

    /// What it lists in `status.addresses`, as far as a certificate can carry it.
    pub addresses: BTreeSet<San>,

    /// How many it lists in all.
    pub listed: usize,

    /// Whether it carries the label `node-role.kubernetes.io/control-plane`, which NodeRestriction forbids kubelets to set.
    pub is_control_plane: bool,
}

/// What the cluster knows of a name or an address, from indexes that follow it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    /// What cannot be read now, in RBAC's words: while there is something, nobody knows who else has the name.
    pub unread: Vec<&'static str>,

    /// For what it is reserved.
    pub reservations: Vec<Reservation>,

    /// The Nodes that list it in their status; those that list too many are left out.
    pub nodes: BTreeSet<Arc<str>>,

    /// The nodes to which the part of the inventory that is kept in the cluster gives it.
    pub inventory: BTreeSet<Arc<str>>,

    /// Those of them for which it was approved last, as our record has it; none while that is unread. What the record says of a
    /// Node that is no more, or lists it no more, is left out.
    pub owners: BTreeSet<Owner>,
}

/// A Node for which a name was approved.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Owner {
    /// Its name.
    pub node: Arc<str>,

    /// Its uid when that was done.
    pub uid: Arc<str>,
}

/// For what a name or an address is reserved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reservation {
    /// An address of a Service, `namespace/name`, within the cluster.
    Service(Arc<str>),

    /// A name of a Service, or an address from outside that somebody has given it: an external one or a load balancer's.
    ServiceName(Arc<str>),

    /// The range from which Services get their addresses.
    ServiceRange(IpNet),

    /// An API server is reached at it, as the EndpointSlices of the Service `kubernetes` say.
    ApiServerEndpoint,

    /// API servers present certificates with it, or with a name that leads to it.
    ApiServerCertificate,

    /// The cluster sends nodes that join there: it is in `kube-public/cluster-info`, or leads to what is.
    ApiServerAnnounced,

    /// The range from which the pods of this Node get their addresses.
    PodRange(Arc<str>),

    /// The name of this Node.
    NodeName(Arc<str>),
}

/// What DNS says of a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resolution {
    /// It has these addresses.
    Addresses(BTreeSet<IpAddr>),

    /// There is no such name, or it has no address.
    NotFound,

    /// Nobody knows: no answer in time, or a broken one.
    Failed,
}

/// The certificate with which a kubelet serves now: unexpired, for servers, and chained to the authority for
/// `kubernetes.io/kubelet-serving`. Whoever looked has verified that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LiveCertificate {
    /// The subject's common name.
    pub common_name: String,

    /// Its names and addresses.
    pub sans: BTreeSet<San>,
}
