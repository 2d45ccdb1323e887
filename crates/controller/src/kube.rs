//! Everything that talks to the API server.

pub mod lease;
