//! Paths, their escapes, globs and quoting: the same answers and the same error texts as Go, for random texts.

use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::{Answer, Judge};
use modkeep_module::path::major::{check_path_major, path_major_prefix, split_path_version};
use modkeep_module::path::{check_file_path, check_import_path, check_path};
use modkeep_module::unicode::equal_fold;
use modkeep_module::{escape, glob, version};
use serde_json::{Value, json};

#[test]
fn paths_are_refused_as_go_refuses_them() {
    let Some(mut judge) = Judge::start_or_skip("paths_are_refused_as_go_refuses_them") else { return };
    let mut dice = Dice::of("paths_are_refused_as_go_refuses_them");
    for (operation, ours) in [
        ("module.CheckPath", (|path| nothing(check_path(path))) as fn(&str) -> Answer),
        ("module.CheckImportPath", |path| nothing(check_import_path(path))),
        ("module.CheckFilePath", |path| nothing(check_file_path(path))),
        ("module.SplitPathVersion", |path| {
            let (prefix, major, ok) = match split_path_version(path) {
                Some((prefix, major)) => (prefix, major, true),
                None => (path, "", false),
            };
            Ok(json!([prefix, major, ok]))
        }),
    ] {
        let paths: Vec<_> = (0..cases()).map(|_| path(&mut dice)).collect();
        judge.check(operation, &paths, |path| (json!([path]), ours(path)));
    }
}

#[test]
fn escapes_are_written_and_read_as_go_does() {
    let Some(mut judge) = Judge::start_or_skip("escapes_are_written_and_read_as_go_does") else { return };
    let mut dice = Dice::of("escapes_are_written_and_read_as_go_does");
    for (operation, ours) in [
        ("module.EscapePath", (|path| text(escape::escape_path(path))) as fn(&str) -> Answer),
        ("module.UnescapePath", |path| text(escape::unescape_path(path))),
        ("module.UnescapeVersion", |version| text(escape::unescape_version(version))),
        ("module.EscapeVersion", |version| match escape::escape_version(version) {
            // Go lets letters beyond ASCII pass the check of a version and fails over them later.
            Err(error) if error.problem == version::VersionProblem::NotAscii => {
                Err("internal error: inconsistency in EscapePath".to_owned())
            }
            escaped => text(escaped),
        }),
    ] {
        let inputs: Vec<_> = (0..cases()).map(|_| escaped(&mut dice)).collect();
        judge.check(operation, &inputs, |input| (json!([input]), ours(input)));
    }
}

#[test]
fn a_version_fits_a_path_as_in_go() {
    let Some(mut judge) = Judge::start_or_skip("a_version_fits_a_path_as_in_go") else { return };
    let mut dice = Dice::of("a_version_fits_a_path_as_in_go");
    let pairs: Vec<_> = (0..cases())
        .map(|_| {
            let path = if dice.once_in(4) { path(&mut dice) } else { format!("x.y/z{}", dice.pick(MAJORS)) };
            (path, dice.pick(VERSIONS))
        })
        .collect();
    judge.check("module.Check", &pairs, |(path, v)| (json!([path, v]), nothing(version::check(path, v))));
    let pairs: Vec<_> = (0..cases()).map(|_| (dice.pick(VERSIONS), dice.pick(MAJORS))).collect();
    judge.check("module.CheckPathMajor", &pairs, |(v, major)| {
        (json!([v, major]), nothing(check_path_major(v, major)))
    });
    let sound = ["", "/v2", "/v10", ".v0", ".v1", ".v2-unstable"];
    judge.check("module.PathMajorPrefix", &sound, |major| {
        (json!([major]), Ok(json!(path_major_prefix(major))))
    });
}

#[test]
fn globs_match_as_in_go() {
    let Some(mut judge) = Judge::start_or_skip("globs_match_as_in_go") else { return };
    let mut dice = Dice::of("globs_match_as_in_go");
    let pairs: Vec<_> = (0..cases()).map(|_| (dice.text(GLOB, 7), dice.text(NAME, 5))).collect();
    judge.check("path.Match", &pairs, |(pattern, name)| {
        let ours = glob::path_match(pattern, name);
        (json!([pattern, name]), ours.map(Value::from).map_err(|error| error.to_string()))
    });
    let pairs: Vec<_> = (0..cases())
        .map(|_| {
            let globs: Vec<_> = (0..dice.below(4)).map(|_| dice.text(GLOB, 5)).collect();
            (globs.join(","), dice.text(NAME, 6))
        })
        .collect();
    judge.check("module.MatchPrefixPatterns", &pairs, |(globs, path)| {
        (json!([globs, path]), Ok(json!(glob::match_prefix_patterns(globs, path))))
    });
}

#[test]
fn texts_are_equal_but_for_case_as_in_go() {
    let Some(mut judge) = Judge::start_or_skip("texts_are_equal_but_for_case_as_in_go") else { return };
    let mut dice = Dice::of("texts_are_equal_but_for_case_as_in_go");
    let pairs: Vec<_> = (0..cases()).map(|_| (dice.text(CASES, 4), dice.text(CASES, 4))).collect();
    judge.check("strings.EqualFold", &pairs, |(a, b)| (json!([a, b]), Ok(json!(equal_fold(a, b)))));
}

const ELEMENTS: &[&str] = &[
    "z",
    "Azure",
    "a-b",
    "a_b",
    "a~b",
    "z~1",
    "z~12.x",
    "v1",
    "v2",
    "v02",
    "v2.0",
    "v",
    "yaml.v2",
    "yaml.v0",
    "yaml.v2-unstable",
    "yaml.v-unstable",
    "yaml.v0-unstable",
    "gopkg.in",
    "CON",
    "con.txt",
    "Com1",
    "lpt9",
    "com0",
    ".",
    "..",
    ".git",
    "a.",
    "-a",
    "a+b",
    "a b",
    "été",
    "日本",
    "e\u{301}",
    "😀",
    "a!",
    "",
    "go.mod",
    "\u{a0}",
    "\u{2028}",
];
const HOSTS: &[&str] =
    &["x.y", "github.com", "gopkg.in", "X.y", "x", "-x.y", ".x", "x.", "x_y.z", "é.x", "", "x.y~1"];
const CHARACTERS: &[&str] = &[
    "a",
    "Z",
    "0",
    "1",
    "/",
    ".",
    "-",
    "~",
    "_",
    "+",
    "!",
    "@",
    "%",
    "\\",
    "\"",
    "'",
    " ",
    "*",
    ":",
    "<",
    "|",
    "é",
    "ſ",
    "K",
    "\u{0}",
    "\u{7f}",
    "\t",
    "\u{300}",
    "\u{fffd}",
    "\u{10ffff}",
    "²",
];
const MAJORS: &[&str] =
    &["", "/v2", "/v10", "/v1", ".v0", ".v1", ".v2", ".v2-unstable", ".v1-unstable", "v2", "/"];
const VERSIONS: &[&str] = &[
    "v0.0.0",
    "v0.1.0",
    "v1.2.3",
    "v1",
    "v2.0.0",
    "v2",
    "v2.0.0+incompatible",
    "v10.0.0-pre",
    "v1.0.0+meta",
    "master",
    "",
    "v0.0.0-20161208181325-20d25e280405",
    "v2.0.0-20161208181325-20d25e280405",
    "v2.1.0+incompatible.x",
];
const GLOB: &[&str] = &[
    "a", "b", "/", "*", "?", "[ab]", "[^a]", "[a-z]", "[é-ω]", "[", "]", "-", "^", "\\", "é", "☺", "x.y",
    "**", "\\*", "[]",
];
const NAME: &[&str] = &["a", "b", "c", "/", "é", "☺", "x.y", "-", "*", "]"];
const CASES: &[&str] =
    &["k", "K", "\u{212a}", "s", "ſ", "σ", "ς", "Σ", "ß", "ẞ", "i", "I", "ı", "İ", "ǆ", "ǅ", "Ǆ"];

fn path(dice: &mut Dice) -> String {
    let mut elements = vec![dice.pick(HOSTS)];
    elements.extend((0..dice.below(4)).map(|_| dice.pick(ELEMENTS)));
    let path = elements.join("/");
    if dice.once_in(4) { dice.spoil(&path, CHARACTERS) } else { path }
}

/// A path, a version or one element, escaped or not.
fn escaped(dice: &mut Dice) -> String {
    let text = match dice.below(3) {
        0 => path(dice),
        1 => dice.pick(ELEMENTS).to_owned(),
        _ => dice.pick(VERSIONS).to_owned(),
    };
    let text = if dice.once_in(2) { escape_anything(&text) } else { text };
    if dice.once_in(4) { dice.spoil(&text, CHARACTERS) } else { text }
}

fn escape_anything(text: &str) -> String {
    let bang =
        |c: char| if c.is_ascii_uppercase() { format!("!{}", c.to_ascii_lowercase()) } else { c.to_string() };
    text.chars().map(bang).collect()
}

fn nothing<E: ToString>(checked: Result<(), E>) -> Answer {
    checked.map(|()| Value::Null).map_err(|error| error.to_string())
}

fn text<E: ToString>(converted: Result<String, E>) -> Answer {
    converted.map(Value::from).map_err(|error| error.to_string())
}
