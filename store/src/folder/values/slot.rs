//! The slot: 32 bytes that tell other processes how far the log is durable, for the price of one small read.
//!
//! It is a hint for readers and never the truth: it is written after the log was synced and not synced itself. Whoever takes
//! the lock looks at the log.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::durable::Disk;

const LEN: usize = 32;

/// How far the values have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The manifest's generation.
    pub(crate) generation: u64,
    /// Number of the log that is written to.
    pub(crate) log: u64,
    /// Its durable length, in bytes.
    pub(crate) len: u64,
}

#[derive(Debug)]
pub(crate) struct Slot(File);

impl Slot {
    pub(crate) fn open(path: &Path, disk: &Disk) -> io::Result<Self> {
        disk.open_or_create(path).map(Self)
    }

    /// The mark; `None` while it is being written, when it was never written, or after power loss.
    pub(crate) fn read(&self) -> io::Result<Option<Mark>> {
        let mut bytes = [0; LEN];
        match self.0.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let (words, _) = bytes.as_chunks();
        let [generation, log, len, checksum] = [0, 1, 2, 3].map(|word| u64::from_le_bytes(words[word]));
        let valid = checksum == u64::from(crc32fast::hash(&bytes[..LEN - 8])) && generation > 0;
        Ok(valid.then_some(Mark { generation, log, len }))
    }

    pub(crate) fn write(&self, disk: &Disk, mark: Mark) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(LEN);
        [mark.generation, mark.log, mark.len]
            .iter()
            .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        let checksum = u64::from(crc32fast::hash(&bytes));
        bytes.extend_from_slice(&checksum.to_le_bytes());
        disk.write_at(&self.0, &bytes, 0)
    }
}
