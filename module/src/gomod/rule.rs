//! From the words of a line to the value of a directive.
//!
//! Source: `golang.org/x/mod/modfile/rule.go`. Words are rewritten on the way to the spelling that printing uses: quotes
//! where needed, versions canonical or fixed.

use std::sync::Arc;

use super::directive::{Go, Godebug, Interval, Replace, Toolchain};
use super::error::{Fault, FixError, Problem};
use super::syntax::{Comments, Token};
use super::token::{is_directory_path, is_go_version, is_toolchain_name, lax_go_version, parse_string};
use crate::path::major::{check_path_major, split_path_version};
use crate::quote::lossy;
use crate::space;
use crate::version::canonical_version;

/// Says which version a path and the text in a version's place mean.
///
/// The go command's own resolves branches, hashes and queries for the main module; see [`FixError`] for its errors.
pub type VersionFixer<'a> = dyn FnMut(&str, &str) -> Result<String, FixError> + 'a;

/// What becomes of the text in a version's place.
pub(crate) enum Versions<'a, 'f> {
    /// It must be a version, and is made canonical.
    Canonical,
    /// Anything goes.
    AsWritten,
    Fixed(&'a mut VersionFixer<'f>),
}

pub(crate) fn go(args: &mut [Token], strict: bool) -> Result<Go, Fault> {
    let [version] = args else { return Err(Problem::OneArgument("go").into()) };
    if !is_go_version(&version) {
        match lax_go_version(version).filter(|_| !strict) {
            Some(language) => *version = language.to_vec(),
            None => return Err(Problem::GoVersion(version.clone()).into()),
        }
    }
    Ok(Go { version: text(version) })
}

pub(crate) fn toolchain(args: &[Token]) -> Result<Toolchain, Fault> {
    let [name] = args else { return Err(Problem::OneArgument("toolchain").into()) };
    if !is_toolchain_name(name) {
        return Err(Problem::Toolchain(name.clone()).into());
    }
    Ok(Toolchain { name: text(name) })
}

pub(crate) fn godebug(args: &[Token]) -> Result<Godebug, Fault> {
    let usage = || Problem::Usage("godebug key=value");
    let [setting] = args else { return Err(usage().into()) };
    if setting.iter().any(|byte| matches!(byte, b'"' | b'`' | b'\'' | b',')) {
        return Err(usage().into());
    }
    let equals = setting.iter().position(|byte| *byte == b'=').ok_or_else(usage)?;
    Ok(Godebug { key: text(&setting[..equals]), value: text(&setting[equals + 1..]) })
}

/// The path of a module, tool, ignore or use directive; `arguments` says how many words there must be.
pub(crate) fn path(args: &mut [Token], arguments: Problem) -> Result<String, Fault> {
    let [path] = args else { return Err(arguments.into()) };
    let path = parse_string(path).map_err(Problem::QuotedString)?;
    Ok(text(&path))
}

/// The path and version of a require or exclude directive.
pub(crate) fn path_version(
    verb: &'static str,
    args: &mut [Token],
    versions: &mut Versions<'_, '_>,
) -> Result<(String, String), Fault> {
    let [path, version] = args else {
        let usage =
            if verb == "require" { "require module/path v1.2.3" } else { "exclude module/path v1.2.3" };
        return Err(Problem::Usage(usage).into());
    };
    let path = text(&parse_string(path).map_err(Problem::QuotedString)?);
    let meant = self::version(verb, &path, version, versions)?;
    let (_, path_major) = split_path_version(&path).ok_or(Problem::ModulePath)?;
    check_major(verb, &path, version, path_major)?;
    Ok((path, meant))
}

pub(crate) fn replace(args: &mut [Token], versions: &mut Versions<'_, '_>) -> Result<Replace, Fault> {
    let is_arrow = |arg: Option<&Token>| arg.is_some_and(|arg| arg == b"=>");
    let arrow = if is_arrow(args.get(1)) { 1 } else { 2 };
    if !is_arrow(args.get(arrow)) || !(arrow + 2..=arrow + 3).contains(&args.len()) {
        return Err(Problem::Usage(
            "replace module/path [v1.2.3] => other/module v1.4\n\t or replace module/path [v1.2.3] => ../local/directory",
        )
        .into());
    }
    let (old, new) = args.split_at_mut(arrow);
    let new = &mut new[1..];

    let old_path = text(&parse_string(&mut old[0]).map_err(Problem::QuotedString)?);
    let (_, path_major) =
        split_path_version(&old_path).ok_or_else(|| Fault::of("replace", &old_path, Problem::ModulePath))?;
    let old_version = match old.get_mut(1) {
        Some(token) => {
            let version = version("replace", &old_path, token, versions)?;
            check_major("replace", &old_path, token, path_major)?;
            Some(version)
        }
        None => None,
    };

    let new_path = parse_string(&mut new[0]).map_err(Problem::QuotedString)?;
    let new_version = match new.get_mut(1) {
        Some(token) => Some(version("replace", &text(&new_path), token, versions)?),
        None => None,
    };
    check_replacement(&new_path, new_version.is_some())?;
    Ok(Replace { old_path, old_version, new_path: text(&new_path), new_version })
}

/// The versions of a retract directive, and how many words they took.
pub(crate) fn interval(
    module_path: &str,
    args: &mut [Token],
    versions: &mut Versions<'_, '_>,
) -> Result<(Interval, usize), Fault> {
    let is = |args: &[Token], index: usize, word: &[u8]| args.get(index).is_some_and(|arg| arg == word);
    if args.is_empty() || is(args, 0, b"(") {
        return Err(Problem::Expected("'[' or version").into());
    }
    if !is(args, 0, b"[") {
        let version = version("retract", module_path, &mut args[0], versions)?;
        return Ok((Interval { low: version.clone(), high: version }, 1));
    }
    let token = args.get_mut(1).ok_or(Problem::Expected("version after '['"))?;
    let low = version("retract", module_path, token, versions)?;
    if !is(args, 2, b",") {
        return Err(Problem::Expected("',' after version").into());
    }
    let token = args.get_mut(3).ok_or(Problem::Expected("version after ','"))?;
    let high = version("retract", module_path, token, versions)?;
    if !is(args, 4, b"]") {
        return Err(Problem::Expected("']' after version").into());
    }
    Ok((Interval { low, high }, 5))
}

/// Whether the comments of a line say `// indirect`, alone or before a semicolon.
pub(crate) fn is_indirect(comments: &Comments) -> bool {
    let Some(comment) = comments.suffix.first() else { return false };
    let mut words = space::fields(comment.strip_prefix(b"//").unwrap_or(comment));
    match words.next() {
        Some(b"indirect") => words.next().is_none(),
        Some(b"indirect;") => words.next().is_some(),
        _ => false,
    }
}

/// The text of the comments on a directive or block.
pub(crate) fn comment_text(comments: &Comments) -> Arc<str> {
    let lines =
        comments.before.iter().chain(&comments.suffix).filter_map(|comment| comment.strip_prefix(b"//"));
    lossy(&lines.map(space::trim).collect::<Vec<_>>().join(&b'\n')).into()
}

/// The first paragraph that begins with `Deprecated:`, without that word; empty where there is none.
pub(crate) fn deprecation(comment: &str) -> &str {
    const MARK: &str = "Deprecated:";
    let message = match comment.strip_prefix(MARK) {
        Some(message) => message,
        None => match comment.find("\n\nDeprecated:") {
            Some(start) => &comment[start + 2 + MARK.len()..],
            None => return "",
        },
    };
    let message = message.trim_start_matches(' ');
    message.split_once("\n\n").map_or(message, |(paragraph, _)| paragraph)
}

/// Reads the text in a version's place, and rewrites it to what it means.
fn version(
    verb: &'static str,
    module_path: &str,
    token: &mut Token,
    versions: &mut Versions<'_, '_>,
) -> Result<String, Fault> {
    let written = parse_string(token).map_err(|problem| {
        Fault::of(verb, module_path, Problem::QuotedVersion { version: token.clone(), problem })
    })?;
    let meant = match versions {
        Versions::AsWritten => {
            let meant = text(&written);
            *token = written;
            return Ok(meant);
        }
        Versions::Canonical => match std::str::from_utf8(&written).ok().and_then(canonical_version) {
            Some(version) => version,
            None => return Err(Fault::of(verb, module_path, Problem::NoVersion(written))),
        },
        Versions::Fixed(fix) => fix(module_path, &lossy(&written)).map_err(|error| match error {
            FixError::Module(cause) => Fault::of(verb, module_path, Problem::Fix(cause)),
            FixError::Other(cause) => Problem::Fix(cause).into(),
        })?,
    };
    // What a fixer gave back as it was keeps its bytes.
    *token = if meant == lossy(&written) { written } else { meant.clone().into_bytes() };
    Ok(meant)
}

fn check_major(verb: &'static str, path: &str, version: &Token, path_major: &str) -> Result<(), Fault> {
    check_path_major(&lossy(version), path_major).map_err(|error| {
        let problem = Problem::PathMajor { version: version.clone(), problem: error.problem };
        Fault::of(verb, path, problem)
    })
}

fn check_replacement(path: &[u8], has_version: bool) -> Result<(), Problem> {
    match (is_directory_path(path), has_version) {
        (true, true) => Err(Problem::ReplacementWithVersion(path.to_vec())),
        (false, false) if path.contains(&b'@') => Err(Problem::ReplacementAtVersion),
        (false, false) => Err(Problem::ReplacementWithoutVersion),
        (true, false) if path.contains(&b'\\') && std::path::MAIN_SEPARATOR == '/' => {
            Err(Problem::ReplacementForWindows)
        }
        _ => Ok(()),
    }
}

fn text(bytes: &[u8]) -> String {
    lossy(bytes).into_owned()
}
