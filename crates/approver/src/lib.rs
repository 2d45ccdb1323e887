//! Who may have a certificate: [`decide`] over a request and the facts known so far.
//!
//! Nothing here sends anything. When a fact is missing, the decision is to ask for it: whoever runs this finds the answer
//! and decides again, so that `run`, `explain` and every test go through the same lines.
//!
//! The rules are upstream's (`pkg/controller/certificates/approver/sarapprove.go`): a kubelet's client certificate is
//! approved when its requester has the permission for it. We never deny what we merely do not recognise: another
//! approver, or a human, may own it.

mod decide;
mod facts;
mod question;
mod recognizer;
mod rules;

pub use decide::{Decision, Finding, Grant, Outcome, decide};
pub use facts::Facts;
pub use question::{Answer, Permission, Question, ResourceAttributes, Verdict};
pub use recognizer::Recognizer;
pub use rules::RULES;
