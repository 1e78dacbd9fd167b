//! Everything that must be known of a zip before anybody may have it, in one pass over its contents.

use std::fs::File;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::check::{check, prefix};
use super::{Archive, ArchiveError, CheckError, MAX_ZIP, ReadAt, SizeFault};
use crate::ModuleVersion;
use crate::dirhash::{HashError, digest_entry, hash_zip_with};
use crate::hash::H1;

/// What a zip that keeps the rules is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipFacts {
    /// Hash of its names and contents, to be compared with what a checksum database says.
    pub h1: H1,
    /// The go.mod in its root, if there is one.
    pub go_mod: Option<Vec<u8>>,
    /// How many files it has.
    pub files: u64,
}

/// Why a zip is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// It is no archive, or a limit of ours is exceeded.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Its entries break the rules for module zips.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The compressed contents are longer than the zip, so some bytes are used twice. Stricter than Go: small
    /// zips could cost hours.
    #[error("zip: entries overlap")]
    Overlap,
    /// A content is damaged, or not as long as declared.
    #[error(transparent)]
    Content(#[from] HashError),
}

/// Checks a zip of `length` bytes as the zip of `module`, and hashes it: nothing of it may be trusted before.
///
/// Blocks and keeps rayon's threads busy. Memory: the directory (at most about 50 MiB, for a zip of usual size far
/// less), a set of paths, 200 KiB a thread, and the go.mod.
pub fn prove_zip(file: &File, length: u64, module: &ModuleVersion) -> Result<ZipFacts, ZipError> {
    prove(file, length, module)
}

/// [`prove_zip`] for anything that can be read at an offset.
pub fn prove<R: ReadAt>(reader: R, length: u64, module: &ModuleVersion) -> Result<ZipFacts, ZipError> {
    let (archive, valid) = open_checked(reader, length, module)?;
    let go_mod_name = format!("{}go.mod", prefix(module));
    let go_mod = valid.iter().copied().find(|&index| archive.entry(index).name() == go_mod_name.as_bytes());
    let content = OnceLock::new();
    let h1 = hash_zip_with(&archive, |index, scratch| {
        if go_mod != Some(index) {
            return digest_entry(&archive, index, scratch);
        }
        let bytes = archive
            .bytes(index)
            .map_err(|source| HashError::Entry { name: archive.entry(index).name().to_owned(), source })?;
        Ok(Sha256::digest(content.get_or_init(|| bytes)).into())
    })?;
    Ok(ZipFacts { h1, go_mod: content.into_inner(), files: valid.len() as u64 })
}

/// Opens an archive that keeps all rules which its directory can break; says which entries are files.
pub(super) fn open_checked<R: ReadAt>(
    reader: R,
    length: u64,
    module: &ModuleVersion,
) -> Result<(Archive<R>, Vec<usize>), ZipError> {
    if length > MAX_ZIP {
        return Err(CheckError::Size(SizeFault::Zip(length)).into());
    }
    let archive = Archive::open(reader, length)?;
    let valid = check(&archive, module).verdict()?;
    let compressed = valid.iter().map(|&index| archive.entry(index).compressed_size());
    match compressed.fold(0, u64::saturating_add) {
        compressed if compressed > length => Err(ZipError::Overlap),
        _ => Ok((archive, valid)),
    }
}
