//! `make demo`: a node joins a real API server, and its certificate request is watched on its way.

use std::fmt::Display;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{ControlPlane, Options, Program, requests};
use futures::{Stream, TryStreamExt as _};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const NODE: &str = "worker-1";

#[tokio::main]
async fn main() -> Result<()> {
    say("starting etcd and kube-apiserver");
    let cluster = ControlPlane::start(Options::default()).await?;
    say(format!("kube-apiserver answers at {}", cluster.url()));
    let admin = cluster.admin().await?;

    say("starting countersign with kube-controller-manager's signing flags");
    let signer = cluster.signer(Program::Countersign).start().await?;

    let token = cluster.bootstrap_token().await?;
    say(format!("{NODE} asks for its client certificate, with nothing but a bootstrap token"));
    let issued = join(&admin, &cluster.client_for(&token).await?).await?;

    println!("\n$ kubectl get csr");
    print!("{}", cluster.kubectl(&["get", "csr"])?);
    println!(
        "\n$ kubectl get csr … -o jsonpath='{{.status.certificate}}' | base64 -d | openssl x509 -noout -text"
    );
    println!("{}", readable(outcome::certificate(&issued).context("no certificate")?).await?);

    say("stopping everything");
    signer.stop().await?;
    Ok(())
}

/// Sends the request and says where it stands, each time that changes, until it has its certificate.
async fn join(admin: &Client, kubelet: &Client) -> Result<CertificateSigningRequest> {
    let api: Api<CertificateSigningRequest> = Api::all(admin.clone());
    let mut changes = Box::pin(watcher(api, watcher::Config::default()));
    // Before the request is there, or its first steps would be missed.
    while !matches!(changes.try_next().await?, Some(Event::InitDone) | None) {}
    let draft = requests::kubelet_client(NODE)?;
    let created = Instant::now();
    let name = draft.create(kubelet).await?;
    let issued = follow(&mut changes, &name, created).await?;
    say(format!("{NODE} has its certificate after {} ms", created.elapsed().as_millis()));
    Ok(issued)
}

async fn follow(
    changes: &mut (impl Stream<Item = watcher::Result<Event<CertificateSigningRequest>>> + Unpin),
    name: &str,
    created: Instant,
) -> Result<CertificateSigningRequest> {
    while let Some(event) = changes.try_next().await? {
        let Event::Apply(csr) = event else { continue };
        if csr.metadata.name.as_deref() != Some(name) {
            continue;
        }
        let outcome = Outcome::of(&csr);
        let by = outcome::condition(&csr, "Approved").and_then(|approved| approved.message.clone());
        println!(
            "    {:>5} ms  {name}  {outcome:<8?}  {}",
            created.elapsed().as_millis(),
            by.unwrap_or_default()
        );
        if outcome == Outcome::Issued {
            return Ok(csr);
        }
    }
    anyhow::bail!("the watch ended before {name} had its certificate")
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

fn say(what: impl Display) {
    println!("==> {what}");
}
