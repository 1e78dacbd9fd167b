//! The files of a folder that may become a module zip, and what is left out on the way
//! (`golang.org/x/mod/zip.CheckDir`).

use std::fs::{self, FileType};
use std::path::Path;

use super::files::check_files;
use super::source::FolderFile;
use super::vendor::Vendoring;
use super::{CheckedFiles, Fault, FileFault, Kind};
use crate::walk::{Found, Walk, WalkError};

/// Sorts out the files below a folder. Paths are from the folder on; of a folder that is left out its files are not
/// listed.
pub fn check_dir(folder: &Path) -> Result<CheckedFiles, WalkError> {
    let (files, mut omitted) = list(folder)?;
    let mut checked = check_files(&files);
    checked.omitted.append(&mut omitted);
    Ok(checked)
}

/// The regular files below a folder, and what was left out.
pub(super) fn list(folder: &Path) -> Result<(Vec<FolderFile>, Vec<FileFault>), WalkError> {
    let vendoring = fs::read(folder.join("go.mod")).map_or(Vendoring::Old, |go_mod| Vendoring::of(&go_mod));
    let mut walk = Walk::of(folder)?;
    let (mut files, mut omitted) = (Vec::new(), Vec::new());
    while let Some(found) = walk.next() {
        let fault = look(&found, vendoring);
        // Folders in vendored packages are walked all the same: every file in them is named.
        if found.kind.is_dir() && matches!(fault, None | Some(Fault::Vendored)) {
            walk.enter(&found)?;
        }
        match fault {
            Some(fault) => omitted.push(FileFault { path: named(found.name), fault }),
            None if found.kind.is_dir() => {}
            None => {
                let length = found.metadata()?.len();
                files.push(FolderFile { name: found.name, path: found.path, kind: Kind::File, length });
            }
        }
    }
    Ok((files, omitted))
}

/// Why a file or folder is left out.
fn look(found: &Found, vendoring: Vendoring) -> Option<Fault> {
    if vendoring.omits(&found.name) {
        return Some(Fault::Vendored);
    }
    if !found.kind.is_dir() {
        return (!found.kind.is_file()).then_some(Fault::NotRegular);
    }
    if found.name.is_empty() {
        return None;
    }
    if matches!(found.base(), b".bzr" | b".git" | b".hg" | b".svn") {
        return Some(Fault::VersionControl);
    }
    let go_mod = fs::symlink_metadata(found.path.join("go.mod"));
    go_mod.is_ok_and(|go_mod| !FileType::is_dir(&go_mod.file_type())).then_some(Fault::OtherModuleDirectory)
}

/// The name of the folder itself is a dot.
fn named(name: Vec<u8>) -> Vec<u8> {
    if name.is_empty() { b".".to_vec() } else { name }
}
