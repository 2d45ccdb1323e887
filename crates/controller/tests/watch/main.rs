//! The watch against an API server that ends, breaks, forgets and talks nonsense.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;

use std::sync::Arc;
use std::time::Duration;

use controller::kube::watch::{Seen, Watcher};
use controller::serve::metrics::Metrics;
use csr::CertificateSigningRequest;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use api::{Answer, Api};

fn object(name: &str, version: u32) -> Value {
    json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": version.to_string()},
        "spec": {"request": "", "signerName": "example.com/s"},
    })
}

fn unreadable(name: &str, version: u32) -> Value {
    let mut object = object(name, version);
    object["spec"]["request"] = json!("%");
    object
}

fn event(kind: &str, object: Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn bookmark(version: u32) -> String {
    event("BOOKMARK", json!({"metadata": {"resourceVersion": version.to_string()}}))
}

fn empty() -> Answer {
    Answer::Page(Vec::new(), "")
}

/// What was seen, in short, what was asked, and the metrics.
struct Story {
    seen: Vec<String>,
    asked: Vec<String>,
    metrics: String,
    took: Duration,
}

/// Runs the watch until the script is over, and for as long as nothing more is seen.
async fn watch(script: impl IntoIterator<Item = Answer>) -> Story {
    let (api, start) = (Api::new(script), Instant::now());
    let (seen, mut sees) = mpsc::channel(1);
    let metrics = metrics();
    let running = tokio::spawn(Watcher::new(api.caller(), seen, Arc::clone(&metrics)).run());
    let mut story = Vec::new();
    let took = loop {
        match tokio::time::timeout(Duration::from_secs(20), sees.recv()).await {
            Ok(seen) => story.push(short(&seen.unwrap())),
            Err(_) if api.is_over() => break start.elapsed(),
            Err(_) => (),
        }
    };
    drop(sees);
    running.abort();
    let metrics = String::from_utf8(metrics.text().unwrap()).unwrap();
    Story { seen: story, asked: api.asked(), metrics, took }
}

fn short(seen: &Seen) -> String {
    match seen {
        Seen::Init => "init".into(),
        Seen::InitApply(object) => format!("listed {}", object.name()),
        Seen::InitDone => "done".into(),
        Seen::Apply(object) => format!("{}@{}", object.name(), object.resource_version()),
        Seen::Deleted { name, uid, .. } => format!("deleted {name} {uid}"),
        Seen::Unreadable { name, .. } => format!("unreadable {name}"),
        Seen::Current => "current".into(),
        Seen::NotServed => "not served".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_bookmark_says_that_nothing_was_missed() {
    let story = watch([
        empty(),
        Answer::Lines(vec![event("ADDED", object("a", 11)), bookmark(12)]),
        Answer::LinesThenSilence(vec![event("ADDED", object("b", 13)), bookmark(14)]),
    ])
    .await;
    assert_eq!(story.seen, ["init", "done", "a@11", "current", "b@13", "current"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_without_that_kind_of_objects_is_no_other_failure() {
    let script =
        [Answer::Status(404), Answer::Status(403), Answer::Status(500), Answer::Status(404), empty()];
    assert_eq!(watch(script).await.seen, ["not served", "not served", "init", "done"]);
}

#[tokio::test(start_paused = true)]
async fn one_object_is_watched_by_its_name_alone() {
    let (api, (seen, mut sees)) = (Api::new([empty()]), mpsc::channel(1));
    let watcher = Watcher::<CertificateSigningRequest>::new(api.caller(), seen, metrics());
    let running = tokio::spawn(watcher.of_one("things", ("a", "b&c")).run());
    while !matches!(sees.recv().await.unwrap(), Seen::InitDone) {}
    running.abort();
    assert_eq!(api.asked()[0], "fieldSelector=metadata.name%3Db%26c&limit=100");
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(["s"]).unwrap())
}

/// The versions from which watches were begun; an empty one stands for a list.
fn versions(asked: &[String]) -> Vec<&str> {
    asked
        .iter()
        .map(|query| {
            query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion=")).unwrap_or_default()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_in_pages_is_one_list_and_the_watch_goes_on_from_its_version() {
    let pages = [
        Answer::Page(vec![object("a", 1), object("b", 2)], "token/+="),
        Answer::Page(vec![object("c", 3)], ""),
        Answer::LinesThenSilence(vec![event("ADDED", object("d", 11)), event("MODIFIED", object("a", 12))]),
    ];
    let story = watch(pages).await;
    assert_eq!(story.seen, ["init", "listed a", "listed b", "listed c", "done", "d@11", "a@12"]);
    assert_eq!(story.asked[1], "limit=100&continue=token%2F%2B%3D");
    assert_eq!(story.asked[2], "watch=true&allowWatchBookmarks=true&timeoutSeconds=480&resourceVersion=10");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_taken_up_from_the_last_version_seen() {
    for (end, from) in [
        (Answer::Lines(vec![event("ADDED", object("a", 11))]), "11"),
        (Answer::Lines(vec![event("ADDED", object("a", 11)), bookmark(20)]), "20"),
        (Answer::Lines(vec![event("DELETED", object("a", 13))]), "13"),
        (Answer::LinesThenBreak(vec![event("ADDED", object("a", 11))]), "11"),
        (Answer::LinesThenSilence(vec![event("ADDED", object("a", 11))]), "11"),
        (Answer::Lines(vec![event("ADDED", object("a", 11)), "{\"type\":\"ADD".into()]), "11"),
        (Answer::Lines(Vec::new()), "10"),
        (Answer::Status(429), "10"),
        (Answer::Status(500), "10"),
        (Answer::Silence, "10"),
    ] {
        let what = format!("{end:?}");
        let again = Answer::LinesThenSilence(vec![event("ADDED", object("z", 99))]);
        let story = watch([empty(), end, again]).await;
        assert_eq!(versions(&story.asked)[..3], ["", "10", from], "{what}");
        assert_eq!(story.seen.last().map(String::as_str), Some("z@99"), "{what}");
        assert_eq!(story.seen.iter().filter(|seen| *seen == "init").count(), 1, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_version_that_is_too_old_or_an_error_event_makes_it_list_again() {
    let gone = |code: u16| event("ERROR", json!({"kind": "Status", "code": code, "message": "too old"}));
    for end in [
        Answer::Status(410),
        Answer::Lines(vec![gone(410)]),
        Answer::Lines(vec![gone(500)]),
        Answer::Lines(vec![event("ERROR", json!("nonsense"))]),
    ] {
        let what = format!("{end:?}");
        let story = watch([empty(), end, Answer::Page(vec![object("a", 9)], "")]).await;
        assert_eq!(story.seen, ["init", "done", "init", "listed a", "done"], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_half_way_begins_anew() {
    for failure in [Answer::Status(410), Answer::Status(503), Answer::Lines(vec!["{".into()])] {
        let what = format!("{failure:?}");
        let first = Answer::Page(vec![object("a", 1)], "more");
        let story = watch([first.clone(), failure, first, Answer::Page(Vec::new(), "")]).await;
        assert_eq!(story.seen, ["init", "listed a", "init", "listed a", "done"], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_much_is_asked_for_in_halves_and_the_next_list_in_full() {
    let mut large = object("large", 1);
    large["metadata"]["annotations"] = json!({"a": "a".repeat(33 << 20)});
    for too_much in [Answer::Page(vec![large], ""), Answer::Silence] {
        let first = Answer::Page(vec![object("a", 1)], "more");
        let rest = Answer::Page(vec![object("b", 2)], "");
        let story = watch([first, too_much.clone(), too_much, rest, Answer::Status(410), empty()]).await;
        assert_eq!(story.seen, ["init", "listed a", "listed b", "done", "init", "done"]);
        let lists =
            ["limit=100", "limit=100&continue=more", "limit=50&continue=more", "limit=25&continue=more"];
        assert_eq!(story.asked[..4], lists);
        assert_eq!(story.asked[5], "limit=100");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_one_object_that_is_too_much_fails_the_list() {
    let story = watch(std::iter::repeat_n(Answer::Silence, 7).chain([empty()])).await;
    let lengths =
        ["limit=100", "limit=50", "limit=25", "limit=12", "limit=6", "limit=3", "limit=1", "limit=100"];
    assert_eq!(story.asked[..8], lengths);
    assert_eq!(story.seen, ["init", "done"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_is_named_and_counted_and_delays_no_other() {
    let story = watch([
        Answer::Page(vec![unreadable("bad", 1), object("a", 2)], ""),
        Answer::Lines(vec![
            event("MODIFIED", unreadable("bad", 11)),
            "no JSON at all\n".into(),
            event("ADDED", object("b", 12)),
            event("NEW KIND", object("c", 13)),
            event("DELETED", unreadable("bad", 14)),
        ]),
        Answer::LinesThenSilence(Vec::new()),
    ])
    .await;
    let expected = ["unreadable bad", "listed a", "done", "unreadable bad", "b@12", "deleted bad uid-bad"];
    assert_eq!(story.seen, [&["init"], &expected[..]].concat());
    assert_eq!(versions(&story.asked)[..3], ["", "10", "14"]);
    assert!(
        story.metrics.contains("countersign_errors_total{error=\"object_unreadable\"} 3"),
        "{}",
        story.metrics
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_asked_ever_less_often() {
    let away = || std::iter::repeat_n(Answer::Status(503), 100);
    let story = watch(away().chain([empty()])).await;
    assert_eq!(story.seen, ["init", "done"]);
    assert!(story.took > Duration::from_secs(400), "{:?}: it was asked too often", story.took);
    assert!(story.took < Duration::from_secs(1100), "{:?}: it was left alone for too long", story.took);
    assert!(story.metrics.contains("countersign_watch_restarts_total 10"), "{}", story.metrics);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_asks_for_time_gets_it_within_reason() {
    for (seconds, granted) in [(7, 7), (86_400, 60)] {
        let story = watch([Answer::Busy(seconds), empty()]).await;
        // The story ends when nothing more was seen for twenty seconds.
        assert_eq!(story.took.as_secs(), granted + 20, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_slowly_is_asked_ever_less_often_too() {
    let story = watch([empty()].into_iter().chain(std::iter::repeat_n(Answer::Silence, 20))).await;
    let silent = Duration::from_secs(20 * 30);
    assert!(story.took > silent + Duration::from_secs(60), "{:?}: it was asked too often", story.took);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_closed_at_once_again_and_again_is_no_busy_loop() {
    let closed = std::iter::repeat_n(Answer::Lines(Vec::new()), 50);
    let story = watch([empty()].into_iter().chain(closed)).await;
    assert!(story.took > Duration::from_secs(150), "{:?}", story.took);
}

#[tokio::test(start_paused = true)]
async fn when_nobody_listens_any_more_it_ends() {
    let api = Api::new([Answer::Page(vec![object("a", 1)], "")]);
    let (seen, sees) = mpsc::channel::<Seen>(1);
    drop(sees);
    Watcher::new(api.caller(), seen, metrics()).run().await;
}
