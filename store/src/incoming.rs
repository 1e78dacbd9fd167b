//! The quarantine: a file that is hashed while it arrives and has no name yet.
//!
//! Whatever home a blob will have, it first becomes a local temporary file, so that its readers can follow it with `pread`
//! or `sendfile` while it grows and the verdict can be reached over plain file content.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tempfile::{NamedTempFile, TempPath};
use tokio::task::spawn_blocking;

use crate::digest::{Digest, Hasher};
use crate::error::{ErrorKind, StoreError};
use crate::faulty::Fuse;
use crate::folder::floor::Floor;

/// What a kept blob is: enough to name it in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The blob's name.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
}

/// A file on its way into a store. Nobody finds it by name until [`Store::keep`](crate::Store::keep) took it; dropped before
/// that it is gone, though readers that hold it open may go on reading.
#[derive(Debug)]
pub struct Incoming {
    path: TempPath,
    arriving: Arc<Mutex<Arriving>>,
    /// Bytes that readers may read; the mutex is held only while a piece is written.
    len: Arc<AtomicU64>,
    /// What must stay free where it grows.
    floor: Option<Floor>,
    fuse: Option<Fuse>,
}

#[derive(Debug)]
struct Arriving {
    file: File,
    hasher: Hasher,
    /// A piece went in by half, so neither the length nor the digest says what the file holds.
    torn: bool,
}

impl Incoming {
    /// A new empty file in `folder`, readable by its owner only.
    pub(crate) fn create(folder: &Path) -> Result<Self, StoreError> {
        let named = NamedTempFile::with_prefix_in("in-", folder).map_err(|source| {
            StoreError::io(format!("creating a temporary file in `{}`", folder.display()), source)
        })?;
        let (file, path) = named.into_parts();
        let arriving = Arc::new(Mutex::new(Arriving { file, hasher: Hasher::default(), torn: false }));
        Ok(Self { path, arriving, len: Arc::default(), floor: None, fuse: None })
    }

    pub(crate) fn above(mut self, floor: Floor) -> Self {
        self.floor = Some(floor);
        self
    }

    pub(crate) fn with_fuse(mut self, fuse: Fuse) -> Self {
        self.fuse = Some(fuse);
        self
    }

    /// Appends a piece; when this returns, [`reader`](Self::reader)s see it.
    ///
    /// Each call costs a hop to a blocking thread: join small pieces that are ready together. A cancelled call may still
    /// append its piece, whole and in order.
    ///
    /// # Errors
    /// [`ErrorKind::Full`] or [`ErrorKind::Io`]; the file must then be dropped.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), StoreError> {
        let strike = self.fuse.as_ref().map(|fuse| fuse.write("writing an incoming file"));
        if let Some(strike) = &strike {
            strike.before().await?;
        }
        let (arriving, len, floor) = (self.arriving.clone(), self.len.clone(), self.floor.clone());
        let written = spawn_blocking(move || {
            let room = floor.map_or(Ok(()), |floor| floor.check(piece.len() as u64));
            room.map_err(|source| StoreError::io("writing an incoming file", source))?;
            let mut arriving = arriving.lock();
            if arriving.torn {
                return Err(StoreError::new(ErrorKind::Io, "writing an incoming file after a failed write"));
            }
            arriving.torn = true;
            arriving
                .file
                .write_all(&piece)
                .map_err(|source| StoreError::io("writing an incoming file", source))?;
            arriving.torn = false;
            arriving.hasher.update(&piece);
            len.fetch_add(piece.len() as u64, Ordering::Release);
            Ok(())
        });
        written
            .await
            .map_err(|source| StoreError::new(ErrorKind::Io, "writing an incoming file").because(source))??;
        match strike {
            Some(strike) => strike.after().await,
            None => Ok(()),
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An independent handle with a position of its own, valid for ever, also after [`Store::keep`](crate::Store::keep) or a drop.
    /// Read no further than a [`len`](Self::len) that was seen before.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the file cannot be opened again.
    pub fn reader(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|source| StoreError::io("opening an incoming file", source))
    }

    /// The digest of what was written so far.
    pub fn digest(&self) -> Digest {
        self.arriving.lock().hasher.digest()
    }

    /// The finished file: its handle, path, and what it is.
    pub(crate) fn finish(self) -> Result<(File, TempPath, Kept), StoreError> {
        let arriving = self.arriving.lock();
        if arriving.torn {
            return Err(StoreError::new(ErrorKind::Refused, "keeping an incoming file after a failed write"));
        }
        let kept = Kept { digest: arriving.hasher.digest(), len: self.len() };
        let file =
            arriving.file.try_clone().map_err(|source| StoreError::io("keeping an incoming file", source))?;
        drop(arriving);
        Ok((file, self.path, kept))
    }
}
