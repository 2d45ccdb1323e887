//! The way over from other tools: their settings in, a configuration file of ours out, and a remark on whatever does not mean
//! the same there.

mod approver;
mod manifest;
mod remark;
mod words;

pub use self::approver::{ApproverError, Options, kubelet_csr_approver};
pub use self::manifest::{Container, HostPath, ManifestError, Mount, container};
pub use self::remark::{Difference, Remark, comment, visible};
pub use self::words::{UnfinishedQuote, words};

/// Another tool's settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A file of whichever form.
    Text(String),

    /// A command line, which a shell has read already.
    Words(Vec<String>),
}

/// What another tool's settings became.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Imported {
    /// Our file, the remarks in it as comments.
    pub text: String,

    /// What is not the same, and what could not be carried over, in the order of the file.
    pub remarks: Vec<Remark>,
}
