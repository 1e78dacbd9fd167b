//! The home in a folder of a local file system.
//!
//! Blobs are files; small values are packed, so that ten million versions do not cost thirty million inodes. Several processes
//! may have the folder open: what one acknowledged the others see.
//!
//! What is in memory is answered on the caller's thread; what must wait for the disk goes to a thread that may.
//! Network file systems are not for this home: it relies on `flock`, `rename` and `fsync` meaning what they say.

mod blobs;
pub(crate) mod floor;
mod read;
pub(crate) mod temp;
mod values;

#[cfg(feature = "s3")]
pub(crate) use crate::folder::values::Segment as LocalSegment;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::batch::{Op, Outcome, cell_of};
use crate::blob::Blob;
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Report, Stats};
use crate::digest::Digest;
use crate::durable::Disk;
use crate::error::{ErrorKind, StoreError};
use crate::folder::blobs::Blobs;
use crate::folder::floor::Floor;
use crate::folder::read::Reading;
use crate::folder::temp::Temp;
use crate::folder::values::{Committer, Sealer, Values};
use crate::home::{Fate, Store};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;
use crate::packed::merge::{Run, RunError};
use crate::packed::name::{Shelf, parse_row_name, row_name};
use crate::packed::row::{Found, Tag};

/// What a store's folder says of itself, in the file `modkeep-store`.
const MARKER: &str = "modkeep store 1\n";

/// How a folder is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of the file system that must stay free: below it new things are refused with [`ErrorKind::Full`]. 0 for no floor.
    pub free_floor: u64,
    /// Length in bytes at which the log of small values is sealed into a segment; tests make it small.
    pub log_full: u64,
    /// The hand that writes; tests give one that breaks.
    pub disk: Disk,
}

impl Default for Options {
    fn default() -> Self {
        Self { free_floor: 0, log_full: 16 << 20, disk: Disk::default() }
    }
}

/// A store in a folder. Dropping it waits for the write that is going on.
#[derive(Debug)]
pub struct Folder {
    // the committer ends before the sealer, and both before the temporary folder they may write to
    committer: Committer,
    _sealer: Sealer,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    blobs: Blobs,
    values: Arc<Values>,
    temp: Temp,
    floor: Floor,
}

impl Folder {
    /// Opens the store in `folder`, making it if there is none. Blocks: reads the index of the small values, which is a few bytes
    /// a version.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for the folder of another format, [`ErrorKind::Damaged`] when an index cannot be read,
    /// [`ErrorKind::Full`] and [`ErrorKind::Io`] when it cannot be made.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let subject = || format!("opening store `{}`", folder.display());
        let at = |source| StoreError::io(subject(), source);
        let disk = options.disk.clone();
        disk.make_folder(folder).map_err(at)?;
        if !mark(folder, &disk).map_err(at)? {
            return Err(StoreError::new(
                ErrorKind::Refused,
                format!("{}: it was made by another version", subject()),
            ));
        }
        let floor = Floor::new(folder.to_owned(), options.free_floor);
        let temp = Temp::open(&folder.join("temp"), &disk).map_err(at)?;
        let blobs = Blobs::open(folder, &disk).map_err(at)?;
        let values = Values::open(folder.join("values"), temp.path().to_owned(), floor.clone(), options)
            .map_err(at)?;
        let values = Arc::new(values);
        let (sealer, waker) = Sealer::start(values.clone()).map_err(at)?;
        let committer = Committer::start(values.clone(), waker).map_err(at)?;
        let shared = Arc::new(Shared { blobs, values, temp, floor });
        Ok(Self { committer, _sealer: sealer, shared })
    }

    /// Does `act` on a thread that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        subject: impl Fn() -> String + Send + 'static,
        act: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        let done = spawn_blocking(move || act(&shared));
        done.await.map_err(|source| StoreError::new(ErrorKind::Unknown, subject()).because(source))?
    }

    async fn find(&self, key: &Key, shelf: Shelf) -> Result<Option<Bytes>, StoreError> {
        let name = row_name(key, shelf);
        match self.shared.values.find(&name, Reading::Cached) {
            Ok(found) => return Ok(found.and_then(Found::present)),
            Err(error) if error.would_block() => {}
            Err(error) => return Err(error.while_doing(reading(key))),
        }
        let key = key.clone();
        let find = move |shared: &Shared| {
            let found = shared
                .values
                .find(&name, Reading::Waiting)
                .map_err(|error| error.while_doing(reading(&key)))?;
            Ok(found.and_then(Found::present))
        };
        self.blocking(|| "reading small values".into(), find).await
    }
}

fn reading(key: &Key) -> String {
    format!("reading `{key}`")
}

/// Whether `folder` is, or now becomes, a store of this format.
fn mark(folder: &Path, disk: &Disk) -> io::Result<bool> {
    let path = folder.join("modkeep-store");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text == MARKER),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let temp = folder.join(format!("modkeep-store.{}", std::process::id()));
            disk.replace(&path, &temp, MARKER.as_bytes()).map(|()| true)
        }
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Store for Folder {
    async fn begin(&self) -> Result<Incoming, StoreError> {
        let begin = |shared: &Shared| {
            shared.floor.check(1).map_err(|source| StoreError::io("beginning a file", source))?;
            Ok(Incoming::create(shared.temp.path())?.above(shared.floor.clone()))
        };
        self.blocking(|| "beginning a file".into(), begin).await
    }

    async fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError> {
        let keep = |shared: &Shared| {
            let (file, path, kept) = incoming.finish()?;
            let done = shared.blobs.keep(&file, &path, kept);
            done.map(|()| kept)
                .map_err(|source| StoreError::io(format!("keeping blob `{}`", kept.digest), source))
        };
        self.blocking(|| "keeping a blob".into(), keep).await
    }

    async fn open(&self, digest: &Digest) -> Result<Option<Blob>, StoreError> {
        let digest = *digest;
        let subject = move || format!("opening blob `{digest}`");
        let found = match self.shared.blobs.find(&digest, Reading::Cached) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let find = move |shared: &Shared| {
                    shared
                        .blobs
                        .find(&digest, Reading::Waiting)
                        .map_err(|source| StoreError::io(subject(), source))
                };
                self.blocking(subject, find).await?
            }
            found => found.map_err(|source| StoreError::io(subject(), source))?,
        };
        Ok(found.map(|(file, len)| Blob::of_file(digest, len, file)))
    }

    async fn quarantine(&self, digest: &Digest) -> Result<bool, StoreError> {
        let digest = *digest;
        let subject = move || format!("quarantining blob `{digest}`");
        let act =
            move |shared: &Shared| shared.blobs.quarantine(&digest).map_err(|e| StoreError::io(subject(), e));
        self.blocking(subject, act).await
    }

    async fn discard(&self, digest: &Digest) -> Result<bool, StoreError> {
        let digest = *digest;
        let subject = move || format!("discarding blob `{digest}`");
        let act =
            move |shared: &Shared| shared.blobs.discard(&digest).map_err(|e| StoreError::io(subject(), e));
        self.blocking(subject, act).await
    }

    async fn retire(&self, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError> {
        let digest = *digest;
        let subject = move || format!("retiring blob `{digest}`");
        let act = move |shared: &Shared| {
            shared.blobs.retire(&digest, moment).map_err(|e| StoreError::io(subject(), e))
        };
        self.blocking(subject, act).await
    }

    async fn retired(&self, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let subject = || "listing retired blobs".to_owned();
        let act =
            move |shared: &Shared| shared.blobs.retired(limit).map_err(|e| StoreError::io(subject(), e));
        self.blocking(subject, act).await
    }

    async fn settle(&self, digest: &Digest, fate: Fate) -> Result<(), StoreError> {
        let digest = *digest;
        let subject = move || format!("settling blob `{digest}`");
        let act = move |shared: &Shared| {
            shared.blobs.settle(&digest, fate).map_err(|e| StoreError::io(subject(), e))
        };
        self.blocking(subject, act).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.find(key, Shelf::Value).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        let mut waiting = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let name = row_name(key, Shelf::Value);
            match self.shared.values.find(&name, Reading::Cached) {
                Ok(found) => values.push(found.and_then(Found::present)),
                Err(error) if error.would_block() => {
                    values.push(None);
                    waiting.push((at, key.clone(), name));
                }
                Err(error) => return Err(error.while_doing(reading(key))),
            }
        }
        if waiting.is_empty() {
            return Ok(values);
        }
        let find = |shared: &Shared| {
            let mut found = Vec::with_capacity(waiting.len());
            for (at, key, name) in waiting {
                let value = shared
                    .values
                    .find(&name, Reading::Waiting)
                    .map_err(|error| error.while_doing(reading(&key)))?;
                found.push((at, value.and_then(Found::present)));
            }
            Ok(found)
        };
        for (at, value) in self.blocking(|| "reading small values".into(), find).await? {
            values[at] = value;
        }
        Ok(values)
    }

    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError> {
        let op = Op::put(key, value)?;
        if let Some(taken) = self.get(key).await? {
            return Ok(Put::Exists(taken));
        }
        Ok(self.committer.commit(op).await?.of_put())
    }

    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError> {
        Ok(self.find(key, Shelf::Cell).await?.as_ref().map(cell_of))
    }

    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError> {
        self.committer.commit(Op::swap(key, expected, value)?).await?.of_swap(key)
    }

    async fn remove_cell(&self, key: &Key, expected: &Revision) -> Result<bool, StoreError> {
        Ok(matches!(self.committer.commit(Op::drop(key, expected)).await?, Outcome::Done))
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.committer.commit(Op::remove(key)).await.map(drop)
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        self.blocking(
            || "listing keys".into(),
            move |shared| list(&shared.values, &prefix, after.as_ref(), limit),
        )
        .await
    }

    async fn examine(&self) -> Result<Report, StoreError> {
        let examine = |shared: &Shared| {
            shared.values.examine().map_err(|source| StoreError::io("examining small values", source))
        };
        self.blocking(|| "examining small values".into(), examine).await
    }

    async fn repair(&self) -> Result<(), StoreError> {
        let subject = "repairing small values";
        let repair = move |shared: &Shared| {
            shared.values.repair().map_err(|source| match source {
                RunError::Io(source) => StoreError::io(subject, source),
                RunError::Damaged(_) => StoreError::new(ErrorKind::Damaged, subject).because(source),
            })
        };
        self.blocking(move || subject.into(), repair).await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let count = |shared: &Shared| {
            let at = |source| StoreError::io("counting", source);
            let (blobs, blob_bytes) = shared.blobs.count().map_err(at)?;
            let (rows, row_bytes, files) = shared.values.count().map_err(at)?;
            Ok(Stats { blobs, blob_bytes, rows, row_bytes, files })
        };
        self.blocking(|| "counting".into(), count).await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        let after = after.copied();
        let list = move |shared: &Shared| {
            shared.blobs.list(after.as_ref(), limit).map_err(|source| StoreError::io("listing blobs", source))
        };
        self.blocking(|| "listing blobs".into(), list).await
    }
}

fn list(values: &Values, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
    let at = |source| StoreError::io("listing keys", source);
    // a zero byte follows a key in its row's name, so these are the first rows that can be meant
    let from = after.map_or_else(|| prefix.as_bytes().to_vec(), |after| row_name(after, Shelf::Value));
    let from = from.max(prefix.as_bytes().to_vec());
    let view = values.fresh(Reading::Waiting).map_err(at)?;
    let mut rows = view.rows_from(&from).map_err(|error| error.while_doing("listing keys".into()))?;
    let mut keys: Vec<Key> = Vec::new();
    while let Some(row) = rows.row() {
        if keys.len() >= limit || !row.name.starts_with(prefix.as_bytes()) && row.name > prefix.as_bytes() {
            break;
        }
        if let Some((key, _)) = parse_row_name(row.name)
            && row.tag == Tag::Present
            && key.as_str().starts_with(prefix)
            && after.is_none_or(|after| key > *after)
            && keys.last() != Some(&key)
        {
            keys.push(key);
        }
        rows.advance().map_err(|error| StoreError::new(ErrorKind::Damaged, "listing keys").because(error))?;
    }
    Ok(keys)
}
