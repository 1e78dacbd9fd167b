//! The free-space floor: below it nothing new is written, so that what is kept can still be served and repaired.

use std::io;
use std::path::PathBuf;

use rustix::fs::statvfs;

/// How much of the file system must stay free.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    folder: PathBuf,
    bytes: u64,
}

impl Floor {
    /// At least `bytes` stay free where `folder` lies.
    pub(crate) fn new(folder: PathBuf, bytes: u64) -> Self {
        Self { folder, bytes }
    }

    /// Bytes that may be written before the floor is reached.
    pub(crate) fn room(&self) -> io::Result<u64> {
        let free = statvfs(&self.folder)?;
        Ok((free.f_bavail * free.f_frsize).saturating_sub(self.bytes))
    }

    /// Fails with [`io::ErrorKind::StorageFull`] when `len` bytes more would reach the floor.
    pub(crate) fn check(&self, len: u64) -> io::Result<()> {
        if self.bytes > 0 && self.room()? < len {
            let why = format!("less than {} bytes would stay free (the floor)", self.bytes);
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        Ok(())
    }
}
