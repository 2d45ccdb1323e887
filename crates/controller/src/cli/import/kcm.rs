//! kube-controller-manager's command line as one of ours, and what to change in its own so that only one of the two works.

mod change;
mod flags;
mod manifest;
mod script;

use ::config::import::{
    Container, Difference, ManifestError, Remark, Source, UnfinishedQuote, container, words,
};
use clap::ValueEnum;

pub use self::change::Change;
use self::flags::Flags;
use crate::cli;
use crate::config::{Config, ConfigError};

/// What is made of its command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Form {
    /// A command line
    Flags,
    /// A static pod
    Manifest,
}

/// What kube-controller-manager's command line became.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Migration {
    /// Our command line, or our manifest, the steps and the remarks in it as comments.
    pub text: String,

    /// Our flags, each as one word, as they are in the text.
    pub flags: Vec<String>,

    /// What is not the same, and what was not carried over, in the order of its command line.
    pub remarks: Vec<Remark>,

    /// What to change in its own command line.
    pub change: Change,
}

/// Why nothing is made of it.
#[derive(Debug, thiserror::Error)]
pub enum KcmError {
    /// A manifest without it, or none that can be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),

    /// A command line that no shell takes.
    #[error(transparent)]
    Words(#[from] UnfinishedQuote),

    /// There is no flag in it.
    #[error("no flag of kube-controller-manager is in it: expected its manifest or its command line")]
    NoFlags,

    /// Its flags mean nothing that could run here.
    #[error("countersign does not start with these flags either:\n{0}")]
    Refused(ConfigError),

    /// Our own parser does not know what was made: a mistake of ours.
    #[error("failed to make a command line of it: {0}")]
    Unreadable(clap::Error),

    /// The manifest has no form in YAML.
    #[error("failed to write YAML")]
    Unwritten(#[from] serde_saphyr::ser_error::Error),
}

/// Our command line or static pod in the place of three of its controllers. Its flags are in a static pod's manifest or a command
/// line.
///
/// # Errors
/// When they cannot be read, or we could not start with them.
pub fn kube_controller_manager(source: &Source, form: Form, image: &str) -> Result<Migration, KcmError> {
    let container = read(source)?;
    let is_program = |word: &&String| !word.starts_with('-');
    let words = container.words.iter().skip_while(is_program).cloned().collect();
    let flags = Flags::read(words);
    if flags.is_empty() {
        return Err(KcmError::NoFlags);
    }
    let mut remarks = flags.remarks.clone();
    for (name, _) in &container.environment {
        remarks.push(Remark::new(
            name,
            Difference::LeftOut,
            "the environment stays with kube-controller-manager",
        ));
    }
    let change = Change::of(flags.controllers.as_deref());
    remarks.extend(change.remarks());
    remarks.extend(flags.missing());
    let words = flags.words(change.ours());
    check(&words)?;
    let text = match form {
        Form::Flags => script::text(&words, &remarks, &change),
        Form::Manifest => {
            let pod = manifest::Pod::new(&flags, &words, (&container.mounts, image));
            remarks.extend(pod.remarks.iter().cloned());
            manifest::text(&pod, &remarks, &change)?
        }
    };
    Ok(Migration { text, flags: words, remarks, change })
}

fn read(source: &Source) -> Result<Container, KcmError> {
    let text = match source {
        Source::Words(words) => return Ok(Container { words: words.clone(), ..Container::default() }),
        Source::Text(text) => text,
    };
    match container(text, "kube-controller-manager")? {
        Some(container) => Ok(container),
        None => Ok(Container { words: words(text)?, ..Container::default() }),
    }
}

/// What `countersign run` says to these flags before it calls anybody.
fn check(words: &[String]) -> Result<(), KcmError> {
    let args = cli::run(words.iter().map(Into::into).collect()).map_err(KcmError::Unreadable)?;
    Config::try_from(args).map(drop).map_err(KcmError::Refused)
}

#[cfg(test)]
mod tests;
