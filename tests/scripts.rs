//! Go's own scripts about modules, run with modkeep in the place of go for the verbs it has.
//!
//! In every run the scripts that call such a verb; with `MODKEEP_FULL=1` all of the list, and before them a control in
//! which the real go does everything: what fails there says nothing about us.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::PathBuf;

use modkeep_conformance::go::Go;
use modkeep_conformance::suite::Suite;
use modkeep_harness::place::{full_run, kept_folder, skip, tell};
use modkeep_harness::script::{Outcome, Stage, Tally};

/// The verbs that are modkeep's.
const VERBS: [&str; 16] = [
    "env",
    "get",
    "list -m",
    "mod download",
    "mod edit",
    "mod graph",
    "mod init",
    "mod tidy",
    "mod vendor",
    "mod verify",
    "mod why",
    "work edit",
    "work init",
    "work sync",
    "work use",
    "work vendor",
];

/// Scripts that modkeep does not pass yet, each with its reason.
const MISSES: [(&str, &str); 3] = [
    ("get_issue53955", "version control is asked directly"),
    ("gotoolchain_switch_gosum", "another toolchain would be downloaded and run"),
    ("list_std_vendor", "a main module called std has packages without a prefix"),
];

/// Scripts about go's variables, which are not in the list about modules.
const ABOUT_VARIABLES: [&str; 6] =
    ["env_changed", "env_exp", "env_gobin", "env_issue46807", "env_unset", "env_write"];

/// How many scripts run at the same time.
const AT_ONCE: usize = 4;

#[test]
fn gos_scripts_pass_with_modkeep_in_the_place_of_go() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("scripts", &missing),
    };
    let suite = Suite::build(&go, &kept_folder()).unwrap();
    let fixture = suite.fixture().unwrap();
    let mut stage = Stage {
        go,
        program: None,
        proxy: fixture.url().to_owned(),
        sumdb: suite.verifier_key().to_owned(),
        build_cache: suite.build_cache().to_owned(),
    };
    let list = include_str!("scripts/module.txt");
    let lines: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut names: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    match full_run() {
        true => {
            let control = stage.run_all(&names, AT_ONCE);
            tell_score("the real go", &control);
            assert_eq!(control.passed(true).len(), names.len(), "the runner or the machine is at fault");
        }
        false => names.retain(|name| calls_ours(&stage.commands(name).unwrap())),
    }
    stage.program = Some((PathBuf::from(env!("CARGO_BIN_EXE_modkeep")), VERBS.to_vec()));
    let tally = stage.run_all(&names, AT_ONCE);
    tell_score("modkeep", &tally);
    let judging = lines.iter().filter(|line| !line.ends_with(" weak"));
    let judging: Vec<_> = judging.filter(|name| names.contains(name)).copied().collect();
    let passed = tally.passed(true);
    tell(&format!(
        "Go's scripts, those that a program that does nothing fails: score {} of {}",
        judging.iter().filter(|name| passed.contains(name)).count(),
        judging.len()
    ));
    let missed: Vec<_> = names.iter().filter(|name| !passed.contains(name)).copied().collect();
    assert_eq!(missed, MISSES.map(|(name, _)| name));
}

#[test]
fn gos_scripts_about_variables_pass_with_modkeep_in_the_place_of_go() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("scripts", &missing),
    };
    let build_cache = kept_folder().join("variables-gocache").display().to_string();
    // Nothing is asked of a proxy.
    let (proxy, sumdb) = ("off".to_owned(), "off".to_owned());
    let program = Some((PathBuf::from(env!("CARGO_BIN_EXE_modkeep")), VERBS.to_vec()));
    let stage = Stage { go, program, proxy, sumdb, build_cache };
    let tally = stage.run_all(&ABOUT_VARIABLES, AT_ONCE);
    tell_score("modkeep, about variables", &tally);
    assert_eq!(tally.passed(true), ABOUT_VARIABLES);
}

/// Whether a script says `go` and one of our verbs.
fn calls_ours(commands: &str) -> bool {
    commands.lines().any(|line| VERBS.iter().any(|verb| line.contains(&format!("go {verb}"))))
}

fn tell_score(who: &str, tally: &Tally) {
    for (name, outcome) in &tally.outcomes {
        match outcome {
            Outcome::Passed => {}
            Outcome::Skipped(why) => tell(&format!("--- {name} skipped: {why}")),
            Outcome::OtherWords(why) => tell(&format!("--- {name} in other words\n{why}")),
            Outcome::Failed(log) => tell(&format!("--- {name} failed\n{log}")),
        }
    }
    tell(&format!(
        "Go's scripts with {who}: score {} of {}, answers only {}",
        tally.passed(true).len(),
        tally.outcomes.len(),
        tally.passed(false).len()
    ));
}
