//! Two signers, one corpus: what a requester could tell apart.
//!
//! Each signer is given the whole corpus on the same API server, alone and one after the other. What became of every
//! request is written down as named facts, with what is random or a moment in time left out, and the facts are compared.

mod compare;
mod corpus;
mod observation;
mod play;

pub use compare::{Difference, Observations, Report, compare};
pub use corpus::{Action, Corpus, Entry, Requester};
pub use observation::{Facts, Observation};
pub use play::Stage;
