//! One row per effect and answer: what the API server is asked, and what its answer means to the engine.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod driver;
mod local;
mod objects;
mod record;

use std::sync::Arc;

use approver::{Answer as Known, Permission, Question, Recognizer, Verdict};
use controller::executor::{Effect, Executor, Outcome, Tools};
use controller::facts::Facts;
use controller::kube::call::Caller;
use controller::kube::events;
use controller::kube::review::Reviews;
use controller::kube::write::Requests;
use controller::policy::Policy;
use controller::serve::metrics::Metrics;
use controller::signing_threads::SigningThreads;
use csr::{CertificateSigningRequest, ConditionType};
use engine::Failure;
use serde_json::{Value, json};
use tokio::sync::watch;

use api::{Answer, Api, Asked};

/// What an outcome comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    To(&'static str),
    NotDone,
    Unknown,
    RetryAfter { seconds: u64, unknown: bool },
}

fn executor(caller: Caller, policy: watch::Receiver<Arc<Policy>>) -> (Executor, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new(["kubernetes.io/kube-apiserver-client-kubelet"]).unwrap());
    let tools = Tools {
        requests: Requests::new(caller.clone()),
        reviews: Reviews::new(caller.clone()),
        threads: SigningThreads::start().unwrap(),
        policy: policy.clone(),
        facts: Facts::new(caller.clone(), policy),
        events: events::channel(caller, &metrics).0,
    };
    (Executor::new(tools, Arc::clone(&metrics)), metrics)
}

fn fixed(policy: Policy) -> watch::Receiver<Arc<Policy>> {
    watch::Sender::new(Arc::new(policy)).subscribe()
}

async fn execute(effect: Effect, answer: Answer) -> (Outcome, Vec<Asked>) {
    let (api, caller) = Api::answering(answer);
    let outcome = executor(caller, fixed(Policy::default())).0.execute(effect).await;
    (outcome, api.asked())
}

fn comes_to(outcome: &Outcome) -> Comes {
    match outcome {
        Outcome::Failed(Failure { retry_after: Some(after), unknown }) => {
            Comes::RetryAfter { seconds: after.as_secs(), unknown: *unknown }
        }
        Outcome::Failed(Failure { unknown: true, .. }) => Comes::Unknown,
        Outcome::Failed(Failure { unknown: false, .. }) => Comes::NotDone,
        outcome => Comes::To(outcome.label()),
    }
}

/// The object that every effect of these tests is about.
fn object() -> Value {
    objects::object("pem", false)
}

fn other_uid() -> Value {
    let mut object = object();
    object["metadata"]["uid"] = json!("u-2");
    object
}

fn other_name() -> Value {
    let mut object = object();
    object["metadata"]["name"] = json!("another");
    object
}

/// An answer that says no more than which object it is about.
fn metadata_of(object: &Value) -> Answer {
    Answer::Json(200, objects::metadata_of(object, "43"))
}

fn permission() -> Permission {
    let requester = Arc::clone(&objects::decoded(&object()).spec().requester);
    Permission { requester, recognizer: Recognizer::SelfNodeClient }
}

fn fail(object: &Arc<CertificateSigningRequest>) -> Effect {
    let condition = objects::condition(ConditionType::Failed);
    Effect::Fail { object: Arc::clone(object), condition, rejection: "usages" }
}

/// An effect of each kind that calls the API server.
fn calls() -> [(Effect, &'static str, &'static str); 7] {
    const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/node%20csr";
    const APPROVAL: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/node%20csr/approval";
    const STATUS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/node%20csr/status";
    const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let object = objects::decoded(&object());
    let condition = objects::condition;
    let (name, uid) = (Arc::clone(object.name()), Arc::clone(object.uid()));
    [
        (Effect::Read { name: Arc::clone(&name) }, "GET", PATH),
        (Effect::Ask(Question::Review(permission())), "POST", REVIEWS),
        (
            Effect::Approve {
                object: object.clone(),
                condition: condition(ConditionType::Approved),
                answers: Vec::new(),
            },
            "PUT",
            APPROVAL,
        ),
        (
            Effect::Deny { object: object.clone(), condition: condition(ConditionType::Denied) },
            "PUT",
            APPROVAL,
        ),
        (fail(&object), "PUT", STATUS),
        (Effect::Publish { object, pem: "certificate".into() }, "PUT", STATUS),
        (Effect::Delete { name, uid, resource_version: 42, rule: "cleaning/issued" }, "DELETE", PATH),
    ]
}

/// What an answer means to each effect, in the order of [`calls`].
type Row = (Answer, [Comes; 7]);

fn rows() -> Vec<Row> {
    use Comes::{NotDone, To, Unknown};
    let (conflict, gone) = (To("conflict"), To("gone"));
    let all = |comes: Comes| [comes; 7];
    let write = |read: Comes, ask: Comes, write: Comes| [read, ask, write, write, write, write, write];
    let after = |seconds, unknown| Comes::RetryAfter { seconds, unknown };
    let written = To("written");
    vec![
        // An object is no review, and an answer to a delete is not looked at.
        (
            Answer::Json(200, object()),
            [To("found"), Unknown, written, written, written, written, To("deleted")],
        ),
        (
            Answer::Json(200, other_name()),
            [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, To("deleted")],
        ),
        (
            Answer::Json(200, other_uid()),
            [To("found"), Unknown, Unknown, Unknown, Unknown, Unknown, To("deleted")],
        ),
        // Whoever asked for an object is not content with less.
        (metadata_of(&object()), [Unknown, Unknown, Unknown, Unknown, written, written, To("deleted")]),
        (metadata_of(&other_name()), [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, To("deleted")]),
        (metadata_of(&other_uid()), [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, To("deleted")]),
        (Answer::Page(200), [Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, To("deleted")]),
        (Answer::status(400), all(NotDone)),
        (Answer::status(401), all(NotDone)),
        (Answer::status(403), all(NotDone)),
        (Answer::not_found("node csr"), write(gone, Unknown, gone)),
        // Whoever says that, it is not about the object.
        (Answer::not_found("another"), all(Unknown)),
        (Answer::status(404), all(Unknown)),
        (Answer::Page(404), all(Unknown)),
        (Answer::status(409), write(NotDone, NotDone, conflict)),
        (Answer::status(422), all(NotDone)),
        (Answer::status(429), all(NotDone)),
        (Answer::RetryAfter(429, "7"), all(after(7, false))),
        (Answer::RetryAfter(429, "Sun, 22 Nov 2026 08:00:00 GMT"), all(NotDone)),
        (Answer::RetryAfter(503, "1"), all(after(1, true))),
        (Answer::status(500), all(Unknown)),
        (Answer::Page(502), all(Unknown)),
        (Answer::status(504), all(Unknown)),
        (Answer::Silence, all(Unknown)),
        (Answer::HangUp, all(Unknown)),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_answer_means_to_the_engine_what_the_table_says() {
    for (answer, expected) in rows() {
        for ((effect, method, path), expected) in calls().into_iter().zip(expected) {
            let what = format!("{} answered with {answer:?}", effect.label());
            let (outcome, asked) = execute(effect, answer.clone()).await;
            assert_eq!(comes_to(&outcome), expected, "{what}");
            let asked: Vec<_> = asked.iter().map(|asked| (&*asked.method, &*asked.path)).collect();
            assert_eq!(asked, [(method, path)], "{what}: asked once, nothing is retried here");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silence_costs_the_limit_of_a_call_and_no_more() {
    let start = tokio::time::Instant::now();
    execute(Effect::Read { name: "a".into() }, Answer::Silence).await;
    assert_eq!(start.elapsed(), api::LIMIT);
}

#[tokio::test]
async fn a_name_that_leaves_its_path_is_never_sent() {
    let mut object = object();
    object["metadata"]["name"] = json!("../../../api/v1/namespaces/kube-system/secrets/x");
    let object = objects::decoded(&object);
    let condition = objects::condition(ConditionType::Approved);
    for effect in [
        Effect::Read { name: Arc::clone(object.name()) },
        Effect::Approve { object: object.clone(), condition, answers: Vec::new() },
        fail(&object),
        Effect::Publish { object: object.clone(), pem: String::new() },
        Effect::Delete { name: "..".into(), uid: "u".into(), resource_version: 1, rule: "" },
    ] {
        let (outcome, asked) = execute(effect, Answer::status(500)).await;
        assert_eq!((comes_to(&outcome), asked), (Comes::NotDone, Vec::new()));
    }
}

#[tokio::test]
async fn a_review_is_upstreams_to_the_letter() {
    let (_, asked) = execute(Effect::Ask(Question::Review(permission())), Answer::status(500)).await;
    let expected = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "system:node:n", "uid": "who", "groups": ["system:nodes"], "extra": {"k": ["v"]},
            "resourceAttributes": {
                "group": "certificates.k8s.io", "version": "*", "resource": "certificatesigningrequests",
                "subresource": "selfnodeclient", "verb": "create",
            },
        },
    });
    assert_eq!(asked[0].body, expected);
}

#[tokio::test]
async fn a_verdict_is_status_allowed_and_nothing_else() {
    let (allowed, not_allowed) = (Some(Verdict::Allowed), Some(Verdict::NotAllowed));
    for (status, expected) in [
        (json!({"allowed": true}), allowed),
        (json!({"allowed": false}), not_allowed),
        (json!({"allowed": true, "denied": false, "evaluationError": "a role is missing"}), allowed),
        (json!({"allowed": false, "denied": true, "reason": "because"}), not_allowed),
        (json!({"allowed": false, "evaluationError": "webhook down"}), not_allowed),
        (json!({"allowed": "true"}), None),
        (json!({"allowed": null}), None),
        (json!({}), None),
        (Value::Null, None),
    ] {
        let review = json!({"kind": "SubjectAccessReview", "status": status});
        let (outcome, _) =
            execute(Effect::Ask(Question::Review(permission())), Answer::Json(201, review)).await;
        let verdict = match outcome {
            Outcome::Answered(Known::Review(verdict)) => Some(verdict),
            _ => None,
        };
        assert_eq!(verdict, expected, "{status}");
    }
}

#[tokio::test]
async fn a_write_sends_the_object_it_was_decided_on_and_only_that_changed() {
    let conditions =
        |kind: &str| json!([{"type": kind, "status": "True", "reason": "Because", "message": "so it is"}]);
    for (place, kind) in [(2, "Approved"), (3, "Denied"), (4, "Failed")] {
        let (effect, _, _) = calls().into_iter().nth(place).unwrap();
        let (_, asked) = execute(effect, Answer::status(500)).await;
        let mut object = object();
        object["status"]["conditions"] = conditions(kind);
        assert_eq!(asked[0].body, object);
    }
    let (publish, _, _) = calls().into_iter().nth(5).unwrap();
    let (_, asked) = execute(publish, Answer::status(500)).await;
    let mut object = object();
    // An empty list of conditions is none, to the API server as well.
    object["status"] = json!({"certificate": "Y2VydGlmaWNhdGU="});
    assert_eq!(asked[0].body, object);
}

#[tokio::test]
async fn the_api_server_is_asked_for_no_more_than_is_read() {
    const NO_SEARCH: &str = "fieldValidation=Ignore";
    const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
    let expected = [
        ("read", "", ""),
        ("ask", NO_SEARCH, ""),
        ("approve", NO_SEARCH, ""),
        ("deny", NO_SEARCH, ""),
        ("fail", NO_SEARCH, METADATA),
        ("publish", NO_SEARCH, METADATA),
        ("delete", "", ""),
    ];
    for ((effect, ..), (label, query, accept)) in calls().into_iter().zip(expected) {
        assert_eq!(effect.label(), label);
        let (_, asked) = execute(effect, Answer::status(500)).await;
        assert_eq!((&*asked[0].query, &*asked[0].accept), (query, accept), "{label}");
    }
}

/// The object that a write returns.
async fn written(effect: Effect, answer: Value) -> Arc<CertificateSigningRequest> {
    let (outcome, _) = execute(effect, Answer::Json(200, answer)).await;
    let Outcome::Written(object) = outcome else { panic!("{outcome:?}") };
    object
}

#[tokio::test]
async fn an_approval_is_what_the_api_server_stored_and_not_what_was_sent() {
    for (place, kind) in [(2, "Approved"), (3, "Denied")] {
        let effect = || calls().into_iter().nth(place).unwrap().0;
        let mut stripped = object();
        stripped["metadata"]["resourceVersion"] = json!("43");
        let mut stored = stripped.clone();
        stored["status"]["conditions"] = json!([{"type": kind, "status": "True"}]);
        for answer in [stripped, stored] {
            let expected = objects::decoded(&answer);
            let written = written(effect(), answer).await;
            assert_eq!(written.progress(), expected.progress());
            assert_eq!(written.resource_version(), 43);
        }
    }
}

#[tokio::test]
async fn a_status_is_believed_as_it_was_sent_until_its_event_says_what_became_of_it() {
    for place in [4, 5] {
        let effect = || calls().into_iter().nth(place).unwrap().0;
        let (_, asked) = execute(effect(), Answer::status(500)).await;
        let sent = objects::decoded(&asked[0].body);
        let believed = written(effect(), objects::metadata_of(&object(), "43")).await;
        assert_eq!(believed.progress(), sent.progress());
        assert_ne!(believed.progress(), objects::decoded(&object()).progress());
        assert_eq!(believed.resource_version(), 42, "an event of version 43 is news");
    }
}

#[tokio::test]
async fn a_status_that_was_not_stored_is_not_believed() {
    for place in [4, 5] {
        let (effect, ..) = calls().into_iter().nth(place).unwrap();
        let believed = written(effect, objects::metadata_of(&object(), "42")).await;
        assert_eq!(believed.progress(), objects::decoded(&object()).progress());
    }
}

#[tokio::test]
async fn who_answers_with_the_whole_object_is_believed_and_not_what_was_sent() {
    for place in [4, 5] {
        let (effect, ..) = calls().into_iter().nth(place).unwrap();
        let mut stripped = object();
        stripped["metadata"]["resourceVersion"] = json!("43");
        let expected = objects::decoded(&stripped).progress();
        let written = written(effect, stripped).await;
        assert_eq!((written.progress(), written.resource_version()), (expected, 43));
    }
}

#[tokio::test]
async fn a_delete_is_of_one_object_in_one_version() {
    let (delete, _, _) = calls().into_iter().nth(6).unwrap();
    let (_, asked) = execute(delete, Answer::status(500)).await;
    assert_eq!(asked[0].body["preconditions"], json!({"uid": "u-1", "resourceVersion": "42"}));
}

#[tokio::test]
async fn a_rejection_counts_when_its_condition_is_written_and_not_before() {
    let counted = "countersign_rejected_total{reason=\"usages\",signer=\"kubernetes.io/kube-apiserver-client-kubelet\"} 1";
    for (answer, counts) in [(Answer::Json(200, object()), true), (Answer::status(500), false)] {
        let (executor, metrics) = executor(Api::answering(answer).1, fixed(Policy::default()));
        executor.execute(fail(&objects::decoded(&object()))).await;
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        assert_eq!(text.contains(counted), counts, "{text}");
    }
}
