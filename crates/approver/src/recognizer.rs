use csr::Rule;

use crate::rules;

/// A class of kubelet requests: its permission and its message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Recognizer {
    /// A kubelet's own client certificate, asked for by that very node: renewal.
    SelfNodeClient,

    /// A kubelet's client certificate, asked for by anyone: bootstrap.
    NodeClient,

    /// A kubelet's client certificate, asked for by a member of the one group that needs no permission for it.
    TrustedGroup,

    /// A kubelet's own serving certificate, asked for by that very node.
    SelfNodeServer,
}

impl Recognizer {
    /// Every recognizer.
    pub const ALL: [Self; 4] =
        [Self::SelfNodeClient, Self::NodeClient, Self::TrustedGroup, Self::SelfNodeServer];

    /// Those for client certificates, in the order in which upstream asks.
    pub(crate) const NODE_CLIENT: [Self; 2] = [Self::SelfNodeClient, Self::NodeClient];

    /// The subresource on which the permission is granted, and the name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::SelfNodeClient => "selfnodeclient",
            Self::NodeClient => "nodeclient",
            Self::TrustedGroup => "group",
            Self::SelfNodeServer => "selfnodeserver",
        }
    }

    /// The message of the Approved condition.
    pub fn message(self) -> &'static str {
        match self {
            Self::SelfNodeClient => {
                "Auto approving self kubelet client certificate after SubjectAccessReview."
            }
            Self::NodeClient => "Auto approving kubelet client certificate after SubjectAccessReview.",
            Self::TrustedGroup => "Auto approving of all kubelet CSRs is enabled on the controller manager",
            Self::SelfNodeServer => {
                "Auto approving self kubelet serving certificate after SubjectAccessReview; every name in it is justified."
            }
        }
    }

    /// The rule that the requester needs this recognizer's permission, or is of its group.
    pub fn permission_rule(self) -> &'static Rule {
        match self {
            Self::SelfNodeClient => &rules::SELF_NODE_CLIENT_PERMISSION,
            Self::NodeClient => &rules::NODE_CLIENT_PERMISSION,
            Self::TrustedGroup => &rules::NODE_CLIENT_GROUP,
            Self::SelfNodeServer => &rules::SELF_NODE_SERVER_PERMISSION,
        }
    }
}
