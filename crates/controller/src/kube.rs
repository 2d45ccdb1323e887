//! Everything that talks to the API server.

pub mod access;
mod backoff;
pub mod call;
pub mod client;
pub mod events;
pub mod lease;
pub mod path;
pub mod rate;
pub mod review;
pub mod token;
pub mod transport;
pub mod watch;
pub mod write;
