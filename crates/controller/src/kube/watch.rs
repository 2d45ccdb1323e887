//! The watch on all objects of a kind.
//!
//! A list in pages, then a watch from the version of the list. A watch that ends is taken up from the last version seen, so
//! nothing is lost and nothing is read twice; only a version that the API server no longer knows (410) makes us list again.
//! Objects are decoded one by one: one that cannot be read is counted, named once, and delays no other.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use csr::CertificateSigningRequest;
use futures::{AsyncBufReadExt, TryStreamExt};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::backoff::Backoff;
use super::call::{CallError, Caller, Operation};
use super::path::{CERTIFICATE_SIGNING_REQUESTS, encoded};
use crate::log::{MissingPermissions, OncePer};
use crate::serve::metrics::Metrics;

mod error;
mod event;
mod list;

pub use error::WatchError;
pub use list::all;

use error::expired_or_failed;
use event::{Event, Metadata};
use list::Page;

/// After this long without a byte the connection counts as dead, and the watch is taken up again. The API server sends a
/// bookmark a minute to those who ask for them.
const SILENCE: Duration = Duration::from_secs(90);

/// More room than this is not kept from one event to the next.
const LONGEST_KEPT: usize = 64 << 10;

/// A watch that lasted this long was no failure, however it ended.
const LASTING: Duration = Duration::from_secs(5);

/// A kind of object that can be watched.
pub trait Watched: Send + Sized + Sync + 'static {
    /// Where all of them are.
    const PATH: &'static str;

    /// Which of them are meant, as a part of a query that ends in `&`; empty: all.
    const SELECTOR: &'static str = "";

    /// What RBAC calls them, `group/resource`.
    const RESOURCE: &'static str;

    /// Reads one.
    ///
    /// # Errors
    /// When it is not of this kind, or of a later version that cannot be read.
    fn decode(json: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>>;

    /// `metadata.resourceVersion`.
    fn resource_version(&self) -> u64;
}

impl Watched for CertificateSigningRequest {
    const PATH: &'static str = CERTIFICATE_SIGNING_REQUESTS;
    const RESOURCE: &'static str = "certificates.k8s.io/certificatesigningrequests";

    fn decode(json: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(json.parse()?)
    }

    fn resource_version(&self) -> u64 {
        self.resource_version()
    }
}

/// Which objects of a kind are meant.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Place {
    path: String,
    /// A part of a query that ends in `&`; empty: all.
    selector: String,
}

impl Place {
    /// All that the kind means.
    fn of<T: Watched>() -> Self {
        Self { path: T::PATH.to_owned(), selector: T::SELECTOR.to_owned() }
    }
}

/// What the watch saw, in order.
#[derive(Clone, Debug)]
pub enum Seen<T = CertificateSigningRequest> {
    /// A list begins.
    Init,

    /// An object of the list.
    InitApply(Arc<T>),

    /// The list is complete.
    InitDone,

    /// An object was added or changed.
    Apply(Arc<T>),

    /// An object was deleted.
    Deleted {
        /// `metadata.namespace`, empty where there is none.
        namespace: Arc<str>,
        /// `metadata.name`.
        name: Arc<str>,
        /// `metadata.uid`.
        uid: Arc<str>,
    },

    /// An object of the list, or one that was added or changed, that cannot be read.
    Unreadable {
        /// `metadata.namespace`, empty where there is none.
        namespace: Arc<str>,
        /// `metadata.name`.
        name: Arc<str>,
    },

    /// Nothing was missed until now: the API server says so about once a minute. A watch that begins says nothing of that, for
    /// it may have a long time to catch up on.
    Current,

    /// The API server has no such kind of objects.
    NotServed,
}

/// Watches, and never gives up.
#[derive(Debug)]
pub struct Watcher<T = CertificateSigningRequest> {
    caller: Caller,
    place: Place,
    seen: mpsc::Sender<Seen<T>>,
    metrics: Arc<Metrics>,
    /// Where to take the watch up; `None`: list first.
    version: Option<String>,
    /// Since when the watch is open.
    opened: Option<Instant>,
    backoff: Backoff,
    missing: MissingPermissions,
    unreadable: OncePer,
    said: OncePer,
}

impl<T: Watched> Watcher<T> {
    const LIST: Operation = Operation::new("list", T::RESOURCE);
    const WATCH: Operation = Operation::new("watch", T::RESOURCE);

    /// Watches through `caller`, and tells `seen`. The channel is bounded: while nobody takes from it, the API server waits.
    #[must_use]
    pub fn new(caller: Caller, seen: mpsc::Sender<Seen<T>>, metrics: Arc<Metrics>) -> Self {
        Self {
            caller,
            place: Place::of::<T>(),
            seen,
            metrics,
            version: None,
            opened: None,
            backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(10)),
            missing: MissingPermissions::default(),
            unreadable: OncePer::new(Duration::from_secs(3600)),
            said: OncePer::new(Duration::from_secs(60)),
        }
    }

    /// Watches the one object of this name and no other, which a role may grant by its name.
    #[must_use]
    pub fn of_one(self, resource: &str, (namespace, name): (&str, &str)) -> Self {
        let path = format!("/api/v1/namespaces/{}/{resource}", encoded(namespace));
        let selector = format!("fieldSelector=metadata.name%3D{}&", encoded(name));
        Self { place: Place { path, selector }, ..self }
    }

    /// Lists and watches until nobody listens any more.
    pub async fn run(mut self) {
        loop {
            let result = self.list_and_follow().await;
            if matches!(result, Err(WatchError::Unheard)) {
                return;
            }
            self.pause(result).await;
        }
    }

    async fn list_and_follow(&mut self) -> Result<(), WatchError> {
        if self.version.is_none() {
            self.version = Some(self.list().await?);
        }
        self.follow().await
    }

    /// After the end of a watch, or a failure: how to go on, and when.
    async fn pause(&mut self, result: Result<(), WatchError>) {
        self.metrics.watch_restarts.inc();
        if let Err(error) = &result {
            self.report(error);
        }
        if matches!(result, Err(WatchError::Expired | WatchError::Ended { .. })) {
            self.version = None;
        }
        // A failure may take its time: only what was open counts.
        let lasted = self.opened.take().is_some_and(|opened| opened.elapsed() >= LASTING);
        if lasted {
            self.backoff.reset();
        }
        let asked = result.as_ref().err().and_then(WatchError::retry_after).unwrap_or_default();
        let pause = if lasted && result.is_ok() { Duration::ZERO } else { self.backoff.next() };
        tokio::time::sleep(asked.max(pause)).await;
    }

    /// Tells of every object there is, and returns the version of that list.
    async fn list(&mut self) -> Result<String, WatchError> {
        let (mut next, mut length) = (None, list::LENGTH);
        loop {
            let answer = self.page(&mut length, next.as_deref()).await?;
            let page: Page<'_> = serde_json::from_slice(&answer).map_err(WatchError::List)?;
            if next.is_none() {
                self.tell(Seen::Init).await?;
            }
            for item in &page.items {
                if let Some(seen) = self.decoded(item, Seen::InitApply) {
                    self.tell(seen).await?;
                }
            }
            if page.metadata.r#continue.is_empty() {
                self.tell(Seen::InitDone).await?;
                return Ok(page.metadata.resource_version);
            }
            next = Some(page.metadata.r#continue);
        }
    }

    /// A page of a list, with fewer objects than `length` when so many are too much, or too slow. A few large objects must
    /// not keep us from the others.
    async fn page(&self, length: &mut usize, next: Option<&str>) -> Result<Vec<u8>, WatchError> {
        loop {
            let request = Request::get(list::path(&self.place, *length, next)).body(Vec::new());
            match self.caller.call_for(Self::LIST, request, list::LONGEST).await {
                Err(error @ (CallError::TooLong { .. } | CallError::TimedOut { .. })) if *length > 1 => {
                    self.report(&error.into());
                    *length /= 2;
                }
                Err(error) if error.code() == Some(StatusCode::NOT_FOUND) => {
                    self.tell(Seen::NotServed).await?;
                    return Err(error.into());
                }
                answer => return answer.map_err(expired_or_failed),
            }
        }
    }

    /// Tells of every change since `version`, until the watch ends.
    async fn follow(&mut self) -> Result<(), WatchError> {
        let path = event::path(&self.place, self.version.as_deref().unwrap_or_default());
        let body = self.caller.open(Self::WATCH, Request::get(path).body(Vec::new())).await;
        let body = body.map_err(expired_or_failed)?;
        self.opened = Some(Instant::now());
        let mut lines = body.into_data_stream().into_async_read();
        let mut line = Vec::new();
        loop {
            line.clear();
            line.shrink_to(LONGEST_KEPT);
            let read = timeout(SILENCE, lines.read_until(b'\n', &mut line)).await;
            match read.map_err(|_| WatchError::Silent(SILENCE))?.map_err(WatchError::Broken)? {
                0 => return Ok(()),
                // Without its end a line is the rest of a broken connection: the object comes again.
                _ if line.last() != Some(&b'\n') => return Ok(()),
                _ => self.take_in(&line).await?,
            }
        }
    }

    async fn take_in(&mut self, line: &[u8]) -> Result<(), WatchError> {
        let event: Event<'_> = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(error) => {
                self.pass_over(&"of the stream", &error);
                return Ok(());
            }
        };
        let seen = match event.r#type {
            "ADDED" | "MODIFIED" => self.decoded(event.object, Seen::Apply),
            "DELETED" => event::metadata(event.object).map(|Metadata { namespace, name, uid, .. }| {
                Seen::Deleted { namespace: namespace.into(), name: name.into(), uid: uid.into() }
            }),
            "BOOKMARK" => Some(Seen::Current),
            "ERROR" => return Err(event::ended(event.object)),
            _ => None,
        };
        let version = match &seen {
            Some(Seen::Apply(object)) => Some(object.resource_version().to_string()),
            _ => event::metadata(event.object).map(|metadata| metadata.resource_version),
        };
        if let Some(seen) = seen {
            self.tell(seen).await?;
        }
        if version.is_some() {
            self.version = version;
        }
        Ok(())
    }

    /// What is seen of an object; `None` where not even its name can be read.
    fn decoded(&self, raw: &RawValue, seen: fn(Arc<T>) -> Seen<T>) -> Option<Seen<T>> {
        match T::decode(raw.get()) {
            Ok(object) => Some(seen(Arc::new(object))),
            Err(error) => {
                let metadata = event::metadata(raw);
                self.pass_over(&metadata.as_ref().map(|metadata| &metadata.name), &*error);
                let Metadata { namespace, name, .. } = metadata?;
                Some(Seen::Unreadable { namespace: namespace.into(), name: name.into() })
            }
        }
    }

    fn pass_over(&self, name: &dyn Debug, error: &(dyn std::error::Error + 'static)) {
        self.metrics.failed("object_unreadable");
        if self.unreadable.permits(&format!("{name:?}: {error}")) {
            tracing::warn!(resource = T::RESOURCE, name = ?name, error, "an object cannot be read");
        }
    }

    async fn tell(&self, seen: Seen<T>) -> Result<(), WatchError> {
        self.seen.send(seen).await.map_err(|_| WatchError::Unheard)
    }

    fn report(&self, error: &WatchError) {
        self.metrics.failed(error.label());
        if let WatchError::Call(CallError::Status { operation, code, message, .. }) = error
            && *code == StatusCode::FORBIDDEN
        {
            return self.missing.report(operation.verb, operation.resource, message);
        }
        let expired = matches!(error, WatchError::Expired);
        if !expired && self.said.permits(error.label()) {
            tracing::warn!(error = error as &dyn std::error::Error, "the watch ended, taking it up again");
        } else {
            tracing::debug!(error = error as &dyn std::error::Error, "the watch ended, taking it up again");
        }
    }
}
