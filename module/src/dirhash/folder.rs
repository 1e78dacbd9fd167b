//! The hash of a folder: as of a zip with the same files.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::archive::in_parallel;
use super::{HashError, Summary, digest_of, refuse_newline};
use crate::clean::clean;
use crate::hash::H1;

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
    let fail = |path: &Path, source| HashError::File { name: path.as_os_str().as_bytes().to_owned(), source };
    let metadata = fs::symlink_metadata(folder).map_err(|error| fail(folder, error))?;
    if !metadata.is_dir() {
        return Err(HashError::NotADirectory(folder.display().to_string()));
    }
    let mut files = Vec::new();
    // Directories still to be listed, the next one last.
    let mut pending = vec![(Vec::new(), folder.to_owned(), true)];
    while let Some((name, path, is_directory)) = pending.pop() {
        if !is_directory {
            files.push((join(prefix, &name), path));
            continue;
        }
        let mut children = Vec::new();
        for child in fs::read_dir(&path).map_err(|error| fail(&path, error))? {
            let child = child.map_err(|error| fail(&path, error))?;
            let kind = child.file_type().map_err(|error| fail(&child.path(), error))?;
            let mut name = name.clone();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend_from_slice(child.file_name().as_bytes());
            children.push((name, child.path(), kind.is_dir()));
        }
        children.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        pending.append(&mut children);
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
