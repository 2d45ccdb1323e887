use std::time::Duration;

use engine::{Queued, Rank, RequesterKind};

use super::table::{Kind, TABLE};
use super::*;

fn metrics() -> Metrics {
    Metrics::new(["kubernetes.io/kubelet-serving"]).unwrap()
}

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.text().unwrap()).unwrap()
}

fn turn() -> Wait {
    Wait::Turn { rank: Rank::Late, requester: RequesterKind::Bootstrap, time: Duration::from_millis(15) }
}

/// Metrics in which each one has a value.
fn touched() -> Metrics {
    let metrics = metrics();
    drop(metrics.pass("sign"));
    metrics.reviewed("nodeclient", "allowed");
    metrics.approved("nodeclient");
    metrics.issued("kubernetes.io/kubelet-serving");
    metrics.rejected("kubernetes.io/kubelet-serving", "organization");
    metrics.cleaned("cleaning/issued");
    metrics.failed("timed_out");
    metrics.ca_in_use("kubernetes.io/kubelet-serving", 1, 2);
    metrics.client_certificate(3);
    metrics.config_in_use("digest");
    metrics.objects(std::iter::empty(), &Retentions::default(), OffsetDateTime::UNIX_EPOCH);
    metrics.held("kubelet-serving/node", 1);
    metrics.waited(turn());
    metrics.waited(Wait::FirstCall { requester: RequesterKind::Node, time: Duration::from_millis(15) });
    metrics
}

#[test]
fn every_metric_of_the_table_is_served_with_its_type_and_labels_and_no_other() {
    let families = touched().registry.gather();
    let ours: Vec<_> = families.iter().filter(|family| family.name().starts_with("countersign_")).collect();
    assert_eq!(ours.len(), TABLE.len());
    for family in ours {
        let what = TABLE.iter().find(|what| what.name == family.name()).expect("a row of the table");
        let kind = format!("{:?}", family.get_field_type()).to_lowercase();
        assert_eq!(kind, what.kind.label(), "{}", what.name);
        let mut names = label_names(what);
        names.sort_unstable();
        let labels: Vec<_> =
            family.get_metric()[0].get_label().iter().map(|pair| pair.name().to_owned()).collect();
        assert_eq!(labels, names, "{}", what.name);
    }
    assert!(families.iter().any(|family| family.name() == "process_resident_memory_bytes"));
}

#[test]
fn names_and_help_are_as_promtool_wants_them() {
    const UNITS: [&str; 4] = ["_total", "_seconds", "_timestamp_seconds", "_info"];
    for what in TABLE {
        let name = what.name;
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), what.kind == Kind::Counter, "{name}");
        assert!(!["_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end)), "{name}");
        assert!(what.kind != Kind::Histogram || name.ends_with("_seconds"), "{name}");
        assert!(what.labels.iter().all(|(label, _)| *label != "le" && *label != "quantile"), "{name}");
        assert!(what.help.ends_with('.') && !what.help.is_empty(), "{name}");
        let unit = UNITS.iter().any(|unit| name.ends_with(unit));
        assert!(unit || what.kind == Kind::Gauge, "{name}");
    }
}

#[test]
fn requests_are_counted_by_where_they_stand_and_signers_by_configured_name() {
    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    let (serving, foreign) = ("kubernetes.io/kubelet-serving".into(), "example.com/a".into());
    let old =
        |seconds| Progress { created: Some(NOW - time::Duration::seconds(seconds)), ..Progress::default() };
    let since = Some(csr::Since(None));
    let ended = csr::IssuedCertificate::NotAfter(NOW - time::Duration::SECOND);
    let objects = [
        (&serving, old(9)),
        (&serving, old(7)),
        (&serving, Progress { approved: since, certificate: ended, ..old(5) }),
        (&foreign, Progress { approved: since, ..old(3) }),
    ];
    let metrics = metrics();
    metrics.objects(objects.into_iter(), &Retentions::default(), NOW);
    let shown = text(&metrics);
    let name = serving.as_str();
    for (state, signer, count, oldest) in [
        ("pending", name, 2, 9),
        ("expired", name, 1, 5),
        ("issued", name, 0, 0),
        ("approved", "other", 1, 3),
    ] {
        let labels = format!("{{signer=\"{signer}\",state=\"{state}\"}}");
        assert!(shown.contains(&format!("countersign_requests{labels} {count}\n")), "{labels} {shown}");
        let age = format!("countersign_requests_oldest_age_seconds{labels} {oldest}\n");
        assert!(shown.contains(&age), "{labels} {shown}");
    }
    assert!(!shown.contains("example.com"), "{shown}");

    let own = engine::Retention::default();
    let named = Retentions { of_signers: [(foreign.clone(), own)].into(), ..Retentions::default() };
    metrics.objects(objects.into_iter(), &named, NOW);
    assert!(text(&metrics).contains("countersign_requests{signer=\"example.com/a\",state=\"approved\"} 1\n"));
    metrics.objects(std::iter::empty(), &Retentions::default(), NOW);
    let shown = text(&metrics);
    assert!(!shown.contains("example.com"), "a name that is configured no more is gone: {shown}");
    assert!(
        shown.contains(&format!("countersign_requests{{signer=\"{name}\",state=\"pending\"}} 0\n")),
        "{shown}"
    );
}

#[test]
fn one_digest_is_shown_at_a_time() {
    let metrics = metrics();
    metrics.config_in_use("old");
    metrics.config_in_use("new");
    let shown = text(&metrics);
    assert!(shown.contains("countersign_config_digest_info{digest=\"new\"} 1\n"), "{shown}");
    assert!(!shown.contains("digest=\"old\""), "{shown}");
}

#[test]
fn a_signer_that_is_not_configured_is_counted_as_other() {
    let metrics = metrics();
    metrics.issued("example.com/\"\n}");
    metrics.rejected("example.com/whatever", "organization");
    let text = text(&metrics);
    assert!(text.contains("countersign_issued_total{signer=\"other\"} 1"), "{text}");
    assert!(
        text.contains("countersign_rejected_total{reason=\"organization\",signer=\"other\"} 1"),
        "{text}"
    );
    assert!(!text.contains("example.com"), "{text}");
}

#[test]
fn what_can_be_known_beforehand_starts_at_zero() {
    let text = text(&metrics());
    for line in [
        "countersign_issued_total{signer=\"kubernetes.io/kubelet-serving\"} 0",
        "countersign_ca_reloads_total{result=\"failure\"} 0",
        "countersign_leader 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("client_certificate_expiry"), "0 would read as expired in 1970");
}

#[test]
fn a_pass_that_panics_is_timed_and_no_longer_in_flight() {
    let metrics = metrics();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _pass = metrics.pass("decide");
        assert_eq!(metrics.in_flight.get(), 1);
        panic!("as a bug would");
    }));
    assert!(result.is_err());
    assert_eq!(metrics.in_flight.get(), 0);
    assert!(text(&metrics).contains("countersign_pass_duration_seconds_count{step=\"decide\"} 1"));
}

#[test]
fn what_the_engine_holds_is_shown_by_lane_and_sums_only_grow() {
    let metrics = metrics();
    let queued = [3, 2, 1, 7].map(|depth| Queued { depth, oldest_age: Duration::from_millis(depth as u64) });
    let counts = Counts { queued, shared_answers: 5, call_limit: 9, ..Counts::default() };
    metrics.counted(&counts);
    metrics.counted(&Counts { shared_answers: 8, ..counts });
    metrics.waited(turn());
    let text = text(&metrics);
    for line in [
        "countersign_queue_depth{lane=\"fresh\"} 3",
        "countersign_queue_depth{lane=\"superseded\"} 7",
        "countersign_queue_oldest_age_seconds{lane=\"late\"} 0.002",
        "countersign_shared_answers_total 8",
        "countersign_calls_in_flight_limit 9",
        "countersign_queue_wait_seconds_bucket{lane=\"late\",requester=\"bootstrap\",le=\"0.01\"} 0",
        "countersign_queue_wait_seconds_bucket{lane=\"late\",requester=\"bootstrap\",le=\"0.02\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn every_lane_and_requester_of_the_engine_is_in_the_documentation() {
    let lanes = Rank::ALL.map(|rank| format!("`{}`", rank.label())).join(", ");
    let requesters = RequesterKind::ALL.map(|kind| format!("`{}`", kind.label())).join(", ");
    assert_eq!(table::QUEUE_WAIT.labels, [("lane", &*lanes), ("requester", &*requesters)]);
}
