//! The CA is exchanged while the signer runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::pki::{Authority, KeyKind, PairFiles};
use countersign_e2e::{ControlPlane, Options, Program, Signer, TestResult, certificate, requests, wait};
use kube::Client;

/// A signer whose CA files are its own.
struct Rotation {
    cluster: ControlPlane,
    signer: Signer,
    files: PairFiles,
    old: Authority,
    new: Authority,
}

impl Rotation {
    async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        let directory = cluster.directory().join("rotation");
        fs::create_dir(&directory)?;
        let (old, new) = (Authority::new("old", KeyKind::P256)?, Authority::new("new", KeyKind::P384)?);
        let files = old.pair().write(&directory, "ca")?;
        let command = cluster.signer(Program::under_test());
        let command = command.flag("cluster-signing-cert-file", &files.certificate.display().to_string());
        let command = command.flag("cluster-signing-key-file", &files.key.display().to_string());
        let signer = command.start().await?;
        Ok(Self { cluster, signer, files, old, new })
    }

    /// Whether the next certificate comes from the new authority; an error if from neither.
    async fn signs_with_the_new(&self, client: &Client) -> Result<bool> {
        let name = requests::kubelet_client("a")?.create(client).await?;
        let issued = outcome::reached(client, &name, Outcome::Issued).await?;
        let pem = outcome::certificate(&issued).context("no certificate")?;
        let from_new = certificate::is_signed_by(pem, &self.new)?;
        anyhow::ensure!(from_new || certificate::is_signed_by(pem, &self.old)?, "signed by neither");
        Ok(from_new)
    }

    async fn switched(&self, client: &Client) -> Result<()> {
        let what = "the new authority signs";
        wait::until(what, async || Ok(self.signs_with_the_new(client).await?.then_some(()))).await
    }
}

/// Replaces a file as a whole, as `mv` and the kubelet do.
fn replace(path: &PathBuf, text: &str) -> Result<()> {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, text)?;
    Ok(fs::rename(fresh, path)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_exchanged_under_load_is_taken_and_no_certificate_is_mixed() -> TestResult {
    let rotation = Rotation::start().await?;
    let client = rotation.cluster.admin().await?;
    let load = async || -> Result<()> {
        // Each request that is issued meanwhile must come from one authority or the other.
        rotation.switched(&client).await
    };
    let exchange = async || -> Result<()> {
        let new = rotation.new.pair();
        replace(&rotation.files.key, &new.key)?;
        replace(&rotation.files.certificate, &new.certificate)
    };
    assert!(!rotation.signs_with_the_new(&client).await?);
    let (a, b, c, exchanged) = tokio::join!(load(), load(), load(), exchange());
    exchanged?;
    a.and(b).and(c)?;
    assert!(rotation.signs_with_the_new(&client).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_pair_keeps_the_last_good_one_until_the_other_half_comes() -> TestResult {
    let mut rotation = Rotation::start().await?;
    let client = rotation.cluster.admin().await?;
    let new = rotation.new.pair();
    replace(&rotation.files.certificate, &new.certificate)?;
    noticed(&mut rotation.signer, 1).await?;
    assert!(!rotation.signs_with_the_new(&client).await?);

    replace(&rotation.files.key, &new.key)?;
    rotation.switched(&client).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_or_deleted_file_keeps_the_last_good_pair() -> TestResult {
    let mut rotation = Rotation::start().await?;
    let client = rotation.cluster.admin().await?;
    fs::write(&rotation.files.key, "")?;
    noticed(&mut rotation.signer, 1).await?;
    assert!(!rotation.signs_with_the_new(&client).await?);
    fs::remove_file(&rotation.files.key)?;
    noticed(&mut rotation.signer, 2).await?;
    assert!(!rotation.signs_with_the_new(&client).await?);

    replace(&rotation.files.certificate, &rotation.new.pair().certificate)?;
    replace(&rotation.files.key, &rotation.new.pair().key)?;
    rotation.switched(&client).await?;
    Ok(())
}

/// Waits until the signer has seen files that it cannot use, so many times.
async fn noticed(signer: &mut Signer, times: u16) -> Result<()> {
    match Program::under_test() {
        Program::KubeControllerManager => signer.process().logs("key failed with", times.into()).await,
        Program::Countersign => {
            let what = "a failed reload is counted";
            wait::until(what, async || {
                let failures = signer.metric("countersign_ca_reloads_total{result=\"failure\"}").await?;
                Ok((failures >= f64::from(times)).then_some(()))
            })
            .await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_tells_of_a_configuration_file_that_cannot_be_used() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let file = cluster.directory().join("countersign.yaml");
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    fs::write(&file, head)?;
    let command = cluster.signer(Program::under_test());
    let _signer = command.flag("config", &file.display().to_string()).start().await?;
    replace(&file, &format!("{head}approvals: {{}}\n"))?;
    let selector = "--field-selector=involvedObject.kind=CountersignConfiguration";
    let form = "--output=jsonpath={range .items[*]}{.involvedObject.name} {.type} {.reason}: {.message}{end}";
    let event = wait::until("an Event tells of the file", async || {
        let event = cluster.kubectl(&["get", "events", "--namespace=default", selector, form])?;
        Ok((!event.is_empty()).then_some(event))
    })
    .await?;
    assert!(event.starts_with("countersign.yaml Warning ConfigurationRejected: "), "{event}");
    assert!(event.contains("line 3") && event.contains("did you mean approval?"), "{event}");
    Ok(())
}
