//! Programs built here and by the real go: the same bytes, and each finds what the other left in the cache.
//!
//! One test, because its cases share what both have built of the standard library.

mod bench;

use bench::{Bench, Case};
use modkeep_conformance::go::RELEASE;
use modkeep_harness::place::full_run;

/// Targets of a full run beside those of every run.
const TARGETS: [&str; 5] = ["linux/arm64", "windows/amd64", "darwin/arm64", "wasip1/wasm", "linux/386"];

/// The installed release, which is one older.
const OLDER: &str = "local";

#[test]
fn programs_are_those_of_go_and_caches_are_shared() {
    let bench = Bench::new();
    let (small, app) = (Case::new("./cmd/small"), Case::new("./cmd/app"));
    let mut cases = vec![app.clone(), small.clone(), small.without_cgo_for("js/wasm")];
    if full_run() {
        cases.extend(TARGETS.map(|target| small.without_cgo_for(target)));
        let older = Case { release: OLDER, ..app.clone() };
        cases.extend([older, Case { release: OLDER, ..small.without_cgo_for("darwin/arm64") }]);
        cases.extend([Case { trimpath: false, ..app.clone() }, Case { trimpath: false, ..small.clone() }]);
        cases.push(Case { race: true, ..app.clone() });
        cases.push(Case { cover: true, ..app.clone() });
        cases.push(Case { profile: true, ..small.clone() });
    }
    cases.push(Case { ldflags: "-s -w -X main.version=1.2.3", ..small.clone() });
    for case in &cases {
        bench.check_same(case);
        bench.check_shared(case);
    }
    assert!(cases.iter().any(|case| case.release == RELEASE));
    check_edits(&bench, &app);
}

/// A function's body is no business of those that import its package; what it exports is.
fn check_edits(bench: &Bench, app: &Case<'_>) {
    assert_eq!(bench.compiles(app), 0, "nothing changed");
    bench.edit("lib/assets/assets.go", "return -1", "return -2");
    assert_eq!(bench.compiles(app), 1, "only the package itself");
    bench.check_same(app);
    bench.check_shared(app);
    bench.edit("lib/assets/assets.go", "return -2", "return -3");
    bench.edit(
        "lib/assets/assets.go",
        "func Count()",
        "// New is new.\nfunc New() {}\n\n// Count counts.\nfunc Count()",
    );
    assert_eq!(bench.compiles(app), 2, "the package and the program");
    bench.check_same(app);
    bench.check_shared(app);
    bench.edit("lib/assets/assets.go", "return -3", "return -4");
    assert_eq!(bench.compiles_crossed(app), 1, "archives of go's making serve as well");
    bench.check_shared(app);
}
