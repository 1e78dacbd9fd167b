//! The trait: what a store does for its callers, and what every home owes.

use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::blob::Blob;
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Report, Stats, Tidied};
use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;

/// The largest small value, in bytes; anything bigger is a blob.
pub const MAX_VALUE: usize = 16 << 20;

/// What becomes of a retired blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is in sight again.
    Back,
    /// It is deleted.
    Gone,
}

/// Where bytes rest.
///
/// Three kinds of things: **blobs**, named by the digest of their content; **values**, small, written once under a key;
/// **cells**, small, changed by compare-and-swap. A value and a cell of the same key know nothing of each other.
///
/// Duties of an implementor:
/// * **Durable before `Ok`.** What a write acknowledged survives kill -9 and power loss. What was not acknowledged may be there
///   or not, but never in part.
/// * **First writer wins**, among tasks, processes and machines that share the home. Reads see every write that was
///   acknowledged before they began.
/// * **Idempotent**: `keep` of content that is there, `remove` of what is not, are successes.
/// * **Cancellable**: a future dropped at any await leaves the home whole; its write happened entirely or not at all.
/// * **Bounded**: no whole blob in memory.
/// * **Honest**: damaged bytes are an error, never an answer and never an absence. A timeout is [`ErrorKind::Unknown`](crate::ErrorKind),
///   not a failure.
///
/// A home retries what its own protocol makes safe (a lock, a conflict answer); anything else is retried by the caller, who
/// knows whether it still matters.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Opens a quarantine file.
    async fn begin(&self) -> Result<Incoming, StoreError>;

    /// Makes the file durable and visible under its digest. The file must come from this store's `begin`.
    async fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError>;

    /// Opens a blob; `None` when there is none of that digest. The content is not hashed again.
    async fn open(&self, digest: &Digest) -> Result<Option<Blob>, StoreError>;

    /// Takes a blob out of sight: later opens say `None` until the content is kept again. A copy stays where the home's operator
    /// can look at it, where the home has such a place. Says whether there was one. Readers that hold it go on.
    async fn quarantine(&self, digest: &Digest) -> Result<bool, StoreError>;

    /// Deletes a blob. Says whether there was one. Readers that hold it go on where the home can do that.
    async fn discard(&self, digest: &Digest) -> Result<bool, StoreError>;

    /// Takes a blob out of sight that was last kept before `moment`, until [`settle`](Self::settle) decides about it. Says whether it
    /// did. A blob that is kept again is in sight, whatever becomes of the retired copy.
    async fn retire(&self, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError>;

    /// At most `limit` blobs that are retired and not settled, with their lengths; those that an interrupted process left, too.
    async fn retired(&self, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError>;

    /// Decides about a retired blob; one that is not retired is left as it is.
    async fn settle(&self, digest: &Digest, fate: Fate) -> Result<(), StoreError>;

    /// The value under `key`.
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// The values under `keys`, in their order; at most a few round trips, whatever their number.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError>;

    /// Writes a value (at most [`MAX_VALUE`] bytes) unless the name is taken.
    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError>;

    /// The cell under `key`.
    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError>;

    /// Writes a cell (at most [`MAX_VALUE`] bytes) if it holds `expected`; `None` expects that there is no such cell.
    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError>;

    /// Forgets a cell if it still holds `expected`, and says whether it did; a value under the same key stays.
    async fn remove_cell(&self, key: &Key, expected: &Revision) -> Result<bool, StoreError>;

    /// Forgets the value and the cell under `key`.
    async fn remove(&self, key: &Key) -> Result<(), StoreError>;

    /// At most `limit` keys of values and cells that begin with `prefix`, in byte order, those after `after`. Slow; not for
    /// answering requests.
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError>;

    /// Reads every row of values and cells, and nothing of the blobs. Slow; for checks.
    async fn examine(&self) -> Result<Report, StoreError>;

    /// Makes the damaged rows that [`examine`](Self::examine) finds absent, as if they had been removed. The bytes as they were
    /// stay where the home's operator can look at them.
    async fn repair(&self) -> Result<(), StoreError>;

    /// Deletes what killed processes left in the home without a name, and last wrote before `moment`. Safe beside processes that
    /// write. A home that clears up whenever it is opened has nothing to do.
    async fn tidy(&self, moment: SystemTime) -> Result<Tidied, StoreError> {
        let _ = moment;
        Ok(Tidied::default())
    }

    /// Counts what is there. Slow where there are many blobs.
    async fn stats(&self) -> Result<Stats, StoreError>;

    /// At most `limit` digests of blobs, ascending, those after `after`. Slow; for checks.
    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError>;
}

/// Refuses a value that is not small.
pub(crate) fn check_size(key: &Key, value: &Bytes) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE {
        let subject =
            format!("writing `{key}`: {} bytes are more than a small value's {MAX_VALUE}", value.len());
        return Err(StoreError::new(ErrorKind::Refused, subject));
    }
    Ok(())
}
