//! Characters: the tables are those of the Go release that is the specification, for every character there is.

use std::path::Path;

use modkeep_harness::judge::Judge;
use modkeep_module::{quote, unicode};
use serde_json::{Value, json};

#[test]
fn the_tables_are_those_of_go() {
    let Some(mut judge) = Judge::start_or_skip("the_tables_are_those_of_go") else { return };
    let version = judge.ask("unicode.Version", json!([])).unwrap();
    let letters = numbers(&judge.ask("unicode.IsLetter", json!([])).unwrap());
    let folds = numbers(&judge.ask("unicode.SimpleFold", json!([])).unwrap());
    let tables = write_tables(version.as_str().unwrap(), &letters, &folds);
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/unicode/tables.rs"));
    if std::env::vars().any(|(name, value)| name == "MODKEEP_WRITE" && value == "1") {
        #[allow(clippy::disallowed_methods, reason = "a source file under version control")]
        std::fs::write(file, &tables).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), tables);
}

#[test]
fn every_character_is_what_it_is_in_go() {
    let Some(mut judge) = Judge::start_or_skip("every_character_is_what_it_is_in_go") else { return };
    for (operation, ours) in [
        ("unicode.IsLetter", unicode::is_letter as fn(char) -> bool),
        ("unicode.IsPrint", quote::is_print),
        ("strconv.IsPrint", quote::is_print),
        ("unicode.IsSpace", char::is_whitespace),
    ] {
        let ranges = numbers(&judge.ask(operation, json!([])).unwrap());
        let mut theirs = vec![false; 0x11_0000];
        for range in ranges.chunks(2) {
            theirs[range[0] as usize..=range[1] as usize].fill(true);
        }
        for c in '\0'..=char::MAX {
            assert_eq!(ours(c), theirs[c as usize], "{operation} of {c:?}");
        }
    }
}

#[test]
fn every_character_folds_as_in_go() {
    let Some(mut judge) = Judge::start_or_skip("every_character_folds_as_in_go") else { return };
    let mut theirs: Vec<u32> = (0..0x11_0000).collect();
    for pair in numbers(&judge.ask("unicode.SimpleFold", json!([])).unwrap()).chunks(2) {
        theirs[pair[0] as usize] = pair[1];
    }
    for (upper, lower) in ('A'..='Z').zip('a'..='z') {
        // Whatever folds to a capital is written small.
        theirs.iter_mut().filter(|least| **least == upper as u32).for_each(|least| *least = lower as u32);
    }
    for c in '\0'..=char::MAX {
        assert_eq!(unicode::fold_char(c) as u32, theirs[c as usize], "{c:?}");
    }
}

/// The source of the tables: where letters begin and end, and runs of characters that fold by the same distance.
fn write_tables(version: &str, letters: &[u32], folds: &[u32]) -> String {
    let bounds: Vec<_> = letters.chunks(2).flat_map(|range| [range[0], range[1] + 1]).collect();
    let bounds = bounds.iter().map(|bound| format!("{bound:#x}"));
    let runs = runs(folds);
    let written =
        runs.iter().map(|[first, last, step, less]| format!("[{first:#x}, {last:#x}, {step}, {less}]"));
    format!(
        "//! Tables of Go's package unicode; see the parent for what writes this file.\n\
         \n\
         /// The version of Unicode that the tables are of.\n\
         pub const VERSION: &str = \"{version}\";\n\
         \n\
         /// Where letters begin and where they end, by turns.\n\
         #[rustfmt::skip]\n\
         pub(super) static LETTERS: [u32; {}] = [\n{}];\n\
         \n\
         /// Runs of characters beyond ASCII that are not the least of those they fold with: the first, the last, the step\n\
         /// from one to the next, and how much less the least is.\n\
         #[rustfmt::skip]\n\
         pub(super) static FOLDS: [[u32; 4]; {}] = [\n{}];\n",
        bounds.len(),
        lines(bounds),
        runs.len(),
        lines(written),
    )
}

fn runs(folds: &[u32]) -> Vec<[u32; 4]> {
    let mut runs: Vec<[u32; 4]> = Vec::new();
    for pair in folds.chunks(2).filter(|pair| pair[0] >= 0x80) {
        let (code, less) = (pair[0], pair[0] - pair[1]);
        match runs.last_mut() {
            Some([first, last, step, run_less])
                if *run_less == less && code - *last <= 2 && (first == last || code - *last == *step) =>
            {
                *step = code - *last;
                *last = code;
            }
            _ => runs.push([code, code, 1, less]),
        }
    }
    runs
}

/// Items in lines of at most 110 characters, indented.
fn lines(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut line = String::from("   ");
    for item in items {
        if line.len() + item.len() + 2 > 110 {
            text += &line;
            text += "\n";
            line = String::from("   ");
        }
        line += " ";
        line += &item;
        line += ",";
    }
    text + &line + "\n"
}

fn numbers(list: &Value) -> Vec<u32> {
    serde_json::from_value(list.clone()).expect("the judge lists numbers")
}
