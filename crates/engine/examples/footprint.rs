//! What a record costs: memory per object at rest, and the time that an event and a turn take among many.
//!
//! `cargo run --release -p engine --example footprint`

#![expect(clippy::disallowed_methods, reason = "an example measures, so it needs a clock and /proc")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use csr::{CertificateSigningRequest, SignerName};
use engine::{Duties, Engine, Input, Now, Retentions, Settings, Standings, Turn};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

const BEGIN: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

fn main() {
    for records in [1_000, 10_000, 50_000] {
        measure(records);
    }
}

fn measure(records: usize) {
    let mut engine = leading();
    let before = resident_bytes();
    let mut events = Duration::ZERO;
    for number in 0..records {
        let object = finished(number);
        let begin = Instant::now();
        engine.handle(Input::InitApply(object), now());
        events += begin.elapsed();
    }
    let bytes = resident_bytes().saturating_sub(before) / records;
    let begin = Instant::now();
    let turn = engine.poll(now());
    let poll = begin.elapsed();
    assert!(matches!(turn, Turn::Sleep(Some(_))), "{turn:?}");
    let event = events / u32::try_from(records).unwrap_or(1);
    println!("{records} finished objects: {bytes} bytes each, {event:?} per event, {poll:?} per turn");
}

fn leading() -> Engine<(), ()> {
    let standings = Standings {
        duties: Duties { approve: true, sign: true, clean: true },
        decided: [SignerName::from(SignerName::KUBE_APISERVER_CLIENT_KUBELET)].into(),
        signed: SignerName::BUILT_IN.into_iter().map(SignerName::from).collect(),
        retention: Retentions::default(),
    };
    let mut engine = Engine::new(Settings::default(), standings);
    engine.handle(Input::Leading(true), now());
    engine
}

fn now() -> Now {
    Now { wall: BEGIN, monotonic: Duration::from_secs(1) }
}

/// An issued request of a node of its own, as a cluster has them by the thousand.
fn finished(number: usize) -> Arc<CertificateSigningRequest> {
    let approved = BEGIN - Duration::from_secs(number as u64 % 3000);
    let json = format!(
        concat!(
            r#"{{"metadata":{{"name":"csr-{:05x}","uid":"5b4f1d6e-0a4c-4c3e-9d1c-{:012x}","resourceVersion":"{}"}},"#,
            r#""spec":{{"request":"MA==","signerName":"{}","usages":[],"username":"system:node:node-{}"}},"#,
            r#""status":{{"certificate":"Q0VSVA==","conditions":"#,
            r#"[{{"type":"Approved","status":"True","lastUpdateTime":"{}"}}]}}}}"#
        ),
        number,
        number,
        number + 1,
        SignerName::KUBE_APISERVER_CLIENT_KUBELET,
        number,
        approved.format(&Rfc3339).unwrap_or_default(),
    );
    Arc::new(json.parse().expect("the text above is an object"))
}

/// `VmRSS` of this process.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.unwrap_or_default() * 4096
}
