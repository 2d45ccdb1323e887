//! The pure path of one request, from the watch event to the bodies of the PUTs, beside the cryptography in it.
//!
//! For each kind of CA: `bare` verifies the request's signature and makes the CA's, with AWS-LC alone; `bare, verified`
//! also verifies what was made, as `finish` must; `pure path` goes from an object to a certificate; `event to PUT` decodes
//! the event and writes both bodies too; `rcgen` issues the same certificate. A minus is a difference.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, SamplingMode, criterion_group, criterion_main};
use csr::{CertificateSigningRequest, Request};

use crate::bare::{Bare, issue_with_rcgen};
use crate::path::Path;

mod authorities;
mod bare;
mod events;
mod object;
mod path;

fn issuance(criterion: &mut Criterion) {
    let pem = events::request();
    let event = events::pending(&pem).to_string();
    let object: CertificateSigningRequest = event.parse().expect("an object");
    let request = Request::parse(&object).expect("a request that parses");
    for authority in authorities::ALL {
        let path = Path::new(&authority);
        let bare = Bare::new(&authority, &request, path.prepare(&request).bytes().to_vec());
        let issuer = authority.rcgen_issuer();
        let signed = || black_box(&bare).run();
        let verified = || black_box(&bare).run_and_verify();
        let certificate = || path.certificate(black_box(&object));
        let bodies = || path.bodies(black_box(&event));
        let mut group = criterion.benchmark_group(authority.name);
        group.bench_function("bare", |bencher| bencher.iter(signed));
        group.bench_function("bare, verified", |bencher| bencher.iter(verified));
        group.bench_function("pure path", |bencher| bencher.iter(certificate));
        group.bench_function("event to PUT", |bencher| bencher.iter(bodies));
        group.bench_function("rcgen", |bencher| bencher.iter(|| issue_with_rcgen(black_box(&pem), &issuer)));
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function("pure path - bare", |bencher| beyond(bencher, certificate, signed));
        group.bench_function("pure path - verified", |bencher| beyond(bencher, certificate, verified));
        group.bench_function("event to PUT - verified", |bencher| beyond(bencher, bodies, verified));
        group.finish();
    }
}

/// How much longer `whole` takes than `part`, medians each. They take turns, so what else the machine does slows both.
fn beyond<T, U>(bencher: &mut Bencher<'_>, whole: impl Fn() -> T, part: impl Fn() -> U) {
    bencher.iter_custom(|iterations| {
        let (wholes, parts) = (0..iterations).map(|_| (time(&whole), time(&part))).unzip();
        let each = median(wholes).saturating_sub(median(parts)).max(Duration::from_nanos(1));
        each.mul_f64(iterations as f64)
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn time<T>(work: impl Fn() -> T) -> Duration {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    drop(black_box(result));
    taken
}

criterion_group!(benches, issuance, object::decode, object::encode);
criterion_main!(benches);
