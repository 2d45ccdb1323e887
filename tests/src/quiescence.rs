//! Knowing that nothing more will happen.
//!
//! An approved request that cannot be signed is retried for ever, and so is one whose requester may not have it: "done"
//! is no state of the objects. What can be known is that the signer has had its turn with everything: it takes new work
//! in order, so requests created last and issued show that the rest has been tried; and what it still had in hand then
//! has been written when for a while no object changes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use tokio::time::{Instant, sleep};

use crate::approval::{self, Verdict};
use crate::outcome::{self, Outcome};
use crate::requests;

/// Waits until the signer has had its turn with every request, and for it to fall quiet.
///
/// # Errors
/// When it stops signing, or the API server fails.
pub async fn settle(client: &Client) -> Result<()> {
    turn(client).await?;
    loop {
        let before = versions(client).await?;
        quiet(client, before.clone()).await?;
        turn(client).await?;
        if versions(client).await? == before {
            return Ok(());
        }
    }
}

/// Waits until the signer has had its turn with every request that exists: sends one more down every way through it and
/// waits for the certificates.
///
/// # Errors
/// When it does not sign them in time, or the API server fails.
pub async fn turn(client: &Client) -> Result<()> {
    let objects: Api<CertificateSigningRequest> = Api::all(client.clone());
    let ways = [
        requests::kubelet_client("sentinel")?,
        requests::kubelet_serving("sentinel", &["sentinel"])?,
        requests::user("sentinel")?,
    ];
    let mut names = Vec::new();
    for draft in &ways {
        let name = draft.create(client).await?;
        if draft.object.spec.signer_name != requests::KUBELET_CLIENT {
            approval::decide(client, &name, Verdict::Approved).await?;
        }
        names.push(name);
    }
    for name in names {
        outcome::reached(client, &name, Outcome::Issued).await.context("a request sent last")?;
        objects.delete(&name, &DeleteParams::default()).await?;
    }
    Ok(())
}

/// Waits until no object has changed for [`QUIET`].
async fn quiet(client: &Client, mut last: BTreeMap<String, String>) -> Result<()> {
    let mut changed = Instant::now();
    while changed.elapsed() < QUIET {
        sleep(INTERVAL).await;
        let now = versions(client).await?;
        if now != last {
            (last, changed) = (now, Instant::now());
        }
    }
    Ok(())
}

/// The resourceVersion of every object.
async fn versions(client: &Client) -> Result<BTreeMap<String, String>> {
    let objects: Api<CertificateSigningRequest> = Api::all(client.clone());
    let list = objects.list_metadata(&ListParams::default()).await?;
    let version = |meta: kube::core::ObjectMeta| Some((meta.name?, meta.resource_version?));
    Ok(list.items.into_iter().filter_map(|object| version(object.metadata)).collect())
}

const QUIET: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(250);
