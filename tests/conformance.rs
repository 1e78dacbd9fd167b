//! Go's own scripts judge the proxy: cold in every run; with `MODKEEP_FULL=1` against a control on this machine too,
//! and a second time with the upstream stopped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;

use modkeep_harness::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, kept_folder, skip, tell};
use modkeep_harness::scripts::{Fixture, Report, Score, Suite, Verdict};

/// Scripts that pass with Go's own fixture, in short mode, for the release in the harness: 318, less the twelve of
/// them that call trap paths.
const EXPECTED: usize = 306;

#[test]
fn every_script_that_passes_with_gos_fixture_passes_with_modkeep_before_it() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("conformance", &missing),
    };
    let suite = Suite::build(&go, &kept_folder()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let fixture = suite.fixture().unwrap();
    let modkeep = serve(home.path(), &suite, &fixture);

    let cold = suite.run(Some(modkeep.url())).unwrap();
    let score = judge("cold", &suite, &cold);
    if full_run() {
        drop(fixture);
        let dead = suite.run(Some(modkeep.url())).unwrap();
        let score = judge("upstream stopped", &suite, &dead);
        assert_eq!(score.misses, Vec::<String>::new(), "with the upstream stopped");
    }
    assert_eq!(score.misses, Vec::<String>::new());
}

/// The fixture's database leaves files whose names begin with a dot out of its hashes, so it contradicts the one module
/// that has some; the script about it brings its own go.sum.
const WRONGLY_LOGGED: &str = "example.com/dotname";

fn serve(home: &Path, suite: &Suite, fixture: &Fixture) -> Modkeep {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--base-path", "/mod"]);
    command.args(["--upstream", fixture.url(), "--sumdb", suite.verifier_key()]);
    command.env("GONOSUMDB", WRONGLY_LOGGED);
    Modkeep::start(command)
}

/// Prints the score of a run, and of each script that failed what it logged.
fn judge(pass: &str, suite: &Suite, report: &Report) -> Score {
    let score = match full_run() {
        true => report.score(&suite.run(None).unwrap()),
        false => report.score_of(EXPECTED),
    };
    for name in &score.misses {
        tell(&format!("--- {name}\n{}", report.log(name)));
    }
    tell(&format!("Go's scripts, {pass}: failed {}\n{score}", report.all(Verdict::Failed).join(", ")));
    score
}
