//! The one pass over a plain file. Every doubt is a `None`: the full parser then finds the answer or the error.
//!
//! Plain means: UTF-8; outside of comments only printable ASCII without quotes, brackets and commas; `verb (` alone on its
//! line and `)` alone on its line; every directive right, every version canonical.

use std::borrow::Cow;

use super::{Module, Require, Summary};
use crate::gomod::directive::{Interval, Retract};
use crate::gomod::rule::deprecation;
use crate::gomod::token::is_go_version;
use crate::path::major::{match_path_major, split_path_version};
use crate::semver;

/// What separates words. Other white space is a mistake.
const BLANKS: [char; 3] = [' ', '\t', '\r'];

pub(super) fn read(data: &[u8]) -> Option<Summary<'_>> {
    let text = std::str::from_utf8(data).ok()?;
    let mut reader = Reader::default();
    for line in text.split('\n') {
        reader.line(line)?;
    }
    reader.block.is_none().then_some(reader.summary)
}

#[derive(Default)]
struct Reader<'a> {
    summary: Summary<'a>,
    /// The comments directly above the next line; in a block, an empty one for a blank line.
    above: Vec<&'a str>,
    block: Option<Block<'a>>,
}

struct Block<'a> {
    verb: &'a str,
    /// The comments above its head.
    above: Vec<&'a str>,
    has_lines: bool,
}

/// A line in two: what counts and what explains.
struct Line<'a> {
    code: &'a str,
    /// With its `//`; empty where there is none.
    comment: &'a str,
    has_paren: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) -> Option<()> {
        let start = line.trim_start_matches(BLANKS);
        if start.is_empty() {
            self.blank();
            return Some(());
        }
        if start.starts_with("//") {
            self.above.push(start);
            return Some(());
        }
        let Line { code, comment, has_paren } = cut(start)?;
        if has_paren {
            return self.paren(code.trim_end_matches(BLANKS));
        }
        let (words, count) = split(code);
        match &mut self.block {
            None => self.directive(words[0], [words[1], words[2]], count - 1, comment)?,
            Some(block) => {
                block.has_lines = true;
                let verb = block.verb;
                // Neither verb takes a block; a lax parser skips such blocks whole.
                if !matches!(verb, "go" | "toolchain") {
                    self.directive(verb, [words[0], words[1]], count, comment)?;
                }
            }
        }
        self.above.clear();
        Some(())
    }

    /// A line with parentheses: it opens or closes a block.
    fn paren(&mut self, code: &'a str) -> Option<()> {
        let above = std::mem::take(&mut self.above);
        if code == ")" {
            return self.block.take().map(|_| ());
        }
        let verb = code.strip_suffix('(')?.trim_end_matches(BLANKS);
        let plain = !verb.is_empty() && !verb.contains(['(', ')', ' ', '\t', '\r']) && self.block.is_none();
        self.block = Some(Block { verb, above, has_lines: false });
        plain.then_some(())
    }

    /// A blank line ends a comment at top level. In a block it stands as an empty comment above the next line.
    fn blank(&mut self) {
        match &self.block {
            None => self.above.clear(),
            Some(block) => {
                let wanted = self.above.last().map_or(block.has_lines, |comment| !comment.is_empty());
                if wanted {
                    self.above.push("");
                }
            }
        }
    }

    fn directive(&mut self, verb: &str, args: [&'a str; 2], count: usize, comment: &'a str) -> Option<()> {
        let summary = &mut self.summary;
        match (verb, args, count) {
            ("require", [path, version], 2) => {
                check(path, version)?;
                let (path, version) = (Cow::Borrowed(path), Cow::Borrowed(version));
                summary.requires.push(Require { path, version, indirect: is_indirect(comment) });
            }
            ("module", [path, _], 1) if summary.module.is_none() => {
                let deprecated = deprecation(&self.comments(comment)).to_owned();
                self.summary.module = Some(Module { path: path.into(), deprecated });
            }
            ("go", [version, _], 1) if summary.go.is_none() && is_go_version(version) => {
                summary.go = Some(version.into());
            }
            ("retract", [version, _], 1) => {
                let interval = Interval { low: version.to_owned(), high: version.to_owned() };
                let rationale = self.comments(comment);
                self.summary.retracts.push(Retract { interval, rationale });
            }
            ("ignore", [path, _], 1) => summary.ignores.push(path.into()),
            ("require" | "module" | "go" | "retract" | "ignore", ..) => return None,
            _ => {}
        }
        Some(())
    }

    /// The text of the comments on the current line; of those above the block, where the line has none.
    fn comments(&self, suffix: &'a str) -> String {
        let (above, suffix) = match &self.block {
            Some(block) if self.above.is_empty() && suffix.is_empty() => (&block.above, ""),
            _ => (&self.above, suffix),
        };
        let comments = above.iter().copied().chain([suffix]).filter_map(|comment| comment.strip_prefix("//"));
        comments.map(str::trim).collect::<Vec<_>>().join("\n")
    }
}

/// Parts code from comment; `None` if the code isn't plain.
fn cut(line: &str) -> Option<Line<'_>> {
    let bytes = line.as_bytes();
    let mut end = bytes.len();
    let mut has_paren = false;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'/' => match bytes.get(index + 1) {
                Some(b'/') => {
                    end = index;
                    break;
                }
                Some(b'*') => return None,
                _ => {}
            },
            b'(' | b')' => has_paren = true,
            b'"' | b'\'' | b'`' | b'[' | b']' | b'{' | b'}' | b',' => return None,
            b' ' | b'\t' | b'\r' | b'!'..=b'~' => {}
            _ => return None,
        }
    }
    let (code, comment) = line.split_at(end);
    Some(Line { code, comment, has_paren })
}

/// The first three words, and how many there are.
fn split(code: &str) -> ([&str; 3], usize) {
    let mut words = [""; 3];
    let mut count = 0;
    for word in code.split(BLANKS).filter(|word| !word.is_empty()) {
        if let Some(place) = words.get_mut(count) {
            *place = word;
        }
        count += 1;
    }
    (words, count)
}

/// Whether a requirement needs nothing done to it.
fn check(path: &str, version: &str) -> Option<()> {
    let parts = semver::parse(version)?;
    let canonical = parts.missing.is_empty() && matches!(parts.build, "" | "+incompatible");
    let (_, path_major) = split_path_version(path)?;
    let fits =
        (path_major.is_empty() && matches!(parts.major, "0" | "1")) || match_path_major(version, path_major);
    (canonical && fits).then_some(())
}

fn is_indirect(comment: &str) -> bool {
    let Some(text) = comment.strip_prefix("//") else { return false };
    let mut words = text.split_whitespace();
    match words.next() {
        Some("indirect") => words.next().is_none(),
        Some("indirect;") => words.next().is_some(),
        _ => false,
    }
}
