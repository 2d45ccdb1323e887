//! What `countersign sign` is to sign: a bare request, or an object exported from a cluster.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csr::{CertificateSigningRequest, Requester, SignerName, Spec, Usage, Usages};

use crate::cli::sign::SignArgs;

/// What is to be signed, and what is to be said about where it comes from.
#[derive(Debug)]
pub(super) struct RequestFile {
    /// What is asked for; the flags go before the object.
    pub(super) spec: Spec,
    /// What an operator should know before trusting the certificate.
    pub(super) notice: Option<String>,
}

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The file cannot be read.
    #[error("failed to read --request {}", path.display())]
    Unreadable {
        /// The file, or `-`.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Longer than any request that an API server stores.
    #[error("--request {} is longer than 4 MiB", path.display())]
    TooLong {
        /// The file, or `-`.
        path: PathBuf,
    },
    /// An object in YAML that is no YAML.
    #[error("--request is not readable as YAML: {0}")]
    Yaml(String),
    /// An object that cannot be read.
    #[error("--request is not a CertificateSigningRequest that can be read")]
    Object(#[from] serde_json::Error),
    /// An object of another kind, such as a list.
    #[error("--request holds an object of kind {0:?}, not one CertificateSigningRequest")]
    Kind(String),
    /// Somebody said no.
    #[error("the CertificateSigningRequest was denied in its cluster")]
    Denied,
    /// A bare request does not say whose rules hold.
    #[error("--signer-name is needed: the request does not say for which signer it is")]
    NoSignerName,
    /// A bare request does not say what for.
    #[error("--usage is needed: the request does not say what the certificate is for")]
    NoUsages,
    /// Not a usage of the API.
    #[error("--usage: {0:?} is not a usage that Kubernetes knows")]
    UnknownUsage(String),
}

impl RequestFile {
    /// Reads the file, and completes it with the flags.
    pub(super) fn read(args: &SignArgs) -> Result<Self, RequestError> {
        let bytes = read(&args.request)?;
        let Self { mut spec, notice } = match form(&bytes) {
            Form::Json => from_object(&serde_json::from_slice(&bytes)?)?,
            Form::Yaml => {
                let object = serde_saphyr::from_slice(&bytes)
                    .map_err(|error| RequestError::Yaml(error.to_string()))?;
                from_object(&object)?
            }
            Form::Pem => Self { spec: bare(bytes), notice: None },
        };
        if let Some(name) = &args.signer_name {
            spec.signer_name = SignerName::from(name.as_str());
        }
        if !args.usage.is_empty() {
            spec.usages = usages(&args.usage)?;
        }
        if args.duration.is_some() {
            spec.expiration_seconds = None;
        }
        if spec.signer_name.as_str().is_empty() {
            return Err(RequestError::NoSignerName);
        }
        if spec.usages.iter().next().is_none() {
            return Err(RequestError::NoUsages);
        }
        Ok(Self { spec, notice })
    }
}

enum Form {
    Pem,
    Json,
    Yaml,
}

/// An object says its kind; all else is for the reader of PEM to judge.
fn form(bytes: &[u8]) -> Form {
    let text = bytes.trim_ascii_start();
    let mut lines = text.split(|&byte| byte == b'\n');
    if text.starts_with(b"{") {
        Form::Json
    } else if lines.any(|line| line.starts_with(b"kind:")) {
        Form::Yaml
    } else {
        Form::Pem
    }
}

fn from_object(object: &serde_json::Value) -> Result<RequestFile, RequestError> {
    let kind = object.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default();
    if kind != "CertificateSigningRequest" {
        return Err(RequestError::Kind(kind.to_owned()));
    }
    let csr: CertificateSigningRequest = serde_json::from_str(&object.to_string())?;
    if csr.progress().denied.is_some() {
        return Err(RequestError::Denied);
    }
    let spec = csr.spec().clone();
    // Quoted with escapes: a terminal must not obey what a request says.
    let notice = format!(
        "the requester is not attested offline: username {:?}, groups {:?} are what the file says",
        spec.requester.username, spec.requester.groups
    );
    Ok(RequestFile { spec, notice: Some(notice) })
}

fn bare(request: Vec<u8>) -> Spec {
    Spec {
        request,
        signer_name: SignerName::from(""),
        usages: Usages::default(),
        expiration_seconds: None,
        requester: Arc::new(Requester::default()),
    }
}

fn usages(names: &[String]) -> Result<Usages, RequestError> {
    let names = || names.iter().map(|name| name.trim());
    match names().find(|name| matches!(Usage::from(*name), Usage::Unknown(_))) {
        Some(unknown) => Err(RequestError::UnknownUsage(unknown.to_owned())),
        None => Ok(names().collect()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RequestError> {
    let unreadable = |source| RequestError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let input: Box<dyn Read> = match path.as_os_str().as_encoded_bytes() {
        b"-" => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(unreadable)?),
    };
    input.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 {
        ..=LIMIT => Ok(bytes),
        _ => Err(RequestError::TooLong { path: path.to_owned() }),
    }
}

/// More than twice what etcd takes in one object by default.
const LIMIT: u64 = 4 << 20;
