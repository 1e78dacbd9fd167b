//! `.info` documents: whatever is accepted means to us what it means to Go, and what Go refuses is refused.

use data_encoding::BASE64;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::{Answer, Judge};
use modkeep_module::info::{Info, InfoError, Origin};
use serde_json::{Value, json};

#[test]
fn a_document_means_what_it_means_to_go() {
    let Some(mut judge) = Judge::start_or_skip("a_document_means_what_it_means_to_go") else { return };
    let mut dice = Dice::of("a_document_means_what_it_means_to_go");
    let documents: Vec<_> = (0..cases()).map(|_| document(&mut dice)).collect();
    let questions: Vec<_> =
        documents.iter().map(|text| ("modfetch.RevInfo", json!([BASE64.encode(text.as_bytes())]))).collect();
    let mut accepted = 0;
    for (text, theirs) in documents.iter().zip(judge.ask_all(&questions)) {
        accepted += usize::from(agrees(text, &theirs));
    }
    assert!(accepted > documents.len() / 10, "{accepted} of {} accepted", documents.len());
}

/// Whether both accept a document; fails when only we do, when we read another thing, or refuse for no known reason.
fn agrees(text: &str, theirs: &Answer) -> bool {
    match (Info::parse(text.as_bytes()), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(json!(ours.version), theirs[0], "{text}");
            assert_eq!(origin(ours.origin.as_ref()), theirs[2], "{text}");
            let whole_seconds = ours.time.as_deref().unwrap_or("0001-01-01T00:00:00Z").replace(".5", "");
            assert_eq!(json!(whole_seconds.replace("+00:00", "Z")), theirs[1], "{text}");
            true
        }
        (Ok(_), Err(theirs)) => panic!("only we accept {text}: {theirs}"),
        (Err(_), Err(_)) => false,
        // Stricter than Go: a field twice, no version, a time that is only nearly RFC 3339, half a surrogate pair,
        // no object but null.
        (Err(InfoError::Twice(_) | InfoError::Missing(_) | InfoError::Time(_)), Ok(_)) => false,
        (Err(InfoError::Json { source, .. }), Ok(_)) if source.to_string().contains("hex escape") => false,
        (Err(_), Ok(_)) if text.trim() == "null" => false,
        (Err(ours), Ok(_)) => panic!("only Go accepts {text}: {ours}"),
    }
}

fn origin(ours: Option<&Origin>) -> Value {
    ours.map_or(Value::Null, |origin| {
        json!({
            "VCS": origin.vcs, "URL": origin.url, "Subdir": origin.subdir, "Hash": origin.hash,
            "TagPrefix": origin.tag_prefix, "TagSum": origin.tag_sum, "Ref": origin.reference,
            "RepoSum": origin.repo_sum,
        })
    })
}

const NAMES: &[&str] = &[
    "Version",
    "Version",
    "Version",
    "version",
    "VERSION",
    "Ver\u{17f}ion",
    "Time",
    "Time",
    "time",
    "Origin",
    "Other",
    "",
];
const ORIGIN_NAMES: &[&str] =
    &["VCS", "URL", "Subdir", "Hash", "TagPrefix", "TagSum", "Ref", "RepoSum", "url", "Hash\u{0}", "Other"];
const STRINGS: &[&str] = &["\"v1.2.3\"", "\"\"", "\"a\\u00e9\\n\"", "\"\\ud83d\\ude00\"", "\"é😀\"", "null"];
const OTHERS: &[&str] = &["1", "true", "[\"a\"]", "{}", "\"\\ud83d\"", "\"\\x\"", "-1e400", ""];
const TIMES: &[&str] = &[
    "\"2019-01-29T23:31:27Z\"",
    "\"2019-01-29T23:31:27.5Z\"",
    "\"2019-01-29T23:31:27+01:00\"",
    "\"2020-02-29T23:31:27-11:30\"",
    "\"2019-02-29T23:31:27Z\"",
    "\"2019-01-29\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"2019-01-29T23:31:60Z\"",
    "null",
    "\"\"",
];
const PIECES: &[&str] =
    &["{", "}", "\"", ":", ",", " ", "\\", "0", "[", "]", "null", "\n", "\t", "Z", "-", "."];

fn document(dice: &mut Dice) -> String {
    let fields = (0..dice.below(5)).map(|_| {
        let name = dice.pick(NAMES);
        let value = match name {
            "Time" | "time" => dice.pick(TIMES).to_owned(),
            "Origin" if !dice.once_in(6) => {
                let fields = (0..dice.below(4)).map(|_| field(dice.pick(ORIGIN_NAMES), string(dice)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            _ => string(dice).to_owned(),
        };
        field(name, &value)
    });
    let document = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    match dice.below(12) {
        0 => dice.spoil(&document, PIECES),
        1 => string(dice).to_owned(),
        _ => document,
    }
}

/// The JSON of a string, or now and then of something else.
fn string(dice: &mut Dice) -> &'static str {
    let kind = if dice.once_in(10) { OTHERS } else { STRINGS };
    dice.pick(kind)
}

fn field(name: &str, value: &str) -> String {
    format!("{}:{value}", json!(name))
}
