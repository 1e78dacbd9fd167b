//! What the tool found, from JSON to lines for a person.
//!
//! Source of the rules: `cmd/go/internal/vet/vet.go` (`printJSONDiagnostics`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::goenv::GoEnv;
use crate::report;

/// What was found in packages, by their paths and the names of the analyzers.
type Findings = BTreeMap<String, BTreeMap<String, Finding>>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Finding {
    Diagnostics(Vec<Diagnostic>),
    Failed { error: String },
}

/// Something that is likely to be wrong.
#[derive(Deserialize)]
struct Diagnostic {
    posn: String,
    #[serde(default)]
    end: String,
    message: String,
    #[serde(default)]
    related: Vec<Related>,
}

/// Another place that has to do with it.
#[derive(Deserialize)]
struct Related {
    posn: String,
    #[serde(default)]
    end: String,
    message: String,
}

/// Where a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Position<'a> {
    /// As in `file.go:3:2`; nothing for another text.
    fn parse(text: &'a str) -> Option<Self> {
        let (rest, column) = text.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some(Self { file, line: line.parse().ok()?, column: column.parse().ok()? })
    }
}

/// Tells what was found in one package, with lines of the source around each if there is a number of them; says whether
/// anything was.
pub(super) fn tell(go: &GoEnv, context: Option<usize>, json: &[u8]) -> bool {
    if json.is_empty() {
        return false;
    }
    let findings: Findings = match serde_json::from_slice(json) {
        Ok(findings) => findings,
        Err(error) => {
            report::tell(&format!("parsing JSON: {error}"));
            return true;
        }
    };
    let mut has_found = false;
    for (package, finding) in findings.iter().flat_map(|(path, of)| of.values().map(move |one| (path, one))) {
        match finding {
            Finding::Failed { error } => {
                has_found = true;
                report::tell(&format!("{package}: {error}"));
            }
            Finding::Diagnostics(diagnostics) => {
                for diagnostic in diagnostics {
                    has_found = true;
                    tell_one(go, context, &diagnostic.posn, &diagnostic.end, &diagnostic.message);
                    for related in &diagnostic.related {
                        let message = format!("\t{}", related.message);
                        tell_one(go, context, &related.posn, &related.end, &message);
                    }
                }
            }
        }
    }
    has_found
}

fn tell_one(go: &GoEnv, context: Option<usize>, start: &str, end: &str, message: &str) {
    let position = Position::parse(start);
    match position {
        Some(Position { file, line, column }) => {
            report::tell(&format!("{}:{line}:{column}: {message}", go.short(file)));
        }
        None => report::tell(&format!("{start}: {message}")),
    }
    let end = if end.is_empty() { start } else { end };
    let (Some(context), Some(first), Some(last)) = (context, position, Position::parse(end)) else {
        return;
    };
    // A file that can't be read any more has no lines.
    let text = std::fs::read(first.file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line));
    let range = first.line.saturating_sub(context)..=last.line + context;
    for (number, line) in lines.filter(|(number, _)| range.contains(number)) {
        report::tell(&format!("{number}\t{line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_ends_in_a_line_and_a_column() {
        let check = |text, expected: Option<(&str, usize, usize)>| {
            let found = Position::parse(text).map(|at| (at.file, at.line, at.column));
            assert_eq!(found, expected, "{text}");
        };
        check("/a/b.go:3:2", Some(("/a/b.go", 3, 2)));
        check("/a:b.go:3:2", Some(("/a:b.go", 3, 2)));
        check("b.go:3", None);
        check("b.go:x:2", None);
        check("-", None);
    }

    #[test]
    fn analyzers_tell_lists_or_why_they_failed() {
        let json = r#"{"p": {"printf": [{"posn": "a.go:1:2", "end": "a.go:1:3", "message": "no"}],
            "shift": {"error": "failed prerequisites: inspect"}}}"#;
        let findings: Findings = serde_json::from_str(json).unwrap();
        let of_package = &findings["p"];
        assert!(matches!(&of_package["printf"], Finding::Diagnostics(list) if list[0].message == "no"));
        assert!(matches!(&of_package["shift"], Finding::Failed { error } if error.contains("inspect")));
    }
}
