//! What can be wrong with an archive, in the words of Go's `archive/zip`.

use std::io;

/// Why an archive, or the content of one of its entries, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No end record, a bad header, or more content than was declared.
    #[error("zip: not a valid zip file")]
    Format,
    /// A method that is neither stored nor deflated.
    #[error("zip: unsupported compression algorithm")]
    Algorithm,
    /// The content does not have the declared CRC.
    #[error("zip: checksum error")]
    Checksum,
    /// The end record's comment is cut off.
    #[error("zip: invalid comment length")]
    CommentLength,
    /// Nothing stands where something must.
    #[error("EOF")]
    Eof,
    /// A part, or the content, is cut off.
    #[error("unexpected EOF")]
    UnexpectedEof,
    /// The deflated stream is damaged.
    #[error("flate: corrupt input")]
    Deflate,
    /// More than [`super::MAX_ENTRIES`] entries. Stricter than Go.
    #[error("zip: more than {} entries", super::MAX_ENTRIES)]
    TooManyEntries,
    /// Names of more than [`super::MAX_NAMES`] bytes together. Stricter than Go.
    #[error("zip: entry names of more than {} bytes", super::MAX_NAMES)]
    NamesTooLong,
    /// A central directory of more than [`super::MAX_DIRECTORY`] bytes. Stricter than Go.
    #[error("zip: central directory of more than {} bytes", super::MAX_DIRECTORY)]
    DirectoryTooLarge,
    /// A header says that something stands before the beginning of the file.
    #[error("negative offset")]
    NegativeOffset,
    /// The file itself could not be read.
    #[error(transparent)]
    Io(io::Error),
}
