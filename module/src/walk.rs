//! A folder's files in the order of Go's `filepath.Walk`: depth first, names in bytewise order, links not followed.

use std::ffi::OsStr;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// What could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("reading {}: {source}", path.display())]
pub struct WalkError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A file or folder that was found.
pub(crate) struct Found {
    /// Name from the folder on, `/`-separated; empty for the folder itself.
    pub(crate) name: Vec<u8>,
    pub(crate) path: PathBuf,
    pub(crate) kind: FileType,
}

impl Found {
    pub(crate) fn base(&self) -> &[u8] {
        self.name.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    pub(crate) fn metadata(&self) -> Result<Metadata, WalkError> {
        metadata(&self.path)
    }
}

/// A walk, which goes only into the folders that it is told to enter.
pub(crate) struct Walk {
    /// What is still to come, the next one last.
    pending: Vec<Found>,
}

impl Walk {
    /// A walk whose first step is the folder itself.
    pub(crate) fn of(folder: &Path) -> Result<Self, WalkError> {
        let kind = metadata(folder)?.file_type();
        Ok(Self { pending: vec![Found { name: Vec::new(), path: folder.to_owned(), kind }] })
    }

    /// The next file or folder.
    pub(crate) fn next(&mut self) -> Option<Found> {
        self.pending.pop()
    }

    /// Makes what is in a folder come next.
    pub(crate) fn enter(&mut self, folder: &Found) -> Result<(), WalkError> {
        let fail = |source| WalkError { path: folder.path.clone(), source };
        let at = self.pending.len();
        for child in fs::read_dir(&folder.path).map_err(fail)? {
            let child = child.map_err(fail)?;
            let mut name = folder.name.clone();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend_from_slice(bytes(&child.file_name()));
            self.pending.push(Found { name, path: child.path(), kind: child.file_type().map_err(fail)? });
        }
        self.pending[at..].sort_unstable_by(|one, other| other.name.cmp(&one.name));
        Ok(())
    }
}

/// A name's bytes; on Unix they are what the system has.
fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

fn metadata(path: &Path) -> Result<Metadata, WalkError> {
    fs::symlink_metadata(path).map_err(|source| WalkError { path: path.to_owned(), source })
}
