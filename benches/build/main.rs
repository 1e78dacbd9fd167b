//! What does a build cost beside the go command, in CPU time and on the clock?
//!
//! `cargo bench -p modkeep-benches --bench build` with `MODKEEP_TEST_PROGRAM` set to a release build prints the ratios to the
//! go command, run in turns on the same machine: a build with nothing to do, one with only the program gone, one after an
//! edited function body in `fmt`; with `MODKEEP_FULL=1` also one with nothing cached and four targets in one run. The
//! program is the go command itself, from a copy of its release's GOROOT. Each side has a cache of its own; what they
//! leave is compared byte for byte.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::disallowed_methods, reason = "it loses nothing that it writes")]

mod clock;
mod side;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clock::{Cost, median};
use modkeep_conformance::go::Go;
use modkeep_harness::place::{full_run, given_program};
use side::Side;

/// Rounds of what takes less than a second.
const ROUNDS: usize = 11;

const TARGETS: [&str; 4] = ["linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64"];

fn main() {
    let Some(program) = given_program() else {
        println!("build: MODKEEP_TEST_PROGRAM names no program to measure; nothing is measured");
        return;
    };
    let go = Go::specification().expect("a go command that can have the release");
    let home = tempfile::TempDir::with_prefix("modkeep-bench-").expect("a folder");
    let root = home.path().join("goroot");
    copy(go.root(), &root);
    let sides = [
        Side::new("go", &root.join("bin/go"), &root, home.path()),
        Side::new("modkeep", &program, &root, home.path()),
    ];
    println!(
        "{:<34} {:>9} {:>9} {:>7} {:>9} {:>9} {:>7}",
        "", "go cpu", "our cpu", "ratio", "go wall", "our wall", "ratio"
    );
    let cold = sides.each_ref().map(|side| side.build(&[], None));
    report("nothing cached", &[cold[0]], &[cold[1]]);
    same(&sides);
    // What was written a moment ago is remembered only now.
    for side in &sides {
        side.build(&[], None);
    }
    rounds("nothing to do", &sides, |_| {});
    rounds("only the program is gone", &sides, |side| fs::remove_file(side.program()).expect("a program"));
    edit(&root, &sides);
    if full_run() {
        many_targets(&sides);
    }
}

fn rounds(what: &str, sides: &[Side; 2], before: impl Fn(&Side)) {
    let mut costs = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for step in 0..2 {
            let index = (round + step) % 2;
            before(&sides[index]);
            costs[index].push(sides[index].build(&[], None));
        }
    }
    report(what, &costs[0], &costs[1]);
    same(sides);
}

/// One function of `fmt` gets another body.
fn edit(root: &Path, sides: &[Side; 2]) {
    let path = root.join("src/fmt/print.go");
    let text = fs::read_to_string(&path).expect("the source of fmt");
    let (old, new) = ("\t\tp.panicking = false\n", "\t\tp.panicking = len(p.buf) < 0\n");
    assert!(text.contains(old), "fmt has another body than this edits");
    fs::write(&path, text.replacen(old, new, 1)).expect("the copy can be written to");
    let costs = sides.each_ref().map(|side| side.build(&["-x"], None));
    report("a body in fmt edited", &[costs[0]], &[costs[1]]);
    println!("  compilations: go {}, modkeep {}", costs[0].compilations, costs[1].compilations);
    same(sides);
    fs::write(&path, text).expect("the copy can be written to");
}

/// Nothing is cached, and four programs are wanted.
fn many_targets(sides: &[Side; 2]) {
    sides.iter().for_each(Side::forget);
    let of_go: Vec<Cost> = TARGETS.iter().map(|target| sides[0].build(&[], Some(target))).collect();
    let ours = sides[1].build(&[&format!("-targets={}", TARGETS.join(","))], None);
    report("four targets, nothing cached", &[Cost::sum(&of_go)], &[ours]);
}

/// Both left the same bytes.
fn same(sides: &[Side; 2]) {
    let [theirs, ours] = sides.each_ref().map(|side| fs::read(side.program()).expect("a program"));
    assert!(theirs == ours, "the programs differ");
}

fn report(what: &str, theirs: &[Cost], ours: &[Cost]) {
    let cpu = [theirs, ours].map(|costs| costs.iter().map(|cost| cost.cpu).sum::<f64>() / costs.len() as f64);
    let wall = [theirs, ours].map(|costs| median(costs.iter().map(|cost| cost.wall)));
    println!(
        "{what:<34} {:>8.3}s {:>8.3}s {:>6.2}x {:>8.3}s {:>8.3}s {:>6.2}x",
        cpu[0],
        cpu[1],
        cpu[0] / cpu[1],
        wall[0],
        wall[1],
        wall[0] / wall[1]
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
            let mode = fs::metadata(&target).expect("the copy").permissions().mode();
            let permissions = fs::Permissions::from_mode(mode | 0o200);
            fs::set_permissions(&target, permissions).expect("a file of our own");
        }
    }
}
