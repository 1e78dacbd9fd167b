//! Edits of a go.work file, each byte for byte what `golang.org/x/mod/modfile` does.
//!
//! `add_…` changes the directive that is there, comments kept, or adds a line; `drop_…` takes every match away. Dead
//! lines stay in the tree until [`GoWork::cleanup`].

use std::collections::HashSet;

use super::GoWork;
use crate::gomod::order::{by_words, forget, mark_later};
use crate::gomod::syntax::{Line, LineId, Statement, Syntax, Token};
use crate::gomod::tied::{
    drop_one, drop_replace, drop_where, set_first, set_go, set_godebug, set_replace, set_toolchain, words,
};
use crate::gomod::{Directive, EditError, Hint, Replace, Use, auto_quote};

impl GoWork {
    /// Sets the go line; a new one stands below the comments at the top.
    pub fn add_go(&mut self, version: &str) -> Result<(), EditError> {
        set_go(&mut self.go, &mut self.syntax, version, |syntax, tokens| {
            let index = below_comments(syntax);
            insert(syntax, index, tokens)
        })
    }

    /// Takes the go line away.
    pub fn drop_go(&mut self) {
        drop_one(&mut self.go, &mut self.syntax);
    }

    /// Sets the toolchain line; a new one stands below the go line, or the comments at the top.
    pub fn add_toolchain(&mut self, name: &str) -> Result<(), EditError> {
        set_toolchain(&mut self.toolchain, &mut self.syntax, name, |syntax, tokens| {
            let is_go = |statement: &Statement| {
                matches!(statement, Statement::Line(_)) && syntax.verb(statement) == Some(b"go")
            };
            let go = syntax.statements.iter().position(is_go);
            let index = go.map_or_else(|| below_comments(syntax), |index| index + 1);
            insert(syntax, index, tokens)
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

    /// Uses a directory, once.
    pub fn add_use(&mut self, path: &str, module_path: &str) {
        let changed = set_first(
            &mut self.uses,
            &mut self.syntax,
            |directory| directory.path == path,
            |directory| directory.module_path = module_path.to_owned(),
            words(["use", &auto_quote(path)]),
        );
        if !changed {
            self.add_new_use(path, module_path);
        }
    }

    /// Uses a directory, whether or not it is used already.
    pub fn add_new_use(&mut self, path: &str, module_path: &str) {
        let line = self.syntax.add_line(Hint::SameVerb, words(["use", &auto_quote(path)]));
        let directory = Use { path: path.to_owned(), module_path: module_path.to_owned() };
        self.uses.push(Directive::added(directory, line));
    }

    /// Uses a directory no longer.
    pub fn drop_use(&mut self, path: &str) {
        drop_where(&mut self.uses, &mut self.syntax, |directory| directory.path == path);
    }

    /// Sets a replacement. One without an old version takes the place of all of that path.
    pub fn add_replace(&mut self, replace: Replace) {
        set_replace(&mut self.replaces, &mut self.syntax, replace);
    }

    /// Takes the replacement of a path, and of exactly this version or of none, away.
    pub fn drop_replace(&mut self, path: &str, version: Option<&str>) {
        drop_replace(&mut self.replaces, &mut self.syntax, path, version);
    }

    /// Sorts the lines of every block by their words. Of replacements of the same version the last stays.
    pub fn sort_blocks(&mut self) {
        let mut removed = HashSet::new();
        mark_later(
            self.replaces.iter().rev(),
            |replace| (&replace.old_path, &replace.old_version),
            &mut removed,
        );
        forget(&mut self.replaces, &removed);
        self.syntax.remove_lines(&removed);
        self.syntax.sort_blocks(|_, _| by_words);
    }

    /// Takes dead lines out of the tree and makes blocks of one line a line. Call it when all edits are done.
    pub fn cleanup(&mut self) {
        self.syntax.cleanup();
    }
}

fn below_comments(syntax: &Syntax) -> usize {
    let is_comment = |statement: &&Statement| matches!(statement, Statement::Comments(_));
    syntax.statements.iter().take_while(is_comment).count()
}

fn insert(syntax: &mut Syntax, index: usize, tokens: Vec<Token>) -> LineId {
    let line = syntax.new_line(Line::of(tokens));
    syntax.statements.insert(index, Statement::Line(line));
    line
}
