use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Condition, Rule};

use crate::{Standings, Ticket};

/// What the engine is told, by [`Engine::handle`](crate::Engine::handle).
#[derive(Clone, Debug)]
pub enum Input<Q, A> {
    /// A list of all objects begins: each present one follows as [`Input::InitApply`].
    Init,

    /// An object of the list that is under way.
    InitApply(Arc<CertificateSigningRequest>),

    /// The list is complete: a record that was not in it is dropped.
    InitDone,

    /// An object was added or changed.
    Apply(Arc<CertificateSigningRequest>),

    /// An object was deleted. The uid tells it from a later one of the same name.
    Deleted {
        /// `metadata.name`.
        name: Arc<str>,
        /// `metadata.uid`.
        uid: Arc<str>,
    },

    /// An effect has ended. Every ticket comes back exactly once, after panic and cancellation too.
    Done(Ticket, Outcome<Q, A>),

    /// What a question is about has changed: whoever is held on it wants a new answer now.
    FactChanged(Q),

    /// The policy was replaced: what is held, or backs off, is looked at again with nothing held against it.
    Reloaded(Standings),

    /// Whether this replica may act. Until told so, it does not.
    Leading(bool),
}

/// How an effect ended.
#[derive(Clone, Debug)]
pub enum Outcome<Q, A> {
    /// To `Read`: the object as the API server has it now.
    Found(Arc<CertificateSigningRequest>),

    /// To `Ask`: the answer.
    Answered(A),

    /// To `Ask`: the answer, by somebody else than the API server: how long that took says nothing of the API server's load.
    Told(A),

    /// To `Decide` and `Sign`: these questions must be answered first. None of them may be one that was answered in this pass.
    Asks(Vec<Q>),

    /// To `Decide`: grant it.
    Approves(Condition),

    /// To `Decide`: refuse it.
    Denies(Condition),

    /// To `Decide` and `Sign`: not while these answers stand. With no question given, nothing but a reload or a change of the
    /// object brings it back.
    Holds {
        /// The questions whose answers hold the request, each with its answer where that was not found by `Ask` in this pass.
        on: Vec<(Q, Option<A>)>,
        /// The rule that holds it.
        rule: &'static Rule,
    },

    /// To `Decide`: it is not for us to say.
    NoOpinion,

    /// To `Sign`: the certificate, in PEM.
    Signed(String),

    /// To `Sign`: the request is wrong; the condition says why.
    Rejected {
        /// What to write.
        condition: Condition,
        /// The rejection in a word, for metrics.
        rejection: &'static str,
    },

    /// To `Approve`, `Deny`, `Fail`, `Publish`: done; the object as the API server returned it, or what is believed of it
    /// until its event comes: then in the version that was replaced, so that the event is newer.
    Written(Arc<CertificateSigningRequest>),

    /// To `Delete`: done.
    Deleted,

    /// To a write or a `Delete`: the object is no longer what it was (409).
    Conflict,

    /// To `Read`, a write or `Delete`: there is no such object (404).
    Gone,

    /// To any effect: we failed.
    Failed(Failure),
}

/// Our failure, not the request's: to be tried again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Failure {
    /// How long the API server asked us to stay away (Retry-After).
    pub retry_after: Option<Duration>,

    /// Whether the effect may have happened all the same: a time-out, a broken connection, a panic.
    pub unknown: bool,
}

impl Failure {
    /// The effect did not happen.
    pub const NOT_DONE: Self = Self { retry_after: None, unknown: false };

    /// The effect may have happened.
    pub const UNKNOWN: Self = Self { retry_after: None, unknown: true };
}

impl<Q, A> Outcome<Q, A> {
    /// The outcome in one word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Answered(_) => "answered",
            Self::Told(_) => "told",
            Self::Asks(_) => "asks",
            Self::Approves(_) => "approves",
            Self::Denies(_) => "denies",
            Self::Holds { .. } => "holds",
            Self::NoOpinion => "no_opinion",
            Self::Signed(_) => "signed",
            Self::Rejected { .. } => "rejected",
            Self::Written(_) => "written",
            Self::Deleted => "deleted",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::Failed(_) => "failed",
        }
    }
}
