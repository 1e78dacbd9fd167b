//! The escaped form of paths and versions, for URLs and file names that must not depend on case.
//!
//! Each upper-case letter becomes `!` and its lower-case form. Reading it back is strict: a raw upper-case
//! letter, a `!` before anything but `a` to `z` and any non-ASCII character are refused, so that one thing has
//! one escaped form.

use crate::path::element::check_element;
use crate::path::{PathError, PathKind, PathProblem, check_path};
use crate::quote::quote;
use crate::version::{VersionError, VersionProblem};

/// An escaped text that is no escape of anything allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each is its meaning")]
pub enum EscapeError {
    #[error("invalid escaped module path {}", quote(.0))]
    Path(String),
    #[error("invalid escaped module path {}: {problem}", quote(escaped))]
    PathRule { escaped: String, problem: PathError },
    #[error("invalid escaped version {}", quote(.0))]
    Version(String),
    #[error("invalid escaped version {}: {problem}", quote(version))]
    VersionRule { version: String, problem: PathProblem },
}

/// The escaped form of a module path (`module.EscapePath`).
pub fn escape_path(path: &str) -> Result<String, PathError> {
    check_path(path)?;
    Ok(escape_ascii(path))
}

/// The escaped form of a version or of any other revision name that can be asked for (`module.EscapeVersion`).
pub fn escape_version(version: &str) -> Result<String, VersionError> {
    let refuse = |problem| Err(VersionError::new(version, problem));
    if check_element(version, PathKind::File).is_err() || version.contains('!') {
        return refuse(VersionProblem::Disallowed);
    }
    if !version.is_ascii() {
        return refuse(VersionProblem::NotAscii);
    }
    Ok(escape_ascii(version))
}

/// The module path behind an escaped form (`module.UnescapePath`).
pub fn unescape_path(escaped: &str) -> Result<String, EscapeError> {
    let path = unescape(escaped).ok_or_else(|| EscapeError::Path(escaped.to_owned()))?;
    match check_path(&path) {
        Ok(()) => Ok(path),
        Err(problem) => Err(EscapeError::PathRule { escaped: escaped.to_owned(), problem }),
    }
}

/// The version or revision name behind an escaped form (`module.UnescapeVersion`).
pub fn unescape_version(escaped: &str) -> Result<String, EscapeError> {
    let version = unescape(escaped).ok_or_else(|| EscapeError::Version(escaped.to_owned()))?;
    match check_element(&version, PathKind::File) {
        Ok(()) => Ok(version),
        Err(problem) => Err(EscapeError::VersionRule { version, problem }),
    }
}

/// Escapes a text that is known to be ASCII without `!`.
pub(crate) fn escape_ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 4);
    push_escaped(&mut escaped, text);
    escaped
}

/// Puts the escaped form of a path or version that was found right before behind other text.
pub fn push_escaped(escaped: &mut String, text: &str) {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return escaped.push_str(text);
    }
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
}

fn unescape(escaped: &str) -> Option<String> {
    let mut text = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => text.push(chars.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            _ if c.is_ascii() && !c.is_ascii_uppercase() => text.push(c),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_letters_travel_as_a_bang_and_a_lower_case_letter() {
        for (path, escaped) in [
            ("x.y/z", "x.y/z"),
            ("github.com/Azure/azure-sdk", "github.com/!azure/azure-sdk"),
            ("x.y/ABC", "x.y/!a!b!c"),
        ] {
            assert_eq!(escape_path(path).unwrap(), escaped);
            assert_eq!(unescape_path(escaped).unwrap(), path);
        }
        assert_eq!(escape_version("v1.0.0-RC1").unwrap(), "v1.0.0-!r!c1");
        assert_eq!(unescape_version("v1.0.0-!r!c1").unwrap(), "v1.0.0-RC1");
    }

    #[test]
    fn a_text_that_nothing_escapes_to_is_refused() {
        for (escaped, want) in [
            ("x.y/Z", "invalid escaped module path \"x.y/Z\""),
            ("x.y/z!", "invalid escaped module path \"x.y/z!\""),
            ("x.y/!1", "invalid escaped module path \"x.y/!1\""),
            ("x.y/!!a", "invalid escaped module path \"x.y/!!a\""),
            ("x.y/é", "invalid escaped module path \"x.y/é\""),
            (
                "!x.y",
                "invalid escaped module path \"!x.y\": malformed module path \"X.y\": invalid char 'X' in first path element",
            ),
        ] {
            assert_eq!(unescape_path(escaped).unwrap_err().to_string(), want);
        }
        for (escaped, want) in [
            ("V1", "invalid escaped version \"V1\""),
            ("a/b", "invalid escaped version \"a/b\": invalid char '/'"),
            ("..", "invalid escaped version \"..\": invalid path element \"..\""),
        ] {
            assert_eq!(unescape_version(escaped).unwrap_err().to_string(), want);
        }
        let disallowed = "version \"a!b\" invalid: disallowed version string";
        assert_eq!(escape_version("a!b").unwrap_err().to_string(), disallowed);
    }
}
