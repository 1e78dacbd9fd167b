//! How long does a version take: to read, to compare, to recognise as a pseudo-version, to ask for?
//!
//! The resolver does each of these for every requirement it meets. The semver crate runs beside ours as the measure;
//! its numbers have 64 bits. `cargo bench -p modkeep-benches --bench versions`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use modkeep_module::{Resource, Version, semver};

const RELEASES: [&str; 2] = ["v1.26.3", "v1.26.12"];
const PSEUDO: [&str; 2] = ["v0.0.0-20190129233127-48e8e7b1a5b2", "v0.0.0-20190129233128-48e8e7b1a5b2"];

fn versions(criterion: &mut Criterion) {
    for (name, [v, w]) in [("release", RELEASES), ("pseudo", PSEUDO)] {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("read", |bench| bench.iter(|| Version::parse(black_box(v))));
        group.bench_function("read/semver crate", |bench| {
            bench.iter(|| ::semver::Version::parse(black_box(&v[1..])))
        });
        group.bench_function("check", |bench| bench.iter(|| semver::is_valid(black_box(v))));
        group.bench_function("compare texts", |bench| {
            bench.iter(|| semver::compare(black_box(v), black_box(w)))
        });
        let [a, b] = [v, w].map(|text| Version::parse(text).expect("a version"));
        group.bench_function("compare", |bench| bench.iter(|| black_box(&a).cmp(black_box(&b))));
        let [c, d] = [v, w].map(|text| ::semver::Version::parse(&text[1..]).expect("a version"));
        group.bench_function("compare/semver crate", |bench| {
            bench.iter(|| black_box(&c).cmp_precedence(black_box(&d)));
        });
        group.bench_function("is pseudo", |bench| bench.iter(|| black_box(&a).is_pseudo()));
    }
    let path = "/github.com/%21azure/azure-sdk-for-go/sdk/azcore/@v/v1.26.3.mod";
    criterion.bench_function("read a request", |bench| bench.iter(|| Resource::parse(black_box(path))));
    let resource = Resource::parse(path).expect("a request");
    criterion.bench_function("write a key", |bench| bench.iter(|| black_box(&resource).store_key()));
}

criterion_group!(benches, versions);
criterion_main!(benches);
