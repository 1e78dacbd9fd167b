//! How long does a version take: to read, to compare, to recognise as a pseudo-version, to ask for?
//!
//! The resolver does each of these for every requirement it meets. `cargo bench -p modkeep-benches --bench versions`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use modkeep_module::{Resource, Version, semver};

const RELEASES: [&str; 2] = ["v1.26.3", "v1.26.12"];
const PSEUDO: [&str; 2] = ["v0.0.0-20190129233127-48e8e7b1a5b2", "v0.0.0-20190129233128-48e8e7b1a5b2"];

fn versions(criterion: &mut Criterion) {
    for (name, [v, w]) in [("release", RELEASES), ("pseudo", PSEUDO)] {
        criterion
            .bench_function(&format!("parse {name}"), |bench| bench.iter(|| Version::parse(black_box(v))));
        criterion.bench_function(&format!("compare texts {name}"), |bench| {
            bench.iter(|| semver::compare(black_box(v), black_box(w)))
        });
        let (a, b) = (Version::parse(v).expect("a version"), Version::parse(w).expect("a version"));
        criterion.bench_function(&format!("compare {name}"), |bench| {
            bench.iter(|| black_box(&a).cmp(black_box(&b)))
        });
        criterion
            .bench_function(&format!("is_pseudo {name}"), |bench| bench.iter(|| black_box(&a).is_pseudo()));
    }
    let path = "/github.com/%21azure/azure-sdk-for-go/sdk/azcore/@v/v1.26.3.mod";
    criterion.bench_function("parse a request", |bench| bench.iter(|| Resource::parse(black_box(path))));
}

criterion_group!(benches, versions);
criterion_main!(benches);
