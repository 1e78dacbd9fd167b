//! The twin in memory, for tests: the same promises except durability.
//!
//! Blobs are kept as unlinked temporary files rather than in memory, so that callers meet real files here too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::path::PathBuf;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use crate::blob::Blob;
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Report, Stats};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::home::{Fate, Store, check_size};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;

/// A store that ends with the process.
#[derive(Debug)]
pub struct Memory {
    scratch: PathBuf,
    shelves: Mutex<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    blobs: BTreeMap<Digest, (u64, File)>,
    retired: BTreeMap<Digest, (u64, File)>,
    values: BTreeMap<Key, Bytes>,
    cells: BTreeMap<Key, Cell>,
    revisions: u64,
}

impl Memory {
    /// An empty store; its files are made in the system's folder for temporary files.
    pub fn new() -> Self {
        Self { scratch: std::env::temp_dir(), shelves: Mutex::default() }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for Memory {
    async fn begin(&self) -> Result<Incoming, StoreError> {
        Incoming::create(&self.scratch)
    }

    async fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError> {
        let (file, _path, kept) = incoming.finish()?;
        match self.shelves.lock().blobs.entry(kept.digest) {
            Entry::Occupied(mut there) => there.get_mut().1 = file,
            Entry::Vacant(free) => {
                free.insert((kept.len, file));
            }
        }
        Ok(kept)
    }

    async fn open(&self, digest: &Digest) -> Result<Option<Blob>, StoreError> {
        let shelves = self.shelves.lock();
        let Some((len, file)) = shelves.blobs.get(digest) else { return Ok(None) };
        let file =
            file.try_clone().map_err(|source| StoreError::io(format!("opening blob `{digest}`"), source))?;
        Ok(Some(Blob::of_file(*digest, *len, file)))
    }

    async fn quarantine(&self, digest: &Digest) -> Result<bool, StoreError> {
        self.discard(digest).await
    }

    async fn discard(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.shelves.lock().blobs.remove(digest).is_some())
    }

    async fn retire(&self, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError> {
        let mut shelves = self.shelves.lock();
        let Some((_, file)) = shelves.blobs.get(digest) else { return Ok(false) };
        // the file is new each time that a blob is kept
        let kept = file.metadata().and_then(|metadata| metadata.modified());
        let kept = kept.map_err(|source| StoreError::io(format!("retiring blob `{digest}`"), source))?;
        if kept >= moment {
            return Ok(false);
        }
        let Some(blob) = shelves.blobs.remove(digest) else { return Ok(false) };
        shelves.retired.insert(*digest, blob);
        Ok(true)
    }

    async fn retired(&self, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let shelves = self.shelves.lock();
        Ok(shelves.retired.iter().take(limit).map(|(digest, (len, _))| (*digest, *len)).collect())
    }

    async fn settle(&self, digest: &Digest, fate: Fate) -> Result<(), StoreError> {
        let mut shelves = self.shelves.lock();
        if let (Some(blob), Fate::Back) = (shelves.retired.remove(digest), fate) {
            shelves.blobs.entry(*digest).or_insert(blob);
        }
        Ok(())
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.shelves.lock().values.get(key).cloned())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let shelves = self.shelves.lock();
        Ok(keys.iter().map(|key| shelves.values.get(key).cloned()).collect())
    }

    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError> {
        check_size(key, &value)?;
        match self.shelves.lock().values.entry(key.clone()) {
            Entry::Occupied(taken) => Ok(Put::Exists(taken.get().clone())),
            Entry::Vacant(free) => {
                free.insert(value);
                Ok(Put::Created)
            }
        }
    }

    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError> {
        Ok(self.shelves.lock().cells.get(key).cloned())
    }

    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError> {
        check_size(key, &value)?;
        let mut shelves = self.shelves.lock();
        let current = shelves.cells.get(key);
        if current.map(|cell| &cell.revision) != expected {
            return Ok(Swap::Lost(current.cloned()));
        }
        shelves.revisions += 1;
        let revision = Revision::numbered(shelves.revisions);
        shelves.cells.insert(key.clone(), Cell { value, revision: revision.clone() });
        Ok(Swap::Done(revision))
    }

    async fn remove_cell(&self, key: &Key, expected: &Revision) -> Result<bool, StoreError> {
        let mut shelves = self.shelves.lock();
        let is_expected = shelves.cells.get(key).is_some_and(|cell| cell.revision == *expected);
        if is_expected {
            shelves.cells.remove(key);
        }
        Ok(is_expected)
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let mut shelves = self.shelves.lock();
        shelves.values.remove(key);
        shelves.cells.remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let shelves = self.shelves.lock();
        let wanted = |key: &&Key| key.as_str().starts_with(prefix) && after.is_none_or(|after| *key > after);
        let mut keys: Vec<Key> =
            shelves.values.keys().chain(shelves.cells.keys()).filter(wanted).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(limit);
        Ok(keys)
    }

    async fn examine(&self) -> Result<Report, StoreError> {
        let rows = self.stats().await?.rows;
        Ok(Report { rows, ..Report::default() })
    }

    async fn repair(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let shelves = self.shelves.lock();
        let values = shelves.values.values().chain(shelves.cells.values().map(|cell| &cell.value));
        Ok(Stats {
            blobs: shelves.blobs.len() as u64,
            blob_bytes: shelves.blobs.values().map(|(len, _)| len).sum(),
            rows: (shelves.values.len() + shelves.cells.len()) as u64,
            row_bytes: values.map(|value| value.len() as u64).sum(),
            files: 0,
        })
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        let shelves = self.shelves.lock();
        let digests = shelves.blobs.keys().filter(|digest| after.is_none_or(|after| *digest > after));
        Ok(digests.take(limit).copied().collect())
    }
}
