use crate::mistake::{Mistake, Mistakes};

use super::super::words::UnfinishedQuote;

/// Why nothing is made of its settings.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApproverError {
    /// Neither YAML nor JSON, though it begins so.
    #[error("{0}")]
    Yaml(Mistake),

    /// A command line that no shell takes.
    #[error(transparent)]
    Words(#[from] UnfinishedQuote),

    /// Objects, and none that runs it.
    #[error("no object in it has a container called kubelet-csr-approver, or has one container only")]
    NoContainer,

    /// Nothing in it is a setting of kubelet-csr-approver.
    #[error(
        "no setting of kubelet-csr-approver is in it: expected flags, variables, a Deployment or Helm values"
    )]
    NoSettings,

    /// A flag that it does not have.
    #[error("kubelet-csr-approver has no flag {0:?}")]
    UnknownFlag(String),

    /// A flag without its value.
    #[error("{0}: a value is missing")]
    MissingValue(String),

    /// A value that it does not take either.
    #[error("{setting}: expected {expected}, not {found:?}")]
    Unexpected {
        /// As it was given.
        setting: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        found: String,
    },

    /// A domain that none is.
    #[error("{0:?} is no domain such as example.com")]
    Domain(String),

    /// What was made of the settings is no configuration: a mistake of ours.
    #[error("failed to write a configuration of it:\n{0}")]
    Unreadable(Mistakes),
}
