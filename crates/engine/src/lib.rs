//! What is to be done next, for which object, when.
//!
//! One task owns an [`Engine`] and drives it with values: [`Input`]s go in, [`Effect`]s come out, time is an argument.
//! The engine keeps a small record of every CertificateSigningRequest, asks the one transition table ([`step::next`])
//! what its next step is, and decides whose turn it is. It is the only place that queues, waits and retries.
//!
//! One request, in a straight line: an event becomes a record (`record`), the table says `Decide` (`step`), it queues in
//! the lane of its requester (`queue`, `lanes`), behind all others if the requester has asked again (`newest`), its turn
//! begins a pass (`pass`), the approver asks, it waits with all who ask the same (`waiting`, `question`), asked in turns by requester (`lines`), the answer brings
//! it back to its lane and its next pass approves it, signs what the approval returned and publishes the certificate.
//! When its retention ends, the agenda of cleaning has it deleted (`retention`, `agenda`). `engine::events` is what
//! happens to objects, `engine::outcomes` what comes of effects, `engine::turns` whose turn it is.
//!
//! What is bounded, and by what: API calls, deletes, and decisions with signatures each by a limit on those in flight,
//! that of calls moving with the API server's answers (`limit`); objects by a budget of bytes; lanes by a number of
//! identities; retries and deletes by a rate; everything else by the number of objects that the API server holds, at some
//! 200 bytes each.

mod agenda;
mod bucket;
mod counts;
mod effect;
mod engine;
mod flights;
mod guest;
mod input;
mod lanes;
mod limit;
mod lines;
mod moment;
mod neighbours;
mod newest;
mod now;
mod objects;
mod packed;
mod pass;
mod question;
mod queue;
mod rank;
mod record;
mod records;
mod requester_kind;
mod retention;
mod settings;
mod source;
mod standing;
pub mod step;
mod waiting;
mod waits;

pub use counts::{Counts, Queued};
pub use effect::{Effect, Ticket, Turn};
pub use engine::Engine;
pub use input::{Failure, Input, Outcome};
pub use now::Now;
pub use rank::Rank;
pub use requester_kind::RequesterKind;
pub use retention::{RULES, deadline as cleaning_deadline};
pub use settings::{Cleaning, Retry, Settings};
pub use source::Source;
pub use standing::{Duties, Retention, Retentions, Standing, Standings};
pub use step::Step;
pub use waits::Wait;
