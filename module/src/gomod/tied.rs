//! Edits of a directive and its line together, for go.mod and go.work.

use super::directive::{Directive, Go, Godebug, Replace, Toolchain};
use super::edit::Hint;
use super::error::EditError;
use super::syntax::{LineId, Position, Syntax, Token};
use super::token::{auto_quote, is_go_version, is_toolchain_name};

impl<T> Directive<T> {
    pub(crate) fn added(value: T, line: LineId) -> Self {
        Self { value, line, position: Position::default() }
    }
}

pub(crate) fn words<const N: usize>(words: [&str; N]) -> Vec<Token> {
    words.map(|word| word.as_bytes().to_vec()).into()
}

/// Sets a go line; `add` puts a new one in its place.
pub(crate) fn set_go(
    go: &mut Option<Directive<Go>>,
    syntax: &mut Syntax,
    version: &str,
    add: impl FnOnce(&mut Syntax, Vec<Token>) -> LineId,
) -> Result<(), EditError> {
    if !is_go_version(version) {
        return Err(EditError::GoVersion(version.to_owned()));
    }
    set_one(go, syntax, Go { version: version.to_owned() }, words(["go", version]), add);
    Ok(())
}

/// Sets a toolchain line; `add` puts a new one in its place.
pub(crate) fn set_toolchain(
    toolchain: &mut Option<Directive<Toolchain>>,
    syntax: &mut Syntax,
    name: &str,
    add: impl FnOnce(&mut Syntax, Vec<Token>) -> LineId,
) -> Result<(), EditError> {
    if !is_toolchain_name(name) {
        return Err(EditError::Toolchain(name.to_owned()));
    }
    set_one(toolchain, syntax, Toolchain { name: name.to_owned() }, words(["toolchain", name]), add);
    Ok(())
}

fn set_one<T>(
    one: &mut Option<Directive<T>>,
    syntax: &mut Syntax,
    value: T,
    tokens: Vec<Token>,
    add: impl FnOnce(&mut Syntax, Vec<Token>) -> LineId,
) {
    match one {
        Some(directive) => {
            directive.value = value;
            syntax[directive.line].update(tokens);
        }
        None => *one = Some(Directive::added(value, add(syntax, tokens))),
    }
}

pub(crate) fn set_godebug(
    godebugs: &mut Vec<Directive<Godebug>>,
    syntax: &mut Syntax,
    key: &str,
    value: &str,
) {
    let tokens = words(["godebug", &format!("{key}={value}")]);
    let changed = set_first(
        godebugs,
        syntax,
        |godebug| godebug.key == key,
        |godebug| godebug.value = value.to_owned(),
        tokens.clone(),
    );
    if !changed {
        let line = syntax.add_line(Hint::SameVerb, tokens);
        godebugs.push(Directive::added(Godebug { key: key.to_owned(), value: value.to_owned() }, line));
    }
}

pub(crate) fn set_replace(replaces: &mut Vec<Directive<Replace>>, syntax: &mut Syntax, replace: Replace) {
    let Replace { old_path, old_version, new_path, new_version } = &replace;
    let mut tokens = words(["replace", &auto_quote(old_path)]);
    tokens.extend(old_version.iter().map(|version| version.as_bytes().to_vec()));
    tokens.extend(words(["=>", &auto_quote(new_path)]));
    tokens.extend(new_version.iter().map(|version| version.as_bytes().to_vec()));

    let same = |other: &Replace| {
        other.old_path == *old_path && (old_version.is_none() || other.old_version == *old_version)
    };
    // The old version stays in the value even where the line loses it, as in Go.
    let write = |other: &mut Replace| {
        other.new_path.clone_from(new_path);
        other.new_version.clone_from(new_version);
    };
    if set_first(replaces, syntax, same, write, tokens.clone()) {
        return;
    }
    let last = replaces.iter().rfind(|other| other.old_path == *old_path);
    let hint = last.map_or(Hint::End, |other| Hint::After(other.line));
    let line = syntax.add_line(hint, tokens);
    replaces.push(Directive::added(replace, line));
}

pub(crate) fn drop_replace(
    replaces: &mut Vec<Directive<Replace>>,
    syntax: &mut Syntax,
    path: &str,
    version: Option<&str>,
) {
    let matches = |replace: &Replace| replace.old_path == path && replace.old_version.as_deref() == version;
    drop_where(replaces, syntax, matches);
}

/// Changes the first match and its line, and takes the others away; whether there was one.
pub(crate) fn set_first<T>(
    directives: &mut Vec<Directive<T>>,
    syntax: &mut Syntax,
    matches: impl Fn(&T) -> bool,
    change: impl Fn(&mut T),
    tokens: Vec<Token>,
) -> bool {
    let Some(first) = directives.iter().position(|directive| matches(&directive.value)) else { return false };
    let mut others = directives.split_off(first + 1);
    let changed = &mut directives[first];
    change(&mut changed.value);
    syntax[changed.line].update(tokens);
    drop_where(&mut others, syntax, matches);
    directives.append(&mut others);
    true
}

pub(crate) fn drop_one<T>(directive: &mut Option<Directive<T>>, syntax: &mut Syntax) {
    if let Some(dropped) = directive.take() {
        syntax[dropped.line].mark_removed();
    }
}

pub(crate) fn drop_where<T>(
    directives: &mut Vec<Directive<T>>,
    syntax: &mut Syntax,
    matches: impl Fn(&T) -> bool,
) {
    for dropped in directives.extract_if(.., |directive| matches(&directive.value)) {
        syntax[dropped.line].mark_removed();
    }
}
