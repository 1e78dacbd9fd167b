//! Edits of a go.mod, directive by directive, each byte for byte what `golang.org/x/mod/modfile` does.
//!
//! `add_…` changes the directive that is there, comments kept, or adds a line; `drop_…` takes every match away.

use super::GoMod;
use super::directive::{Directive, Exclude, Ignore, Interval, Module, Replace, Require, Tool};
use super::edit::Hint;
use super::error::EditError;
use super::syntax::{Comments, Remark, Statement};
use super::tied::{
    drop_one, drop_replace, drop_where, set_first, set_go, set_godebug, set_replace, set_toolchain, words,
};
use super::token::auto_quote;
use crate::path::major::{check_path_major, path_major_prefix, split_path_version};
use crate::semver;
use crate::version::canonical_version;

impl GoMod {
    /// Sets the module path.
    pub fn add_module(&mut self, path: &str) {
        let tokens = words(["module", &auto_quote(path)]);
        match &mut self.module {
            Some(module) => {
                module.value.path = path.to_owned();
                self.syntax[module.line].update(tokens);
            }
            None => {
                let line = self.syntax.add_line(Hint::SameVerb, tokens);
                self.module =
                    Some(Directive::added(Module { path: path.to_owned(), ..Module::default() }, line));
            }
        }
    }

    /// Adds a comment, with its `//`, at the end of the file.
    pub fn add_comment(&mut self, text: &str) {
        let comments = Comments { before: vec![text.as_bytes().to_vec()], ..Comments::default() };
        self.syntax.statements.push(Statement::Comments(Remark { comments, ..Remark::default() }));
    }

    /// Sets the go line; a new one stands below the module line.
    pub fn add_go(&mut self, version: &str) -> Result<(), EditError> {
        let hint = self.module.as_ref().map_or(Hint::SameVerb, |module| Hint::After(module.line));
        set_go(&mut self.go, &mut self.syntax, version, |syntax, tokens| syntax.add_line(hint, tokens))
    }

    /// Takes the go line away.
    pub fn drop_go(&mut self) {
        drop_one(&mut self.go, &mut self.syntax);
    }

    /// Sets the toolchain line; a new one stands below the go line, or the module line.
    pub fn add_toolchain(&mut self, name: &str) -> Result<(), EditError> {
        let above = self.go.as_ref().map(|go| go.line).or(self.module.as_ref().map(|module| module.line));
        let hint = above.map_or(Hint::SameVerb, Hint::After);
        set_toolchain(&mut self.toolchain, &mut self.syntax, name, |syntax, tokens| {
            syntax.add_line(hint, tokens)
        })
    }

    /// Takes the toolchain line away.
    pub fn drop_toolchain(&mut self) {
        drop_one(&mut self.toolchain, &mut self.syntax);
    }

    /// Sets a godebug setting, in the first of its lines; the others go.
    pub fn add_godebug(&mut self, key: &str, value: &str) {
        set_godebug(&mut self.godebugs, &mut self.syntax, key, value);
    }

    /// Takes the lines of a godebug setting away.
    pub fn drop_godebug(&mut self, key: &str) {
        drop_where(&mut self.godebugs, &mut self.syntax, |godebug| godebug.key == key);
    }

    /// Sets the version of a requirement, in the first of its lines; the others go.
    pub fn add_require(&mut self, path: &str, version: &str) {
        let tokens = words(["require", &auto_quote(path), version]);
        let changed = set_first(
            &mut self.requires,
            &mut self.syntax,
            |require| require.path == path,
            |require| require.version = version.to_owned(),
            tokens,
        );
        if !changed {
            self.add_new_require(path, version, false);
        }
    }

    /// Adds a requirement behind the last one, whether or not the path has one.
    pub fn add_new_require(&mut self, path: &str, version: &str, indirect: bool) {
        let line = self.syntax.add_line(Hint::SameVerb, words(["require", &auto_quote(path), version]));
        self.syntax[line].set_indirect(indirect);
        let require = Require { path: path.to_owned(), version: version.to_owned(), indirect };
        self.requires.push(Directive::added(require, line));
    }

    /// Takes the requirements of a module away.
    pub fn drop_require(&mut self, path: &str) {
        drop_where(&mut self.requires, &mut self.syntax, |require| require.path == path);
    }

    /// Excludes a version, which must be canonical. The line goes behind the last exclusion of the same path, or to
    /// the end of the file, even where there is an exclude block.
    pub fn add_exclude(&mut self, path: &str, version: &str) -> Result<(), EditError> {
        check_canonical(path, version)?;
        if self.excludes.iter().any(|exclude| exclude.path == path && exclude.version == version) {
            return Ok(());
        }
        let last = self.excludes.iter().rfind(|exclude| exclude.path == path);
        let hint = last.map_or(Hint::End, |exclude| Hint::After(exclude.line));
        let line = self.syntax.add_line(hint, words(["exclude", &auto_quote(path), version]));
        let exclude = Exclude { path: path.to_owned(), version: version.to_owned() };
        self.excludes.push(Directive::added(exclude, line));
        Ok(())
    }

    /// Takes an exclusion away.
    pub fn drop_exclude(&mut self, path: &str, version: &str) {
        let matches = |exclude: &Exclude| exclude.path == path && exclude.version == version;
        drop_where(&mut self.excludes, &mut self.syntax, matches);
    }

    /// Sets a replacement. One without an old version takes the place of all of that path.
    pub fn add_replace(&mut self, replace: Replace) {
        set_replace(&mut self.replaces, &mut self.syntax, replace);
    }

    /// Takes the replacement of a path, and of exactly this version or of none, away.
    pub fn drop_replace(&mut self, path: &str, version: Option<&str>) {
        drop_replace(&mut self.replaces, &mut self.syntax, path, version);
    }

    /// Retracts versions, which must be canonical, with the rationale above the line.
    ///
    /// As in Go, [`retracts`](Self::retracts) doesn't show what was added, and [`drop_retract`](Self::drop_retract)
    /// doesn't find it, until the file is parsed again.
    pub fn add_retract(&mut self, interval: &Interval, rationale: &str) -> Result<(), EditError> {
        let path = self.module.as_ref().map_or("", |module| &module.path);
        check_canonical(path, &interval.high)?;
        check_canonical(path, &interval.low)?;
        let (low, high) = (auto_quote(&interval.low), auto_quote(&interval.high));
        let tokens = if interval.low == interval.high {
            words(["retract", &low])
        } else {
            words(["retract", "[", &low, ",", &high, "]"])
        };
        let line = self.syntax.add_line(Hint::SameVerb, tokens);
        if !rationale.is_empty() {
            let comments = rationale.split('\n').map(|text| format!("// {text}").into_bytes());
            self.syntax[line].comments.before.extend(comments);
        }
        Ok(())
    }

    /// Takes the retractions of exactly these versions away.
    pub fn drop_retract(&mut self, interval: &Interval) {
        drop_where(&mut self.retracts, &mut self.syntax, |retract| retract.interval == *interval);
    }

    /// Adds a tool and sorts all blocks, unless the tool is there.
    pub fn add_tool(&mut self, path: &str) {
        if self.tools.iter().any(|tool| tool.path == path) {
            return;
        }
        let line = self.syntax.add_line(Hint::SameVerb, words(["tool", path]));
        self.tools.push(Directive::added(Tool { path: path.to_owned() }, line));
        self.sort_blocks();
    }

    /// Takes a tool away.
    pub fn drop_tool(&mut self, path: &str) {
        drop_where(&mut self.tools, &mut self.syntax, |tool| tool.path == path);
    }

    /// Adds an ignored directory and sorts all blocks, unless it is there.
    pub fn add_ignore(&mut self, path: &str) {
        if self.ignores.iter().any(|ignore| ignore.path == path) {
            return;
        }
        let line = self.syntax.add_line(Hint::SameVerb, words(["ignore", path]));
        self.ignores.push(Directive::added(Ignore { path: path.to_owned() }, line));
        self.sort_blocks();
    }

    /// Takes an ignored directory away.
    pub fn drop_ignore(&mut self, path: &str) {
        drop_where(&mut self.ignores, &mut self.syntax, |ignore| ignore.path == path);
    }

    /// Takes dead lines out of the tree and makes blocks of one line a line. Call it when all edits are done.
    pub fn cleanup(&mut self) {
        self.syntax.cleanup();
    }
}

/// Whether a version is canonical and fits the path; the text of the error suggests one that would.
fn check_canonical(path: &str, version: &str) -> Result<(), EditError> {
    let split = split_path_version(path);
    let path_major = split.map_or("", |(_, path_major)| path_major);
    if canonical_version(version).is_none_or(|canonical| canonical != version) {
        let form = if path_major.is_empty() {
            "v1.2.3".to_owned()
        } else {
            format!("{}.2.3", path_major_prefix(path_major))
        };
        return Err(EditError::NotCanonical { version: version.to_owned(), form });
    }
    if split.is_none() {
        return Ok(());
    }
    check_path_major(version, path_major).map_err(|error| {
        if !path_major.is_empty() {
            return error.into();
        }
        EditError::Incompatible {
            version: version.to_owned(),
            module_path: path.to_owned(),
            major: semver::major(version).to_owned(),
        }
    })
}
