//! Versions and pseudo-versions: the same answers as golang.org/x/mod, for random texts and for its own tables.

use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::{Answer, Judge};
use modkeep_module::version::canonical_version;
use modkeep_module::{Version, pseudo, semver};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn semver_answers_as_go_does() {
    let Some(mut judge) = Judge::start_or_skip("semver_answers_as_go_does") else { return };
    let mut dice = Dice::of("semver_answers_as_go_does");
    for (operation, ours) in [
        ("semver.IsValid", (|v| json!(semver::is_valid(v))) as fn(&str) -> Value),
        ("semver.Canonical", |v| json!(semver::canonical(v).unwrap_or_default())),
        ("semver.Major", |v| json!(semver::major(v))),
        ("semver.MajorMinor", |v| json!(semver::major_minor(v))),
        ("semver.Prerelease", |v| json!(semver::prerelease(v))),
        ("semver.Build", |v| json!(semver::build(v))),
        ("module.CanonicalVersion", |v| json!(canonical_version(v).unwrap_or_default())),
    ] {
        let texts: Vec<_> = (0..cases()).map(|_| version_text(&mut dice)).collect();
        judge.check(operation, &texts, |text| (json!([text]), Ok(ours(text))));
    }
    let pairs: Vec<_> = (0..cases()).map(|_| version_pair(&mut dice)).collect();
    judge.check("semver.Compare", &pairs, |(v, w)| (json!([v, w]), Ok(json!(semver::compare(v, w) as i8))));
    judge.check("semver.Max", &pairs, |(v, w)| (json!([v, w]), Ok(json!(semver::max(v, w)))));
    let lists: Vec<Vec<_>> =
        (0..cases() / 10).map(|_| (0..dice.below(20)).map(|_| version_text(&mut dice)).collect()).collect();
    judge.check("semver.Sort", &lists, |list| {
        let mut sorted = list.clone();
        semver::sort(&mut sorted);
        (json!([list]), Ok(json!(sorted)))
    });
}

#[test]
fn pseudo_versions_are_read_as_go_reads_them() {
    let Some(mut judge) = Judge::start_or_skip("pseudo_versions_are_read_as_go_reads_them") else { return };
    let mut dice = Dice::of("pseudo_versions_are_read_as_go_reads_them");
    for (operation, ours) in [
        ("module.IsPseudoVersion", (|v| Ok(json!(pseudo::is_pseudo_version(v)))) as fn(&str) -> Answer),
        ("module.IsZeroPseudoVersion", |v| Ok(json!(pseudo::is_zero_pseudo_version(v)))),
        ("module.PseudoVersionBase", |v| match pseudo::pseudo_version_base(v) {
            Ok(base) => Ok(json!(base.unwrap_or_default())),
            Err(error) => Err(error.to_string()),
        }),
        ("module.PseudoVersionRev", |v| match pseudo::pseudo_version_rev(v) {
            Ok(revision) => Ok(json!(revision)),
            Err(error) => Err(error.to_string()),
        }),
        ("module.PseudoVersionTime", |v| match pseudo::pseudo_version_time(v) {
            Ok(time) => Ok(json!(format!("{time}Z"))),
            Err(error) => Err(error.to_string()),
        }),
    ] {
        let texts: Vec<_> = (0..cases()).map(|_| pseudo_text(&mut dice)).collect();
        judge.check(operation, &texts, |text| (json!([text]), ours(text)));
    }
}

#[test]
fn pseudo_versions_are_made_as_go_makes_them() {
    let Some(mut judge) = Judge::start_or_skip("pseudo_versions_are_made_as_go_makes_them") else { return };
    let mut dice = Dice::of("pseudo_versions_are_made_as_go_makes_them");
    let commits: Vec<_> = (0..cases())
        .map(|_| {
            let [year, month, day, hour, minute, second] =
                [10_000, 12, 28, 24, 60, 60].map(|limit| dice.below(limit));
            let time = format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", month + 1, day + 1);
            let older = if dice.once_in(4) { String::new() } else { version_text(&mut dice) };
            (dice.pick(&["", "v0", "v1", "v2", "v18446744073709551616"]), older, time, dice.text(HEX, 12))
        })
        .collect();
    judge.check("module.PseudoVersion", &commits, |(major, older, time, revision)| {
        let ours = pseudo::pseudo_version(major, older, time.parse().unwrap(), revision);
        (json!([major, older, format!("{time}Z"), revision]), Ok(json!(ours)))
    });
    judge.check("module.ZeroPseudoVersion", &["", "v0", "v1", "v22"], |major| {
        (json!([major]), Ok(json!(pseudo::zero_pseudo_version(major))))
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() as u32, failure_persistence: None, ..ProptestConfig::default() })]

    // The semver crate has the same precedence where it can read a version: numbers of 64 bits, nothing short.
    #[test]
    fn precedence_is_that_of_semver_org(v in semver_text(), w in semver_text()) {
        let theirs = |text: &str| ::semver::Version::parse(&text[1..]).expect("a version by its grammar");
        prop_assert_eq!(semver::compare(&v, &w), theirs(&v).cmp_precedence(&theirs(&w)));
    }

    #[test]
    fn versions_order_as_their_texts_do(v in semver_text(), w in semver_text()) {
        if let (Ok(a), Ok(b)) = (Version::parse(&v), Version::parse(&w)) {
            prop_assert_eq!(a.cmp(&b), semver::compare_then_text(&v, &w));
        }
    }
}

fn semver_text() -> impl Strategy<Value = String> {
    "v([0-2]|4095|4096)\\.(0|1|10|1048575|1048576)\\.([0-2]|2147483647|2147483648)(-(0|1|10|a|A|a-9|a-10|rc)(\\.(0|2|10|b|beta)){0,2})?(\\+[a-c]|\\+incompatible)?"
}

const NUMBERS: &[&str] = &["0", "1", "2", "9", "10", "99", "01", "1000", "18446744073709551616", ""];
const IDENTIFIERS: &[&str] = &[
    "0",
    "1",
    "10",
    "01",
    "alpha",
    "beta",
    "rc1",
    "RC",
    "pre",
    "a-b",
    "a-9",
    "a-10",
    "-",
    "incompatible",
    "18446744073709551616",
];
const PIECES: &[&str] = &["v", "0", "1", "9", ".", "-", "+", "a", "Z", "_", " ", "é", "/", "00", "-0.", "\n"];
const HEX: &[&str] = &["0", "1", "9", "a", "f"];

fn version_text(dice: &mut Dice) -> String {
    let mut text = String::from(if dice.once_in(30) { "" } else { "v" });
    let numbers = if dice.once_in(4) { 1 + dice.below(4) } else { 3 };
    text += &(0..numbers).map(|_| dice.pick(NUMBERS)).collect::<Vec<_>>().join(".");
    for mark in ["-", "+"] {
        if dice.once_in(2) {
            text += mark;
            text += &(0..1 + dice.below(3)).map(|_| dice.pick(IDENTIFIERS)).collect::<Vec<_>>().join(".");
        }
    }
    if dice.once_in(8) { dice.spoil(&text, PIECES) } else { text }
}

/// Two versions, often near each other.
fn version_pair(dice: &mut Dice) -> (String, String) {
    let v = version_text(dice);
    let w = if dice.once_in(2) { version_text(dice) } else { dice.spoil(&v, PIECES) };
    (v, w)
}

fn pseudo_text(dice: &mut Dice) -> String {
    let base = match dice.below(4) {
        0 => format!("v{}.0.0-", dice.pick(NUMBERS)),
        1 => format!("v{}.{}.{}-0.", dice.pick(NUMBERS), dice.pick(NUMBERS), dice.pick(NUMBERS)),
        2 => format!("v1.2.{}-{}.0.", dice.pick(NUMBERS), dice.pick(IDENTIFIERS)),
        _ => format!("{}-{}", version_text(dice), dice.pick(&["", "0.", "0"])),
    };
    let time = match dice.below(3) {
        0 => "00010101000000".to_owned(),
        1 => (0..14).map(|_| dice.pick(&["0", "1", "2", "3"])).collect(),
        _ => format!(
            "{:04}0{}2{}1{}2{}5{}",
            dice.below(10_000),
            1 + dice.below(9),
            dice.below(10),
            dice.below(10),
            dice.below(10),
            dice.below(10)
        ),
    };
    let revision = if dice.once_in(4) { "000000000000".to_owned() } else { dice.text(HEX, 12) };
    let build = dice.pick(&["", "", "+incompatible", "+other.meta"]);
    let text = format!("{base}{time}-{revision}{build}");
    if dice.once_in(8) { dice.spoil(&text, PIECES) } else { text }
}
