//! For which targets a file is: its `//go:build` line, or the `// +build` lines where there is none.

use crate::constraint::{self, ConstraintError, Expression};
use crate::tags::Tags;

/// For which targets a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// For all of them.
    Always,
    /// For those for which every expression holds: the one of `//go:build`, or those of the `// +build` lines.
    All(Vec<Expression>),
}

/// Why it can't be told for which targets a file is; the words are those of `go/build`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Two `//go:build` lines.
    #[error("multiple //go:build comments")]
    Multiple,
    /// A malformed `//go:build` line.
    #[error("parsing //go:build line: {0}")]
    Line(#[source] ConstraintError),
}

impl Condition {
    /// Whether the file is for the target.
    pub fn holds(&self, tags: &Tags) -> bool {
        match self {
            Self::Always => true,
            Self::All(expressions) => expressions.iter().all(|x| x.eval(&|tag| tags.holds(tag))),
        }
    }

    /// Reads the leading comments of a file (`go/build/build.go:shouldBuild`).
    pub(super) fn read(text: &[u8]) -> Result<Self, ConditionError> {
        let lead = Lead::read(text)?;
        if let Some(line) = lead.go_build {
            let line = String::from_utf8_lossy(line);
            return match constraint::parse(&line) {
                Ok(expression) => Ok(Self::All(vec![expression])),
                Err(error) => Err(ConditionError::Line(error)),
            };
        }
        let expressions: Vec<_> = lead.old.split(|&b| b == b'\n').filter_map(old_line).collect();
        Ok(if expressions.is_empty() { Self::Always } else { Self::All(expressions) })
    }
}

/// A `// +build` line; one that can't be read is passed over, as in go.
fn old_line(line: &[u8]) -> Option<Expression> {
    let line = line.trim_ascii();
    if !line.starts_with(b"//") || memchr::memmem::find(line, b"+build").is_none() {
        return None;
    }
    let line = String::from_utf8_lossy(line);
    constraint::split_plus_build(&line)?;
    constraint::parse(&line).ok()
}

struct Lead<'a> {
    go_build: Option<&'a [u8]>,
    /// The lines where `// +build` counts: those before the last blank line above what is no `//` comment.
    old: &'a [u8],
}

impl<'a> Lead<'a> {
    /// `go/build/build.go:parseFileHeader`.
    fn read(text: &'a [u8]) -> Result<Self, ConditionError> {
        let mut go_build = None;
        let (mut next, mut end) = (0, 0);
        let (mut ended, mut inside) = (false, false);
        while next < text.len() {
            let rest = &text[next..];
            let length = memchr::memchr(b'\n', rest);
            next += length.map_or(rest.len(), |length| length + 1);
            let line = rest[..length.unwrap_or(rest.len())].trim_ascii();
            if line.is_empty() && !ended {
                end = next;
                continue;
            }
            ended |= !line.starts_with(b"//");
            if !inside && is_go_build(line) && go_build.replace(line).is_some() {
                return Err(ConditionError::Multiple);
            }
            match after_comments(line, inside) {
                Some(still) => inside = still,
                None => break,
            }
        }
        Ok(Self { go_build, old: &text[..end] })
    }
}

fn is_go_build(line: &[u8]) -> bool {
    line.strip_prefix(b"//go:build")
        .is_some_and(|rest| rest.is_empty() || rest.trim_ascii_start().len() < rest.len())
}

/// Whether a `/*` comment is open where the line ends; `None` when there is more than comments on it.
fn after_comments(mut line: &[u8], mut inside: bool) -> Option<bool> {
    while !line.is_empty() {
        if inside {
            let Some(close) = memchr::memmem::find(line, b"*/") else {
                return Some(true);
            };
            inside = false;
            line = line[close + 2..].trim_ascii();
        } else if line.starts_with(b"//") {
            return Some(false);
        } else if let Some(rest) = line.strip_prefix(b"/*") {
            inside = true;
            line = rest.trim_ascii();
        } else {
            return None;
        }
    }
    Some(inside)
}

/// The comments and blanks that a text begins with; `None` when they are malformed or hold a NUL.
pub(super) fn leading_comments(text: &[u8]) -> Option<&[u8]> {
    let mut next = 0;
    while let Some(&byte) = text.get(next) {
        let rest = &text[next..];
        next += match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' | b';' => 1,
            b'/' if rest.starts_with(b"//") => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => memchr::memmem::find(&rest[2..], b"*/")? + 4,
            b'/' | 0 => return None,
            _ => break,
        };
    }
    let comments = &text[..next];
    memchr::memchr(0, comments).is_none().then_some(comments)
}
