//! Where metrics and health are served, and to whom.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::given::{self, Given, non_empty};
use crate::config::{KubeconfigFile, Origin, Problem};

/// Where metrics and health are served, and to whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Serving {
    /// Address and port. An unspecified address stands for all of this host's, of both families.
    pub address: SocketAddr,
    /// The serving pair; without one, a self-signed certificate is made in memory.
    pub tls: Option<TlsFiles>,
    /// Whose TokenReviews tell who asks; without one, those of the API server's client.
    pub authentication_kubeconfig: Option<KubeconfigFile>,
    /// Whose SubjectAccessReviews tell who may; without one, those of the API server's client.
    pub authorization_kubeconfig: Option<KubeconfigFile>,
    /// What is served to anyone.
    pub always_allow_paths: Vec<AllowedPath>,
}

/// A serving certificate with its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// PEM, the chain behind the certificate.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// A path, or the beginning of paths. A leading slash makes no difference (`apiserver/pkg/authorization/path`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AllowedPath {
    /// This path alone, without its leading slash.
    Exactly(String),
    /// All paths that begin so, without the leading slash.
    StartsWith(String),
}

impl AllowedPath {
    /// Whether `path`, as in a request, is meant.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or(path);
        match self {
            Self::Exactly(allowed) => path == allowed,
            Self::StartsWith(allowed) => path.starts_with(allowed),
        }
    }

    /// One item of `--authorization-always-allow-paths`.
    fn parse(item: &str) -> Result<Self, Problem> {
        let path = item.strip_prefix('/').unwrap_or(item);
        match path.split_once('*') {
            None => Ok(Self::Exactly(path.to_owned())),
            Some((start, "")) => Ok(Self::StartsWith(start.to_owned())),
            Some(_) => Err(Problem::PathWildcard { path: path.to_owned() }),
        }
    }
}

impl Serving {
    pub(super) fn read(given: &mut Given<'_>) -> Option<Self> {
        let args = given.args;
        let address = given.address("bind-address", &args.bind_address);
        let port = port(given);
        let tls = TlsFiles::read(given);
        let mut always_allow_paths = Vec::new();
        for item in given::items(&args.authorization_always_allow_paths) {
            match AllowedPath::parse(item) {
                Ok(path) => always_allow_paths.push(path),
                Err(problem) => given.wrong(problem),
            }
        }
        let kubeconfig = |flag, path| KubeconfigFile::read(given, flag, path);
        let authentication_kubeconfig =
            kubeconfig("authentication-kubeconfig", &args.authentication_kubeconfig);
        let authorization_kubeconfig = kubeconfig("authorization-kubeconfig", &args.authorization_kubeconfig);
        Some(Self {
            address: SocketAddr::new(address?, port.filter(|&port| port > 0)?),
            tls,
            authentication_kubeconfig,
            authorization_kubeconfig,
            always_allow_paths,
        })
    }
}

fn port(given: &mut Given<'_>) -> Option<u16> {
    let port = given.whole_number("secure-port", &given.args.secure_port)?;
    let checked = u16::try_from(port).ok();
    if checked.is_none() {
        let origin = given.origin("secure-port");
        given.wrong(Problem::SecurePort { origin, port });
    }
    checked
}

impl TlsFiles {
    fn read(given: &mut Given<'_>) -> Option<Self> {
        let (cert, key) = ("tls-cert-file", "tls-private-key-file");
        let args = given.args;
        let (given_half, missing) =
            match (non_empty(&args.tls_cert_file), non_empty(&args.tls_private_key_file)) {
                (None, None) => return None,
                (Some(certificate), Some(key)) => {
                    let (certificate, key) = (certificate.into(), key.into());
                    return Some(Self { certificate, key });
                }
                (Some(_), None) => (cert, key),
                (None, Some(_)) => (key, cert),
            };
        let (origin, missing) = (given.origin(given_half), Origin::Flag(missing));
        given.wrong(Problem::HalfServingPair { given: origin, missing });
        None
    }
}
