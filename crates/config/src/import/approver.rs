//! The settings of postfinance/kubelet-csr-approver (read at v1.2.14, commit 993754f): flags, environment, Helm values.

mod error;
mod names;
mod policy;
mod render;
mod settings;

pub use self::error::ApproverError;

use self::policy::Policy;
use self::settings::Settings;
use super::{Imported, Source};

/// What its settings do not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// Domains in which nodes have names in DNS. With none, those that the expression for names shows.
    pub dns_domains: Vec<String>,
}

/// The configuration file that comes closest to its settings, never one that approves what they do not without saying so. They are
/// a Deployment, Helm values, or words: variables (`NAME=value`) and flags, as on a command line.
///
/// # Errors
/// When it would not start with these settings itself, or they cannot be read.
pub fn kubelet_csr_approver(source: &Source, options: &Options) -> Result<Imported, ApproverError> {
    let settings = Settings::read(source)?;
    let policy = Policy::read(settings, options)?;
    let imported = render::file(&policy);
    // Whatever was quoted in it, the file is one that we read.
    crate::parse(&imported.text).map_err(ApproverError::Unreadable)?;
    Ok(imported)
}
