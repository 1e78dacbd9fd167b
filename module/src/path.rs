//! Module, import and file paths: which texts may name a module, a package or a file.
//!
//! The rules and the error texts are those of `golang.org/x/mod/module`. What a module's last element says of
//! its major version is in [`major`]; the rules of a single element are in `element`.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::escape;
use crate::quote::quote;

pub(crate) mod element;
pub mod major;

pub use element::PathProblem;

/// A path that a client may ask a proxy for (`module.CheckPath`). Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Arc<str>);

impl ModulePath {
    /// Checks a path as `module.CheckPath` does.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        check_path(path)?;
        Ok(Self(path.into()))
    }

    /// Reads the escaped form that stands in URLs and file names (`module.UnescapePath`).
    pub fn from_escaped(escaped: &str) -> Result<Self, escape::EscapeError> {
        escape::unescape_path(escaped).map(|path| Self(path.into()))
    }

    /// The path as people write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for URLs and file names: `!` and the lower-case letter for each upper-case one.
    pub fn escaped(&self) -> String {
        escape::escape_ascii(&self.0)
    }

    /// The path before its major version suffix, and that suffix: `/v2`, `.v1`, `.v1-unstable` or nothing.
    pub fn split_major(&self) -> (&str, &str) {
        major::split_path_version(&self.0).unwrap_or((&self.0, ""))
    }

    /// Whether this names the module that Go distributes its toolchains in.
    pub fn is_toolchain(&self) -> bool {
        &*self.0 == "golang.org/toolchain"
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ModulePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ModulePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A path that breaks the rules of its kind; reads as Go's `module.InvalidPathError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {kind} path {}: {problem}", quote(path))]
pub struct PathError {
    /// What the path was meant to name.
    pub kind: PathKind,
    /// The text as given.
    pub path: String,
    /// The first rule it breaks.
    pub problem: PathProblem,
}

/// What a path names. Each kind allows other characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A module: letters, digits and `-._~`; no element begins with a dot.
    Module,
    /// A package: as a module, and `+`.
    Import,
    /// A file in a module: any Unicode letter and most ASCII punctuation.
    File,
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Module => "module",
            Self::Import => "import",
            Self::File => "file",
        })
    }
}

/// Checks that a path may name a module (`module.CheckPath`).
pub fn check_path(path: &str) -> Result<(), PathError> {
    check(path, PathKind::Module, |path| {
        element::check_elements(path, PathKind::Module)?;
        let host = path.split('/').next().unwrap_or(path);
        if !host.contains('.') {
            return Err(PathProblem::NoDotInFirstElement);
        }
        if let Some(char) = host.chars().find(|&c| !element::may_stand_in_host(c)) {
            return Err(PathProblem::InvalidCharInFirstElement(char));
        }
        major::split_path_version(path).map(|_| ()).ok_or(PathProblem::InvalidVersion)
    })
}

/// Checks that a path may be imported (`module.CheckImportPath`).
pub fn check_import_path(path: &str) -> Result<(), PathError> {
    check(path, PathKind::Import, |path| element::check_elements(path, PathKind::Import))
}

/// Checks that a `/`-separated path may name a file of a module (`module.CheckFilePath`).
pub fn check_file_path(path: &str) -> Result<(), PathError> {
    check(path, PathKind::File, |path| element::check_elements(path, PathKind::File))
}

fn check(
    path: &str,
    kind: PathKind,
    rules: impl Fn(&str) -> Result<(), PathProblem>,
) -> Result<(), PathError> {
    rules(path).map_err(|problem| PathError { kind, path: path.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_path_says_why_in_the_words_of_go() {
        let cases = [
            ("", "malformed module path \"\": empty string"),
            ("x", "malformed module path \"x\": missing dot in first path element"),
            ("-x.y", "malformed module path \"-x.y\": leading dash"),
            ("/x.y", "malformed module path \"/x.y\": empty path element"),
            ("x.y/", "malformed module path \"x.y/\": trailing slash"),
            ("x.y//z", "malformed module path \"x.y//z\": double slash"),
            ("x.y/..", "malformed module path \"x.y/..\": invalid path element \"..\""),
            ("x.y/.z", "malformed module path \"x.y/.z\": leading dot in path element"),
            ("x.y/z.", "malformed module path \"x.y/z.\": trailing dot in path element"),
            ("x.y/z!", "malformed module path \"x.y/z!\": invalid char '!'"),
            ("x.y/z\"", "malformed module path \"x.y/z\\\"\": invalid char '\"'"),
            ("X.y/z", "malformed module path \"X.y/z\": invalid char 'X' in first path element"),
            ("x.y/v1", "malformed module path \"x.y/v1\": invalid version"),
            (
                "x.y/cOm1.z",
                "malformed module path \"x.y/cOm1.z\": \"cOm1\" disallowed as path element component on Windows",
            ),
            ("x.y/z~1", "malformed module path \"x.y/z~1\": trailing tilde and digits in path element"),
        ];
        for (path, want) in cases {
            assert_eq!(ModulePath::parse(path).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn each_kind_of_path_has_its_own_characters() {
        let verdicts =
            |path| (check_path(path).is_ok(), check_import_path(path).is_ok(), check_file_path(path).is_ok());
        for (path, want) in [
            ("x.y/z", (true, true, true)),
            ("x.y/a~b_c-d.e", (true, true, true)),
            ("x.y/c++", (false, true, true)),
            (".x/y", (false, true, true)),
            ("x.y/a b", (false, false, true)),
            ("-x.y/z", (false, false, true)),
            ("x.y/z~1", (false, false, true)),
            ("x.y/été", (false, false, true)),
            ("x.y/a*b", (false, false, false)),
            ("x.y/z/v1", (false, true, true)),
        ] {
            assert_eq!(verdicts(path), want, "{path}");
        }
    }
}
