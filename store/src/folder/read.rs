//! Reading a file with or without waiting for the disk.
//!
//! A reader on the runtime's threads asks with [`Reading::Cached`]: what the page cache holds is answered at once, what it does
//! not is refused, and the caller asks again with [`Reading::Waiting`] on a thread that may block.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Whether a read may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Only what is in memory; anything else is [`io::ErrorKind::WouldBlock`].
    Cached,
    /// As long as it takes.
    Waiting,
}

/// Exactly `len` bytes at `offset`.
pub(crate) fn read_at(file: &File, offset: u64, len: usize, reading: Reading) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; len];
    match reading {
        Reading::Waiting => file.read_exact_at(&mut buffer, offset)?,
        Reading::Cached => read_cached(file, offset, &mut buffer)?,
    }
    Ok(buffer)
}

#[cfg(target_os = "linux")]
fn read_cached(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let len = buffer.len();
    let mut slices = [io::IoSliceMut::new(buffer)];
    match preadv2(file, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(read) if read == len => Ok(()),
        // short reads, files that end early and file systems without this flag are the waiting reader's to judge
        _ => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_file: &File, _offset: u64, _buffer: &mut [u8]) -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// A position of its own in a shared file.
pub(crate) struct FileAt {
    file: Arc<File>,
    offset: u64,
}

impl FileAt {
    pub(crate) fn new(file: Arc<File>, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
