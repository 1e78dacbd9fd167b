//! Two programs in the same folder, one after the other: what they say and leave is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::tree;

/// Output, lines of errors in order of the alphabet, status, and the files that are left with sums of their contents.
pub type Outcome = (String, Vec<String>, Option<i32>, BTreeMap<PathBuf, String>);

/// Runs a command line in the folder `w` of a home. Words with `=` that stand first are variables.
///
/// # Panics
/// When the program can't be run.
pub fn run(mut command: Command, home: &Path, line: &str) -> Outcome {
    let place = home.join("w");
    command.current_dir(&place).env("PWD", &place);
    command.env("HOME", home).env("GOPATH", home.join("gopath")).env("GOCACHE", home.join("gocache"));
    command.env("GOENV", "off").env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("GOFLAGS", "");
    command.env("GOPROXY", "off").env("GOSUMDB", "off");
    let mut rest = line;
    while let Some((word, behind)) = rest.split_once(' ')
        && let Some((name, value)) = word.split_once('=')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    {
        command.env(name, value);
        rest = behind;
    }
    let output = command.args(words(rest)).output().expect("the program is there");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // Packages are worked on in any order, and work folders are made anew.
    let work = Regex::new(r"/\S*/go-build\d+/").expect("a pattern");
    let times =
        Regex::new(r#"("Time":)"[^"]*"|("Elapsed":)[0-9.e-]+|(\\t|\t|\()[0-9.]+s"#).expect("a pattern");
    let stderr = work.replace_all(&text(output.stderr), "WORK/").into_owned();
    let mut told: Vec<String> = stderr.lines().map(str::to_owned).collect();
    told.sort();
    let stdout = times.replace_all(&text(output.stdout), "$1$2${3}TIME").into_owned();
    let stdout = work.replace_all(&stdout, "WORK/").into_owned();
    (stdout, told, output.status.code(), tree::contents(&place))
}

/// Words between blanks; single quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// The differences between what two did with some lines, as text.
pub fn differences(lines: &[&str], theirs: &[Outcome], ours: &[Outcome]) -> String {
    let mut differences = String::new();
    for ((line, theirs), ours) in lines.iter().zip(theirs).zip(ours) {
        if ours != theirs {
            differences.push_str(&format!("{line}\n  go {theirs:?}\n  we {ours:?}\n"));
        }
    }
    differences
}
