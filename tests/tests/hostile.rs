//! Requests made to hurt: whatever the API server lets in costs its own turn and nobody else's.

use anyhow::{Context as _, Result};
use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::rcgen::{CertificateParams, CustomExtension};
use countersign_e2e::requests::{self, CLIENT, Draft};
use countersign_e2e::{Shared, TestResult};
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
async fn big_requests_are_signed_and_delay_nobody() -> TestResult {
    let cluster = Shared::cluster().await?;
    let admin = cluster.admin().await?;
    let mut big = Vec::new();
    for draft in [many_names(10_000)?, huge()?, many_names(10_000)?, huge()?] {
        let name = draft.create(&admin).await?;
        approval::decide(&admin, &name, Verdict::Approved).await?;
        big.push(name);
    }
    next(&admin).await?;
    for name in big {
        let issued = outcome::reached(&admin, &name, Outcome::Issued).await?;
        outcome::certificate(&issued).context("no certificate")?;
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
        assert!(draft.create(&admin).await.is_err());
    }
    let usages: Vec<_> = (0..1000).map(|number| format!("usage {number}")).collect();
    let usages: Vec<_> = usages.iter().map(String::as_str).collect();
    assert!(requests::user("alice")?.usages(&usages).create(&admin).await.is_err());
    next(&admin).await?;
    Ok(())
}

/// An ordinary request gets its certificate.
async fn next(admin: &Client) -> Result<()> {
    let name = requests::kubelet_client("a")?.create(admin).await?;
    outcome::reached(admin, &name, Outcome::Issued).await?;
    Ok(())
}
