//! Which of a list of files make a module zip, which are left out, and which must not be there
//! (`golang.org/x/mod/zip.CheckFiles`).

use std::collections::HashSet;
use std::io::Read;

use super::check::check_size;
use super::collision::Collisions;
use super::vendor::Vendoring;
use super::{CheckError, Fault, FileFault, Kind, MAX_CONTENT, SizeFault, Source};
use crate::clean::is_clean;
use crate::path::check_file_path;

/// What was found about each of a list of files; every path is in one of the lists.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CheckedFiles {
    /// Paths of the files that belong in the zip.
    pub valid: Vec<Vec<u8>>,
    /// Files that are left out, and why.
    pub omitted: Vec<FileFault>,
    /// Files that must not be there, and why.
    pub invalid: Vec<FileFault>,
    /// What is too large.
    pub size: Option<SizeFault>,
}

impl CheckedFiles {
    /// Whether the files make a module zip.
    pub fn verdict(&self) -> Result<(), CheckError> {
        match self.size {
            Some(fault) => Err(CheckError::Size(fault)),
            None if self.invalid.is_empty() => Ok(()),
            None => Err(CheckError::Files(self.invalid.clone())),
        }
    }
}

/// Sorts out a list of files. Only the go.mod in the root is opened.
pub fn check_files<S: Source>(files: &[S]) -> CheckedFiles {
    sort_out(files).0
}

/// [`check_files`], with the indexes of the files that belong in the zip.
pub(super) fn sort_out<S: Source>(files: &[S]) -> (CheckedFiles, Vec<usize>) {
    let mut judge = Judge {
        vendoring: root_vendoring(files),
        modules: modules(files),
        collisions: Collisions::new(),
        left: MAX_CONTENT,
        size: None,
    };
    let (mut checked, mut indexes, mut faulty) = (CheckedFiles::default(), Vec::new(), HashSet::new());
    for (index, file) in files.iter().enumerate() {
        let path = file.path();
        let fault = match judge.file(file) {
            Ok(()) => {
                checked.valid.push(path.to_owned());
                indexes.push(index);
                continue;
            }
            Err(fault) => fault,
        };
        if faulty.insert(path) {
            let list = if is_omission(&fault) { &mut checked.omitted } else { &mut checked.invalid };
            list.push(FileFault { path: path.to_owned(), fault });
        }
    }
    checked.size = judge.size;
    (checked, indexes)
}

fn is_omission(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Vendored | Fault::OtherModuleFile | Fault::HgArchival | Fault::Symlink | Fault::NotRegular
    )
}

/// The folders, with a slash at their end, that have a go.mod in any case.
fn modules<S: Source>(files: &[S]) -> HashSet<&[u8]> {
    files
        .iter()
        .filter(|file| split(file.path()).1.eq_ignore_ascii_case(b"go.mod") && file.kind() == Kind::File)
        .map(|file| split(file.path()).0)
        .collect()
}

/// The rule by which the go.mod in the root says that packages are vendored; one that cannot be read says nothing.
fn root_vendoring<S: Source>(files: &[S]) -> Vendoring {
    let mut vendoring = Vendoring::Old;
    for file in files.iter().filter(|file| file.path() == b"go.mod" && file.kind() == Kind::File) {
        let mut content = Vec::new();
        if file.open().is_ok_and(|mut reader| reader.read_to_end(&mut content).is_ok()) {
            vendoring = Vendoring::of(&content);
        }
    }
    vendoring
}

/// A path's folder, with the slash, and its last element.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1))
}

struct Judge<'a> {
    vendoring: Vendoring,
    modules: HashSet<&'a [u8]>,
    collisions: Collisions<'a>,
    left: u64,
    size: Option<SizeFault>,
}

impl<'a> Judge<'a> {
    fn file<S: Source>(&mut self, file: &'a S) -> Result<(), Fault> {
        let path = file.path();
        if !is_clean(path) {
            return Err(Fault::NotClean);
        }
        if path.starts_with(b"/") {
            return Err(Fault::NotRelative);
        }
        if self.vendoring.omits(path) {
            return Err(Fault::Vendored);
        }
        if self.is_in_other_module(path) {
            return Err(Fault::OtherModuleFile);
        }
        if path == b".hg_archival.txt" {
            return Err(Fault::HgArchival);
        }
        let path = std::str::from_utf8(path).map_err(|_| Fault::NotUtf8(path.to_owned()))?;
        check_file_path(path)?;
        if path != "go.mod" && path.eq_ignore_ascii_case("go.mod") {
            return Err(Fault::GoModCase);
        }
        self.collisions.add(path, file.kind() == Kind::Directory)?;
        match file.kind() {
            Kind::File => {}
            Kind::Symlink => return Err(Fault::Symlink),
            Kind::Directory | Kind::Irregular => return Err(Fault::NotRegular),
        }
        match self.left.checked_sub(file.length()) {
            Some(left) => self.left = left,
            None => self.size = Some(SizeFault::Tree),
        }
        check_size(path, file.length())
    }

    /// Whether a folder on the way to the file, other than the root, has a go.mod.
    fn is_in_other_module(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at + 1);
        ends.into_iter().any(|end| self.modules.contains(&path[..end]))
    }
}
