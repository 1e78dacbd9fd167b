//! The standard library and the commands, on many targets.

use modkeep_builder::load::Scans;
use modkeep_builder::modules::NoModules;
use modkeep_conformance::go::Go;
use modkeep_harness::place::full_run;

use super::compare;

/// The first two are for every run.
const TARGETS: [&str; 14] = [
    "linux/amd64",
    "windows/arm64",
    "linux/arm64",
    "darwin/arm64",
    "windows/amd64",
    "freebsd/amd64",
    "js/wasm",
    "wasip1/wasm",
    "linux/386",
    "linux/riscv64",
    "android/arm64",
    "ios/arm64",
    "illumos/amd64",
    "aix/ppc64",
];

#[test]
fn the_distribution_is_loaded_as_go_loads_it() {
    let go = Go::specification().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let count = if full_run() { TARGETS.len() } else { 2 };
    let scans = Scans::default();
    let (mut packages, mut all) = (0, Vec::new());
    for target in &TARGETS[..count] {
        let (os, arch) = target.split_once('/').unwrap();
        for cgo in [false, true] {
            let mut build = compare::build(&go, os, arch, folder.path().to_str().unwrap());
            build.cgo = cgo;
            build.gopath = folder.path().join("go").to_str().unwrap().to_owned();
            let of_go = compare::listed_by_go(&go, &build, &["std", "cmd"]);
            let ours = compare::listed(&build, &NoModules::default(), &scans, &["std", "cmd"]);
            packages += of_go.len();
            let found = compare::differences(&of_go, &ours);
            all.extend(found.into_iter().map(|difference| format!("{target} cgo {cgo} {difference}")));
        }
    }
    println!("{packages} packages, {} differences", all.len());
    assert!(packages > 600 * count, "go listed only {packages} packages");
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all[..all.len().min(20)].join("\n"));
}

/// Packages of all kinds of tests: with examples, fuzz targets, `TestMain`, outer tests that see inner ones, cgo.
const TESTED: [&str; 8] =
    ["bufio", "errors", "fmt", "go/format", "net/http", "os/signal", "strings", "testing/fstest"];

#[test]
fn tests_of_the_distribution_are_loaded_as_go_loads_them() {
    let go = Go::specification().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let scans = Scans::default();
    let patterns: &[&str] = if full_run() { &["std", "cmd"] } else { &TESTED };
    let mut build = compare::build(&go, "linux", "amd64", folder.path().to_str().unwrap());
    build.gopath = folder.path().join("go").to_str().unwrap().to_owned();
    let of_go = compare::listed_by_go(&go, &build, &[&["-test"], patterns].concat());
    let ours = compare::listed_with_tests(&build, &NoModules::default(), &scans, patterns);
    let all = compare::differences(&of_go, &ours);
    println!("{} packages, {} differences", of_go.len(), all.len());
    assert!(of_go.len() > 200, "go listed only {} packages", of_go.len());
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all[..all.len().min(20)].join("\n"));
}
