//! Reading at an offset, so that many threads share one archive without a lock and without mapping it.

use std::fs::File;
use std::io;

use super::ArchiveError;

/// Bytes that can be read at any offset.
///
/// An implementor reads like `pread(2)`: any number of bytes up to the buffer's length, 0 only at or after
/// the end. Several threads may read at once; no call sees another's position.
pub trait ReadAt: Sync {
    /// Reads some bytes that begin at `offset` into `buffer`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(rest) = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)) else {
            return Ok(0);
        };
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }
}

/// The part of an archive from `at` to `end`, read in order (`io.SectionReader`).
///
/// Offsets come out of hostile headers, so they are signed as in Go: one below zero cannot be read, and an
/// end past the archive's is the archive's.
pub(super) struct Section<'a, R: ?Sized> {
    archive: &'a R,
    at: i64,
    end: i64,
}

impl<'a, R: ReadAt + ?Sized> Section<'a, R> {
    /// `length` bytes from `at`, of an archive of `archive_length` bytes.
    pub(super) fn new(archive: &'a R, archive_length: u64, at: i64, length: u64) -> Self {
        let end = i128::from(at) + i128::from(length);
        let end = end.min(i128::from(archive_length));
        Self { archive, at, end: i64::try_from(end).unwrap_or(i64::MAX) }
    }

    /// Reads until `buffer` is full or the section ends; says how much it read.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let mut filled = 0;
        while filled < buffer.len() && self.at < self.end {
            let offset = u64::try_from(self.at).map_err(|_| ArchiveError::NegativeOffset)?;
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let want = left.min(buffer.len() - filled);
            match self.archive.read_at(&mut buffer[filled..filled + want], offset) {
                Ok(0) => break,
                Ok(n) => {
                    filled += n;
                    self.at += n as i64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ArchiveError::Io(error)),
            }
        }
        Ok(filled)
    }
}

/// Reads exactly `buffer.len()` bytes at `at` (`io.ReaderAt`).
pub(super) fn read_exactly<R: ReadAt + ?Sized>(
    archive: &R,
    length: u64,
    at: i64,
    buffer: &mut [u8],
) -> Result<(), ArchiveError> {
    let filled = Section::new(archive, length, at, buffer.len() as u64).fill(buffer)?;
    if filled < buffer.len() { Err(ArchiveError::Eof) } else { Ok(()) }
}
