//! Go's own scripts about modules, run with modkeep in the place of go for the verbs it has.
//!
//! In every run the scripts that call such a verb; with `MODKEEP_FULL=1` all of the list, and before them a control in
//! which the real go does everything: what fails there says nothing about us. Then also the older release's own scripts.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::PathBuf;

use modkeep_conformance::go::{Go, RELEASE};
use modkeep_conformance::suite::Suite;
use modkeep_harness::place::{full_run, kept_folder, program, skip, tell};
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
const MISSES: [(&str, &str); 1] = [("get_issue53955", "version control is asked directly")];

/// So many scripts of the list the older release has and passes, at least.
const OLDER_LEAST: usize = 250;

/// Scripts about go's variables, which are not in the list about modules.
const ABOUT_VARIABLES: [&str; 6] =
    ["env_changed", "env_exp", "env_gobin", "env_issue46807", "env_unset", "env_write"];

/// How many scripts run at the same time.
const AT_ONCE: usize = 4;

/// The verbs that are modkeep's in the scripts about building: these and all of the above.
const BUILDING: [&str; 11] = [
    "build",
    "clean -cache",
    "install",
    "list",
    "run",
    "test",
    "clean -testcache",
    "clean -modcache",
    "version",
    "tool",
    "vet",
];

/// Scripts about building that modkeep does not pass yet, each with its reason.
const BUILD_MISSES: [(&str, &str); 7] = [
    ("build_import_comment", "import comments, which count in GOPATH only, are not read"),
    ("fsys_walk", "GODEBUG=gofsystrace, go's own trace of files"),
    ("index", "GODEBUG=gofsystrace, go's own trace of files"),
    (
        "install_modcacherw_issue64282",
        "go downloads a module before it refuses unknown flags; nothing is fetched for words that can't be meant",
    ),
    ("list_gofile_in_goroot", "a GOROOT without VERSION"),
    ("list_linkshared", "-linkshared"),
    ("mod_issue35270", "a main module or vendored package with a path of the standard library"),
];

#[test]
fn gos_scripts_pass_with_modkeep_in_the_place_of_go() {
    let Some(suite) = suite() else { return };
    let fixture = suite.fixture().unwrap();
    let mut stage = stage(&suite, fixture.url());
    let list = include_str!("scripts/module.txt");
    let lines: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut names: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    match full_run() {
        true => control(&stage, &names),
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

/// The go on PATH is the other release that modkeep can act as. Its own scripts are run with `MODKEEP_FULL=1`.
#[test]
fn the_older_releases_scripts_pass_with_modkeep_in_its_place() {
    let test = "scripts of the older release";
    if !full_run() {
        return skip(test, &"only with MODKEEP_FULL=1");
    }
    let go = match Go::named("local") {
        Ok(go) if go.release() == RELEASE => return skip(test, &"the go on PATH is no other release"),
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let suite = Suite::build(&go, &kept_folder()).unwrap();
    let fixture = suite.fixture().unwrap();
    let mut stage = Stage { go: go.clone(), ..stage(&suite, fixture.url()) };
    let list = include_str!("scripts/module.txt").lines().filter(|line| !line.starts_with('#'));
    let names = list.filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| stage.commands(name).is_ok()).collect();
    // What that release itself fails says nothing about us.
    let control = stage.run_all(&names, AT_ONCE);
    tell_score(&go.release(), &control);
    let names = control.passed(true);
    assert!(names.len() > OLDER_LEAST, "the runner or the machine is at fault");
    stage.program = Some((PathBuf::from(env!("CARGO_BIN_EXE_modkeep")), VERBS.to_vec()));
    let tally = stage.run_all(&names, AT_ONCE);
    tell_score(&format!("modkeep as {}", go.release()), &tally);
    let passed = tally.passed(true);
    let missed: Vec<_> = names.iter().filter(|name| !passed.contains(name)).copied().collect();
    assert!(missed.is_empty(), "not passed as {}: {missed:?}", go.release());
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
    let stage = Stage { go, program, proxy, sumdb, build_cache, is_short: false };
    let tally = stage.run_all(&ABOUT_VARIABLES, AT_ONCE);
    tell_score("modkeep, about variables", &tally);
    assert_eq!(tally.passed(true), ABOUT_VARIABLES);
}

/// In every run those that are quick; with `MODKEEP_FULL=1` all, behind a control; with `MODKEEP_SCRIPTS=a,b` those, and
/// with `MODKEEP_LONG=1` all of each.
#[test]
fn gos_scripts_about_building_pass_with_modkeep_in_the_place_of_go() {
    let Some(suite) = suite() else { return };
    let fixture = suite.fixture().unwrap();
    let mut stage = stage(&suite, fixture.url());
    #[allow(clippy::disallowed_methods, reason = "what to test is said by whoever runs the tests")]
    let is_long = std::env::var_os("MODKEEP_LONG").is_some();
    stage.is_short = !is_long;
    let list = include_str!("scripts/build.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<&str> = lines
        .clone()
        .filter(|line| full_run() || !line.ends_with(" slow"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    #[allow(clippy::disallowed_methods, reason = "what to test is said by whoever runs the tests")]
    let wanted = std::env::var("MODKEEP_SCRIPTS").unwrap_or_default();
    if !wanted.is_empty() {
        names = wanted.split(',').collect();
    } else if full_run() {
        control(&stage, &names);
    }
    let verbs = [&VERBS[..], &BUILDING[..]].concat();
    stage.program = Some((program(env!("CARGO_BIN_EXE_modkeep")), verbs));
    let tally = stage.run_all(&names, AT_ONCE);
    tell_score("modkeep building", &tally);
    let passed = tally.passed(true);
    let is_known = |name: &str| BUILD_MISSES.iter().any(|(known, _)| *known == name);
    for name in names.iter().filter(|name| is_known(name) && passed.contains(name)) {
        tell(&format!("--- {name} is listed as a miss and passes"));
    }
    let missed: Vec<_> = names.iter().filter(|name| !passed.contains(name) && !is_known(name)).collect();
    assert!(missed.is_empty(), "not passed and not known to be missed: {missed:?}");
}

fn suite() -> Option<Suite> {
    match Go::specification() {
        Ok(go) => Some(Suite::build(&go, &kept_folder()).unwrap()),
        Err(missing) => {
            skip("scripts", &missing);
            None
        }
    }
}

fn stage(suite: &Suite, proxy: &str) -> Stage {
    Stage {
        go: Go::specification().unwrap(),
        program: None,
        proxy: proxy.to_owned(),
        sumdb: suite.verifier_key().to_owned(),
        build_cache: suite.build_cache().to_owned(),
        is_short: false,
    }
}

/// The real go must pass all of them, or the runner or the machine is at fault.
fn control(stage: &Stage, names: &[&str]) {
    let control = stage.run_all(names, AT_ONCE);
    tell_score("the real go", &control);
    assert_eq!(control.passed(true).len(), names.len(), "the runner or the machine is at fault");
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
