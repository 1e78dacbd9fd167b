//! What does a build cost beside the go command, in CPU time and on the clock?
//!
//! `MODKEEP_TEST_PROGRAM=target/release/modkeep cargo bench -p modkeep-benches --bench build [-- QUESTION…]` prints a row for
//! each question, with medians of rounds that both have in turns on the same machine, ratios, and what they should be:
//!
//! | question | |
//! |---|---|
//! | `cold` | nothing is cached |
//! | `null` | nothing is to do |
//! | `relink` | only the program is gone; a branch is switched back; three programs are gone |
//! | `edit` | a function body in `fmt` is another |
//! | `targets` | four targets in one run, nothing cached |
//! | `remote` | nothing is cached, and a server has it all, near and 20 ms away |
//! | `checkout` | tests after a fresh checkout, and after a change behind a file's size and time |
//!
//! Without a question all are asked. What is built is the go command itself, without cgo, from a copy of its release's GOROOT.
//! Each side has a cache of its own; what they leave is compared byte for byte. It takes some ten minutes of two processors;
//! `MODKEEP_FULL=1` asks for three rounds of what takes longest.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::disallowed_methods, reason = "it loses nothing that it writes")]

mod checkout;
mod clock;
mod relay;
mod relink;
mod remote;
mod side;
mod table;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clock::Cost;
use modkeep_conformance::go::Go;
use modkeep_harness::place::{full_run, given_program};
use side::Side;
use table::{Goal, head, row};

/// Rounds of what takes less than a second.
const ROUNDS: usize = 11;
/// How often that is done in a round, since the CPU clock ticks every 10 ms.
const TIMES: u32 = 3;

const TARGETS: [&str; 4] = ["linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64"];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |question: &str| asked.is_empty() || asked.iter().any(|word| word == question);
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
    head();
    if is_asked("targets") {
        many_targets(&sides);
    }
    let cold = cold(&sides, is_asked("cold"));
    if is_asked("null") {
        let goal = Goal { cpu: Some(4.0), wall: Some(4.0), ..Goal::default() };
        rounds("nothing to do", &sides, goal, TIMES, |_| {}, |side| side.build(1, &[]));
    }
    if is_asked("relink") {
        relink::measure(&sides, &root);
    }
    if is_asked("edit") {
        edit(&root, &sides);
    }
    if is_asked("checkout") {
        checkout::measure(&sides);
    }
    if is_asked("remote") {
        remote::measure(&sides, &program, home.path(), &cold);
    }
}

/// Rounds of something short, after something that is not measured.
fn rounds(
    what: &str,
    sides: &[Side; 2],
    goal: Goal,
    times: u32,
    before: impl Fn(&Side),
    work: impl Fn(&Side) -> Cost,
) {
    let mut costs = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for step in 0..2 {
            let index = (round + step) % 2;
            let turn: Vec<Cost> = (0..times)
                .map(|_| {
                    before(&sides[index]);
                    work(&sides[index])
                })
                .collect();
            costs[index].push(Cost::sum(&turn).divided(f64::from(times)));
        }
    }
    row(what, &costs[0], &costs[1], goal);
    same(sides);
}

/// Nothing is cached. Afterwards something is; gives what go took.
fn cold(sides: &[Side; 2], is_asked: bool) -> Vec<Cost> {
    let mut costs = [Vec::new(), Vec::new()];
    let count = if full_run() && is_asked { 3 } else { 1 };
    for round in 0..count {
        for step in 0..2 {
            let index = (round + step) % 2;
            sides[index].forget();
            costs[index].push(sides[index].build(1, &[]));
        }
    }
    let goal = Goal { cpu: Some(1.0), wall: Some(1.0), ..Goal::default() };
    row("nothing cached", &costs[0], &costs[1], goal);
    same(sides);
    // What was written a moment ago is remembered only now.
    for side in sides {
        side.build(1, &[]);
    }
    let [of_go, _] = costs;
    of_go
}

/// One function of `fmt` gets another body.
fn edit(root: &Path, sides: &[Side; 2]) {
    let path = root.join("src/fmt/print.go");
    let text = fs::read_to_string(&path).expect("the source of fmt");
    let old = "\t\tp.panicking = false\n";
    assert!(text.contains(old), "fmt has another body than this edits");
    let mut costs = [Vec::new(), Vec::new()];
    let mut most = [0, 0];
    for round in 0..if full_run() { 3 } else { 1 } {
        let new = format!("\t\tp.panicking = len(p.buf) < -{round}\n");
        fs::write(&path, text.replacen(old, &new, 1)).expect("the copy can be written to");
        for step in 0..2 {
            let index = (round + step) % 2;
            let (cost, compilations) = sides[index].build_shown();
            costs[index].push(cost);
            most[index] = most[index].max(compilations);
        }
        same(sides);
    }
    row("a body in fmt edited", &costs[0], &costs[1], Goal { cpu: Some(10.0), ..Goal::default() });
    println!("  packages compiled: go {}, modkeep {} (goal: at most 2)", most[0], most[1]);
    fs::write(&path, text).expect("the copy can be written to");
    for side in sides {
        side.build(1, &[]);
    }
}

/// Nothing is cached, and four programs are wanted.
fn many_targets(sides: &[Side; 2]) {
    let mut costs = [Vec::new(), Vec::new()];
    for round in 0..if full_run() { 3 } else { 1 } {
        for step in 0..2 {
            let index = (round + step) % 2;
            let side = &sides[index];
            side.forget();
            costs[index].push(match index {
                0 => Cost::sum(&TARGETS.map(|target| side.build_for(target))),
                _ => side.build(1, &[&format!("-targets={}", TARGETS.join(","))]),
            });
        }
        for target in TARGETS {
            let [theirs, ours] =
                sides.each_ref().map(|side| fs::read(side.output_for(target)).expect("a program"));
            assert!(theirs == ours, "the programs for {target} differ");
        }
    }
    let goal = Goal { wall: Some(1.1), ..Goal::default() };
    row("four targets, nothing cached", &costs[0], &costs[1], goal);
}

/// Both left the same bytes.
fn same(sides: &[Side; 2]) {
    let [theirs, ours] = sides.each_ref().map(|side| fs::read(side.output()).expect("a program"));
    assert!(theirs == ours, "the programs differ");
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
