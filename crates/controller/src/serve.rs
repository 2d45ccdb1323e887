//! What others may ask of this process: is it alive, is it ready, what has it counted.

pub mod health;
pub mod metrics;
