//! `countersign sign`: the signer of `countersign run`, offline, on a host with no cluster at all.
//!
//! Whoever holds the CA's key approves by calling it. What no one vouches for offline is the requester: the identity in an
//! exported object is what the file says, where a cluster's API server would have attested it.

mod request;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ::config::{Configuration, duration};
use csr::{ParseError, Rejection, Request, SignerName};
use signer::{Approval, Certificate, CertificateAuthority, SerialNumber, Signer};
use time::{Duration, OffsetDateTime};

pub use self::request::RequestError;
use self::request::RequestFile;
use crate::ca::{AuthorityFiles, LoadError};
use crate::config::{Origin, SignerFiles};
use crate::configuration::{self, FileFault};
use crate::policy;

/// The flags of `countersign sign`.
#[derive(Clone, Debug, clap::Args)]
pub struct SignArgs {
    /// What to sign: a certificate signing request (PEM), or a CertificateSigningRequest object exported as JSON or YAML;
    /// '-' for standard input
    #[arg(long, value_name = "FILE")]
    pub request: PathBuf,
    /// CA certificate (PEM) [default: the signer's in --config]
    #[arg(
        long,
        value_name = "FILE",
        alias = "cluster-signing-cert-file",
        requires = "ca_key_file",
        required_unless_present = "config"
    )]
    pub ca_cert_file: Option<PathBuf>,
    /// Private key (PEM) of --ca-cert-file
    #[arg(long, value_name = "FILE", alias = "cluster-signing-key-file", requires = "ca_cert_file")]
    pub ca_key_file: Option<PathBuf>,
    /// Configuration file of `countersign run`, whose signers have the same profiles here
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Whose rules hold, for instance kubernetes.io/kubelet-serving [default: that of the object]
    #[arg(long, value_name = "NAME")]
    pub signer_name: Option<String>,
    /// What the certificate may be used for, for instance 'digital signature,client auth' [default: those of the object]
    #[arg(long, value_name = "USAGES", value_delimiter = ',')]
    pub usage: Vec<String>,
    /// How long the certificate lasts [default: what the object asks for, else what --config says, else 8760h]
    #[arg(long, value_name = "DURATION", value_parser = lifetime, allow_hyphen_values = true)]
    pub duration: Option<Duration>,
    /// Where the certificate goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The flags do not say what to sign, or for whom.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Only the signers of kube-controller-manager have rules without a configuration file.
    #[error("--signer-name: {name:?} is none of {}, and --config says nothing of it", SignerName::BUILT_IN.join(", "))]
    UnknownSigner {
        /// As given by the flag, or by the object.
        name: String,
    },
    /// The configuration file cannot be used.
    #[error("--config {}", path.display())]
    Config {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        fault: FileFault,
    },
    /// Neither the flags nor the configuration file name a CA.
    #[error("--ca-cert-file is needed: --config gives {0} no CA")]
    NoCa(SignerName),
    /// The CA cannot be used.
    #[error(transparent)]
    Authority(#[from] LoadError),
    /// There is no CA although its files were good.
    #[error("failed to load the CA")]
    NoAuthority,
    /// The request cannot be read.
    #[error("failed to read the certificate signing request")]
    Parse(#[from] ParseError),
    /// The request is wrong.
    #[error("rejected ({}, rule {}): {}", .0.reason(), .0.rule.id, .0)]
    Rejected(Rejection),
    /// Signing failed.
    #[error(transparent)]
    Signing(#[from] signer::Error),
    /// No random number for the certificate.
    #[error("failed to draw a serial number")]
    SerialNumber,
    /// The certificate could not be handed over.
    #[error("failed to write the certificate to {to}")]
    Write {
        /// The file, or standard output.
        to: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl SignError {
    /// 2 where the command line is to be changed, 1 where something else is.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Request(
                RequestError::NoSignerName | RequestError::NoUsages | RequestError::UnknownUsage(_),
            )
            | Self::UnknownSigner { .. }
            | Self::NoCa(_) => 2,
            Self::Request(_)
            | Self::Config { .. }
            | Self::Authority(_)
            | Self::NoAuthority
            | Self::Parse(_)
            | Self::Rejected(_)
            | Self::Signing(_)
            | Self::SerialNumber
            | Self::Write { .. } => 1,
        }
    }
}

/// Signs, says on standard error what is wrong or to be known, and gives the exit code: 0 with a certificate, 1 without, 2 when
/// the command line is wrong.
#[must_use]
pub fn run(args: &SignArgs) -> ExitCode {
    let signed = draw_serial()
        .and_then(|serial| sign(args, OffsetDateTime::now_utc(), serial))
        .and_then(|(certificate, notice)| deliver(args, &certificate).map(|()| notice));
    match signed {
        Ok(notice) => {
            if let Some(notice) = notice {
                eprintln!("note: {notice}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let exit_code = error.exit_code();
            eprintln!("error: {:#}", anyhow::Error::from(error));
            ExitCode::from(exit_code)
        }
    }
}

/// The certificate, and what its operator should know about it.
///
/// # Errors
/// When the flags, the files or the request do not allow one.
pub fn sign(
    args: &SignArgs,
    now: OffsetDateTime,
    serial: SerialNumber,
) -> Result<(Certificate, Option<String>), SignError> {
    let file = RequestFile::read(args)?;
    let signer_name = file.spec.signer_name.clone();
    let configuration = configuration(args)?;
    let lifetime = args.duration.unwrap_or(DEFAULT_LIFETIME);
    let profile = policy::profile(&configuration, &signer_name, lifetime)
        .ok_or_else(|| SignError::UnknownSigner { name: signer_name.to_string() })?;
    let authority = authority(args, (&signer_name, &configuration), now)?;
    let request = Request::from_spec(&file.spec)?;
    let signer = Signer::new(signer_name, profile, Arc::clone(&authority));
    let validated = signer.validate(&request, Approval::by_operator())?.map_err(SignError::Rejected)?;
    let prepared = validated.prepare(now, serial)?;
    let signature = authority.key().sign(prepared.bytes()).map_err(signer::Error::from)?;
    Ok((prepared.finish(&signature)?, file.notice))
}

fn configuration(args: &SignArgs) -> Result<Configuration, SignError> {
    let Some(path) = &args.config else {
        return Ok(Configuration::default());
    };
    let parsed = configuration::read(path).and_then(|text| Ok(::config::parse(&text)?));
    parsed.map_err(|fault| SignError::Config { path: path.clone(), fault })
}

/// The CA that the flags name, or else the configuration file.
fn authority(
    args: &SignArgs,
    (signer_name, configuration): (&SignerName, &Configuration),
    now: OffsetDateTime,
) -> Result<Arc<CertificateAuthority>, SignError> {
    let configured = configuration.signer(signer_name).and_then(|signer| signer.authority.clone());
    let (cert, key, [cert_origin, key_origin]) = match (&args.ca_cert_file, &args.ca_key_file, configured) {
        (Some(cert), Some(key), _) => {
            let origins = [Origin::Flag("ca-cert-file"), Origin::Flag("ca-key-file")];
            (cert.clone(), key.clone(), origins)
        }
        (_, _, Some(files)) => {
            let origin = Origin::CertificateAuthority(signer_name.clone());
            (files.certificate, files.key, [origin.clone(), origin])
        }
        (_, _, None) => return Err(SignError::NoCa(signer_name.clone())),
    };
    let files = SignerFiles { signer_name: signer_name.clone(), cert, key, cert_origin, key_origin };
    let loaded = AuthorityFiles::load(&[files], now)?.subscribe();
    let authority = loaded.borrow().get(signer_name).cloned();
    authority.ok_or(SignError::NoAuthority)
}

fn draw_serial() -> Result<SerialNumber, SignError> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| SignError::SerialNumber)?;
    Ok(SerialNumber::from_random(octets))
}

fn deliver(args: &SignArgs, certificate: &Certificate) -> Result<(), SignError> {
    let pem = certificate.pem().as_bytes();
    let written = match &args.output {
        Some(path) => std::fs::write(path, pem),
        None => io::stdout().write_all(pem),
    };
    written.map_err(|source| {
        let file = args.output.as_ref().map(|path| path.display().to_string());
        SignError::Write { to: file.unwrap_or_else(|| "standard output".to_owned()), source }
    })
}

/// A lifetime as the flag has it.
fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text).map_err(|error| error.to_string())?;
    match lifetime.is_positive() {
        true => Ok(lifetime),
        false => Err("a certificate must last longer than no time".to_owned()),
    }
}

/// That of `countersign run` without `--cluster-signing-duration`.
const DEFAULT_LIFETIME: Duration = Duration::hours(8760);

#[cfg(test)]
mod tests;
