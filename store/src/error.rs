//! What a home says when it could not do what was asked.
//!
//! Absence is never an error here: it is `None`, [`Put::Exists`](crate::Put) or [`Swap::Lost`](crate::Swap).

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// What kind of failure it was, which decides what the caller may do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No room: the disk is full or the free-space floor is reached. Nothing was kept; what was kept before is still read.
    Full,
    /// The home could not be reached or refused the operation. Nothing was acknowledged.
    Io,
    /// Bytes at rest are not what was written. They were not returned.
    Damaged,
    /// The write may or may not have happened. Read again, then decide; never assume either.
    Unknown,
    /// The request itself is not acceptable (a value too large, an incoming file of another home).
    Refused,
}

impl ErrorKind {
    /// What an I/O error means: no room (ENOSPC, EDQUOT), bytes that are not as written, or anything else.
    pub(crate) fn of(source: &io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Io,
        }
    }
}

/// A failed operation: what was being done, to what, and why it failed. Cheap to clone, for everyone who waits on one write.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: ErrorKind,
    subject: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind` while doing `subject` ("reading blob `…`").
    pub fn new(kind: ErrorKind, subject: impl Into<String>) -> Self {
        Self { kind, subject: subject.into().into(), source: None }
    }

    /// The same with its cause.
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// An I/O error while doing `subject`.
    pub(crate) fn io(subject: impl Into<String>, source: io::Error) -> Self {
        Self::new(ErrorKind::of(&source), subject).because(source)
    }

    /// What the caller may do next.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done, and to what.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        match self.kind {
            ErrorKind::Full => f.write_str(": no space left in the store"),
            ErrorKind::Damaged => f.write_str(": damaged at rest"),
            ErrorKind::Unknown => f.write_str(": outcome unknown"),
            ErrorKind::Io | ErrorKind::Refused => Ok(()),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
