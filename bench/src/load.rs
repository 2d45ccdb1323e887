//! Sends requests: as fast as they are answered, or at a rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use http::{Request, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::draft::Draft;

/// The collection.
pub(crate) const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// The answer is not looked at, so that little of it is asked for.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) name: String,
    /// When it began to be sent, or was due to: what follows is waiting, for whoever sent it.
    pub(crate) at: Instant,
}

/// Sends everything, `parallel` at a time, each as soon as one before it is answered.
pub(crate) async fn as_fast_as_answered(
    client: &Client,
    drafts: &[Draft],
    parallel: usize,
) -> Result<Vec<Sent>> {
    by_each(std::slice::from_ref(client), drafts, parallel).await
}

/// The same, each by the next of these clients in turn.
pub(crate) async fn by_each(clients: &[Client], drafts: &[Draft], parallel: usize) -> Result<Vec<Sent>> {
    let next = AtomicUsize::new(0);
    let creator = async || -> Result<Vec<Sent>> {
        let mut sent = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(draft) = drafts.get(index) else { return Ok(sent) };
            sent.push(send(&clients[index % clients.len()], draft).await?);
        }
    };
    Ok(try_join_all((0..parallel).map(|_| creator())).await?.concat())
}

/// Sends everything at its time, `per_second`, whether or not what came before is answered. `client` says who sends which.
pub(crate) async fn at_a_rate(
    client: impl Fn(usize) -> Client,
    drafts: Vec<Draft>,
    per_second: f64,
) -> Result<Vec<Sent>> {
    let start = Instant::now();
    let mut sending = JoinSet::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        sleep_until(start + Duration::from_secs_f64(index as f64 / per_second)).await;
        let client = client(index);
        let due = start + Duration::from_secs_f64(index as f64 / per_second);
        sending.spawn(async move { Ok(Sent { at: due, ..send(&client, &draft).await? }) });
    }
    sending.join_all().await.into_iter().collect()
}

/// Sends at a rate until it is dropped or has nothing left, and does not mind refusals: a flood.
#[derive(Debug)]
pub(crate) struct Flood {
    sent: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Flood {
    pub(crate) fn start(client: Client, drafts: Vec<Draft>, per_second: f64) -> Self {
        let sent = Arc::new(AtomicUsize::new(0));
        let (count, mut task) = (Arc::clone(&sent), JoinSet::new());
        task.spawn(async move {
            let start = Instant::now();
            let mut sending = JoinSet::new();
            for (index, draft) in drafts.into_iter().enumerate() {
                sleep_until(start + Duration::from_secs_f64(index as f64 / per_second)).await;
                let (client, count) = (client.clone(), Arc::clone(&count));
                sending.spawn(async move {
                    if send(&client, &draft).await.is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
                while sending.try_join_next().is_some() {}
            }
            sending.join_all().await;
        });
        Self { sent, _task: task }
    }

    /// How many requests have been created by it.
    pub(crate) fn created(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn send(client: &Client, draft: &Draft) -> Result<Sent> {
    let request = Request::post(PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, METADATA)
        .body(Body::from(draft.body.clone()))?;
    let at = Instant::now();
    let answer = client.send(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "creating {}: {status} {}", draft.name, String::from_utf8_lossy(&body));
    Ok(Sent { name: draft.name.clone(), at })
}
