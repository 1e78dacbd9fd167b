//! JSON as Go's encoder writes it: tabs, and `<`, `>` and `&` escaped.

use modkeep_module::gomod::Replace;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use crate::report::Failure;

/// A module and, if it has one, its version.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PathVersion<'a> {
    pub(crate) path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) version: &'a str,
}

/// What a replace directive says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Replacement<'a> {
    old: PathVersion<'a>,
    new: PathVersion<'a>,
}

impl<'a> Replacement<'a> {
    /// That of a directive.
    pub(crate) fn of(line: &'a Replace) -> Self {
        let pair = |path, version: &'a Option<String>| PathVersion {
            path,
            version: version.as_deref().unwrap_or_default(),
        };
        Self { old: pair(&line.old_path, &line.old_version), new: pair(&line.new_path, &line.new_version) }
    }
}

/// A list that is left out when it is empty, or `null` for releases before 1.27.
pub(crate) enum List<T> {
    /// Something, or nothing to be left out.
    Some(Vec<T>),
    /// Nothing, shown.
    Null,
}

impl<T> List<T> {
    /// The items, in the form of the release.
    pub(crate) fn of(items: impl Iterator<Item = T>, shows_empty: bool) -> Self {
        let items: Vec<T> = items.collect();
        if items.is_empty() && shows_empty { Self::Null } else { Self::Some(items) }
    }

    /// Whether nothing of it is shown.
    pub(crate) fn is_left_out(&self) -> bool {
        matches!(self, Self::Some(items) if items.is_empty())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Some(items) => items.serialize(serializer),
            Self::Null => serializer.serialize_none(),
        }
    }
}

/// The value with a tab for each level, and a newline at the end.
pub(crate) fn indented(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"\t"));
    value.serialize(&mut serializer).map_err(|error| Failure::go(format!("internal error: {error}")))?;
    let mut escaped = escaped(&String::from_utf8_lossy(&text));
    escaped.push('\n');
    Ok(escaped)
}

/// The value in one line, without a newline.
pub(crate) fn compact(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(escaped(&serde_json::to_string(value)?))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    // These stand only inside strings, so that their place needs no look.
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_could_misread_is_escaped() {
        let value = PathVersion { path: "a<b>&\u{2028}\"\u{8}\u{1}é", version: "" };
        assert_eq!(
            indented(&value).unwrap(),
            "{\n\t\"Path\": \"a\\u003cb\\u003e\\u0026\\u2028\\\"\\b\\u0001é\"\n}\n"
        );
    }
}
