//! `make demo`: a node joins a real API server, and its certificate request is watched on its way.
//!
//! `COUNTERSIGN_E2E_SIGNER=kcm` shows kube-controller-manager instead; `COUNTERSIGN_BIN` another build of countersign.

use std::fmt::Display;
use std::fs;
use std::pin::Pin;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, requests};
use futures::{Stream, TryStreamExt as _};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const NODE: &str = "worker-1";

/// Requests sent after the first, for the median.
const FURTHER: usize = 21;

#[tokio::main]
async fn main() -> Result<()> {
    say("starting etcd and kube-apiserver");
    let cluster = ControlPlane::start(Options::default()).await?;
    say(format!("kube-apiserver answers at {}", cluster.url()));
    let admin = cluster.admin().await?;

    let program = Program::under_test();
    say(format!("starting {program:?} with kube-controller-manager's signing flags"));
    let mut signer = cluster.signer(program).start().await?;

    let token = cluster.bootstrap_token().await?;
    let kubelet = cluster.client_for(&token).await?;
    say(format!("{NODE} asks for its client certificate, with nothing but a bootstrap token"));
    let mut joins = Joins::watch(&admin).await?;
    let (issued, took) = joins.join(&kubelet, Telling::Everything).await?;
    say(format!("{NODE} has its certificate after {:.1} ms", milliseconds(took)));

    println!("\n$ kubectl get csr");
    print!("{}", cluster.kubectl(&["get", "csr"])?);
    println!(
        "\n$ kubectl get csr … -o jsonpath='{{.status.certificate}}' | base64 -d | openssl x509 -noout -text"
    );
    println!("{}", readable(outcome::certificate(&issued).context("no certificate")?).await?);

    say(format!("{FURTHER} more, one after the other"));
    let mut times = Vec::new();
    for _ in 0..FURTHER {
        times.push(joins.join(&kubelet, Telling::Nothing).await?.1);
    }
    times.sort_unstable();
    say(format!("the median of them took {:.1} ms", milliseconds(times[FURTHER / 2])));
    say(format!("{program:?} takes up {} of memory", resident(signer.process().id())?));

    say("stopping everything");
    signer.stop().await?;
    Ok(())
}

/// A watch on all requests, opened before any of them is there, or its first steps would be missed.
struct Joins(Events);

/// What is said of a request on its way.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Telling {
    Everything,
    Nothing,
}

type Events = Pin<Box<dyn Stream<Item = watcher::Result<Event<CertificateSigningRequest>>> + Send>>;

impl Joins {
    async fn watch(admin: &Client) -> Result<Self> {
        let mut events: Events = Box::pin(watcher(Api::all(admin.clone()), watcher::Config::default()));
        while !matches!(events.try_next().await?, Some(Event::InitDone) | None) {}
        Ok(Self(events))
    }

    /// Sends a request, and follows it until it has its certificate; says where it stands each time that changes.
    async fn join(
        &mut self,
        kubelet: &Client,
        telling: Telling,
    ) -> Result<(CertificateSigningRequest, Duration)> {
        let draft = requests::kubelet_client(NODE)?;
        let created = Instant::now();
        let name = draft.create(kubelet).await?;
        while let Some(event) = self.0.try_next().await? {
            let Event::Apply(csr) = event else { continue };
            if csr.metadata.name.as_deref() != Some(&*name) {
                continue;
            }
            if telling == Telling::Everything {
                tell(&csr, created.elapsed());
            }
            if Outcome::of(&csr) == Outcome::Issued {
                return Ok((csr, created.elapsed()));
            }
        }
        bail!("the watch ended before {name} had its certificate")
    }
}

fn tell(csr: &CertificateSigningRequest, after: Duration) {
    let (name, outcome) = (csr.metadata.name.as_deref().unwrap_or_default(), Outcome::of(csr));
    let message = outcome::condition(csr, "Approved").and_then(|approved| approved.message.clone());
    println!("    {:>6.1} ms  {name}  {outcome:<8?}  {}", milliseconds(after), message.unwrap_or_default());
}

/// The certificate as `openssl x509 -text` shows it.
async fn readable(pem: &[u8]) -> Result<String> {
    let mut openssl = Command::new("openssl")
        .args(["x509", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start openssl")?;
    openssl.stdin.take().context("openssl has no standard input")?.write_all(pem).await?;
    Ok(String::from_utf8(openssl.wait_with_output().await?.stdout)?)
}

/// The resident memory of a process, as the kernel says it.
fn resident(process: u32) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().to_owned())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn say(what: impl Display) {
    println!("==> {what}");
}
