//! Kubernetes Events: why a request is held, for whoever asks `kubectl describe csr`, and why a changed configuration file is not in
//! use, for whoever asks `kubectl get events`.
//!
//! Nobody waits for an Event. It is handed over without blocking, left out when there are too many, and said once an hour for a
//! request and a rule; writing it never takes part in a pass.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use csr::{CertificateSigningRequest, Rule};
use http::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::call::{self, Caller, Operation};
use super::rate::RateLimit;
use crate::config::Notice;
use crate::configuration::FileFault;
use crate::log::{MissingPermissions, OncePer};
use crate::serve::metrics::Metrics;

/// Events of objects without a namespace go there (`client-go/tools/record`).
const PATH: &str = "/api/v1/namespaces/default/events?fieldValidation=Ignore";
const CREATE: Operation = Operation::new("create", "events");

/// Events that wait to be written; further ones are left out.
const WAITING: usize = 64;

/// Events a second, and how many may go at once after a quiet time.
const RATE: (f32, u32) = (5.0, 25);

/// An Event is said again after this long; the API server forgets it after an hour.
const PERIOD: Duration = Duration::from_secs(3600);

/// The longest message that the API server takes.
const LONGEST: usize = 1024;

/// Hands Events over to be written. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    waiting: mpsc::Sender<Event>,
    said: Arc<OncePer>,
}

#[derive(Debug)]
struct Event {
    object: Value,
    reason: &'static str,
    message: String,
}

/// Writes Events.
#[derive(Debug)]
pub struct EventWriter {
    caller: Caller,
    events: mpsc::Receiver<Event>,
    metrics: Arc<Metrics>,
    missing: MissingPermissions,
}

/// Whom to hand Events to, and who writes them with `caller`.
#[must_use]
pub fn channel(caller: Caller, metrics: &Arc<Metrics>) -> (Events, EventWriter) {
    let (waiting, events) = mpsc::channel(WAITING);
    let rate = Some(Arc::new(RateLimit::new(RATE.0, RATE.1)));
    let handed = Events { waiting, said: Arc::new(OncePer::new(PERIOD)) };
    let (caller, metrics) = (caller.with_rate(rate), Arc::clone(metrics));
    (handed, EventWriter { caller, events, metrics, missing: MissingPermissions::default() })
}

impl Events {
    /// A rule holds a request. `note` is what was found.
    pub fn held(&self, object: &CertificateSigningRequest, rule: &'static Rule, note: &str) {
        let Ok(place) = self.waiting.try_reserve() else { return };
        if !self.said.permits(&format!("{} {}", object.uid(), rule.id)) {
            return;
        }
        let found = if note.is_empty() { String::new() } else { format!(" ({note})") };
        let message = format!("{} does not hold: {}{found}; {}", rule.id, rule.title, rule.remedy);
        let object = json!({
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "name": &**object.name(),
            "uid": &**object.uid(),
            "resourceVersion": object.resource_version().to_string(),
        });
        place.send(Event { object, reason: reason(rule), message });
    }

    /// The members of a group get the client certificate of any node. No object of the cluster stands for a command line.
    pub fn trusts_group(&self, group: &str) {
        let Ok(place) = self.waiting.try_reserve() else { return };
        let object = json!({
            "apiVersion": ::config::API_VERSION,
            "kind": ::config::KIND,
            "name": "command-line",
        });
        let message = Notice::TrustedGroup { group: group.to_owned() }.to_string();
        place.send(Event { object, reason: "InsecureGroupApproval", message });
    }

    /// A changed configuration file cannot be used, and the last good one stays in use. No object of the cluster stands for the file,
    /// so the Event names what it holds.
    pub fn configuration_rejected(&self, file: &Path, fault: &FileFault) {
        let Ok(place) = self.waiting.try_reserve() else { return };
        let object = json!({
            "apiVersion": ::config::API_VERSION,
            "kind": ::config::KIND,
            "name": file.file_name().unwrap_or_default().to_string_lossy(),
        });
        let message = format!("{} cannot be used, the last good file stays in use: {fault}", file.display());
        place.send(Event { object, reason: "ConfigurationRejected", message });
    }
}

/// Two Nodes with one address are for somebody else to sort out than the requester: alerts look for this reason.
fn reason(rule: &Rule) -> &'static str {
    if rule.id == "kubelet-serving/address-conflict" { "AddressConflict" } else { "Held" }
}

impl EventWriter {
    /// Writes what is handed over, one after the other, until nobody can hand over any more. One that cannot be written is left out.
    pub async fn run(mut self) {
        while let Some(event) = self.events.recv().await {
            let body = event.body(OffsetDateTime::now_utc());
            let written = self.caller.call(CREATE, call::json(Method::POST, PATH, body)).await;
            let Err(error) = written else { continue };
            self.metrics.failed("event");
            match error.code() {
                Some(http::StatusCode::FORBIDDEN) => {
                    self.missing.report(CREATE.verb, CREATE.resource, &error.to_string());
                }
                _ => tracing::debug!(error = &error as &dyn std::error::Error, "an Event was not written"),
            }
        }
    }
}

impl Event {
    fn body(&self, now: OffsetDateTime) -> Vec<u8> {
        let now = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).ok();
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "namespace": "default", "generateName": "countersign-" },
            "involvedObject": self.object,
            "type": "Warning",
            "reason": self.reason,
            "message": self.message.chars().take(LONGEST).collect::<String>(),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": { "component": "countersign" },
            "reportingComponent": "countersign",
            "reportingInstance": "countersign",
        })
        .to_string()
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::{Request, Response};
    use http_body_util::{BodyExt, Full};
    use hyper::body::Bytes;
    use kube::client::Body;
    use serde_json::Value;

    use super::*;
    use crate::kube::transport::Transport;

    fn object(uid: &str) -> CertificateSigningRequest {
        json!({ "metadata": { "name": "csr-1", "uid": uid, "resourceVersion": "7" }, "spec": {} })
            .to_string()
            .parse()
            .unwrap()
    }

    fn rule(id: &str) -> &'static Rule {
        approver::RULES.iter().find(|rule| rule.id == id).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_is_said_once_for_a_request() {
        let written: Arc<Mutex<Vec<Value>>> = Arc::default();
        let log = Arc::clone(&written);
        let service = tower::service_fn(move |request: Request<Body>| {
            let log = Arc::clone(&log);
            async move {
                let body = request.into_body().collect().await?.to_bytes();
                log.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                Ok::<_, tower::BoxError>(Response::new(Full::new(Bytes::from("{}"))))
            }
        });
        let metrics = Arc::new(Metrics::new(["s"]).unwrap());
        let (events, writer) =
            channel(Caller::new(Transport::new(service), Duration::from_secs(1)), &metrics);
        let (permission, conflict) =
            (rule("kubelet-serving/permission"), rule("kubelet-serving/address-conflict"));
        for _ in 0..3 {
            events.held(&object("u-1"), permission, "");
            events.held(&object("u-1"), conflict, "Node n lists 10.0.0.1 too");
            events.held(&object("u-2"), permission, "");
        }
        drop(events);
        writer.run().await;
        let written = written.lock().unwrap();
        let told: Vec<_> = written
            .iter()
            .map(|event| (event["involvedObject"]["uid"].as_str(), event["reason"].as_str()))
            .collect();
        let (held, conflict) = (Some("Held"), Some("AddressConflict"));
        assert_eq!(told, [(Some("u-1"), held), (Some("u-1"), conflict), (Some("u-2"), held)]);
        let message = written[1]["message"].as_str().unwrap();
        assert!(message.contains("(Node n lists 10.0.0.1 too)"), "{message}");
    }

    #[tokio::test]
    async fn what_cannot_be_written_in_time_is_left_out_and_delays_nobody() {
        let metrics = Arc::new(Metrics::new(["s"]).unwrap());
        let silent = tower::service_fn(|_: Request<Body>| {
            std::future::pending::<Result<Response<Full<Bytes>>, tower::BoxError>>()
        });
        let (events, writer) = channel(Caller::new(Transport::new(silent), Duration::from_secs(1)), &metrics);
        for number in 0..10 * WAITING {
            events.held(&object(&number.to_string()), rule("kubelet-serving/permission"), "");
        }
        assert_eq!(writer.events.len(), WAITING);
    }
}
