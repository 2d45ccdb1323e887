//! Reading and writing objects.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use csr::{CertificateSigningRequest, Condition, ConditionType};

use crate::authorities;
use crate::events;
use crate::path::Path;

/// A watch event into an object.
pub(crate) fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, event) in events() {
        group.throughput(Throughput::Bytes(event.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| decoded(black_box(&event))));
    }
    group.finish();
}

/// The bodies of the two PUTs.
pub(crate) fn encode(criterion: &mut Criterion) {
    let [(_, pending), _] = events();
    let object = decoded(&pending);
    let condition = Condition {
        kind: ConditionType::Approved,
        reason: "AutoApproved",
        message: "Auto approving kubelet client certificate after SubjectAccessReview.".into(),
        last_update_time: None,
    };
    let certificate = certificate(&object);
    let mut group = criterion.benchmark_group("encode");
    group
        .bench_function("condition", |bencher| bencher.iter(|| object.with_condition(black_box(&condition))));
    group.bench_function("certificate", |bencher| {
        bencher.iter(|| object.with_certificate(black_box(&certificate)))
    });
    group.finish();
}

fn events() -> [(&'static str, String); 2] {
    let request = events::request();
    let pending = events::pending(&request).to_string();
    let certificate = certificate(&decoded(&pending));
    [("pending", pending), ("issued", events::issued(&request, &certificate).to_string())]
}

fn certificate(object: &CertificateSigningRequest) -> String {
    Path::new(&authorities::ALL[0]).certificate(object).pem().to_owned()
}

fn decoded(event: &str) -> CertificateSigningRequest {
    event.parse().expect("an object")
}
