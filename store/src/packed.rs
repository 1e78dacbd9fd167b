//! Packed metadata: many small values in few files.
//!
//! The format that both homes share. A **row** is a name, a tag and a payload with a checksum of its own. A **segment** is an
//! immutable run of rows sorted by name, with fences to find a name by two bounded reads and a filter to know quickly that it
//! is not there. Everything here is bytes in, bytes out: who reads and writes them, and when, is the home's business.

pub(crate) mod build;
pub(crate) mod filter;
pub(crate) mod merge;
pub(crate) mod name;
pub(crate) mod rebuild;
pub(crate) mod row;
pub(crate) mod segment;
pub(crate) mod walk;

/// A row or a fence at this place does not hold what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged {
    /// Offset in bytes from the start of what was read.
    pub(crate) at: u64,
}

impl Damaged {
    /// The same place, seen from the start of the file in which the bytes began at `offset`.
    pub(crate) fn behind(self, offset: u64) -> Self {
        Self { at: self.at + offset }
    }
}
