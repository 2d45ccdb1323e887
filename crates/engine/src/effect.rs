use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Condition};

/// What the engine wants next, from [`Engine::poll`](crate::Engine::poll).
#[derive(Debug)]
pub enum Turn<Q, A> {
    /// Carry this out, and give the ticket back with [`Input::Done`](crate::Input::Done).
    Do(Ticket, Effect<Q, A>),

    /// Nothing to do until this time since the process started, or until the next input; `None`: until the next input.
    Sleep(Option<Duration>),
}

/// Names one effect that was given out. It is good for one answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub(crate) u64);

/// Something to be carried out. The engine decides, the controller does, and takes no decision of its own.
#[derive(Clone, Debug)]
pub enum Effect<Q, A> {
    /// GET the object. Ends in `Found`, `Gone` or `Failed`.
    Read {
        /// `metadata.name`.
        name: Arc<str>,
    },

    /// Find the answer to a question. Ends in `Answered` or `Failed`.
    Ask(Q),

    /// Ask the approver. Ends in `Asks`, `Approves`, `Denies`, `Holds`, `NoOpinion` or `Failed`.
    Decide {
        /// The object to decide on.
        object: Arc<CertificateSigningRequest>,
        /// Every answer of this pass.
        answers: Vec<(Q, A)>,
    },

    /// Validate, issue and sign. Ends in `Signed`, `Rejected` or `Failed`; where the approver is asked once more, also in `Asks`
    /// or `Holds`.
    Sign {
        /// The object to sign.
        object: Arc<CertificateSigningRequest>,
        /// Every answer of this pass, those to the decision before it included.
        answers: Vec<(Q, A)>,
    },

    /// Add the condition Approved: PUT `/approval`. Ends in `Written`, `Conflict`, `Gone` or `Failed`.
    Approve {
        /// The object to add it to.
        object: Arc<CertificateSigningRequest>,
        /// The condition to add.
        condition: Condition,
        /// Every answer of this pass: by what it is approved.
        answers: Vec<(Q, A)>,
    },

    /// Add the condition Denied: PUT `/approval`. Ends in `Written`, `Conflict`, `Gone` or `Failed`.
    Deny {
        /// The object to add it to.
        object: Arc<CertificateSigningRequest>,
        /// The condition to add.
        condition: Condition,
    },

    /// Add the condition Failed: PUT `/status`. Ends in `Written`, `Conflict`, `Gone` or `Failed`.
    Fail {
        /// The object to add it to.
        object: Arc<CertificateSigningRequest>,
        /// The condition to add.
        condition: Condition,
        /// The rejection in a word, for metrics.
        rejection: &'static str,
    },

    /// Set `status.certificate`: PUT `/status`. Ends in `Written`, `Conflict`, `Gone` or `Failed`.
    Publish {
        /// The object to set it in.
        object: Arc<CertificateSigningRequest>,
        /// The certificate, in PEM.
        pem: String,
    },

    /// DELETE this very object, in this very version. Ends in `Deleted`, `Conflict`, `Gone` or `Failed`.
    Delete {
        /// `metadata.name`.
        name: Arc<str>,
        /// `metadata.uid`: a precondition.
        uid: Arc<str>,
        /// `metadata.resourceVersion`: a precondition.
        resource_version: u64,
        /// The id of the cleaning rule that matched.
        rule: &'static str,
    },
}

impl<Q, A> Effect<Q, A> {
    /// The effect in one word, for metrics and spans.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Ask(_) => "ask",
            Self::Decide { .. } => "decide",
            Self::Sign { .. } => "sign",
            Self::Approve { .. } => "approve",
            Self::Deny { .. } => "deny",
            Self::Fail { .. } => "fail",
            Self::Publish { .. } => "publish",
            Self::Delete { .. } => "delete",
        }
    }
}
