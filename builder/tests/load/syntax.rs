//! Whether files are plainly Go, beside the release's own parser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use modkeep_builder::scan::is_well_formed;
use modkeep_conformance::go::Go;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::{full_run, tell};

/// Go files below a folder, test data left out.
fn go_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "testdata" => {}
            true => go_files(&path, found),
            false if path.extension().is_some_and(|ending| ending == "go") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn files_of_the_distribution_are_plainly_go() {
    let go = Go::specification().unwrap();
    let mut files = Vec::new();
    let folder = if full_run() { "src" } else { "src/cmd/go" };
    go_files(&go.root().join(folder), &mut files);
    files.sort();
    let refused: Vec<_> = files.iter().filter(|file| !is_well_formed(&fs::read(file).unwrap())).collect();
    tell(&format!("{} files, {} left to the parser", files.len(), refused.len()));
    assert!(files.len() > 200, "only {} files", files.len());
    // Methods with type parameters are Go for one release and not for another.
    assert!(refused.len() <= files.len() / 1000, "{refused:?}");
}

/// What is put into files, or in the place of something.
const PIECES: [&str; 24] = [
    "{", "}", "(", ")", "[", "]", ",", ";", ":=", "=", ".", "...", "func ", "range ", "type ", "if ",
    "case ", "<-", "x ", "1 ", "*", ":", "else ", "\n",
];

#[test]
fn what_the_parser_refuses_is_never_plainly_go() {
    let go = Go::specification().unwrap();
    let mut files = Vec::new();
    go_files(&go.root().join("src/go"), &mut files);
    go_files(&go.root().join("src/testing"), &mut files);
    files.retain(|file| fs::metadata(file).unwrap().len() < 20_000);
    files.sort();
    let folder = tempfile::tempdir().unwrap();
    let count = if full_run() { 20_000 } else { 400 };
    let dice = Dice::of("syntax");
    let mut taken = Vec::new();
    for number in 0..count {
        let mut dice = dice.at(number);
        let mut text = fs::read(&files[dice.below(files.len())]).unwrap();
        let at = dice.below(text.len());
        let end = (at + dice.below(8)).min(text.len());
        let piece = if dice.once_in(3) { "" } else { PIECES[dice.below(PIECES.len())] };
        text.splice(at..end, piece.bytes());
        if is_well_formed(&text) {
            let file = folder.path().join(format!("{number}.go"));
            fs::write(&file, text).unwrap();
            taken.push(number);
        }
    }
    // Where it finds mistakes it goes on to the next file.
    let said = Command::new(go.root().join("bin/gofmt")).arg("-l").arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    tell(&format!("{count} changed files, {} of them plainly Go", taken.len()));
    assert!(taken.len() > count / 20 && taken.len() < count * 19 / 20, "{} of {count}", taken.len());
    assert!(said.is_empty(), "the parser says\n{}", said.lines().take(20).collect::<Vec<_>>().join("\n"));
}
