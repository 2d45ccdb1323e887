//! Watches certificates appear, as a requester would.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::stream::BoxStream;
use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use http::Request;
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::load::PATH;

/// One watch on all requests.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Arc<Mutex<Seen>>,
    changes: watch::Receiver<usize>,
    _task: JoinSet<()>,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    certificates: HashMap<String, Certificate>,
    /// That of the last event.
    version: String,
    /// Requests whose certificate was replaced by another one.
    replaced: usize,
}

#[derive(Clone, Copy, Debug)]
struct Certificate {
    at: Instant,
    digest: u64,
}

impl Observer {
    /// Watches the requests whose names begin with `prefix` from now on. Nothing that happens after it returns is missed.
    pub(crate) async fn start(client: Client, prefix: &'static str) -> Result<Self> {
        let version = version(&client).await?;
        let first = watch(&client, &version).await?;
        let seen = Arc::new(Mutex::new(Seen { version, ..Seen::default() }));
        let (count, changes) = watch::channel(0);
        let (mut task, state) = (JoinSet::new(), Arc::clone(&seen));
        task.spawn(async move {
            let mut lines = first;
            loop {
                while let Ok(Some(line)) = lines.try_next().await {
                    count.send_replace(take_in(&mut lock(&state), &line, prefix));
                }
                // The API server ends the watch of whoever reads too slowly; it goes on where it was.
                let version = lock(&state).version.clone();
                match watch(&client, &version).await {
                    Ok(next) => lines = next,
                    Err(error) => break eprintln!("the watch has ended: {error:#}"),
                }
            }
        });
        Ok(Self { seen, changes, _task: task })
    }

    /// Waits until so many requests have their certificate, or until `limit` is over. Says how many have.
    pub(crate) async fn wait_for(&mut self, number: usize, limit: Duration) -> usize {
        let enough = self.changes.wait_for(|count| *count >= number);
        let _ = timeout(limit, enough).await;
        lock(&self.seen).certificates.len()
    }

    /// When each request got its certificate, by the name of its object.
    pub(crate) fn certificates(&self) -> HashMap<String, Instant> {
        lock(&self.seen)
            .certificates
            .iter()
            .map(|(name, certificate)| (name.clone(), certificate.at))
            .collect()
    }

    /// Requests that were given a second, different certificate. There must be none.
    pub(crate) fn replaced(&self) -> usize {
        lock(&self.seen).replaced
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The version of the whole collection.
async fn version(client: &Client) -> Result<String> {
    let list: Value = client.request(Request::get(format!("{PATH}?limit=1")).body(Vec::new())?).await?;
    let version = list["metadata"]["resourceVersion"].as_str();
    Ok(version.context("a list without a version")?.to_owned())
}

/// The events since a version, a line each.
async fn watch(client: &Client, version: &str) -> Result<Lines> {
    let path = format!("{PATH}?watch=true&resourceVersion={version}&timeoutSeconds=3600");
    let stream = client.request_stream(Request::get(path).body(Vec::new())?).await?;
    Ok(Box::pin(stream.lines()))
}

type Lines = BoxStream<'static, std::io::Result<String>>;

/// Takes an event in, and says how many certificates there are.
fn take_in(seen: &mut Seen, line: &str, prefix: &str) -> usize {
    // The first in an event is the object's own.
    if let Some(version) = line.split(r#""resourceVersion":""#).nth(1).and_then(|rest| rest.split('"').next())
    {
        version.clone_into(&mut seen.version);
    }
    // Most events are no certificate, and need no more reading.
    if !line.contains(r#""certificate":""#) {
        return seen.certificates.len();
    }
    let Ok(event) = serde_json::from_str::<Event<'_>>(line) else {
        return seen.certificates.len();
    };
    if event.r#type == "MODIFIED" && event.object.metadata.name.starts_with(prefix) {
        let mut hasher = DefaultHasher::new();
        event.object.status.certificate.hash(&mut hasher);
        let certificate = Certificate { at: Instant::now(), digest: hasher.finish() };
        let first = *seen.certificates.entry(event.object.metadata.name.to_owned()).or_insert(certificate);
        seen.replaced += usize::from(first.digest != certificate.digest);
    }
    seen.certificates.len()
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    status: Status<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Status<'a> {
    certificate: &'a str,
}
