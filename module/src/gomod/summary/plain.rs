//! The one pass over a plain file. Every doubt is a `None`: the full parser then finds the answer or the error.
//!
//! Plain means: UTF-8; outside of comments only printable ASCII without quotes, brackets and commas; `verb (` alone on its
//! line and `)` alone on its line; every directive right, every version canonical.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Module, Require, Summary};
use crate::gomod::directive::{Interval, Retract};
use crate::gomod::rule::deprecation;
use crate::gomod::token::{is_go_version, is_plain};
use crate::path::major::{match_path_major, split_path_version};
use crate::semver;

pub(super) fn read(data: &[u8]) -> Option<Summary<'_>> {
    let text = std::str::from_utf8(data).ok()?;
    let mut reader = Reader::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = scan(rest)?;
        reader.line(line)?;
        rest = after;
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
    /// Their text, once a line without comments has asked for it.
    text: Option<Arc<str>>,
    has_lines: bool,
}

/// What a line consists of.
#[derive(Default)]
struct Line<'a> {
    /// The first three words.
    words: [&'a str; 3],
    /// How many words there are.
    count: usize,
    /// The `(` or `)` that ends the line.
    paren: Option<u8>,
    /// With its `//`; empty where there is none.
    comment: &'a str,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: Line<'a>) -> Option<()> {
        match line {
            Line { count: 0, paren: None, comment: "", .. } => self.blank(),
            Line { count: 0, paren: None, comment, .. } => self.above.push(comment),
            Line { paren: Some(paren), .. } => self.paren(paren, &line)?,
            Line { words, count, comment, .. } => {
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
            }
        }
        Some(())
    }

    /// The line that opens or closes a block.
    fn paren(&mut self, paren: u8, line: &Line<'a>) -> Option<()> {
        let above = std::mem::take(&mut self.above);
        match (paren, line.count, &self.block) {
            (b'(', 1, None) => {
                self.block = Some(Block { verb: line.words[0], above, text: None, has_lines: false })
            }
            (b')', 0, Some(_)) => self.block = None,
            _ => return None,
        }
        Some(())
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
    fn comments(&mut self, suffix: &'a str) -> Arc<str> {
        match &mut self.block {
            Some(block) if self.above.is_empty() && suffix.is_empty() => {
                let above = &block.above;
                block.text.get_or_insert_with(|| comment_text(above, "")).clone()
            }
            _ => comment_text(&self.above, suffix),
        }
    }
}

fn comment_text(above: &[&str], suffix: &str) -> Arc<str> {
    let comments = above.iter().copied().chain([suffix]).filter_map(|comment| comment.strip_prefix("//"));
    comments.map(str::trim).collect::<Vec<_>>().join("\n").into()
}

/// Takes the first line apart; also what follows it. `None` if it isn't plain.
fn scan(text: &str) -> Option<(Line<'_>, &str)> {
    let bytes = text.as_bytes();
    let mut line = Line::default();
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b' ' | b'\t' | b'\r' => index += 1,
            b'\n' => return Some((line, &text[index + 1..])),
            b'/' if bytes[index..].starts_with(b"//") => {
                let (comment, rest) = text[index..].split_once('\n').unwrap_or((&text[index..], ""));
                line.comment = comment;
                return Some((line, rest));
            }
            b'(' | b')' if line.paren.is_none() => {
                line.paren = Some(*byte);
                index += 1;
            }
            _ if line.paren.is_none() => {
                let end = index + word(&bytes[index..])?;
                if let Some(place) = line.words.get_mut(line.count) {
                    *place = &text[index..end];
                }
                line.count += 1;
                index = end;
            }
            _ => return None,
        }
    }
    Some((line, ""))
}

/// The length of the plain word that the text begins with.
fn word(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        length += bytes[length..].iter().take_while(|byte| is_plain(**byte)).count();
        match bytes[length..] {
            [] | [b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')', ..] | [b'/', b'/', ..] if length > 0 => {
                return Some(length);
            }
            [b'/', b'*', ..] => return None,
            [b'/', ..] => length += 1,
            _ => return None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_files_are_plain() {
        for text in [
            "",
            "module a.b",
            "module a.b\n\ngo 1.21\n\nrequire x.y/z/v2 v2.0.0 // indirect\n",
            "module a.b // Deprecated: no\r\n\r\nrequire (\r\n\tx.y v1.0.0-pre\r\n\r\n\t// why\r\n\tz v0.1.0\r\n)\r\n",
            "retract v1.0.0 // bad\nretract (\n\tv1.1.0\n)\nignore ./x\ntoolchain go1.22.0\ngodebug (\n\ta=b\n)\n",
            "exclude x v1.0.0\nreplace x => ../x\nreplace (\n\tx v1.0.0 => y v1.2.3\n)\nunknown to us\n",
            "// über\nrequire gopkg.in/yaml.v2 v2.4.0+incompatible\ngo (\n\tnonsense\n)\n",
        ] {
            assert!(read(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn doubt_leaves_a_file_to_the_full_parser() {
        for text in [
            "module \"a.b\"",
            "retract [v1.0.0, v1.1.0]",
            "require x v1",
            "require x v2.0.0",
            "require x/v1 v1.0.0",
            "require x v1.0.0 // indirect\n(\n",
            "require x master",
            "require x",
            "require (\n\tx v1.0.0\n",
            "require (\n\tx v1.0.0 )\n",
            "require x (\n)\n",
            "go 1.21.x",
            "go 1.21\ngo 1.21",
            "über x",
            "a/*b",
            "a\u{c}b",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(b"// \xff"), None);
    }
}
