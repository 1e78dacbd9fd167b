//! The demo module for all targets and with all flags, by both releases, both sides cold; by name.

use modkeep_conformance::go::Go;
use modkeep_harness::place::{full_run, skip};

use super::yard::{Row, Yard, check_all};
use super::{OLDER, RELEASES, TARGETS, demo};

#[test]
fn the_demo_is_built_as_go_builds_it_for_all_targets_and_with_all_flags() {
    if !full_run() {
        return skip("builds of all targets and flags", &"only with MODKEEP_FULL=1");
    }
    let yard = Yard::new(false);
    demo::lay(&yard, "tree");
    let small = Row::new("small", "./cmd/small");
    let app = Row::new("app", "./cmd/app").with_cgo();
    let vendored = Row::new("with vendored std", "./cmd/vendored");
    let profile = profile();
    for release in RELEASES {
        let mut rows = vec![
            small.clone(),
            app.clone(),
            Row::new("C++", "./cmd/plus").with_cgo(),
            Row { name: "not trimmed", flags: Vec::new(), ..app.clone() },
            Row { name: "-ldflags", ..small.clone() }.with(&["-ldflags=-s -w -X main.version=1.2.3"]),
            Row { name: "-ldflags=-buildid=", ..small.clone() }.with(&["-ldflags=-buildid="]),
            Row { name: "-buildmode=pie", ..small.clone() }.with(&["-buildmode=pie"]),
            Row { name: "-gcflags of a pattern", ..small.clone() }
                .with(&["-gcflags=example.com/demo/...=-N -l"]),
            Row { name: "-tags", ..small.clone() }.with(&["-tags=a,b"]),
            Row { name: "-cover", ..small.clone() }.with(&["-cover"]),
            Row { name: "-cover -covermode=atomic", ..small.clone() }.with(&["-cover", "-covermode=atomic"]),
            Row { name: "-pgo", ..small.clone() }.with(&[&profile]),
            Row { name: "-race", ..app.clone() }.with(&["-race"]),
        ];
        rows.extend(TARGETS[1..].iter().map(|target| small.for_target(target)));
        rows.push(vendored.clone());
        rows.push(
            Row { name: "with vendored std, pie, cgo", ..vendored.clone() }
                .with_cgo()
                .with(&["-buildmode=pie"]),
        );
        rows.extend(["windows/amd64", "darwin/arm64"].map(|target| vendored.for_target(target)));
        let rows: Vec<Row<'_>> = rows.iter().map(|row| row.by(release)).collect();
        check_all(&yard, &rows);
    }
}

/// A profile that comes with both releases; none of the demo's functions is in it.
fn profile() -> String {
    let root = Go::named(OLDER).expect("an installed go command").root().to_owned();
    let file = root.join("src/cmd/compile/internal/test/testdata/pgo/inline/inline_hot.pprof");
    format!("-pgo={}", file.display())
}
