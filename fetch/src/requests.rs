//! How many requests left for upstreams, by kind.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::kind::Kind;

/// Counters that only grow; one for each [`Kind`]. Retries count, the hops of a redirect do not.
#[derive(Debug, Default)]
pub struct Requests {
    counts: [AtomicU64; Kind::ALL.len()],
}

impl Requests {
    pub(crate) fn count(&self, kind: Kind) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of this kind left.
    pub fn of(&self, kind: Kind) -> u64 {
        self.counts[kind as usize].load(Ordering::Relaxed)
    }

    /// Label and count of every kind.
    pub fn snapshot(&self) -> [(&'static str, u64); Kind::ALL.len()] {
        Kind::ALL.map(|kind| (kind.label(), self.of(kind)))
    }

    /// How many left in all.
    pub fn total(&self) -> u64 {
        Kind::ALL.into_iter().map(|kind| self.of(kind)).sum()
    }
}
