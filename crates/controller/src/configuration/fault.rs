//! Why a configuration file cannot be used.

use std::io;

use ::config::{Mistakes, in_one_line};

use super::LONGEST;
use crate::config::Contradiction;

/// Why a configuration file cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FileFault {
    /// The system does not give it to us; in its words.
    #[error("failed to read: {0}")]
    Unreadable(String),

    /// Nobody writes so much.
    #[error("longer than {LONGEST} octets")]
    TooLong,

    /// Not text.
    #[error("not valid UTF-8")]
    NotUnicode,

    /// What it says is wrong.
    #[error("{}", in_one_line(&.0.0))]
    Mistakes(#[from] Mistakes),

    /// It names other CAs than at the start.
    #[error(
        "it gives other signers a CA of their own, or other files: which there are is read at the start alone, so restart to change it"
    )]
    OtherAuthorities,

    /// What it says goes against a flag.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl FileFault {
    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
