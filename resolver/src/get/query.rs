//! An argument of `get`, read; and the sentences about it.
//!
//! Source of the rules: `cmd/go/internal/modget/query.go`.

use std::collections::HashSet;

use super::{Argument, GetOptions, PathSet, Update};
use crate::error::{Error, Halt};
use crate::node::{Node, NodeId};
use crate::order;
use crate::packages::{Pattern, Tags, is_meta_package};
use crate::query::QueryError;
use crate::wildcard::{Wildcard, is_path_prefix};
use crate::world::World;

/// An argument of `get`.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// As written.
    pub(super) raw: String,
    /// What stands after `@`; empty if nothing does.
    pub(super) raw_version: String,
    /// What stands before `@`.
    pub(super) pattern: String,
    /// The same as an absolute path, if it is a directory.
    pub(super) absolute: Option<String>,
    /// The version that is meant: `upgrade` where none is written.
    pub(super) version: String,
    wildcard: Option<Wildcard>,
    /// Whether a conflict with another query was reported.
    pub(super) has_conflict: bool,
    /// What is not decided yet.
    pub(super) candidates: Vec<PathSet>,
    /// The paths that were asked about.
    pub(super) seen: HashSet<String>,
    /// Whether it led to a decision.
    pub(super) has_resolved: bool,
    /// Whether it stands for packages.
    pub(super) matches_packages: bool,
}

/// Reads all arguments; whether the toolchain line is to be dropped.
pub(super) fn parse_all(options: &GetOptions) -> Result<(bool, Vec<Query>), Halt> {
    let (mut errors, mut queries, mut drops_toolchain) = (Vec::new(), Vec::new(), false);
    for argument in &options.arguments {
        let query = match Query::parse(argument, options.update) {
            Ok(query) => query,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match (query.version.as_str(), query.pattern.as_str()) {
            ("none", "go") => errors.push(Error::Text("cannot use go@none".to_owned())),
            ("none", "toolchain") => drops_toolchain = true,
            _ => match query.as_file() {
                Some(error) => errors.push(error),
                None => queries.push(query),
            },
        }
    }
    match errors.len() {
        0 => Ok((drops_toolchain, queries)),
        1 => Err(errors.remove(0).into()),
        _ => Err(Error::Several(errors).into()),
    }
}

impl Query {
    fn parse(argument: &Argument, update: Option<Update>) -> Result<Self, Error> {
        let raw = if argument.text.is_empty() { "." } else { argument.text.as_str() };
        let (pattern, raw_version) = match raw.split_once('@') {
            None => (raw, None),
            Some((_, version)) if version.starts_with(['-', '/']) => {
                return Err(Error::Text(format!("invalid module version {version:?}")));
            }
            Some((pattern, version)) => (pattern, Some(version)),
        };
        if raw_version.is_some_and(|version| version.is_empty() || version.contains('@')) {
            return Err(Error::Text(format!("invalid module version syntax {raw:?}")));
        }
        let raw_version = raw_version.unwrap_or_default();
        let default = update.map_or("upgrade", Update::query);
        let version = if raw_version.is_empty() { default } else { raw_version };
        let query = Self {
            raw: argument.text.clone(),
            raw_version: raw_version.to_owned(),
            pattern: pattern.to_owned(),
            absolute: argument.absolute.clone(),
            version: version.to_owned(),
            wildcard: pattern.contains("...").then(|| Wildcard::new(pattern)),
            has_conflict: false,
            candidates: Vec::new(),
            seen: HashSet::new(),
            has_resolved: false,
            matches_packages: false,
        };
        query.validate()?;
        Ok(query)
    }

    fn validate(&self) -> Result<(), Error> {
        let Self { pattern, version, raw, raw_version, .. } = self;
        if self.absolute.is_some() {
            let text =
                format!("can't request explicit version {raw_version:?} of path {pattern:?} in main module");
            return if raw_version.is_empty() { Ok(()) } else { Err(Error::Text(text)) };
        }
        if pattern == "all" && !is_for_main(version) {
            // Go reads its arguments before it knows how many main modules there are.
            return Err(QueryError::All { query: version.clone(), mains: 0 }.into());
        }
        if is_meta_package(pattern) && pattern != "all" && pattern != raw && !raw.is_empty() {
            let text = match pattern.as_str() {
                "tool" => "can't request explicit version of \"tool\" pattern".to_owned(),
                _ => format!("can't request explicit version of standard-library pattern {pattern:?}"),
            };
            return Err(Error::Text(text));
        }
        Ok(())
    }

    /// The error about `get x.go`, a common slip.
    fn as_file(&self) -> Option<Error> {
        let is_file = self.raw.ends_with(".go") && self.raw_version.is_empty() && !self.raw.contains('/');
        let text = || format!("{}: arguments must be package or module paths", self.raw);
        is_file.then(|| Error::Text(text()))
    }

    pub(super) fn is_local(&self) -> bool {
        self.absolute.is_some()
    }

    /// Whether it may stand for many paths.
    pub(super) fn is_wildcard(&self) -> bool {
        self.wildcard.is_some()
    }

    /// Whether it is a wildcard for paths rather than for directories.
    pub(super) fn is_wildcard_path(&self) -> bool {
        self.is_wildcard() && !self.is_local() && !is_meta_package(&self.pattern)
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        match &self.wildcard {
            Some(wildcard) if !order::is_toolchain(path) => wildcard.matches(path),
            _ => path == self.pattern,
        }
    }

    /// Whether a module with that path could have what it stands for.
    pub(super) fn can_match_in(&self, path: &str) -> bool {
        if order::is_toolchain(path) {
            return false;
        }
        match &self.wildcard {
            Some(wildcard) => wildcard.can_match_below(path),
            None => is_path_prefix(&self.pattern, path),
        }
    }

    /// The import path or pattern of a directory of the main module, and that module (`DirImportPath`).
    pub(super) fn local_path(&self, world: &World) -> Option<(String, NodeId)> {
        let absolute = self.absolute.as_deref()?;
        let main = world.main.first();
        let module = world.main.module(main)?;
        let path = &world.nodes().node(main).path;
        let below = match absolute.strip_prefix(&module.directory)? {
            "" => return Some((path.to_string(), main)),
            below => below.strip_prefix('/')?,
        };
        Some((format!("{path}/{below}"), main))
    }

    /// What is loaded for it. Directories are matched by what counts on the platform, whatever counts for the load.
    pub(super) fn to_pattern(&self, world: &mut World) -> Result<Pattern, Halt> {
        let Some((path, main)) = self.local_path(world) else {
            return Ok(Pattern::Path(self.pattern.clone()));
        };
        let text = self.pattern.clone();
        if !self.is_wildcard() {
            return Ok(Pattern::Local { text, packages: vec![path], errors: Vec::new() });
        }
        let found = world.match_in_module(&path, Some(main), Tags::Target)?;
        let (packages, errors) = match found {
            Ok(packages) => (packages, Vec::new()),
            Err(error) => (Vec::new(), vec![error]),
        };
        Ok(Pattern::Local { text, packages, errors })
    }

    /// How a module answers it.
    pub(super) fn resolved_text(&self, node: &Node) -> String {
        let Self { pattern, version, raw, .. } = self;
        match (*node.path == **pattern, *node.version == **version) {
            (false, false) => format!("{node} (matching {pattern}@{version})"),
            (false, true) => format!("{node} (matching {raw})"),
            (true, false) => format!("{pattern}@{version} ({})", node.version),
            (true, true) => raw.clone(),
        }
    }

    /// How it is called when it led to a version.
    fn with_version(&self, version: &str) -> String {
        match version == self.version {
            true => self.raw.clone(),
            false => format!("{}@{} ({version})", self.pattern, self.version),
        }
    }

    /// An error about it; names it where the text does not.
    pub(super) fn told(&self, error: Error) -> Error {
        let text = error.to_string();
        let names_pattern = is_named(&text, &self.pattern, " \t(\"`", " @:;)\"`");
        let names_version =
            self.raw_version.is_empty() || is_named(&text, &self.version, " @(\"`", " :;)\"`");
        if (names_pattern && names_version) || self.raw.is_empty() {
            return error;
        }
        Error::Text(format!("{}: {text}", self.raw))
    }
}

/// The error about two queries that want different versions of one module.
pub(super) fn conflict(module: &str, proposed: (&Query, &str), before: (&Query, &str)) -> Error {
    let (query, version) = proposed;
    let detail = if module == query.pattern { String::new() } else { format!("for module {module}, ") };
    let (one, other) = (query.with_version(version), before.0.with_version(before.1));
    Error::Text(format!("{detail}{one} conflicts with {other}"))
}

/// Whether the version of a main module may be asked for: it has no other.
pub(super) fn is_for_main(version: &str) -> bool {
    matches!(version, "upgrade" | "patch")
}

/// Whether a text holds a word between such characters, or at the beginning or the end of a line.
fn is_named(text: &str, word: &str, before: &str, after: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let previous = text[..at].chars().next_back();
        let next = text[at + word.len()..].chars().next();
        previous.is_none_or(|c| c == '\n' || before.contains(c))
            && next.is_none_or(|c| c == '\n' || after.contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_between_spaces_and_quotes() {
        for (text, word, want) in [
            ("module ex.com/a: no such version", "ex.com/a", true),
            ("module ex.com/a/b: no such version", "ex.com/a", false),
            ("ex.com/a@v1.0.0 (v2)", "ex.com/a", true),
            ("first\nex.com/a", "ex.com/a", true),
            ("`ex.com/a`", "ex.com/a", true),
            ("/ex.com/a", "ex.com/a", false),
        ] {
            assert_eq!(is_named(text, word, " \t(\"`", " @:;)\"`"), want, "{text}");
        }
    }
}
