//! The hash of a zip: every entry of its directory is a line, contents are inflated on all cores.
//!
//! As in Go, entries that share a name are a line each, and every such line speaks of the last one's content;
//! a directory is a line with empty content. Memory: a digest a name and about 200 KiB a thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{HashError, Summary};
use crate::hash::H1;
use crate::zip::{Archive, ReadAt, Scratch};

/// The `h1:` of an archive. Reads whatever the archive declares, so judge a foreign one before.
///
/// Fails as Go does, with the first name in order that cannot be read. Blocks, and keeps rayon's threads busy.
pub fn hash_zip<R: ReadAt>(archive: &Archive<R>) -> Result<H1, HashError> {
    hash_zip_with(archive, |index, scratch| digest_entry(archive, index, scratch))
}

/// SHA-256 of the content of one entry.
pub(crate) fn digest_entry<R: ReadAt>(
    archive: &Archive<R>,
    index: usize,
    scratch: &mut Scratch,
) -> Result<[u8; 32], HashError> {
    let mut hasher = Sha256::new();
    archive.each_part(index, scratch, |part| hasher.update(part)).map_err(|source| {
        let name = archive.entry(index).name().to_owned();
        HashError::Entry { name, source }
    })?;
    Ok(hasher.finalize().into())
}

/// The `h1:` of an archive of whose entries `digest` gives the SHA-256, called once a name and in parallel.
pub(crate) fn hash_zip_with<R: ReadAt, E: From<HashError> + Send>(
    archive: &Archive<R>,
    digest: impl Fn(usize, &mut Scratch) -> Result<[u8; 32], E> + Sync,
) -> Result<H1, E> {
    let name = |index: usize| archive.entry(index).name();
    let mut lines: Vec<u32> = (0..archive.len() as u32).collect();
    lines.sort_unstable_by_key(|&index| (name(index as usize), index));
    let newline = lines.iter().position(|&index| name(index as usize).contains(&b'\n'));
    lines.truncate(newline.unwrap_or(lines.len()));

    let groups: Vec<&[u32]> =
        lines.chunk_by(|&one, &other| name(one as usize) == name(other as usize)).collect();
    let digests = in_parallel(&groups, |group, scratch| digest(group[group.len() - 1] as usize, scratch))?;
    if newline.is_some() {
        return Err(HashError::Newline.into());
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
pub(super) fn in_parallel<T: Sync, O: Send, E: Send>(
    items: &[T],
    job: impl Fn(&T, &mut Scratch) -> Result<O, E> + Sync,
) -> Result<Vec<O>, E> {
    let first_failed = AtomicUsize::new(usize::MAX);
    let done: Vec<Option<Result<O, E>>> = items
        .par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (at, item)| {
            if at > first_failed.load(Ordering::Relaxed) {
                return None;
            }
            let result = job(item, scratch);
            if result.is_err() {
                first_failed.fetch_min(at, Ordering::Relaxed);
            }
            Some(result)
        })
        .collect();
    // Only items after a failed one were left out, so that one comes first.
    done.into_iter().flatten().collect()
}
