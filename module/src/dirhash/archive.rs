//! The hash of a zip: every entry of its directory is a line, contents are inflated on all cores.
//!
//! As in Go, entries that share a name are a line each, and every such line speaks of the last one's content;
//! a directory is a line with empty content. Memory: a digest a name and about 200 KiB a thread.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{HashError, Summary};
use crate::hash::H1;
use crate::zip::{Archive, ArchiveError, ReadAt, Scratch};

/// The `h1:` of an archive. Reads whatever the archive declares, so judge a foreign one before.
///
/// Fails as Go does, with the first name in order that cannot be read. Blocks, and keeps rayon's threads busy.
pub fn hash_zip<R: ReadAt>(archive: &Archive<R>) -> Result<H1, HashError> {
    hash_zip_with(archive, |index, scratch| archive.digest(index, scratch))
}

/// The `h1:` of an archive of whose entries `digest` gives the SHA-256, called once a name and in parallel.
pub(crate) fn hash_zip_with<R: ReadAt>(
    archive: &Archive<R>,
    digest: impl Fn(usize, &mut Scratch) -> Result<[u8; 32], ArchiveError> + Sync,
) -> Result<H1, HashError> {
    let name = |index: usize| archive.entry(index).name();
    let mut lines: Vec<u32> = (0..archive.len() as u32).collect();
    lines.sort_unstable_by_key(|&index| (name(index as usize), index));
    let newline = lines.iter().position(|&index| name(index as usize).contains(&b'\n'));
    lines.truncate(newline.unwrap_or(lines.len()));

    let groups: Vec<&[u32]> =
        lines.chunk_by(|&one, &other| name(one as usize) == name(other as usize)).collect();
    let digests = in_parallel(&groups, |group, scratch| {
        let last = group[group.len() - 1] as usize;
        digest(last, scratch).map_err(|source| HashError::Entry { name: name(last).to_owned(), source })
    })?;
    if newline.is_some() {
        return Err(HashError::Newline);
    }

    let mut summary = Summary::default();
    for (group, digest) in groups.iter().zip(&digests) {
        for &index in *group {
            summary.line(digest, name(index as usize));
        }
    }
    Ok(summary.finish())
}

/// Does `job` for all items, and fails with the error of the first item in order that has one. Items after a
/// failed one may be left out.
pub(super) fn in_parallel<T: Sync, O: Send>(
    items: &[T],
    job: impl Fn(&T, &mut Scratch) -> Result<O, HashError> + Sync,
) -> Result<Vec<O>, HashError> {
    let first_failed = AtomicUsize::new(usize::MAX);
    let failure = Mutex::new(None);
    let done: Vec<Option<O>> = items
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (at, item)| {
            if at > first_failed.load(Ordering::Relaxed) {
                return None;
            }
            let error = match job(item, scratch) {
                Ok(output) => return Some(output),
                Err(error) => error,
            };
            let mut failure = failure.lock().unwrap_or_else(|poison| poison.into_inner());
            if at < first_failed.load(Ordering::Relaxed) {
                first_failed.store(at, Ordering::Relaxed);
                *failure = Some(error);
            }
            None
        })
        .collect();
    match failure.into_inner().unwrap_or_else(|poison| poison.into_inner()) {
        Some(error) => Err(error),
        None => Ok(done.into_iter().flatten().collect()),
    }
}
