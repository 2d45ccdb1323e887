//! The configuration in use, and the file that it comes from: read at the start, when a mistake ends the process, and watched from
//! then on, when none does.
//!
//! The file is read every ten seconds, as the CA files are. What it says is taken over as a whole or not at all: a file that
//! cannot be used is logged once for what it holds, counted and told as an Event, and the last good one stays in use.

mod fault;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::config::file::CountersignConfiguration;
use ::config::{CaFiles, Configuration};
use aws_lc_rs::digest::{SHA256, digest};
use csr::SignerName;
use tokio::sync::watch;

use crate::config::ApprovalFlags;
use crate::kube::events::Events;
use crate::serve::metrics::Metrics;

pub use fault::FileFault;

/// How often the file is read again.
pub const POLL_PERIOD: Duration = Duration::from_secs(10);

/// The longest file that is read: what a ConfigMap can hold.
pub const LONGEST: u64 = 1024 * 1024;

/// What flags and file amount to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effective {
    configuration: Configuration,
    digest: String,
}

/// A configuration file as it was last read, and what it amounts to together with the flags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigurationFile {
    path: PathBuf,
    flags: ApprovalFlags,
    seen: Seen,
    effective: Arc<Effective>,
}

/// What was found at the last look, to tell whether there is anything new.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Seen {
    /// A text of this digest.
    Text(String),
    /// No text, and why.
    Nothing(FileFault),
}

/// Who is told what became of a changed file.
#[derive(Clone, Debug)]
pub struct Audience {
    /// Who counts.
    pub metrics: Arc<Metrics>,
    /// Whom people ask.
    pub events: Events,
}

impl Effective {
    /// What this configuration amounts to.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        let digest = sha256(canonical(&configuration).as_bytes());
        Self { configuration, digest }
    }

    /// What is in use.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// SHA-256, in hexadecimal, of the effective configuration as JSON with sorted keys and without blanks: equal where two
    /// processes work by the same, however their files are written.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// As a file with the defaults filled in.
    #[must_use]
    pub fn file(&self) -> CountersignConfiguration {
        ::config::effective(&self.configuration)
    }
}

impl ConfigurationFile {
    /// Reads a file for the first time. Blocks.
    ///
    /// # Errors
    /// When it cannot be used, or not together with the flags.
    pub fn load(path: PathBuf, flags: ApprovalFlags) -> Result<Self, FileFault> {
        let text = read(&path)?;
        let effective = Arc::new(effective(&text, &flags)?);
        Ok(Self { path, flags, seen: Seen::Text(sha256(text.as_bytes())), effective })
    }

    /// What is in use.
    #[must_use]
    pub fn effective(&self) -> &Arc<Effective> {
        &self.effective
    }

    /// Reads the file again: what is in use from now on, or why it is the old one; `None` where nothing is new. Blocks.
    pub fn look(&mut self) -> Option<Result<Arc<Effective>, FileFault>> {
        let found = read(&self.path);
        let seen = match &found {
            Ok(text) => Seen::Text(sha256(text.as_bytes())),
            Err(fault) => Seen::Nothing(fault.clone()),
        };
        if seen == self.seen {
            return None;
        }
        self.seen = seen;
        let effective = found.and_then(|text| effective(&text, &self.flags)).and_then(|effective| {
            let is_same = authorities(&effective) == authorities(&self.effective);
            if is_same { Ok(effective) } else { Err(FileFault::OtherAuthorities) }
        });
        Some(effective.map(|effective| {
            self.effective = Arc::new(effective);
            Arc::clone(&self.effective)
        }))
    }

    /// Looks at the file every [`POLL_PERIOD`], for ever, and sends on what is new and good. To be spawned, and dropped to stop it.
    pub async fn watch(mut self, current: watch::Sender<Arc<Effective>>, audience: Audience) {
        loop {
            tokio::time::sleep(POLL_PERIOD).await;
            let look = tokio::task::spawn_blocking(move || {
                let change = self.look();
                (self, change)
            });
            let Ok((again, change)) = look.await else {
                // A panic, which the runtime has reported: work goes on by the last good file.
                tracing::error!("the configuration file is no longer watched");
                return std::future::pending().await;
            };
            self = again;
            if let Some(result) = change {
                self.report(&result, &audience);
                if let Ok(effective) = result {
                    take(&current, effective);
                }
            }
        }
    }

    fn report(&self, result: &Result<Arc<Effective>, FileFault>, audience: &Audience) {
        let (path, Audience { metrics, events }) = (self.path.display(), audience);
        metrics.config_reloaded(result.is_ok());
        match result {
            Ok(effective) => {
                metrics.config_in_use(effective.digest());
                tracing::info!(%path, digest = effective.digest(), "the configuration file was read again and is in use");
            }
            Err(fault) => {
                tracing::warn!(%path, %fault, "the changed configuration file cannot be used, the last good one stays in use");
                events.configuration_rejected(&self.path, fault);
            }
        }
    }
}

/// Puts a configuration into use; one that is in use already changes nothing for anyone.
fn take(current: &watch::Sender<Arc<Effective>>, effective: Arc<Effective>) {
    current.send_if_modified(|current| {
        let modified = **current != *effective;
        if modified {
            *current = effective;
        }
        modified
    });
}

/// The text of a configuration file.
///
/// # Errors
/// When there is none, or too much of it.
pub fn read(path: &Path) -> Result<String, FileFault> {
    let file = std::fs::File::open(path).map_err(|error| FileFault::unreadable(&error))?;
    read_from(file)
}

/// The text of a configuration file that is open.
///
/// # Errors
/// When there is none, or too much of it.
pub fn read_from(file: impl Read) -> Result<String, FileFault> {
    let mut octets = Vec::new();
    let read = file.take(LONGEST + 1).read_to_end(&mut octets);
    read.map_err(|error| FileFault::unreadable(&error))?;
    if octets.len() as u64 > LONGEST {
        return Err(FileFault::TooLong);
    }
    String::from_utf8(octets).map_err(|_| FileFault::NotUnicode)
}

fn effective(text: &str, flags: &ApprovalFlags) -> Result<Effective, FileFault> {
    Ok(Effective::new(flags.meet(::config::parse(text)?)?))
}

/// Which signers have a CA of their own, and where: from the start these files are watched, and metrics have labels for them.
fn authorities(effective: &Effective) -> BTreeMap<&SignerName, &CaFiles> {
    let signers = effective.configuration.signers.iter();
    signers.filter_map(|signer| Some((&signer.name, signer.authority.as_ref()?))).collect()
}

/// The effective configuration as JSON, its keys sorted.
fn canonical(configuration: &Configuration) -> String {
    // Texts, numbers and lists of them have a form in JSON.
    let value = serde_json::to_value(::config::effective(configuration)).unwrap_or_default();
    value.to_string()
}

fn sha256(octets: &[u8]) -> String {
    digest(&SHA256, octets).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests;
