//! What can be wrong with a configuration, each in the words of kube-controller-manager where it has any.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use csr::SignerName;

use crate::chain::Chain;
use crate::cli::environment_variable;
use crate::configuration::FileFault;
use crate::kube::lease::LeaseConfigError;
use ::config::Mistake;
use ::config::duration::DurationError;

/// All that is wrong with a configuration; never empty. Displayed one problem a line, each with its causes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// In the order of the command line, then of its flags' groups.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, problem) in self.problems.iter().enumerate() {
            if line > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", Chain(problem))?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

/// Where a value was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// On the command line, by the flag of that name.
    Flag(&'static str),
    /// In the environment, for the flag of that name.
    Environment(&'static str),
    /// In the configuration file, as the CA of this signer.
    CertificateAuthority(SignerName),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Environment(name) => f.write_str(&environment_variable(name)),
            Self::CertificateAuthority(signer) => write!(f, "certificateAuthority of {signer}"),
        }
    }
}

/// Names the environment variables that had a part in a problem, where there are any: a variable nobody thinks of must not
/// hide behind a message that speaks of flags.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Involved(pub Vec<Origin>);

impl fmt::Display for Involved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<String> = self
            .0
            .iter()
            .filter(|origin| matches!(origin, Origin::Environment(_)))
            .map(Origin::to_string)
            .collect();
        match &*variables {
            [] => Ok(()),
            variables => write!(f, " (set in the environment: {})", variables.join(", ")),
        }
    }
}

/// Why a text is not a value of its flag's kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidValue {
    /// None of the words that Go's `strconv.ParseBool` takes.
    #[error("expected true or false")]
    NotABoolean,
    /// Not a duration.
    #[error(transparent)]
    NotADuration(#[from] DurationError),
    /// Not a whole number in decimal, or one of more than 64 bits.
    #[error("expected a whole number")]
    NotAWholeNumber,
    /// Not a finite number.
    #[error("expected a number")]
    NotANumber,
    /// Not an address in numbers.
    #[error("failed to parse IP")]
    NotAnAddress,
    /// Not a range of addresses.
    #[error("expected ranges of addresses such as 10.96.0.0/12,fd00::/108")]
    NotARange,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Neither we nor kube-controller-manager have that flag.
    #[error("unknown flag: --{flag}{}", suggestion.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default())]
    UnknownFlag {
        /// Without the dashes.
        flag: String,
        /// The flag that was perhaps meant.
        suggestion: Option<String>,
    },
    /// One dash, and not `-v` or `-h`.
    #[error("unknown shorthand flag: {word} (long flags have two dashes)")]
    UnknownShorthand {
        /// The word as typed.
        word: String,
    },
    /// A name is missing.
    #[error("bad flag syntax: {word}")]
    BadSyntax {
        /// The word as typed.
        word: String,
    },
    /// The line ends where a value should be.
    #[error("flag needs an argument: --{flag}")]
    MissingValue {
        /// Without the dashes.
        flag: String,
    },
    /// Words that belong to no flag.
    #[error("countersign run does not take any arguments, got {arguments:?}")]
    StrayArguments {
        /// As typed.
        arguments: Vec<String>,
    },
    /// A word that is not text.
    #[error("argument {argument:?} is not valid UTF-8")]
    NotUnicode {
        /// With what could be read of it.
        argument: String,
    },
    /// Flags without effect, under `--strict-flags`.
    #[error("--strict-flags: these flags of kube-controller-manager have no effect here: --{}", flags.join(", --"))]
    IgnoredFlags {
        /// Without the dashes.
        flags: Vec<String>,
    },
    /// A value that is not of its flag's kind.
    #[error("invalid argument {value:?} for {origin}")]
    Invalid {
        /// Where it was given.
        origin: Origin,
        /// As typed.
        value: String,
        /// What was expected.
        #[source]
        reason: InvalidValue,
    },
    /// A group in which nearly everybody is, or every node, or nobody.
    #[error("invalid argument {group:?} for {origin}: its members would get the certificate of any node")]
    UntrustedGroup {
        /// Where it was given.
        origin: Origin,
        /// As typed.
        group: String,
    },
    /// One of the mistakes in the configuration file.
    #[error("{origin} {}: {mistake}", path.display())]
    FileMistake {
        /// Where the file was named.
        origin: Origin,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        mistake: Box<Mistake>,
    },
    /// What else keeps the configuration file from being used.
    #[error("{origin} {}", path.display())]
    File {
        /// Where the file was named.
        origin: Origin,
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        fault: FileFault,
    },
    /// A specific pair without its certificate. The label is upstream's, which is not always the flag's name.
    #[error("{label:?}: cannot specify key without cert{involved}")]
    KeyWithoutCert {
        /// Upstream's name for the pair.
        label: &'static str,
        /// What was given.
        involved: Involved,
    },
    /// A specific pair without its key.
    #[error("{label:?}: cannot specify cert without key{involved}")]
    CertWithoutKey {
        /// Upstream's name for the pair.
        label: &'static str,
        /// What was given.
        involved: Involved,
    },
    /// The pair for all signers beside one for a single one.
    #[error(
        "cannot specify --cluster-signing-{{cert,key}}-file and other --cluster-signing-*-file flags at the same time{involved}"
    )]
    DefaultAndSpecific {
        /// What was given.
        involved: Involved,
    },
    /// Not a controller of kube-controller-manager.
    #[error("{name:?} is not in the list of known controllers")]
    UnknownController {
        /// Without its minus.
        name: String,
    },
    /// None of our three controllers is on.
    #[error(
        "{origin} leaves nothing to do: it switches off all of csrsigning, csrapproving and csrcleaner, the controllers that run here"
    )]
    NoControllers {
        /// Where the list was given.
        origin: Origin,
    },
    /// Signing is all that is on, and there is no CA.
    #[error(
        "nothing to do: of the controllers only csrsigning is on, and no pair of --cluster-signing-*-file flags is complete"
    )]
    NothingToSignWith,
    /// No call could ever be made.
    #[error("{origin} must be greater than zero")]
    NothingInFlight {
        /// Where it was given.
        origin: Origin,
    },
    /// Time does not run backwards.
    #[error("{origin} must not be negative")]
    NegativeDuration {
        /// Where it was given.
        origin: Origin,
    },
    /// No address of an API server.
    #[error("{origin}: {value:?} is not the URL of an API server, such as https://host:6443")]
    Master {
        /// Where it was given.
        origin: Origin,
        /// As given.
        value: String,
    },
    /// A burst that is none, or more than 32 bits.
    #[error("burst is required to be greater than 0 when QPS is set to greater than 0: {origin}")]
    BurstOutOfRange {
        /// Where it was given.
        origin: Origin,
    },
    /// Upstream's rule.
    #[error("leaseDuration must be greater than zero")]
    LeaseDurationNotPositive,
    /// Upstream's rule.
    #[error("renewDeadline must be greater than zero")]
    RenewDeadlineNotPositive,
    /// Upstream's rule.
    #[error("retryPeriod must be greater than zero")]
    RetryPeriodNotPositive,
    /// A holder could lead on after another took over.
    #[error("leaseDuration must be greater than renewDeadline")]
    LeaseDurationTooShort,
    /// A holder would not get to renew.
    #[error("renewDeadline must be greater than retryPeriod*JitterFactor")]
    RenewDeadlineTooShort,
    /// There is one kind of lock.
    #[error("resourceLock value must be \"leases\"")]
    ResourceLock,
    /// A name that kube-apiserver would refuse.
    #[error("{origin}: {value:?} is not a name that a Lease or a namespace can have")]
    LeaseName {
        /// Where it was given.
        origin: Origin,
        /// As given.
        value: String,
    },
    /// What else our own election demands.
    #[error("the leader election flags do not fit")]
    Lease(#[source] LeaseConfigError),
    /// Not a port.
    #[error("{origin} {port} must be between 0 and 65535, inclusive. 0 for turning off secure port")]
    SecurePort {
        /// Where it was given.
        origin: Origin,
        /// As given.
        port: i64,
    },
    /// Half of the serving pair.
    #[error("{given} needs {missing} beside it")]
    HalfServingPair {
        /// Where the half was given.
        given: Origin,
        /// The flag of the other half.
        missing: Origin,
    },
    /// A star in the middle of a path.
    #[error("only trailing * allowed in {path:?}")]
    PathWildcard {
        /// As given.
        path: String,
    },
    /// A level that means nothing.
    #[error("{origin}: log level {level:?} is not understood")]
    LogLevel {
        /// Where it was given.
        origin: Origin,
        /// As given.
        level: String,
    },
    /// Neither text nor json.
    #[error("format: Invalid value: {value:?}: Unsupported log format")]
    LogFormat {
        /// As given.
        value: String,
    },
}

/// Something that is allowed and likely not meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// Half of the pair for all signers: nothing is signed, as upstream.
    HalfDefaultPair {
        /// The half that was given.
        given: PathBuf,
        /// The flag of the other half.
        missing: &'static str,
    },
    /// Serving certificates are approved by what nodes say of themselves.
    SelfReported,
    /// Certificates live so short that kubelets want the next one at once.
    HurriedRenewal {
        /// The lifetime configured.
        lifetime: time::Duration,
    },
    /// The members of a group become any node.
    TrustedGroup {
        /// The group.
        group: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfDefaultPair { given, missing } => {
                write!(f, "no certificates are signed: {} was given without --{missing}", given.display())
            }
            Self::SelfReported => f.write_str(
                "serving certificates are approved by the addresses that nodes report themselves: make sure that the API server runs \
                 the admission plugin NodeRestriction, without which every node may write every Node",
            ),
            Self::TrustedGroup { group } => write!(
                f,
                "INSECURE: every member of the group {group:?} gets the client certificate of any node, without a permission: give the \
                 group the permission nodeclient, and do without --insecure-experimental-approve-all-kubelet-csrs-for-group"
            ),
            Self::HurriedRenewal { lifetime } => write!(
                f,
                "certificates of {lifetime} are due for renewal when they are issued, for they begin five minutes ago: a kubelet asks \
                 for another one each second; 130 s are enough (--cluster-signing-duration)"
            ),
        }
    }
}
