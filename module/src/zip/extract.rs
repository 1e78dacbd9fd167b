//! A module zip unpacked to a folder, as the go command unpacks it into its module cache.
//!
//! Every entry becomes a regular file that nobody may write (0444), whatever its mode bits say, and no file
//! that exists is opened (`golang.org/x/mod/zip.Unzip`). Contents are inflated once: what is written is hashed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::check::prefix;
use super::prove::open_checked;
use super::{ArchiveError, CheckError, ReadAt, ZipError};
use crate::ModuleVersion;
use crate::dirhash::{HashError, digest_entry, hash_zip_with};
use crate::hash::H1;

/// Why a zip was not unpacked, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// There are files where the module should go.
    #[error("target directory {} exists and is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// It is no zip of the module.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// A content is damaged, or not as long as declared.
    #[error(transparent)]
    Content(#[from] HashError),
    /// A file or folder could not be made.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<ArchiveError> for ExtractError {
    fn from(error: ArchiveError) -> Self {
        Self::Zip(error.into())
    }
}

impl From<CheckError> for ExtractError {
    fn from(error: CheckError) -> Self {
        Self::Zip(error.into())
    }
}

/// Unpacks a zip of `length` bytes, which must keep the rules for zips of `module`, to a folder that is empty or
/// not there, and returns the hash of what was read.
///
/// After an error some files may be there. Nothing is synced. Blocks and keeps rayon's threads busy.
pub fn extract<R: ReadAt>(
    reader: R,
    length: u64,
    module: &ModuleVersion,
    target: &Path,
) -> Result<H1, ExtractError> {
    if fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(ExtractError::NotEmpty(target.to_owned()));
    }
    let (archive, valid) = open_checked(reader, length, module)?;
    let prefix = prefix(module);
    // Checked names are UTF-8 and stay below the folder.
    let below = |index: usize| {
        let name = archive.entry(index).name();
        std::str::from_utf8(&name[prefix.len()..]).map(|name| target.join(name)).unwrap_or_default()
    };
    make_folders(target, valid.iter().map(|&index| below(index)))?;

    let mut is_file = vec![false; archive.len()];
    valid.iter().for_each(|&index| is_file[index] = true);
    hash_zip_with(&archive, |index, scratch| {
        if !is_file[index] {
            return Ok(digest_entry(&archive, index, scratch)?);
        }
        let path = below(index);
        let fail = |source| ExtractError::Write { path: path.clone(), source };
        let mut file = create_read_only(&path).map_err(fail)?;
        let (mut hasher, mut written) = (Sha256::new(), Ok(()));
        archive
            .each_part(index, scratch, |part| {
                hasher.update(part);
                if written.is_ok() {
                    written = file.write_all(part);
                }
            })
            .map_err(|source| HashError::Entry { name: archive.entry(index).name().to_owned(), source })?;
        written.map_err(fail)?;
        Ok(hasher.finalize().into())
    })
}

/// Makes the folder and all folders that files need, each once.
fn make_folders(target: &Path, files: impl Iterator<Item = PathBuf>) -> Result<(), ExtractError> {
    let mut folders: BTreeSet<PathBuf> = files.filter_map(|file| file.parent().map(Path::to_owned)).collect();
    folders.insert(target.to_owned());
    folders
        .into_iter()
        .try_for_each(|path| fs::create_dir_all(&path).map_err(|source| ExtractError::Write { path, source }))
}

fn create_read_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
    options.open(path)
}
