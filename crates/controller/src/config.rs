//! The configuration as the program needs it, made of flags as typed.
//!
//! [`Config::try_from`] finds all that is wrong with a command line at once, before the first call to an API server: who moves
//! a command line over from kube-controller-manager is not to learn of its mistakes one restart at a time.

mod approval;
mod client;
pub(crate) mod given;
mod leader_election;
mod problem;
mod serving;
mod signing;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::config::Configuration;

pub use self::approval::{ApprovalFlags, Contradiction};
pub use self::client::{ClientConfig, KubeconfigFile, RateLimit};
use self::given::Given;
pub use self::leader_election::LeaderElection;
pub use self::problem::{ConfigError, InvalidValue, Involved, Notice, Origin, Problem};
pub use self::serving::{AllowedPath, Serving, TlsFiles};
pub use self::signing::SignerFiles;
use crate::cli::args::Args;
use crate::cli::kcm_controllers::{self, APPROVING, CLEANING, SIGNING};
use crate::configuration::{ConfigurationFile, Effective, FileFault};
use crate::log;

/// What `countersign run` works by.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The CA files of each signerName that is to be signed for, in upstream's order; those without files are not signed for.
    pub signing: Vec<SignerFiles>,
    /// The longest lifetime of a certificate, and that of one whose request asks for none. Zero and negative are allowed, as
    /// upstream: such certificates are over when they are issued.
    pub duration: time::Duration,
    /// Which of the three controllers run; at least one does.
    pub duties: Duties,
    /// The configuration file, where there is one.
    pub file: Option<ConfigurationFile>,
    /// What that file and the flags amount to at the start.
    pub effective: Arc<Effective>,
    /// How the API server is reached.
    pub client: ClientConfig,
    /// The Lease to hold while working; without one, this process works alone.
    pub leader_election: Option<LeaderElection>,
    /// Where metrics and health are served, if anywhere.
    pub serving: Option<Serving>,
    /// What is logged, and how.
    pub log: Log,
    /// Calls to the API server that may be under way at once; the engine's own limit moves below it.
    pub max_in_flight: NonZeroUsize,
    /// How long a stopping process may take to finish what is under way.
    pub shutdown_timeout: Duration,
    /// Only check the configuration and the files it names, and exit.
    pub check_only: bool,
    /// Flags of kube-controller-manager that were given and have no bearing here; to be listed in one warning.
    pub ignored_flags: Vec<String>,
    /// What is allowed and likely not meant; each to be a warning.
    pub notices: Vec<Notice>,
}

/// Which of the three controllers run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Duties {
    /// `csrsigning`.
    pub sign: bool,
    /// `csrapproving`.
    pub approve: bool,
    /// `csrcleaner`.
    pub clean: bool,
}

/// What is logged, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// How a line is written.
    pub format: log::Format,
    /// A level, or a list of `target=level`, as [`log::init`] takes it.
    pub level: String,
}

impl TryFrom<Args> for Config {
    type Error = ConfigError;

    fn try_from(mut args: Args) -> Result<Self, ConfigError> {
        let problems = std::mem::take(&mut args.problems);
        let mut given = Given { args: &args, problems };
        if given.boolean("strict-flags", &args.strict_flags) && !args.ignored_flags.is_empty() {
            let flags = args.ignored_flags.clone();
            given.wrong(Problem::IgnoredFlags { flags });
        }
        let (mut signing, mut notices) = signing::read(&mut given);
        let (file, effective) = configuration(&mut given);
        signing::complete(&mut signing, effective.configuration());
        notices.extend(effective.configuration().rests_on_nodes_own_word().then_some(Notice::SelfReported));
        let group = effective.configuration().trusted_group.clone();
        notices.extend(group.map(|group| Notice::TrustedGroup { group }));
        let duration = lifetime(&mut given);
        notices.extend(is_hurried(duration).then_some(Notice::HurriedRenewal { lifetime: duration }));
        let config = Self {
            duties: Duties::read(&mut given, signing.is_empty()),
            signing,
            duration,
            file,
            effective,
            client: ClientConfig::read(&mut given),
            leader_election: LeaderElection::read(&mut given),
            serving: Serving::read(&mut given),
            log: Log::read(&mut given),
            max_in_flight: max_in_flight(&mut given),
            shutdown_timeout: shutdown_timeout(&mut given),
            check_only: given.boolean("check", &args.check),
            ignored_flags: args.ignored_flags.clone(),
            notices,
        };
        match given.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError { problems }),
        }
    }
}

impl Duties {
    /// What `--controllers` leaves on.
    fn read(given: &mut Given<'_>, no_ca: bool) -> Self {
        let items: Vec<&str> = given::items(&given.args.controllers).collect();
        let unknown = kcm_controllers::unknown(&items);
        let misspelt = !unknown.is_empty();
        for name in unknown {
            let name = name.to_owned();
            given.wrong(Problem::UnknownController { name });
        }
        let duties = Self {
            sign: SIGNING.is_enabled_by(&items),
            approve: APPROVING.is_enabled_by(&items),
            clean: CLEANING.is_enabled_by(&items),
        };
        if misspelt {
            // What the list leaves on cannot be told before its names are right.
        } else if !(duties.sign || duties.approve || duties.clean) {
            let origin = given.origin("controllers");
            given.wrong(Problem::NoControllers { origin });
        } else if !(duties.approve || duties.clean) && no_ca {
            given.wrong(Problem::NothingToSignWith);
        }
        duties
    }
}

impl Log {
    fn read(given: &mut Given<'_>) -> Self {
        let format = match &*given.args.logging_format {
            "text" => log::Format::Text,
            "json" => log::Format::Json,
            value => {
                let value = value.to_owned();
                given.wrong(Problem::LogFormat { value });
                log::Format::default()
            }
        };
        let verbosity = given.whole_number("v", &given.args.v).unwrap_or_default();
        let level = given::non_empty(&given.args.log_level).unwrap_or_else(|| level_of(verbosity));
        let level = level.to_owned();
        if log::check_level(&level).is_err() {
            let origin = given.origin("log-level");
            let level = level.clone();
            given.wrong(Problem::LogLevel { origin, level });
        }
        Self { format, level }
    }
}

/// What the configuration file and the flags amount to; what is wrong with the file is written down.
fn configuration(given: &mut Given<'_>) -> (Option<ConfigurationFile>, Arc<Effective>) {
    let flags = ApprovalFlags::read(given);
    let Some(path) = given::non_empty(&given.args.config).map(PathBuf::from) else {
        // Without a file there is nothing that a flag could contradict.
        let configuration = flags.meet(Configuration::default()).unwrap_or_default();
        return (None, Arc::new(Effective::new(configuration)));
    };
    let origin = given.origin("config");
    match ConfigurationFile::load(path.clone(), flags) {
        Ok(file) => {
            let effective = Arc::clone(file.effective());
            return (Some(file), effective);
        }
        Err(FileFault::Mistakes(mistakes)) => {
            for mistake in mistakes.0 {
                let mistake = Box::new(mistake);
                given.wrong(Problem::FileMistake { origin: origin.clone(), path: path.clone(), mistake });
            }
        }
        Err(fault) => given.wrong(Problem::File { origin, path, fault }),
    }
    (None, Arc::new(Effective::new(Configuration::default())))
}

fn lifetime(given: &mut Given<'_>) -> time::Duration {
    let text = &given.args.cluster_signing_duration;
    given.duration("cluster-signing-duration", text).unwrap_or_default()
}

/// Whether a kubelet may want to renew a certificate when it gets it. It does so after 70 to 90 % of the time between NotBefore and
/// NotAfter (client-go, `util/certificate`), and NotBefore is five minutes ago.
fn is_hurried(lifetime: time::Duration) -> bool {
    let backdate = time::Duration::minutes(5);
    lifetime.is_positive() && (lifetime + backdate) * 0.7 < backdate
}

fn max_in_flight(given: &mut Given<'_>) -> NonZeroUsize {
    let flag = "max-in-flight";
    let Some(number) = given.whole_number(flag, &given.args.max_in_flight) else {
        return NonZeroUsize::MIN;
    };
    let number = usize::try_from(number).ok().and_then(NonZeroUsize::new);
    number.unwrap_or_else(|| {
        let origin = given.origin(flag);
        given.wrong(Problem::NothingInFlight { origin });
        NonZeroUsize::MIN
    })
}

fn shutdown_timeout(given: &mut Given<'_>) -> Duration {
    let text = &given.args.controller_shutdown_timeout;
    given.span("controller-shutdown-timeout", text).unwrap_or_default()
}

/// The level that comes closest to one of upstream's verbosities, where 2 is usual, 4 is for debugging, and 6 and more show
/// single calls.
fn level_of(verbosity: i64) -> &'static str {
    match verbosity {
        ..4 => "info",
        4 | 5 => "debug",
        6.. => "trace",
    }
}

#[cfg(test)]
mod tests;
