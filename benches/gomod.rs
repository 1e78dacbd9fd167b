//! How long does a go.mod take: of a dependency, of the main module, changed and written back? And a go.sum?
//!
//! The module graph reads one go.mod a module version, thousands for a large program, so `summary` is what counts.
//! `cargo bench -p modkeep-benches --bench gomod`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use modkeep_module::gomod::{Layout, Require, Summary};
use modkeep_module::{GoMod, GoSum};

fn go_mod(criterion: &mut Criterion) {
    for (name, requirements) in [("typical", 30), ("large", 1_000)] {
        let text = file(requirements);
        let data = text.as_bytes();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(data.len() as u64));
        group.bench_function("summary", |bench| bench.iter(|| Summary::parse("go.mod", black_box(data))));
        group.bench_function("parse_lax", |bench| bench.iter(|| GoMod::parse_lax("go.mod", black_box(data))));
        group.bench_function("parse", |bench| bench.iter(|| GoMod::parse("go.mod", black_box(data))));

        let parsed = GoMod::parse("go.mod", data).expect("the file is right");
        group.bench_function("format", |bench| bench.iter(|| black_box(&parsed).format()));
        let wanted: Vec<Require> = parsed.requires().iter().map(|require| (**require).clone()).collect();
        group.bench_function("set_requires", |bench| {
            let change = |file: &mut GoMod| {
                file.set_requires(Layout::AtMostTwo, &wanted);
                file.cleanup();
            };
            bench.iter_batched_ref(|| parsed.clone(), change, BatchSize::SmallInput);
        });
        group.finish();
    }
}

fn go_sum(criterion: &mut Criterion) {
    let text: String = (0..1_000).map(|n| format!("{} h1:{:043}=\n", requirement(n / 2), n)).collect();
    let mut group = criterion.benchmark_group("go.sum");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |bench| bench.iter(|| GoSum::parse("go.sum", black_box(text.as_bytes()))));
    let sums = GoSum::parse("go.sum", text.as_bytes()).expect("the file is right");
    group.bench_function("format", |bench| bench.iter(|| black_box(&sums).format()));
    group.finish();
}

/// A go.mod with a third of its requirements direct, and some of the rest pseudo-versions.
fn file(requirements: usize) -> String {
    let mut text =
        String::from("module github.com/example-company/large-program/v2\n\ngo 1.26.0\n\nrequire (\n");
    for n in 0..requirements {
        if n == requirements / 3 {
            text.push_str(")\n\nrequire (\n");
        }
        let indirect = if n < requirements / 3 { "" } else { " // indirect" };
        text.push_str(&format!("\t{}{indirect}\n", requirement(n)));
    }
    text.push_str(")\n");
    text
}

fn requirement(n: usize) -> String {
    match n % 5 {
        0 => format!("golang.org/x/exp/sub{n} v0.0.0-20240506185415-9bf2ced1{n:04x}"),
        1 => format!("github.com/some-organization/library-{n}/v3 v3.{n}.1"),
        2 => format!("gopkg.in/yaml{n}.v2 v2.4.0"),
        _ => format!("github.com/some-organization/another-library-{n} v1.{n}.0"),
    }
}

criterion_group!(benches, go_mod, go_sum);
criterion_main!(benches);
