//! Small values under names: those that are written once, and cells that change by compare-and-swap.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// What [`Store::put_if_absent`](crate::Store::put_if_absent) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// The name was free; the value is durable under it now.
    Created,
    /// The name was taken; this is what it holds. Equal bytes are no special case: compare them if it matters.
    Exists(Bytes),
}

/// The state of a cell: its value and the revision a swap must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The bytes last swapped in.
    pub value: Bytes,
    /// Names exactly this state: a cell that is changed and changed back, or removed and made again, has another revision.
    pub revision: Revision,
}

/// What [`Store::swap`](crate::Store::swap) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// The cell held the expected revision; the new value is durable and this is its revision.
    Done(Revision),
    /// The cell holds another state, or none.
    Lost(Option<Cell>),
}

/// An opaque mark of one state of one cell: a log position in a folder, the number of a commit in a bucket.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Arc<str>);

impl Revision {
    pub(crate) fn new(mark: &str) -> Self {
        Self(mark.into())
    }

    pub(crate) fn numbered(number: u64) -> Self {
        Self::new(&number.to_string())
    }

    pub(crate) fn number(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({})", self.0)
    }
}
