//! Finding damage at rest, and taking it out of sight.
//!
//! [`check`] reads everything and changes nothing, so it may run beside a live server. [`scrub`] also quarantines: what was
//! damaged is absent afterwards and can be fetched again. Neither ever lets damaged bytes out.

use std::fmt;

use futures_util::TryStreamExt;

use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::home::Store;
use crate::key::Key;

/// Digests asked for at once.
const PAGE: usize = 1000;

/// One damaged thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// The content does not hash to the name, or cannot be read.
    Blob(Digest),
    /// The value under this key cannot be read.
    Value(Key),
    /// The cell under this key cannot be read.
    Cell(Key),
    /// Packed bytes whose names can no longer be told, or that nobody reads any more.
    Bytes {
        /// The file or object they are in.
        file: String,
        /// Where the damage begins, in bytes.
        at: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(digest) => write!(f, "blob `{digest}`"),
            Self::Value(key) => write!(f, "value `{key}`"),
            Self::Cell(key) => write!(f, "cell `{key}`"),
            Self::Bytes { file, at } => write!(f, "`{file}` at byte {at}"),
        }
    }
}

/// What was looked at, and what was found damaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Blobs whose content was hashed.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of packed values and cells that were read, replaced ones included.
    pub rows: u64,
    /// Everything that is not as it was written.
    pub damage: Vec<Damage>,
}

impl Report {
    /// Whether nothing is damaged.
    pub fn is_clean(&self) -> bool {
        self.damage.is_empty()
    }
}

/// What a home holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blobs.
    pub blobs: u64,
    /// Bytes of blobs.
    pub blob_bytes: u64,
    /// Rows of values and cells, replaced ones included until they are merged away.
    pub rows: u64,
    /// Bytes of packed values and cells.
    pub row_bytes: u64,
    /// Files or objects that are not blobs.
    pub files: u64,
}

/// What interrupted processes had left, and is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Files or objects.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl std::ops::AddAssign for Tidied {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

/// Reads every blob and every row.
///
/// # Errors
/// Only when the home cannot be asked; damage is in the report.
pub async fn check(store: &dyn Store) -> Result<Report, StoreError> {
    let mut report = store.examine().await?;
    let mut after = None;
    loop {
        let page = store.blobs(after.as_ref(), PAGE).await?;
        for digest in &page {
            check_blob(store, digest, &mut report).await?;
        }
        match page.last() {
            Some(last) => after = Some(*last),
            None => return Ok(report),
        }
    }
}

async fn check_blob(store: &dyn Store, digest: &Digest, report: &mut Report) -> Result<(), StoreError> {
    let blob = match store.open(digest).await {
        Ok(Some(blob)) => blob,
        // discarded since it was listed
        Ok(None) => return Ok(()),
        Err(error) => return judge(error, digest, report),
    };
    report.blobs += 1;
    report.bytes += blob.len();
    match blob.read_checked().try_for_each(|_| std::future::ready(Ok(()))).await {
        Ok(()) => Ok(()),
        Err(error) => judge(error, digest, report),
    }
}

fn judge(error: StoreError, digest: &Digest, report: &mut Report) -> Result<(), StoreError> {
    if error.kind() != ErrorKind::Damaged {
        return Err(error);
    }
    report.damage.push(Damage::Blob(*digest));
    Ok(())
}

/// Checks, then quarantines what is damaged. The report says what was found; a second scrub finds nothing of it.
///
/// # Errors
/// When the home cannot be asked, or the damage not be put away.
pub async fn scrub(store: &dyn Store) -> Result<Report, StoreError> {
    let report = check(store).await?;
    let mut rows_are_damaged = false;
    for damage in &report.damage {
        match damage {
            Damage::Blob(digest) => {
                store.quarantine(digest).await?;
            }
            Damage::Value(_) | Damage::Cell(_) | Damage::Bytes { .. } => rows_are_damaged = true,
        }
    }
    if rows_are_damaged {
        store.repair().await?;
    }
    Ok(report)
}
