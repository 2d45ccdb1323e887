//! Where the API server is, and who we are to it: `--kubeconfig`, `--master`, or the pod's own ServiceAccount.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use csr::IssuedCertificate;
use http::{HeaderValue, header};
use kube::Config;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use time::OffsetDateTime;

/// What the command line says about the API server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Access {
    /// The kubeconfig file.
    pub kubeconfig: Option<PathBuf>,

    /// The API server's address; goes before that of the kubeconfig.
    pub master: Option<String>,
}

/// What [`Access`] leads to.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Address, trust and identity. It does not retry: the engine does.
    pub config: Config,

    /// When the client certificate expires, where there is one.
    pub not_after: Option<OffsetDateTime>,

    /// A digest of all files that were read, where they may change and nobody else notices.
    fingerprint: Option<[u8; 32]>,
}

/// Why the API server's address or our credentials are not known.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The kubeconfig, or a file that it names.
    #[error("failed to load kubeconfig {path}")]
    Kubeconfig {
        /// The kubeconfig.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },

    /// A file that the kubeconfig names.
    #[error("failed to read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },

    /// `--master` is no address.
    #[error("--master {address:?} is not a URL")]
    Master {
        /// As given.
        address: String,
        /// What the parser says.
        #[source]
        source: http::uri::InvalidUri,
    },

    /// No flag says where the API server is, and this is no pod.
    #[error("neither --kubeconfig nor --master is given, and this is no pod with a ServiceAccount")]
    NotInCluster(#[source] Box<kube::config::InClusterError>),

    /// `proxy-url` of the kubeconfig, or HTTPS_PROXY of the environment.
    #[error("the API server is to be reached through the proxy {0}, and proxies are not supported")]
    Proxy(Box<http::Uri>),

    /// The credentials cannot be used.
    #[error("failed to use the credentials for the API server")]
    Client(#[source] Box<kube::Error>),
}

impl Access {
    /// Reads the kubeconfig and every file it names, or the pod's own credentials.
    ///
    /// # Errors
    /// When they cannot be read, or say nothing of use.
    pub async fn load(&self) -> Result<Credentials, AccessError> {
        let mut credentials = match &self.kubeconfig {
            Some(path) => Credentials::from_kubeconfig(path).await?,
            None if self.master.is_some() => Credentials::new(Config::new(http::Uri::default())),
            None => {
                let config =
                    Config::incluster().map_err(|error| AccessError::NotInCluster(Box::new(error)))?;
                Credentials::new(config)
            }
        };
        if let Some(address) = &self.master {
            let url = address.parse();
            credentials.config.cluster_url =
                url.map_err(|source| AccessError::Master { address: address.clone(), source })?;
        }
        Ok(credentials)
    }
}

impl Credentials {
    fn new(mut config: Config) -> Self {
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        let agent = HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        config.headers.push((header::USER_AGENT, agent));
        Self { config, not_after: None, fingerprint: None }
    }

    async fn from_kubeconfig(path: &Path) -> Result<Self, AccessError> {
        let wrong = |source| AccessError::Kubeconfig { path: path.into(), source: Box::new(source) };
        // Digested before it is read: a change in between is seen as one the next time.
        let fingerprint = fingerprint(path, &Kubeconfig::read_from(path).map_err(wrong)?)?;
        let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let credentials = Self::new(config.map_err(wrong)?);
        let not_after = not_after(&credentials.config.auth_info);
        Ok(Self { not_after, fingerprint: Some(fingerprint), ..credentials })
    }

    /// Whether the files say the same as when `other` was loaded.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    /// Whether they are in files that may be replaced while we run. A pod's token and CA are not meant: the client reads those
    /// again by itself.
    #[must_use]
    pub fn may_be_replaced(&self) -> bool {
        self.fingerprint.is_some()
    }
}

/// A digest of the kubeconfig and of every file that it names.
fn fingerprint(path: &Path, kubeconfig: &Kubeconfig) -> Result<[u8; 32], AccessError> {
    let users = kubeconfig.auth_infos.iter().filter_map(|named| named.auth_info.as_ref());
    let clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let named = users
        .flat_map(|user| [&user.client_certificate, &user.client_key])
        .chain(clusters.map(|cluster| &cluster.certificate_authority))
        .flatten();
    let mut all = digest::Context::new(&digest::SHA256);
    for file in [path].into_iter().chain(named.map(Path::new)) {
        let content =
            std::fs::read(file).map_err(|source| AccessError::File { path: file.into(), source })?;
        all.update(digest::digest(&digest::SHA256, &content).as_ref());
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(all.finish().as_ref());
    Ok(fingerprint)
}

fn not_after(user: &AuthInfo) -> Option<OffsetDateTime> {
    let pem = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) => data.clone(),
        (None, Some(path)) => BASE64_STANDARD.encode(std::fs::read(path).ok()?),
        (None, None) => return None,
    };
    match IssuedCertificate::from_base64(&pem) {
        IssuedCertificate::NotAfter(not_after) => Some(not_after),
        IssuedCertificate::None | IssuedCertificate::Unreadable => None,
    }
}
