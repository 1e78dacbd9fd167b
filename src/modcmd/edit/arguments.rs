//! The values of editing flags: `path`, `path@version`, `old[@v]=new[@w]`, `[low,high]`, `key=value`.

use modkeep_module::gomod::{Interval, Replace, is_directory_path, must_quote};
use modkeep_module::path::check_import_path;
use modkeep_module::quote::quote;

use crate::report::Failure;

/// A flag and the value given to it.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    pub(crate) flag: &'static str,
    pub(crate) value: &'a str,
}

/// How a directory is told from a path with a version; go's two verbs for it differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directory {
    /// A directory path is taken whole, whatever is in it (`mod edit`).
    AsItStands,
    /// What follows an `@` is a version in any case (`work edit`).
    UpToVersion,
}

/// A path and, where there is an `@`, what follows it.
type PathAndVersion = (String, Option<String>);

impl Argument<'_> {
    /// The flag as errors show it.
    pub(crate) fn shown(self) -> String {
        format!("-{}={}", self.flag, self.value)
    }

    fn refuse(self, problem: impl std::fmt::Display) -> Failure {
        Failure::go(format!("{}: {problem}", self.shown()))
    }

    /// `key=value`
    pub(crate) fn key_value(self) -> Result<(String, String), Failure> {
        match self.value.split_once('=') {
            Some((key, value)) if !self.value.contains(['"', '`', '\'', ',']) => {
                Ok((key.to_owned(), value.to_owned()))
            }
            _ => Err(self.refuse("need key=value")),
        }
    }

    /// `path@version`
    pub(crate) fn path_version(self) -> Result<(String, String), Failure> {
        let (path, version) = split_version(self.value).map_err(|problem| self.refuse(problem))?;
        let version = version.ok_or_else(|| self.refuse("need path@version"))?;
        let (path, version) = (path.trim(), version.trim());
        check_import_path(path).map_err(|error| self.refuse(format!("invalid path: {error}")))?;
        if must_quote(version) {
            return Err(self.refuse(format!("invalid version {}", quote(version))));
        }
        Ok((path.to_owned(), version.to_owned()))
    }

    /// `path`
    pub(crate) fn path(self) -> Result<String, Failure> {
        if self.value.contains('@') {
            return Err(self.refuse("need just path, not path@version"));
        }
        check_import_path(self.value).map_err(|error| self.refuse(format!("invalid path: {error}")))?;
        Ok(self.value.to_owned())
    }

    /// `old[@v]=new[@w]`
    pub(crate) fn replace(self, directory: Directory) -> Result<Replace, Failure> {
        let Some((old, new)) = self.value.split_once('=') else {
            return Err(self.refuse("need old[@v]=new[@w] (missing =)"));
        };
        let (old, new) = (old.trim(), new.trim());
        if new.starts_with('>') {
            return Err(self.refuse("separator between old and new is =, not =>"));
        }
        let (old_path, old_version) = optional_version("old", old, None).map_err(|text| self.refuse(text))?;
        let (new_path, new_version) =
            optional_version("new", new, Some(directory)).map_err(|text| self.refuse(text))?;
        if new_path == new && !is_directory_path(new) {
            return Err(self.refuse("unversioned new path must be local directory"));
        }
        Ok(Replace { old_path, old_version, new_path, new_version })
    }

    /// `old[@v]`
    pub(crate) fn replaced(self, directory: Directory) -> Result<PathAndVersion, Failure> {
        optional_version("old", self.value, Some(directory)).map_err(|text| self.refuse(text))
    }

    /// `v` or `[low,high]`
    pub(crate) fn interval(self) -> Result<Interval, Failure> {
        let value = self.value;
        let Some(inner) = value.strip_prefix('[') else {
            if must_quote(value) {
                return Err(self.refuse(format!("invalid version: {}", quote(value))));
            }
            return Ok(Interval { low: value.to_owned(), high: value.to_owned() });
        };
        let ends = inner.strip_suffix(']').and_then(|inner| inner.split_once(','));
        match ends.map(|(low, high)| (low.trim(), high.trim())) {
            Some((low, high)) if !must_quote(low) && !must_quote(high) => {
                Ok(Interval { low: low.to_owned(), high: high.to_owned() })
            }
            _ => Err(self.refuse(format!("invalid version interval: {}", quote(value)))),
        }
    }
}

/// `path@version`, or a path alone (`modload.ParsePathVersion`).
fn split_version(text: &str) -> Result<(&str, Option<&str>), String> {
    match text.split_once('@') {
        Some((_, version)) if version.starts_with(['-', '/']) => {
            Err(format!("invalid module version {}", quote(version)))
        }
        Some((path, version)) => Ok((path, Some(version))),
        None => Ok((text, None)),
    }
}

fn optional_version(
    adjective: &str,
    text: &str,
    directory: Option<Directory>,
) -> Result<PathAndVersion, String> {
    if directory == Some(Directory::AsItStands) && is_directory_path(text) {
        return Ok((text.to_owned(), None));
    }
    let (path, version) = match split_version(text)? {
        (path, Some(version)) => (path.trim(), Some(version.trim())),
        (path, None) => (path, None),
    };
    if let Err(error) = check_import_path(path)
        && !(directory.is_some() && is_directory_path(path))
    {
        return Err(format!("invalid {adjective} path: {error}"));
    }
    if let Some(version) = version.filter(|version| must_quote(version)) {
        return Err(format!("invalid {adjective} version: {}", quote(version)));
    }
    Ok((path.to_owned(), version.map(str::to_owned)))
}
