//! Who may have a certificate: [`decide`] over a request, a policy and the facts known so far.
//!
//! Nothing here sends anything. When a fact is missing, the decision is to ask for it: whoever runs this finds the answer
//! and decides again, so that `run`, `explain` and every test go through the same lines.
//!
//! The rules for kubelets' client certificates are upstream's (`pkg/controller/certificates/approver/sarapprove.go`): such a
//! certificate is approved when its requester has the permission for it. Those for serving certificates are ours, and off unless
//! the policy says how names are confirmed. We never deny what we merely do not recognise: another approver, or a human, may
//! own it.

mod chain;
mod cluster;
mod decide;
mod facts;
mod inventory;
mod node_client;
mod node_server;
mod occupancy;
mod pattern;
mod policy;
mod question;
mod recognizer;
mod reserved_subjects;
mod rules;
mod san;
mod source;

pub use chain::{chain, gate_chain};
pub use cluster::{Claims, LiveCertificate, Node, Owner, Reservation, Resolution};
pub use decide::{Decision, Finding, Grant, Outcome, decide, gate};
pub use facts::Facts;
pub use inventory::Inventory;
pub use occupancy::Occupancy;
pub use pattern::{NamePattern, PatternError};
pub use policy::{Constraints, NodeServer, Policy};
pub use question::{Answer, Permission, Question, ResourceAttributes, Verdict};
pub use recognizer::Recognizer;
pub use reserved_subjects::{EmptyPattern, ReservedNames, ReservedSubjects, SubjectPattern};
pub use rules::RULES;
pub use san::San;
pub use source::Source;
