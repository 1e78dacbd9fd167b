//! Whether an archive may be a module's zip (`golang.org/x/mod/zip.CheckZip`).
//!
//! Only the directory is looked at. Mode bits are not: whatever an entry says it is, Go extracts a plain file.

use super::collision::Collisions;
use super::{
    Archive, CheckError, Entry, Fault, FileFault, MAX_CONTENT, MAX_FAULTS, MAX_GO_MOD, MAX_LICENSE, MAX_ZIP,
    ReadAt, SizeFault,
};
use crate::ModuleVersion;
use crate::clean::is_clean;
use crate::path::check_file_path;

/// What was found about each entry of an archive.
#[derive(Debug, Default)]
pub struct CheckedZip {
    /// Indexes of the entries that are files of the module.
    pub valid: Vec<usize>,
    /// Entries that break rules: the first [`MAX_FAULTS`] of them.
    pub invalid: Vec<FileFault>,
    /// What is too large.
    pub size: Option<SizeFault>,
}

impl CheckedZip {
    /// Whether the archive may be the module's zip.
    pub fn verdict(self) -> Result<Vec<usize>, CheckError> {
        match self.size {
            Some(fault) => Err(CheckError::Size(fault)),
            None if self.invalid.is_empty() => Ok(self.valid),
            None => Err(CheckError::Files(self.invalid)),
        }
    }
}

/// Judges the entries of an archive by the rules for zips of `module`.
pub fn check<R: ReadAt>(archive: &Archive<R>, module: &ModuleVersion) -> CheckedZip {
    let mut checked = CheckedZip::default();
    if archive.length > MAX_ZIP {
        checked.size = Some(SizeFault::Zip(archive.length));
        return checked;
    }
    let prefix = prefix(module);
    let mut judge = Judge { prefix: &prefix, collisions: Collisions::new(), left: MAX_CONTENT, size: None };
    for (index, entry) in archive.entries().enumerate() {
        match judge.entry(entry) {
            Ok(true) => checked.valid.push(index),
            Ok(false) => {}
            Err(fault) if checked.invalid.len() < MAX_FAULTS => {
                checked.invalid.push(FileFault { path: entry.name().to_owned(), fault });
            }
            Err(_) => {}
        }
    }
    checked.size = judge.size;
    checked
}

/// What the names of all entries of a module's zip begin with.
pub(super) fn prefix(module: &ModuleVersion) -> String {
    format!("{module}/")
}

struct Judge<'a> {
    prefix: &'a str,
    collisions: Collisions<'a>,
    left: u64,
    size: Option<SizeFault>,
}

impl<'a> Judge<'a> {
    /// Whether an entry is a file of the module; directories are allowed and are none.
    fn entry(&mut self, entry: Entry<'a>) -> Result<bool, Fault> {
        let Some(name) = entry.name().strip_prefix(self.prefix.as_bytes()) else {
            return Err(Fault::NoPrefix(self.prefix.to_owned()));
        };
        if name.is_empty() {
            return Ok(false);
        }
        let (name, is_directory) = match name.strip_suffix(b"/") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if !is_clean(name) {
            return Err(Fault::NotClean);
        }
        let name = std::str::from_utf8(name).map_err(|_| Fault::NotUtf8(name.to_owned()))?;
        check_file_path(name)?;
        self.collisions.add(name, is_directory)?;
        if is_directory {
            return Ok(false);
        }
        check_go_mod_name(name)?;
        match self.left.checked_sub(entry.size()) {
            Some(left) => self.left = left,
            None => self.size = Some(SizeFault::Content),
        }
        check_size(name, entry.size())?;
        Ok(true)
    }
}

/// A go.mod stands in the root and is written so.
fn check_go_mod_name(name: &str) -> Result<(), Fault> {
    let base = name.rsplit('/').next().unwrap_or(name);
    if !base.eq_ignore_ascii_case("go.mod") {
        return Ok(());
    }
    if base != name {
        return Err(Fault::GoModNotInRoot);
    }
    if name == "go.mod" { Ok(()) } else { Err(Fault::GoModCase) }
}

/// The root's go.mod and LICENSE have limits of their own.
pub(super) fn check_size(name: &str, size: u64) -> Result<(), Fault> {
    // As in Go, a size that is no positive int64 breaks only the limit on all files together.
    let size = i64::try_from(size).unwrap_or(-1);
    match name {
        "go.mod" if size > MAX_GO_MOD as i64 => Err(Fault::GoModSize),
        "LICENSE" if size > MAX_LICENSE as i64 => Err(Fault::LicenseSize),
        _ => Ok(()),
    }
}
