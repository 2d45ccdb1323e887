//! What the profile of a signer says, as values: the configuration file describes them, and the signer holds requests to them.

mod limits;
mod pattern;
mod terms;

pub use limits::{KeyLimits, Limits, NameLimits, Otherwise, SubjectLimits, Treatment, UriPrefix};
pub use pattern::{Pattern, PatternError};
pub use terms::{BACKDATING, Chain, Lifetime, Pointers, SHORTEST_LIFETIME, Terms};
