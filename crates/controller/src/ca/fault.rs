//! What is wrong with CA files, in words that name the flag and the path.

use std::error::Error;
use std::fmt;
use std::path::Path;

use signer::{AuthorityError, File};
use time::OffsetDateTime;

use super::Flags;
use crate::chain::Chain;
use crate::config::Origin;
use crate::pair::{PairError, PairFiles, Part};

/// A pair that cannot be used.
#[derive(Debug)]
pub struct Fault {
    /// Where the file at fault was given.
    pub origin: Origin,
    /// The file at fault.
    pub path: Box<Path>,
    /// The other file of the pair.
    pub other: Box<Path>,
    /// What is wrong with it.
    pub cause: Cause,
}

/// Why a pair cannot be used.
#[derive(Debug)]
pub enum Cause {
    /// It cannot be read.
    File(PairError),
    /// It is no CA with its key.
    Authority(AuthorityError),
    /// It was a CA.
    Expired {
        /// The end of its validity.
        not_after: OffsetDateTime,
    },
}

impl Fault {
    pub(super) fn new(cause: Cause, files: &PairFiles, flags: &Flags) -> Self {
        let (cert, key) = (Box::from(&*files.cert), Box::from(&*files.key));
        match cause.part() {
            Part::Certificate => Self { origin: flags.cert.clone(), path: cert, other: key, cause },
            Part::Key => Self { origin: flags.key.clone(), path: key, other: cert, cause },
        }
    }
}

impl Cause {
    fn part(&self) -> Part {
        match self {
            Self::File(error) => error.part(),
            Self::Authority(error) => match error.file() {
                File::Certificate => Part::Certificate,
                File::Key => Part::Key,
            },
            Self::Expired { .. } => Part::Certificate,
        }
    }
}

impl fmt::Display for Fault {
    /// In one line with all that is known of the cause, as nothing is left for [`Error::source`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.origin, self.path.display())?;
        match &self.cause {
            // Its text names the path once more, and what matters is below it.
            Cause::File(PairError::Unreadable { source, .. }) => write!(f, "cannot be read: {source}"),
            Cause::File(PairError::Empty { .. }) => f.write_str("is empty"),
            Cause::File(PairError::TooLong { .. }) => f.write_str("is longer than 1 MiB"),
            Cause::Authority(error @ AuthorityError::Mismatch { .. }) => {
                write!(f, "{error}, {}", self.other.display())
            }
            Cause::Authority(error) => write!(f, "{}", Chain(error)),
            Cause::Expired { not_after } => write!(f, "CA certificate has expired at {not_after}"),
        }
    }
}

impl Error for Fault {}

/// The CAs cannot be loaded.
#[derive(Debug)]
pub struct LoadError {
    /// What is wrong with each pair that cannot be used; never empty.
    pub faults: Vec<Fault>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{fault}")?;
        }
        Ok(())
    }
}

impl Error for LoadError {}
