//! The API server that contestants work on.

use anyhow::Result;
use countersign_e2e::pki::KeyKind;
use countersign_e2e::{ControlPlane, Options};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};

/// A new control plane whose CA has this kind of key.
pub(crate) async fn start(key: KeyKind) -> Result<ControlPlane> {
    ControlPlane::start(Options::default().authority_key(key)).await
}

/// Deletes the requests whose names begin so, so that the next run finds what the last one found.
pub(crate) async fn delete(client: &Client, prefixes: &[&str]) -> Result<()> {
    let objects: Api<CertificateSigningRequest> = Api::all(client.clone());
    let names = objects.list_metadata(&ListParams::default().match_any()).await?.items.into_iter();
    let ours = names
        .filter_map(|object| object.metadata.name)
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    let mut deletions = stream::iter(ours)
        .map(|name| {
            let objects = objects.clone();
            async move { objects.delete(&name, &DeleteParams::default()).await }
        })
        .buffer_unordered(PARALLEL);
    while deletions.try_next().await?.is_some() {}
    Ok(())
}

const PARALLEL: usize = 16;
