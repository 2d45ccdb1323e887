//! The pure path beside the cryptography in it.

use criterion::{Criterion, criterion_group, criterion_main};

fn issuance(_: &mut Criterion) {}

criterion_group!(benches, issuance);
criterion_main!(benches);
