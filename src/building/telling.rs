//! How what a build tells is said: as it stands, or in events.

use std::io::Write;

use modkeep_builder::transcript::Told;
use serde::Serialize;

use crate::gojson;

/// On stderr.
pub(super) fn tell_as_text(told: Told<'_>) {
    // Nobody is left to be told when stderr is gone.
    let _ = std::io::stderr().lock().write_all(told.text.as_bytes());
}

/// The same for what is of no package.
pub(super) fn tell_line(text: &str) {
    tell_as_text(Told { package: "", text, is_failure: false });
}

/// What happens in a build (`go help buildjson`).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BuildEvent<'a> {
    import_path: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    output: &'a str,
}

/// One event a line (`load/printer.go:JSONPrinter`).
pub(super) fn events(told: &Told<'_>) -> String {
    let mut out = String::new();
    let mut event = |action: &str, output: &str| {
        let event = BuildEvent { import_path: told.package, action, output };
        out.push_str(&gojson::compact(&event).expect("events have texts for keys"));
        out.push('\n');
    };
    if told.is_failure {
        told.text.split_inclusive('\n').for_each(|line| event("build-output", line));
        event("build-fail", "");
    } else if !told.text.is_empty() {
        event("build-output", told.text);
    }
    out
}
