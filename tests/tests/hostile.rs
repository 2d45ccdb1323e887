//! Requests made to hurt: whatever the API server lets in costs its own turn and nobody else's.

use anyhow::{Context as _, Result, bail};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::rcgen::{CertificateParams, CustomExtension};
use countersign_e2e::requests::{self, CLIENT, Draft};
use countersign_e2e::{ControlPlane, Options, Program, Shared, TestResult};
use k8s_openapi::ByteString;
use kube::Client;

const USAGES: &[&str] = &["digital signature", "client auth"];

/// As many alternative names as that.
fn many_names(count: usize) -> Result<Draft> {
    let names: Vec<_> = (0..count).map(|number| format!("name-{number}.example.com")).collect();
    requests::of(&CertificateParams::new(names)?, (CLIENT, USAGES))
}

/// A request of about a megabyte, the most the API server can store.
fn huge() -> Result<Draft> {
    let mut params = CertificateParams::new(Vec::new())?;
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![0; 760_000]);
    params.custom_extensions = vec![extension];
    requests::of(&params, (CLIENT, USAGES))
}

#[tokio::test(flavor = "multi_thread")]
async fn big_requests_are_signed() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let mut big = Vec::new();
    for draft in [many_names(10_000)?, huge()?, many_names(10_000)?, huge()?] {
        let name = draft.create(&admin).await?;
        approval::decide(&admin, &name, Verdict::Approved).await?;
        big.push(name);
    }
    for name in big {
        let issued = outcome::reached(&admin, &name, Outcome::Issued).await?;
        outcome::certificate(&issued).context("no certificate")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn big_requests_do_not_delay_the_next_requester() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let (admin, kubelet) =
        (cluster.admin().await?, cluster.client_for(&cluster.bootstrap_token().await?).await?);
    let mut big = Vec::new();
    for _ in 0..12 {
        let name = many_names(10_000)?.create(&admin).await?;
        approval::decide(&admin, &name, Verdict::Approved).await?;
        big.push(name);
    }
    let ordinary = requests::user("alice")?.create(&kubelet).await?;
    approval::decide(&admin, &ordinary, Verdict::Approved).await?;
    // It finds them all at once, handles one at a time, and makes two calls a second: who is served first can be seen.
    let slow = cluster.signer(Program::Countersign).flag("max-in-flight", "1");
    let _signer = slow.flag("kube-api-qps", "2").flag("kube-api-burst", "1").start().await?;

    outcome::reached(&admin, &ordinary, Outcome::Issued).await?;
    let waiting = outcome::waiting(&admin, &big).await?;
    assert!(waiting > 0, "all who came before were served before");
    for name in big {
        outcome::reached(&admin, &name, Outcome::Issued).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_does_not_get_past_the_api_server() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let noise: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    for request in [Vec::new(), noise, b"-----BEGIN CERTIFICATE REQUEST-----".to_vec()] {
        let mut draft = requests::user("alice")?;
        draft.object.spec.request = ByteString(request);
        is_invalid(&draft, &admin).await?;
    }
    let usages: Vec<_> = (0..1000).map(|number| format!("usage {number}")).collect();
    let usages: Vec<_> = usages.iter().map(String::as_str).collect();
    is_invalid(&requests::user("alice")?.usages(&usages), &admin).await?;
    next(&admin).await?;
    Ok(())
}

/// The API server refuses to create it because of what is in it.
async fn is_invalid(draft: &Draft, admin: &Client) -> Result<()> {
    let Err(error) = draft.create(admin).await else { bail!("it was let in") };
    match error.downcast_ref() {
        Some(kube::Error::Api(status)) if status.code == 422 => Ok(()),
        _ => Err(error.context("it was not judged")),
    }
}

/// An ordinary request gets its certificate.
async fn next(admin: &Client) -> Result<()> {
    let name = requests::kubelet_client("a")?.create(admin).await?;
    outcome::reached(admin, &name, Outcome::Issued).await?;
    Ok(())
}
