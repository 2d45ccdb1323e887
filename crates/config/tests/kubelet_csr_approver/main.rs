//! postfinance/kubelet-csr-approver's settings, carried over: what they become, and that requests get the same answer.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails where something is missing")]
#![expect(clippy::disallowed_methods, reason = "golden files are files")]

mod forms;
mod published;
mod world;
