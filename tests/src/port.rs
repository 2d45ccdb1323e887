//! Free ports on the loopback address.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, Result};

/// Below the range Linux takes outgoing connections' ports from, so that only other listeners compete.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port nobody listens on at the moment. Another process can still take it first: whoever starts a server on it
/// retries with another.
///
/// # Errors
/// When every port tried is taken.
pub(crate) fn free() -> Result<u16> {
    let mut candidates = (0..200).map(|_| FIRST + random() % COUNT);
    candidates.find(|port| is_free(*port)).context("no free port on the loopback address")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The standard library's only source of randomness: each `RandomState` has keys of its own.
fn random() -> u16 {
    let bytes = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}
