//! The name of a small value or a cell.
//!
//! A key is text that every home can carry as it is: an object name in a bucket, a record in a segment. It is never a path
//! in a file system, so nothing in it can climb out of a folder; dot elements are refused all the same, because buckets are
//! also looked at through tools that do make paths of names.

use std::fmt;
use std::sync::Arc;

/// The longest key, in bytes: S3's 1 024 less room for a prefix.
const MAX_KEY: usize = 900;

/// A `/`-separated name: 1 to 900 bytes of UTF-8 without control characters, no empty, `.` or `..` element.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let refused = |why| Err(KeyError { key: text.chars().take(120).collect(), why });
        if text.len() > MAX_KEY {
            return refused("longer than 900 bytes");
        }
        if text.chars().any(char::is_control) {
            return refused("a control character");
        }
        if text.split('/').any(|element| matches!(element, "" | "." | "..")) {
            return refused("an empty or dot element");
        }
        Ok(Self(text.into()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

/// The text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("store key `{key}` has {why}")]
pub struct KeyError {
    key: String,
    why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, valid: bool) {
        assert_eq!(Key::parse(text).is_ok(), valid, "{text:?}");
    }

    #[test]
    fn keys_are_relative_paths_without_tricks() {
        check("a", true);
        check("mod/github.com/!azure/x@v1.0.0+incompatible", true);
        check("a b/…/..c/.d", true);
        check("", false);
        check("/a", false);
        check("a/", false);
        check("a//b", false);
        check("a/./b", false);
        check("../a", false);
        check("a\0b", false);
        check("a\nb", false);
        check("a\u{7f}", false);
        check(&"k".repeat(900), true);
        check(&"k".repeat(901), false);
    }
}
