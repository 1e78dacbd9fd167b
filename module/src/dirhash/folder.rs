//! The hash of a folder: as of a zip with the same files.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::archive::in_parallel;
use super::{HashError, Summary, digest_of, refuse_newline};
use crate::clean::clean;
use crate::hash::H1;
use crate::walk::Walk;

/// The hash of the files below `folder`, whose names begin with `prefix` instead (`dirhash.HashDir`).
///
/// Symbolic links are not followed as directories; as files their targets are read, as Go does. Blocks.
pub fn hash_dir(folder: &Path, prefix: &str) -> Result<H1, HashError> {
    let mut files = list(folder, prefix)?;
    files.sort_unstable();
    let newline = files.iter().position(|(name, _)| refuse_newline(name).is_err());
    files.truncate(newline.unwrap_or(files.len()));
    let digests = in_parallel(&files, |(name, path), scratch| {
        File::open(path)
            .and_then(|file| digest_of(file, scratch.buffer()))
            .map_err(|source| HashError::File { name: name.clone(), source })
    })?;
    if newline.is_some() {
        return Err(HashError::Newline);
    }
    let mut summary = Summary::default();
    for ((name, _), digest) in files.iter().zip(&digests) {
        summary.line(digest, name);
    }
    Ok(summary.finish())
}

/// The names that [`hash_dir`] would hash, in the order of a walk (`dirhash.DirFiles`).
pub fn dir_files(folder: &Path, prefix: &str) -> Result<Vec<Vec<u8>>, HashError> {
    Ok(list(folder, prefix)?.into_iter().map(|(name, _)| name).collect())
}

/// Everything below `folder` that is no directory: its name, and where it is.
fn list(folder: &Path, prefix: &str) -> Result<Vec<(Vec<u8>, PathBuf)>, HashError> {
    let mut walk = Walk::of(folder)?;
    let mut files = Vec::new();
    while let Some(found) = walk.next() {
        if found.kind.is_dir() {
            walk.enter(&found)?;
        } else if found.name.is_empty() {
            return Err(HashError::NotADirectory(folder.display().to_string()));
        } else {
            files.push((join(prefix, &found.name), found.path));
        }
    }
    Ok(files)
}

/// A name below a prefix (`filepath.Join`).
fn join(prefix: &str, name: &[u8]) -> Vec<u8> {
    if prefix.is_empty() {
        return name.to_vec();
    }
    clean(&[prefix.as_bytes(), b"/", name].concat())
}
