use std::sync::Arc;

use csr::Requester;

use crate::Recognizer;

/// What a decision still needs to know.
///
/// Equal questions have equal answers at any one moment, so one answer may serve several requests: the question holds
/// everything that the answer depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Question {
    /// Has the requester this permission? Answered by a SubjectAccessReview.
    Review(Permission),
}

/// The answer to a [`Question`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// To [`Question::Review`].
    Review(Verdict),
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
