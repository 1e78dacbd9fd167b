//! Sorts the lines of blocks, after taking duplicates out.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

use super::GoMod;
use super::directive::Directive;
use super::syntax::{LineId, Statement, Syntax, Token};
use crate::quote::lossy;
use crate::semver;

impl GoMod {
    /// Sorts the lines of every block. Of equal exclusions, tools and ignored directories the first stays, of
    /// replacements of the same version the last. (`File.SortBlocks`)
    ///
    /// Lines sort by their words; retractions from new to old; exclusions by version if the go line is 1.21 or newer.
    pub fn sort_blocks(&mut self) {
        let mut removed = HashSet::new();
        mark_later(&self.excludes, |exclude| (&exclude.path, &exclude.version), &mut removed);
        mark_later(
            self.replaces.iter().rev(),
            |replace| (&replace.old_path, &replace.old_version),
            &mut removed,
        );
        mark_later(&self.tools, |tool| &tool.path, &mut removed);
        mark_later(&self.ignores, |ignore| &ignore.path, &mut removed);
        forget(&mut self.excludes, &removed);
        forget(&mut self.replaces, &removed);
        forget(&mut self.tools, &removed);
        forget(&mut self.ignores, &removed);
        self.syntax.remove_lines(&removed);

        let by_version = self.go.as_ref().is_some_and(|go| sorts_excludes_by_version(&go.version));
        self.syntax.sort_blocks(|verb, lines| match verb {
            b"retract" => by_interval,
            // A line of another shape, which only a lax parser lets through, has no place in an order by version.
            b"exclude" if by_version && lines.iter().all(|line| matches!(line.len(), 0 | 2)) => {
                by_path_and_version
            }
            _ => by_words,
        });
    }
}

/// How two lines, given as their words, are ordered.
type Order = fn(&[Token], &[Token]) -> Ordering;

impl Syntax {
    /// Sorts the lines of every block, equal ones left in their order.
    pub(crate) fn sort_blocks(&mut self, order: impl Fn(&[u8], &[&[Token]]) -> Order) {
        for index in 0..self.statements.len() {
            let Statement::Block(id) = self.statements[index] else { continue };
            let mut lines = std::mem::take(&mut self[id].lines);
            let words = |line: &LineId| -> &[Token] { &self[*line].tokens };
            let order = order(&self[id].tokens[0], &lines.iter().map(words).collect::<Vec<_>>());
            lines.sort_by(|a, b| order(words(a), words(b)));
            self[id].lines = lines;
        }
    }
}

/// Marks the lines of all directives whose key an earlier one has.
pub(crate) fn mark_later<'a, T: 'a, K: Eq + Hash>(
    directives: impl IntoIterator<Item = &'a Directive<T>>,
    key: impl Fn(&'a T) -> K,
    marked: &mut HashSet<LineId>,
) {
    let mut seen = HashSet::new();
    for directive in directives {
        if !seen.insert(key(&directive.value)) {
            marked.insert(directive.line);
        }
    }
}

pub(crate) fn forget<T>(directives: &mut Vec<Directive<T>>, removed: &HashSet<LineId>) {
    directives.retain(|directive| !removed.contains(&directive.line));
}

pub(crate) fn by_words(a: &[Token], b: &[Token]) -> Ordering {
    a.cmp(b)
}

fn by_path_and_version(a: &[Token], b: &[Token]) -> Ordering {
    match (a, b) {
        ([path_a, version_a], [path_b, version_b]) => {
            path_a.cmp(path_b).then_with(|| semver::compare(&lossy(version_a), &lossy(version_b)))
        }
        _ => by_words(a, b),
    }
}

fn by_interval(a: &[Token], b: &[Token]) -> Ordering {
    let (low_a, high_a) = interval(a);
    let (low_b, high_b) = interval(b);
    semver::compare(&low_b, &low_a).then_with(|| semver::compare(&high_b, &high_a))
}

fn interval(words: &[Token]) -> (Cow<'_, str>, Cow<'_, str>) {
    match words {
        [version] => (lossy(version), lossy(version)),
        [open, low, comma, high, close] if open == b"[" && comma == b"," && close == b"]" => {
            (lossy(low), lossy(high))
        }
        _ => Default::default(),
    }
}

fn sorts_excludes_by_version(go_version: &str) -> bool {
    semver::compare(&format!("v{go_version}"), "v1.21").is_ge()
}
