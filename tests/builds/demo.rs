//! The demo module, which has packages of every kind: for all targets, in all variants, by both releases.

use std::fs;
use std::path::Path;

use modkeep_conformance::go::Go;
use modkeep_harness::place::{full_run, skip, tell};
use modkeep_harness::tree;

use super::variants::{profile, variants};
use super::yard::{Row, Yard, compare, settle};
use super::{OLDER, RELEASES};

/// Those beside linux/amd64.
const TARGETS: [&str; 7] =
    ["linux/arm64", "windows/amd64", "darwin/arm64", "js/wasm", "wasip1/wasm", "linux/386", "linux/riscv64"];

pub(crate) fn lay(yard: &Yard, folder: &str) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("builder/tests/demo");
    tree::copy(&demo, &yard.path(folder)).unwrap();
}

#[test]
fn the_demo_is_built_as_go_builds_it_for_all_targets_and_in_all_variants() {
    if !full_run() {
        return skip("builds of all targets and variants", &"only with MODKEEP_FULL=1");
    }
    let yard = Yard::new(false);
    lay(&yard, "tree");
    let profile = profile();
    // The main package's own profile is used without a flag.
    tree::copy(&yard.path("tree/cmd/small"), &yard.path("tree/cmd/guided")).unwrap();
    fs::copy(&profile, yard.path("tree/cmd/guided/default.pgo")).unwrap();
    let guide = format!("-pgo={}", profile.display());
    let row = |name, package| Row::new(name, package);
    let mut rows = vec![
        row("small", "./cmd/small"),
        row("all that is pure", "./cmd/vendored"),
        row("app", "./cmd/app").with_cgo(),
        row("C calls Go", "./cmd/back").with_cgo(),
        row("C++", "./cmd/plus").with_cgo(),
        row("default.pgo", "./cmd/guided"),
        row("pie, cgo", "./cmd/vendored").with_cgo().with(&["-buildmode=pie"]),
    ];
    rows.extend(variants(&row("app", "./cmd/app"), "./lib/calc", "example.com/demo/...", &guide));
    for target in TARGETS {
        rows.push(row("all that is pure", "./cmd/vendored").for_target(target));
        rows.push(row("test -c", "./lib/calc").for_tests().for_target(target));
    }
    let by = |release| rows.iter().map(move |row: &Row<'_>| row.by(release));
    let rows: Vec<Row<'_>> = RELEASES.into_iter().flat_map(by).collect();
    settle(&compare(&yard, &rows));
}

/// Go names random paths to the C compiler, which only shows where it optimizes what is linked: golang/go#81040.
#[test]
fn what_go_builds_otherwise_each_time_is_built_the_same_by_modkeep() {
    if !full_run() {
        return skip("builds that go doesn't repeat", &"only with MODKEEP_FULL=1");
    }
    let yard = Yard::new(false);
    lay(&yard, "tree");
    for release in RELEASES {
        let mut row = Row::new("-flto", "./cmd/back").by(release).with_cgo();
        row.variables = vec![("CGO_CFLAGS", "-O2 -flto"), ("CGO_LDFLAGS", "-O2 -flto")];
        let [go, modkeep] = ["go", "modkeep"].map(|side| {
            let [one, another] = ["one", "another"].map(|cache| yard.built(side, &row, &yard.path(cache)));
            for cache in ["one", "another"] {
                tree::remove(&yard.path(cache)).unwrap();
            }
            one == another
        });
        let told = |repeats| if repeats { "the same twice" } else { "another program each time" };
        tell(&format!("{:<32} {release:<9} go: {}, modkeep: {}", row.name, told(go), told(modkeep)));
        assert!(modkeep, "{release}: two builds differ");
    }
}

/// Where the release is installed that both can take a profile from.
pub(crate) fn older() -> Go {
    Go::named(OLDER).expect("an installed go command")
}
