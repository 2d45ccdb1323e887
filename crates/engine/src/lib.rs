//! What is to be done next, for which object, when.
//!
//! One task owns an [`Engine`] and drives it with values: [`Input`]s go in, [`Effect`]s come out, time is an argument.
//! The engine keeps a small record of every CertificateSigningRequest, asks the one transition table ([`step::next`])
//! what its next step is, and decides whose turn it is. It is the only place that queues, waits and retries.

mod agenda;
mod bucket;
mod counts;
mod effect;
mod engine;
mod flights;
mod input;
mod lanes;
mod moment;
mod now;
mod objects;
mod packed;
mod pass;
mod question;
mod queue;
mod record;
mod records;
mod retention;
mod settings;
mod standing;
pub mod step;
mod waiting;

pub use counts::Counts;
pub use effect::{Effect, Ticket, Turn};
pub use engine::Engine;
pub use input::{Failure, Input, Outcome};
pub use now::Now;
pub use retention::RULES;
pub use settings::{Cleaning, Retry, Settings};
pub use standing::{Duties, Retention, Standing, Standings};
pub use step::Step;
