//! What signs in a test: countersign, or kube-controller-manager.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::{Client, Config};

use crate::binaries::{self, Binary};
use crate::control_plane::ControlPlane;
use crate::process::Process;
use crate::user::User;
use crate::{port, wait};

/// A program that approves, signs and cleans.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// The one under test.
    Countersign,
    /// The one it replaces.
    KubeControllerManager,
}

impl Program {
    /// countersign; kube-controller-manager where `COUNTERSIGN_E2E_SIGNER=kcm`, which tests the tests.
    pub fn under_test() -> Self {
        if env::var_os("COUNTERSIGN_E2E_SIGNER").as_deref() == Some(OsStr::new("kcm")) {
            return Self::KubeControllerManager;
        }
        Self::Countersign
    }
}

/// A command line to come, made by [`ControlPlane::signer`].
#[derive(Clone, Debug)]
pub struct Command<'a> {
    cluster: &'a ControlPlane,
    program: Program,
    user: User,
    server: String,
    flags: BTreeMap<String, String>,
}

/// A running signer.
#[derive(Debug)]
pub struct Signer {
    process: Process,
    url: String,
}

impl ControlPlane {
    /// The command line of `program` as an administrator, without leader election, signing with the cluster's authority.
    pub fn signer(&self, program: Program) -> Command<'_> {
        let authority = self.authority_files();
        let command = Command {
            cluster: self,
            program,
            user: User::admin(),
            server: self.url().to_owned(),
            flags: BTreeMap::new(),
        };
        command
            .flag("cluster-signing-cert-file", &authority.certificate.display().to_string())
            .flag("cluster-signing-key-file", &authority.key.display().to_string())
            .flag("leader-elect", "false")
            .flag("bind-address", "127.0.0.1")
            .flag("controllers", CONTROLLERS)
    }

    /// Starts what [`Program::under_test`] says, with no further flag.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start_signer(&self) -> Result<Signer> {
        self.signer(Program::under_test()).start().await
    }
}

impl Command<'_> {
    /// Sets `--name=value`, in place of an earlier value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes `--name` away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.flags.remove(name);
        self
    }

    /// Runs it as `user`.
    #[must_use]
    pub fn identity(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Lets it reach the API server by way of `url`.
    #[must_use]
    pub fn through(mut self, url: &str) -> Self {
        url.clone_into(&mut self.server);
        self
    }

    /// Starts it and waits until it is ready, a port taken by somebody else apart.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub async fn start(self) -> Result<Signer> {
        let mut signer = self.spawn()?;
        match self.program {
            Program::Countersign => signer.ready().await?,
            Program::KubeControllerManager => {
                // Followers of an election have nothing to be ready for.
                let leads = self.flags.get("leader-elect").is_some_and(|elect| elect == "false");
                if leads {
                    signer.process.logs("Starting certificate controller", self.workers()).await?;
                }
            }
        }
        Ok(signer)
    }

    /// Starts it and waits for nothing.
    ///
    /// # Errors
    /// When the program is missing.
    pub fn spawn(&self) -> Result<Signer> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let kubeconfig = self.cluster.kubeconfig_through(&self.user, &self.server)?.display().to_string();
        let port = port::free()?;
        let mut arguments: Vec<String> = match self.program {
            Program::Countersign => vec!["run".to_owned()],
            Program::KubeControllerManager => Vec::new(),
        };
        for flag in ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"] {
            arguments.push(format!("--{flag}={kubeconfig}"));
        }
        arguments.push(format!("--secure-port={port}"));
        arguments.extend(self.flags.iter().map(|(name, value)| format!("--{name}={value}")));
        let (name, program) = match self.program {
            Program::Countersign => ("countersign", binaries::countersign()?),
            Program::KubeControllerManager => ("kcm", Binary::KubeControllerManager.locate()?),
        };
        let log = format!("{name}-{}.log", COUNT.fetch_add(1, Ordering::Relaxed));
        let log = self.cluster.directory().join(log);
        let process = Process::start_in(self.cluster.node_box(), &program, &arguments, log)?;
        Ok(Signer { process, url: format!("https://127.0.0.1:{port}") })
    }

    /// How many certificate controllers kube-controller-manager starts: a signer for each signerName, and the approver.
    fn workers(&self) -> usize {
        if self.flags.contains_key("cluster-signing-cert-file") {
            return 5;
        }
        1 + self.flags.keys().filter(|flag| flag.ends_with("-cert-file")).count()
    }
}

impl Signer {
    /// The process, to signal it or read its log.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Answers its serving endpoint gives to a GET of `path`, with a bearer token or none.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<(StatusCode, String)> {
        let mut config = Config::new(self.url.parse()?);
        // A self-signed certificate in memory is what it serves with when told nothing.
        config.accept_invalid_certs = true;
        config.default_retry = false;
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = Client::try_from(config)?.send(request.body(Body::empty())?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The value of a metric, summed over its labels; `series` is a name, or a name and the start of its labels.
    ///
    /// # Errors
    /// When the endpoint does not answer an administrator.
    pub async fn metric(&self, series: &str) -> Result<f64> {
        let (status, text) = self.get("/metrics", Some("admin-token")).await?;
        if status != StatusCode::OK {
            bail!("/metrics answers {status}: {text}");
        }
        let values = text.lines().filter(|line| line.starts_with(series));
        values
            .map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>().context(line.to_owned()))
            .sum()
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn stop(self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Kills it without warning.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(self) -> Result<()> {
        self.process.kill()
    }

    pub(crate) fn show_log(&self) {
        self.process.show_log();
    }

    async fn ready(&mut self) -> Result<()> {
        wait::until("countersign is ready", async || {
            self.process.ensure_running()?;
            let answer = self.get("/readyz", None).await;
            Ok(answer.is_ok_and(|(status, _)| status == StatusCode::OK).then_some(()))
        })
        .await
    }
}

const CONTROLLERS: &str = "certificatesigningrequest-signing-controller,\
    certificatesigningrequest-approving-controller,certificatesigningrequest-cleaner-controller";
