use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use csr::{PublicKey, Requester};

use crate::{Claims, LiveCertificate, Node, Occupancy, Recognizer, Resolution, San};

/// What a decision still needs to know.
///
/// Equal questions have equal answers at any one moment, so one answer may serve several requests: the question holds
/// everything that the answer depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Question {
    /// Has the requester this permission? Answered by a SubjectAccessReview.
    Review(Permission),

    /// What does the Node of this name say now? Answered by reading it.
    Node(Arc<str>),

    /// Is a node of this name there and alive? Answered by reading its Node and its Lease.
    Occupancy(Arc<str>),

    /// Who else has this name or address? Answered from indexes that follow the cluster.
    Claims(San),

    /// Which Nodes were approved with this key last? Answered from our record of what we approved.
    Record(Arc<PublicKey>),

    /// What are the addresses of this name? Answered by DNS.
    Resolve(Arc<str>),

    /// Who serves at this address now, as a kubelet does? Answered by a TLS handshake.
    LiveCertificate(IpAddr),
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// To [`Question::Review`].
    Review(Verdict),

    /// To [`Question::Node`]; `None`: there is no such Node.
    Node(Option<Arc<Node>>),

    /// To [`Question::Occupancy`].
    Occupancy(Occupancy),

    /// To [`Question::Claims`].
    Claims(Arc<Claims>),

    /// To [`Question::Record`]: the Nodes of these names, as far as they exist; `None`: the record cannot be read.
    Record(Option<BTreeSet<Arc<str>>>),

    /// To [`Question::Resolve`].
    Resolution(Resolution),

    /// To [`Question::LiveCertificate`]; `None`: nobody, or nobody whose certificate can be trusted.
    LiveCertificate(Option<Arc<LiveCertificate>>),
}

impl Question {
    /// Whether what follows the cluster answers it, at any moment and at once: an answer is then never kept.
    pub fn is_indexed(&self) -> bool {
        match self {
            Self::Claims(_) | Self::Record(_) => true,
            Self::Review(_)
            | Self::Node(_)
            | Self::Occupancy(_)
            | Self::Resolve(_)
            | Self::LiveCertificate(_) => false,
        }
    }

    /// The question in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Review(_) => "review",
            Self::Node(_) => "node",
            Self::Occupancy(_) => "occupancy",
            Self::Claims(_) => "claims",
            Self::Record(_) => "record",
            Self::Resolve(_) => "resolve",
            Self::LiveCertificate(_) => "live_certificate",
        }
    }
}

/// A permission asked about, together with who is to have it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Permission {
    /// Who is to have it: the whole attested identity.
    pub requester: Arc<Requester>,

    /// For which class of certificate.
    pub recognizer: Recognizer,
}

/// What a SubjectAccessReview said. A review that failed is no verdict.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// `status.allowed` is true.
    Allowed,

    /// `status.allowed` is false.
    NotAllowed,
}

impl Verdict {
    /// The verdict in one word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// `spec.resourceAttributes` of a SubjectAccessReview (`authorization.k8s.io/v1`); what is not here is left empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the API's own field names")]
pub struct ResourceAttributes {
    pub group: &'static str,
    pub version: &'static str,
    pub resource: &'static str,
    pub subresource: &'static str,
    pub verb: &'static str,
}

impl Permission {
    /// What is asked about: the right to create the recognizer's virtual subresource, as upstream's approver asks.
    pub fn attributes(&self) -> ResourceAttributes {
        ResourceAttributes {
            group: "certificates.k8s.io",
            version: "*",
            resource: "certificatesigningrequests",
            subresource: self.recognizer.label(),
            verb: "create",
        }
    }
}
