//! etcd and kube-apiserver on loopback ports of their own.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use rcgen::KeyPair;
use tempfile::TempDir;

use crate::apiserver::{self, ApiServer, Kubelets};
use crate::binaries::Binary;
use crate::node_box::NodeBox;
use crate::options::Options;
use crate::pki::{Authority, Pair, PairFiles};
use crate::process::Process;
use crate::user::{Credential, User};
use crate::{bindings, kubeconfig, port, wait};

/// A running control plane. Dropping it stops all of it and removes its files.
///
/// Clients belong to the asynchronous runtime they are made in, so each call makes a new one.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: the API server before its store, the files last.
    apiserver: ApiServer,
    _etcd: Process,
    authority: Authority,
    serving: Authority,
    url: String,
    store: String,
    node_box: Option<NodeBox>,
    directory: TempDir,
}

impl ControlPlane {
    /// Starts etcd and kube-apiserver and waits until the API is ready and kubeadm's bindings are made.
    ///
    /// # Errors
    /// When a program is missing or does not become ready; the error then ends with its log.
    pub async fn start(options: Options) -> Result<Self> {
        // Whichever test comes first installs it; for the others it is there already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::Builder::new().prefix("countersign-e2e-").tempdir()?;
        let authority = Authority::lasting("kubernetes", options.authority_key, options.authority_lifetime)?;
        let serving = Authority::new("serving", options.authority_key)?;
        write_files(directory.path(), &options, &authority, &serving)?;
        let place = Place { node_box: options.node_box.as_ref(), directory: directory.path() };
        let (etcd, store) = on_a_free_port(async |port| start_etcd(&place, port).await).await?;
        let media =
            if options.readable_store { "application/json" } else { "application/vnd.kubernetes.protobuf" };
        let storage = [format!("--etcd-servers={store}"), format!("--storage-media-type={media}")];
        let (apiserver, url) =
            on_a_free_port(async |port| ApiServer::start(&place, &storage, port).await).await?;
        let node_box = options.node_box;
        let this = Self { apiserver, _etcd: etcd, authority, serving, url, store, node_box, directory };
        this.ready().await?;
        if options.kubeadm_bindings {
            bindings::create(&this.admin().await?).await?;
        }
        Ok(this)
    }

    /// A client for a member of `system:masters`.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub async fn admin(&self) -> Result<Client> {
        self.client_for(&User::admin()).await
    }

    /// A client for `user`.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub async fn client_for(&self, user: &User) -> Result<Client> {
        let kubeconfig = Kubeconfig::from_yaml(&self.kubeconfig(user, &self.url)?)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }

    /// A client that presents no credential and leaves the `Authorization` header to its user.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn anonymous(&self) -> Result<Client> {
        let mut config = Config::new(self.url.parse()?);
        config.default_retry = false;
        config.root_cert_file = Some(self.directory.path().join("serving-ca.crt"));
        Ok(Client::try_from(config)?)
    }

    /// Writes a kubeconfig file for `user`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn kubeconfig_for(&self, user: &User) -> Result<PathBuf> {
        self.kubeconfig_through(user, &self.url)
    }

    /// Writes a kubeconfig file for `user` that reaches the API server by way of `url`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn kubeconfig_through(&self, user: &User, url: &str) -> Result<PathBuf> {
        let (file, path) =
            tempfile::Builder::new().suffix(".kubeconfig").tempfile_in(self.directory.path())?.keep()?;
        drop(file);
        fs::write(&path, self.kubeconfig(user, url)?)?;
        Ok(path)
    }

    /// The cluster's authority: of client certificates, and the one the signer under test signs with by default.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The files of the cluster's authority.
    pub fn authority_files(&self) -> PairFiles {
        let file = |name| self.directory.path().join(name);
        PairFiles { certificate: file("ca.crt"), key: file("ca.key") }
    }

    /// A directory for files of a test; it is removed with the control plane.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// An address for a node that is played, on which the test may serve.
    ///
    /// # Errors
    /// When it runs in no box, or all addresses there are taken.
    pub fn node_address(&self) -> Result<IpAddr> {
        let node_box = self.node_box().context("addresses for nodes are in a box")?;
        Ok(node_box.node_address()?.into())
    }

    /// The box it runs in.
    pub(crate) fn node_box(&self) -> Option<&NodeBox> {
        self.node_box.as_ref()
    }

    /// A serving certificate for the loopback address that kubeconfig files trust.
    pub(crate) fn serving_pair(&self) -> Result<Pair> {
        self.serving.server(&[])
    }

    /// etcd's URL.
    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    /// The API server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a bootstrap token as `kubeadm token create` does and returns its user, once the API server accepts it.
    ///
    /// # Errors
    /// When the token cannot be made or is not accepted in time.
    pub async fn bootstrap_token(&self) -> Result<User> {
        let token = bindings::create_bootstrap_token(&self.admin().await?).await?;
        let user = User::with_token("bootstrap", &token);
        let client = self.client_for(&user).await?;
        wait::until("the bootstrap token is accepted", async || Ok(client.apiserver_version().await.ok()))
            .await?;
        Ok(user)
    }

    /// Runs kubectl as an administrator and returns what it prints.
    ///
    /// # Errors
    /// When it fails; the error is what it says.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let kubeconfig = self.kubeconfig_for(&User::admin())?;
        let output = Command::new(Binary::Kubectl.locate()?)
            .env("HOME", self.directory.path())
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {said}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the API server anew, where it was, with another view of kubelets, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart_apiserver(&self, kubelets: Kubelets) -> Result<()> {
        self.apiserver.restart(kubelets).await?;
        self.ready().await
    }

    pub(crate) fn show_logs(&self) {
        self.apiserver.show_log();
    }

    fn kubeconfig(&self, user: &User, url: &str) -> Result<String> {
        let credential = match &user.credential {
            Credential::Token(token) => kubeconfig::token(token),
            Credential::Pair(pair) => kubeconfig::certificate(pair),
            Credential::Certificate { group } => {
                kubeconfig::certificate(&self.authority.client(&user.name, group.as_deref())?)
            }
        };
        Ok(kubeconfig::render(url, self.serving.certificate(), &credential))
    }

    async fn ready(&self) -> Result<()> {
        let admin = self.admin().await?;
        wait::until("the API server is ready", async || {
            let answer = admin.request_text(Request::get("/readyz").body(Vec::new())?).await;
            Ok(answer.is_ok().then_some(()))
        })
        .await
        .with_context(|| self.apiserver.log())
    }
}

/// Where a server runs and keeps its files.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) node_box: Option<&'a NodeBox>,
    pub(crate) directory: &'a Path,
}

impl Place<'_> {
    pub(crate) fn start(&self, binary: Binary, arguments: &[String]) -> Result<Process> {
        let log = self.directory.join(format!("{}.log", binary.name()));
        Process::start_in(self.node_box, &binary.locate()?, arguments, log)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }
}

fn write_files(
    directory: &Path,
    options: &Options,
    authority: &Authority,
    serving: &Authority,
) -> Result<()> {
    authority.pair().write(directory, "ca")?;
    if options.node_box.is_some() {
        authority
            .client("kube-apiserver-kubelet-client", Some("system:masters"))?
            .write(directory, apiserver::KUBELET_CLIENT)?;
    }
    // In a box it is dialled at other addresses too, and presents them.
    let outer = if options.node_box.is_some() { [API_SERVER, VIRTUAL_ADDRESS].as_slice() } else { &[] };
    serving.server(outer)?.write(directory, "apiserver")?;
    fs::write(directory.join("serving-ca.crt"), serving.certificate())?;
    let accounts = KeyPair::generate()?;
    fs::write(directory.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(directory.join("accounts.pub"), accounts.public_key_pem())?;
    fs::write(directory.join("tokens.csv"), options.token_file())?;
    Ok(())
}

/// Starts a server with `start` until one does not find its port taken.
async fn on_a_free_port<T>(start: impl AsyncFn(u16) -> Result<(T, String)>) -> Result<(T, String)> {
    for _ in 0..ATTEMPTS {
        match start(port::free()?).await {
            Err(error) if format!("{error:#}").contains("address already in use") => (),
            answer => return answer,
        }
    }
    start(port::free()?).await
}

async fn start_etcd(place: &Place<'_>, port: u16) -> Result<(Process, String)> {
    let client = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", port::free()?);
    let arguments = [
        "--name=test".to_owned(),
        format!("--data-dir={}", place.file("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=test={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--heartbeat-interval=10".to_owned(),
        "--election-timeout=100".to_owned(),
    ];
    let mut etcd = place.start(Binary::Etcd, &arguments)?;
    etcd.logs("ready to serve client requests", 1).await?;
    Ok((etcd, client))
}

/// Where the API server of a box is reached, as its EndpointSlice says. It is the first node's address too: see
/// [`NodeBox::node_address`].
pub const API_SERVER: &str = "198.51.100.1";

/// An address that is in the certificate of a box's API server and nowhere else, as a virtual address of several would be.
pub const VIRTUAL_ADDRESS: &str = "198.51.100.250";

/// Tries to find a free port before the error is the answer.
const ATTEMPTS: usize = 5;
