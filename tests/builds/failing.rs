//! What fails, beside the real go command: the same words on stdout and stderr, the same exit status, and nothing left behind.
//!
//! `failing/lines.txt` has the commands, `failing/tree.txt` what they find. A full run has all lines; others every fourth of
//! them, another fourth for each seed.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use modkeep_harness::beside::{BOTH, Ground, Outcome, Who};
use modkeep_harness::build_cache::halves;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, kept_folder, program, tell};
use modkeep_harness::upstream::{Module, Tree};

const TREE: &str = include_str!("failing/tree.txt");
const LINES: &str = include_str!("failing/lines.txt");
/// Of these lines one is run where not all are.
const PART: usize = 4;

/// What modkeep hasn't: its own words, and the exit status.
const LACKING: [(&str, i32, &str); 8] = [
    ("build -buildmode=plugin ./fine", 1, "-buildmode=plugin is not supported by modkeep\n"),
    ("build -buildmode=c-shared ./fine", 1, "-buildmode=c-shared is not supported by modkeep\n"),
    ("build -buildmode=c-archive ./fine", 1, "-buildmode=c-archive is not supported by modkeep\n"),
    ("build -buildmode=shared ./lib", 1, "-buildmode=shared is not supported by modkeep\n"),
    ("build -linkshared ./fine", 2, "modkeep: -linkshared is not supported\n"),
    ("build -compiler=gccgo ./lib", 2, "modkeep: -compiler=gccgo is not supported\n"),
    ("build -installsuffix=x ./lib", 2, "modkeep: -installsuffix is not supported\n"),
    ("GOFIPS140=latest build ./lib", 1, "modkeep: GOFIPS140=latest is not supported\n"),
];

/// A build cache that stays from run to run.
pub(super) fn cache() -> PathBuf {
    kept_folder().join("beside-cache")
}

/// Held while nobody else may write to it: what is being written is there by half.
pub(super) static CACHE: Mutex<()> = Mutex::new(());

#[test]
fn what_fails_fails_as_it_does_with_go_and_leaves_nothing() {
    let Some(ground) = Ground::new("failing", &program(env!("CARGO_BIN_EXE_modkeep"))) else { return };
    let ground = ground.sharing(&cache());
    let _alone = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    // What a test that was killed has left.
    let before = halves(&cache());
    let word = Module::new("ex.com/word", "v1.0.0").file("word.go", "package word\n\nconst Word = 1\n");
    let sum = modkeep_module::dirhash::hash_mod(word.go_mod().as_bytes()).to_string();
    Tree::default().with(word).write_to(&ground.home().join("proxy"));
    let lay = || ground.lay(&TREE.replace("GOMOD", &sum));
    lay();
    let lines: Vec<&str> = LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let first = usize::try_from(Dice::of("failing").bits() % PART as u64).unwrap();
    let (skipped, part) = if full_run() { (0, 1) } else { (first, PART) };
    let (mut ran, mut differences) = (0, String::new());
    for line in lines.iter().skip(skipped).step_by(part) {
        let (line, is_loose) = line.strip_prefix("~ ").map_or((*line, false), |line| (line, true));
        let outcomes = BOTH.map(|who| {
            let outcome = ground.run(who, line);
            if !outcome.left.is_empty() {
                lay();
            }
            outcome
        });
        ran += 1;
        let [theirs, ours] = &outcomes;
        if !(if is_loose { are_alike(theirs, ours) } else { theirs == ours }) {
            differences.push_str(&format!("{line}\n  go {theirs:?}\n  we {ours:?}\n"));
        }
    }
    for (line, status, text) in LACKING {
        let Outcome { stdout, stderr, status: found, left } = ground.run(Who::Modkeep, line);
        let is_so = found == Some(status) && stdout.is_empty() && left.is_empty();
        if !is_so || !stderr.starts_with(&format!("{text}hint: ")) {
            differences.push_str(&format!("{line}\n  {found:?} {left:?} {stdout}{stderr}\n"));
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(halves(&cache()), before, "nothing is in the cache by half");
    tell(&format!("{ran} of {} lines that fail: as with go, nothing left", lines.len()));
}

/// Where the words are others: both fail or both succeed, with the same status and leaving the same.
fn are_alike(theirs: &Outcome, ours: &Outcome) -> bool {
    theirs.status == ours.status
        && theirs.left == ours.left
        && ours.stderr.is_empty() == theirs.stderr.is_empty()
        && ours.stdout.is_empty() == theirs.stdout.is_empty()
}
