//! go.mod and go.work: the same answers as golang.org/x/mod/modfile, for random files, random edits and its own tables.

mod corpus;
mod edits;
mod facts;
mod files;
mod tables;

use data_encoding::BASE64;
use facts::Parsed;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::{Answer, Judge};
use modkeep_module::gomod::{self, FixError, ParseErrors, Summary};
use modkeep_module::version::canonical_version;
use modkeep_module::{GoMod, GoWork};
use serde_json::{Value, json};

/// A question about one file.
struct Case {
    mode: &'static str,
    fixes: bool,
    data: Vec<u8>,
}

#[test]
fn files_are_read_and_written_as_go_does() {
    let test = "files_are_read_and_written_as_go_does";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let (mut sound, mut total) = (0, 0);
    for _ in 0..cases() / 1_000 {
        let cases: Vec<Case> = (0..1_000).map(|_| case(&mut dice)).collect();
        check_reading(&mut judge, &cases);
        sound += cases.iter().filter(|case| read(case).is_ok()).count();
        total += cases.len();
    }
    assert!(
        (total / 4..total * 3 / 4).contains(&sound),
        "{sound} of {total} files were sound: too one-sided"
    );
}

#[test]
fn a_summary_is_what_lax_parsing_finds() {
    let mut dice = Dice::of("a_summary_is_what_lax_parsing_finds");
    let mut sound = 0;
    for _ in 0..cases() {
        let data = match dice.below(4) {
            0 => files::file(&mut dice, false),
            1 => files::sound_file(&mut dice, false),
            _ => files::plain_file(&mut dice),
        };
        let full = GoMod::parse_lax("go.mod", &data).map(Summary::from).map_err(|errors| errors.to_string());
        let quick = Summary::parse("go.mod", &data).map_err(|errors| errors.to_string());
        sound += usize::from(quick.is_ok());
        assert_eq!(quick, full, "{}", String::from_utf8_lossy(&data));
    }
    assert!(sound > cases() / 2, "only {sound} files were sound");
}

#[test]
fn the_module_path_is_found_as_go_finds_it() {
    let test = "the_module_path_is_found_as_go_finds_it";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let files: Vec<_> = (0..cases()).map(|_| files::file(&mut dice, false)).collect();
    judge.check("modfile.ModulePath", &files, |data| {
        (json!([BASE64.encode(data)]), Ok(json!(gomod::module_path(data).unwrap_or_default())))
    });
}

#[test]
fn words_are_quoted_as_go_quotes_them() {
    let test = "words_are_quoted_as_go_quotes_them";
    let Some(mut judge) = Judge::start_or_skip(test) else { return };
    let mut dice = Dice::of(test);
    let pieces = [
        "a",
        "/",
        "//",
        "/*",
        "\\",
        ".",
        "..",
        "C:",
        " ",
        "\"",
        "'",
        "`",
        "(",
        ",",
        "\u{7}",
        "\u{a0}",
        "日",
        "\u{301}",
        "\u{1f600}",
        "\u{e000}",
    ];
    let words: Vec<_> = (0..cases()).map(|_| dice.text(&pieces, 4)).collect();
    judge.check("modfile.AutoQuote", &words, |word| {
        (json!([word]), Ok(json!(BASE64.encode(gomod::auto_quote(word).as_bytes()))))
    });
    judge.check("modfile.IsDirectoryPath", &words, |word| {
        (json!([word]), Ok(json!(gomod::is_directory_path(word))))
    });
}

/// Compares values, positions, errors and what is written.
fn check_reading(judge: &mut Judge, cases: &[Case]) {
    judge.check("modfile.Parse", cases, |case| {
        let question = json!([case.mode, "dir/go.mod", BASE64.encode(&case.data), case.fixes]);
        (question, read(case))
    });
}

fn case(dice: &mut Dice) -> Case {
    let mode = ["strict", "strict", "lax", "work"][dice.below(4)];
    let work = mode == "work";
    let data = match dice.below(6) {
        0 | 1 => files::sound_file(dice, work),
        2 if !work => files::plain_file(dice),
        _ => files::file(dice, work),
    };
    Case { mode, fixes: dice.once_in(3), data }
}

/// What we make of a file, in the judge's words.
fn read(case: &Case) -> Answer {
    let name = "dir/go.mod";
    let data = &case.data;
    match (case.mode, case.fixes) {
        ("strict", false) => answer(GoMod::parse(name, data)),
        ("strict", true) => answer(GoMod::parse_with(name, data, &mut fix_version)),
        ("lax", false) => answer(GoMod::parse_lax(name, data)),
        ("lax", true) => answer(GoMod::parse_lax_with(name, data, &mut fix_version)),
        (_, false) => answer(GoWork::parse(name, data)),
        (_, true) => answer(GoWork::parse_with(name, data, &mut fix_version)),
    }
}

fn answer(result: Result<impl Parsed, ParseErrors>) -> Answer {
    let file = result.map_err(|errors| errors.to_string())?;
    Ok(json!({ "file": file.facts(true), "format": BASE64.encode(&file.format()) }))
}

/// The judge's `fixVersion`.
fn fix_version(path: &str, version: &str) -> Result<String, FixError> {
    match version {
        "master" => Ok("v1.2.4-0.20240102030405-abcdef012345".to_owned()),
        "major" => Ok("v2.0.0".to_owned()),
        "broken" => Err(FixError::Other(format!("asking about {path}: no such thing").into())),
        "refused" => Err(FixError::Module("refused".into())),
        _ => Ok(canonical_version(version).unwrap_or_else(|| version.to_owned())),
    }
}

/// What is wrong with two texts, shown so that white space is seen.
fn shown(text: &Value) -> String {
    let bytes = BASE64.decode(text.as_str().unwrap_or_default().as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
