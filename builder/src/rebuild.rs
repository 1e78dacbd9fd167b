//! Why something is made again: the lines in which the text of its key differs from that of the last time.
//!
//! The pre-image of a key is kept when something is made, under what it is and not under its key: the package or program, its
//! target, and the folder that it is in.

use std::fmt;

use crate::action_id::ActionId;
use crate::goal::Goal;
use crate::gocache::{GoCache, GoCacheError};
use crate::package::Package;

const SALT: &str = "modkeep pre-image 1\n";
/// Lines of an explanation that are shown.
const MOST_LINES: usize = 40;

/// What pre-images of different builds are of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject(ActionId);

/// Why something is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was not made here before, or that was forgotten.
    Unknown,
    /// Nothing has changed: the cache has lost it.
    Lost,
    /// These lines of the key's text went and came.
    Changed(Vec<Line>),
}

/// A line that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It was there the last time.
    Gone(String),
    /// It is there now.
    New(String),
}

impl Subject {
    /// The archive of a package.
    pub(crate) fn package(goal: &Goal<'_>, package: &Package) -> Self {
        Self::of("package", goal, package)
    }

    /// The program of a main package.
    pub(crate) fn program(goal: &Goal<'_>, package: &Package) -> Self {
        Self::of("program", goal, package)
    }

    fn of(kind: &str, goal: &Goal<'_>, package: &Package) -> Self {
        let target = &goal.build.target;
        let (os, arch) = (&target.os, &target.arch);
        let text = format!("{kind} {os}/{arch}\n{}\n{}\n", package.description(), package.dir);
        Self(ActionId::of(SALT, &text))
    }

    /// Remembers the text of its key.
    pub(crate) fn remember(&self, cache: &GoCache, preimage: &str) -> Result<(), GoCacheError> {
        cache.put_bytes(&self.0, preimage.as_bytes()).map(drop)
    }

    /// Why a key with this text was not found.
    pub(crate) fn reason(&self, cache: &GoCache, preimage: &str) -> Reason {
        match cache.bytes(&self.0).and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(before) => Reason::between(&before, preimage),
            None => Reason::Unknown,
        }
    }
}

impl Reason {
    /// The difference between two texts.
    pub fn between(before: &str, after: &str) -> Self {
        if before == after {
            return Self::Lost;
        }
        let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let mut lines = Vec::new();
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        // The texts are lists in a fixed order: what one has and the other hasn't is nearly all that can differ.
        loop {
            match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(a), Some(b)) if a == b => {
                    old.next();
                    new.next();
                }
                (Some(a), _) if !after.contains(a) => {
                    lines.push(Line::Gone((**a).to_owned()));
                    old.next();
                }
                (_, Some(b)) if !before.contains(b) => {
                    lines.push(Line::New((**b).to_owned()));
                    new.next();
                }
                // Both are somewhere in the other: the order is what has changed.
                (a, b) => {
                    lines.extend(a.map(|line| Line::Gone((**line).to_owned())));
                    lines.extend(b.map(|line| Line::New((**line).to_owned())));
                    old.next();
                    new.next();
                }
            }
        }
        Self::Changed(lines)
    }
}

impl fmt::Display for Reason {
    /// Each line begins with a tab and ends with a newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("\tnothing is known of an earlier build\n"),
            Self::Lost => f.write_str("\tnothing has changed, but the cache has lost it\n"),
            Self::Changed(lines) => {
                for line in lines.iter().take(MOST_LINES) {
                    match line {
                        Line::Gone(text) => writeln!(f, "\t- {text}")?,
                        Line::New(text) => writeln!(f, "\t+ {text}")?,
                    }
                }
                match lines.len().saturating_sub(MOST_LINES) {
                    0 => Ok(()),
                    more => writeln!(f, "\tand {more} more"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_lines_that_differ() {
        let check = |before: &str, after: &str, expected: &str| {
            assert_eq!(Reason::between(before, after).to_string(), expected, "{before:?} {after:?}");
        };
        let lost = "\tnothing has changed, but the cache has lost it\n";
        check("a\nb\n", "a\nb\n", lost);
        check("a\nfile x 1\nb\n", "a\nfile x 2\nb\n", "\t- file x 1\n\t+ file x 2\n");
        check("a\nb\n", "a\nnew\nb\n", "\t+ new\n");
        check("a\nold\nb\n", "a\nb\n", "\t- old\n");
        check("a\nb\n", "b\na\n", "\t- a\n\t+ b\n\t- b\n\t+ a\n");
        check("", "a\n", "\t+ a\n");
        let many: String = (0..50).map(|number| format!("{number}\n")).collect();
        assert!(Reason::between("", &many).to_string().ends_with("\t+ 39\n\tand 10 more\n"));
    }
}
