//! The files that Go's own scripts and test modules hold, and files too large for comfort.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use modkeep_conformance::go::Go;
use modkeep_harness::judge::Judge;
use modkeep_harness::place::skip;
use modkeep_harness::txtar::Txtar;
use modkeep_module::GoMod;
use modkeep_module::gomod::{Layout, Require, Summary};

use crate::{Case, check_reading};

#[test]
fn the_files_in_gos_scripts_are_read_as_go_does() {
    let test = "the_files_in_gos_scripts_are_read_as_go_does";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let testdata = go.root().join("src/cmd/go/testdata");
    let mut cases = Vec::new();
    for archive in archives(&testdata.join("script")).into_iter().chain(archives(&testdata.join("mod"))) {
        for (name, data) in Txtar::read(&archive).expect("a script of Go's").files {
            let name = Path::new(&name).file_name().unwrap_or_default().to_string_lossy().into_owned();
            let modes: &[&str] = match name.trim_start_matches('.') {
                "go.work" => &["work"],
                "go.mod" | "mod" => &["strict", "lax"],
                name if name.starts_with("go.mod") || name.ends_with(".mod") => &["strict", "lax"],
                _ => continue,
            };
            for fixes in [false, true] {
                cases.extend(modes.iter().map(|mode| Case { mode, fixes, data: data.clone() }));
            }
        }
    }
    assert!(cases.len() > 3_000, "{} files in {}", cases.len(), testdata.display());
    check_reading(&mut judge, &cases);
}

#[test]
fn a_hundred_thousand_requirements_are_read_set_and_written() {
    let count = 100_000;
    let lines: String = (0..count).map(|n| format!("\ta.b/{n:06} v1.{n}.0 // indirect\n")).collect();
    let text = format!("module m\n\ngo 1.27.0\n\nrequire (\n{lines})\n");
    let mut file = GoMod::parse("go.mod", text.as_bytes()).unwrap();
    assert_eq!(Summary::parse("go.mod", text.as_bytes()).unwrap().requires.len(), count);

    let mut wanted: Vec<Require> = file.requires().iter().map(|require| (**require).clone()).collect();
    for layout in [Layout::AsFound, Layout::SeparateIndirect, Layout::AtMostTwo] {
        file.set_requires(layout, &wanted);
        file.cleanup();
        assert_eq!(String::from_utf8(file.format()).unwrap(), text);
    }
    wanted.iter_mut().for_each(|require| require.indirect = false);
    file.set_requires(Layout::AtMostTwo, &wanted);
    file.cleanup();
    assert_eq!(String::from_utf8(file.format()).unwrap(), text.replace(" // indirect", ""));
}

#[test]
fn retractions_share_the_long_comment_of_their_block() {
    let (comments, lines) = ("// why\n".repeat(50_000), "\tv1.0.0\n".repeat(50_000));
    let text = format!("{comments}retract (\n{lines})\n");
    let file = GoMod::parse_lax("go.mod", text.as_bytes()).unwrap();
    let summary = Summary::parse("go.mod", text.as_bytes()).unwrap();
    let rationale = file.retracts()[0].rationale.clone();
    assert_eq!(rationale.lines().count(), 50_000);
    assert!(file.retracts().iter().all(|retract| Arc::ptr_eq(&retract.rationale, &rationale)));
    assert!(summary.retracts.windows(2).all(|pair| Arc::ptr_eq(&pair[0].rationale, &pair[1].rationale)));
}

#[test]
fn files_of_one_endless_piece_end_in_an_answer() {
    let pieces = [
        "(",
        ")",
        "(\n",
        "a (\n",
        "\"",
        "`",
        "\\",
        "/",
        "//",
        "//\n",
        "\n",
        "a ",
        "\u{0}",
        "=> ",
        "require a ",
        "[",
        ",",
    ];
    for piece in pieces {
        for head in ["", "module m\n", "require (\n", "retract [", "require x v1.0.0 //"] {
            let text = format!("{head}{}", piece.repeat(20_000));
            let strict = GoMod::parse("go.mod", text.as_bytes());
            let lax = GoMod::parse_lax("go.mod", text.as_bytes()).map(Summary::from);
            let quick = Summary::parse("go.mod", text.as_bytes());
            assert!(strict.is_err() || lax.is_ok(), "{head} {piece}");
            assert_eq!(quick.is_ok(), lax.is_ok(), "{head} {piece}");
        }
    }
}

fn archives(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("Go's testdata");
    let files = entries.map(|entry| entry.expect("a file").path());
    let mut archives: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|end| end == "txt")).collect();
    archives.sort();
    archives
}
