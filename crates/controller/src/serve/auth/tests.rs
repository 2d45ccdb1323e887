use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// An API server that knows the token `good` and allows it everything, and the number of its answers.
fn api(asked: &Arc<AtomicUsize>) -> kube::Client {
    let asked = Arc::clone(asked);
    let answer = move |request: Request<Body>| {
        asked.fetch_add(1, Ordering::Relaxed);
        async {
            let body = request.into_body().collect_bytes().await.unwrap_or_default();
            let mut review: Value = serde_json::from_slice(&body).unwrap_or_default();
            let known = review["spec"]["token"] == "good";
            review["status"] =
                json!({"authenticated": known, "user": {"username": "prometheus"}, "allowed": true});
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(review.to_string())))
        }
    };
    kube::Client::new(tower::service_fn(answer), "default")
}

/// A gate that asks `api` both who the caller is and what it may do.
fn gate(api: kube::Client) -> Gate {
    Gate::delegated(&Delegates { authentication: api.clone(), authorization: api }, Vec::new())
}

/// The two questions go to two API servers where they are told to.
#[tokio::test]
async fn each_question_goes_to_the_server_it_is_for() {
    let (authentication, authorization) = (Arc::default(), Arc::default());
    let delegates = Delegates { authentication: api(&authentication), authorization: api(&authorization) };
    let gate = Gate::delegated(&delegates, Vec::new());
    assert_eq!(gate.admit(asked("/metrics", "good")).await, Ok(()));
    assert_eq!(authentication.load(Ordering::Relaxed), 1);
    assert_eq!(authorization.load(Ordering::Relaxed), 1);
}

fn asked<'a>(path: &'a str, token: &'a str) -> Asked<'a> {
    Asked { path, verb: "get", token: Some(token), certificates: &[] }
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_asked_for_again_when_its_time_is_over() {
    let count = Arc::default();
    let gate = gate(api(&count));
    for (pause, expected) in [(Duration::ZERO, 2), (Duration::from_secs(9), 2), (Duration::from_secs(1), 4)] {
        tokio::time::advance(pause).await;
        assert_eq!(gate.admit(asked("/metrics", "good")).await, Ok(()));
        assert_eq!(count.load(Ordering::Relaxed), expected, "after {pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn invented_tokens_fill_no_memory_and_push_no_good_one_out() {
    let count = Arc::default();
    let gate = gate(api(&count));
    assert_eq!(gate.admit(asked("/metrics", "good")).await, Ok(()));
    for invented in 0..2 * VERDICTS {
        let refused = gate.admit(asked("/metrics", &invented.to_string())).await;
        assert_eq!(refused, Err(Refusal::Unauthenticated));
    }
    let before = count.load(Ordering::Relaxed);
    assert_eq!(gate.admit(asked("/metrics", "good")).await, Ok(()));
    assert_eq!(count.load(Ordering::Relaxed), before);
    let kept = gate.reviewer.kept.lock().unwrap().len();
    assert!(kept <= VERDICTS, "{kept}");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_never_answers_is_waited_for_a_few_seconds() {
    let never = tower::service_fn(|_: Request<Body>| {
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    });
    let gate = gate(kube::Client::new(never, "default"));
    let start = Instant::now();
    assert_eq!(gate.admit(asked("/metrics", "good")).await, Err(Refusal::Unavailable));
    assert!(start.elapsed() <= LIMIT + Duration::from_millis(10));
}
