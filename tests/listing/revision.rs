//! The version that a program tells of its module, in repositories with any modules, tags and branches.

use std::process::Command;

use modkeep_harness::beside::{BOTH, Outcome};
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, skip};

use crate::ground;

const FOLDERS: [&str; 6] = [".", "sub", "v2", "sub/v2", "v3", "sub/deep"];

const ROOTS: [&str; 8] = [
    "ex.com/m",
    "ex.com/m",
    "ex.com/m/v2",
    "ex.com/m/v3",
    "gopkg.in/m.v2",
    "\"ex.com/m\"",
    "ex.com/m // a comment",
    "m",
];

const VERSIONS: [&str; 14] = [
    "v0.1.0",
    "v1.0.0",
    "v1.1.0",
    "v1.0.0-pre",
    "v2.0.0",
    "v2.1.0-rc.1",
    "v3.0.0",
    "v1",
    "v1.2",
    "v1.2.3+meta",
    "v2.0.0+incompatible",
    "v1.0.1-0.20260101000000-0123456789ab",
    "vx",
    "x",
];

/// What comes before all: dates and names that every run has.
const BEGIN: &str = "export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@ex.com \
                     GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@ex.com GIT_AUTHOR_DATE='1767323045 +0000' \
                     GIT_COMMITTER_DATE='1767323045 +0000'; git init -q -b main; ";

/// A module in a folder.
fn module(dice: &mut Dice, folder: &str) -> String {
    let own = format!("ex.com/m/{folder}");
    let path = match folder {
        "." => dice.pick(&ROOTS),
        _ if dice.once_in(5) => dice.pick(&["ex.com/m/sub/v3", "ex.com/m/else", "ex.org/m", "gopkg.in/m.v1"]),
        _ => &own,
    };
    let retracted = dice.pick(&["", "", "retract v1.1.0", "retract [v0.0.1, v3.9.9]"]);
    format!(
        "mkdir -p {folder}; printf '%s\\n' 'module {path}' 'go 1.21' '{retracted}' >{folder}/go.mod; \
         printf 'package main\\nfunc main() {{}}\\n' >{folder}/main.go; "
    )
}

fn tag(dice: &mut Dice) -> String {
    let kind = dice.pick(&["", "", "-am x "]);
    let folder = dice.pick(&["", "", "", "sub/", "v2/", "sub/v2/", "sub/deep/"]);
    format!("git tag {kind}{folder}{} 2>/dev/null; ", dice.pick(&VERSIONS))
}

/// Commands that make a repository.
fn history(dice: &mut Dice) -> String {
    let mut script = BEGIN.to_owned() + &module(dice, ".");
    for step in 0..4 + dice.below(12) {
        let next = match dice.below(8) {
            0 | 1 => {
                let folder = dice.pick(&FOLDERS);
                module(dice, folder)
            }
            2 | 3 => format!("echo {step} >file; git add .; git commit -qm {step}; "),
            4 => format!("git checkout -qb side{step} 2>/dev/null; "),
            5 => "git checkout -q main 2>/dev/null; ".to_owned(),
            _ => tag(dice),
        };
        script.push_str(&next);
    }
    script + "true"
}

/// What the linker is to write into the program, or why there is none.
fn told(outcome: &Outcome) -> String {
    let info = outcome.stderr.lines().find(|line| line.starts_with("modinfo "));
    info.map_or_else(|| outcome.stderr.clone(), str::to_owned)
}

#[test]
fn a_program_tells_the_version_that_go_finds_in_its_repository() {
    let Some(ground) = ground("versions of revisions") else { return };
    let ground = ground.with_caches();
    let dice = Dice::of("versions of revisions");
    let mut count = 0;
    for number in 0..if full_run() { 300 } else { 12 } {
        let script = history(&mut dice.at(number));
        let mut lines = vec![format!("sh: {script}")];
        lines.extend(FOLDERS.map(|folder| format!("build -C {folder} -n .")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let [theirs, ours] = BOTH.map(|who| ground.all(who, "-- file --\n", &lines));
        for ((line, theirs), ours) in lines.iter().zip(&theirs).zip(&ours).skip(1) {
            assert_eq!(
                told(ours),
                told(theirs),
                "{line} of repository {number}:\n{}",
                script.replace("; ", "\n")
            );
            count += usize::from(told(theirs).contains("vcs.revision"));
        }
    }
    println!("versions of revisions: {count} programs tell the same");
    assert!(count > 0, "some have one");
}

/// Commands with Mercurial, and the folders in which programs are then built.
const MERCURIAL: [(&str, &[&str]); 3] = [
    (
        "hg init; mkdir sub; printf '%s\\n' 'module ex.com/m' 'go 1.21' 'retract v1.1.0' >go.mod; \
         printf '%s\\n' 'module ex.com/m/sub' 'go 1.21' >sub/go.mod; \
         printf 'package main\\nfunc main() {}\\n' >main.go; cp main.go sub; hg add -q .; \
         hg commit -d '1767323045 0' -m one; hg tag -d '1767323046 0' v1.0.0; hg tag -d '1767323046 0' sub/v0.2.0",
        &[".", "sub"],
    ),
    ("hg update -q v1.0.0", &["."]),
    ("hg update -q tip; hg tag -d '1767323047 0' v1.1.0; hg update -q v1.1.0; echo dirt >dirt", &["."]),
];

#[test]
fn a_program_tells_the_version_that_go_finds_in_a_repository_of_mercurial() {
    let Some(mut ground) = ground("versions of Mercurial") else { return };
    if Command::new("hg").arg("--version").output().is_err() {
        return skip("versions of Mercurial", &"hg is not installed");
    }
    ground.variables.extend([("HGUSER", "a".to_owned()), ("HGRCPATH", String::new())]);
    let ground = ground.with_caches();
    let mut lines = Vec::new();
    for (script, folders) in MERCURIAL {
        lines.push(format!("sh: {script}"));
        lines.extend(folders.iter().map(|folder| format!("build -C {folder} -n .")));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let [theirs, ours] = BOTH.map(|who| ground.all(who, "-- file --\n", &lines));
    for ((line, theirs), ours) in lines.iter().zip(&theirs).zip(&ours) {
        assert_eq!((told(ours), ours.status), (told(theirs), theirs.status), "{line}");
        assert!(line.starts_with("sh: ") || told(theirs).contains("vcs=hg"), "{line}: {}", told(theirs));
    }
}
