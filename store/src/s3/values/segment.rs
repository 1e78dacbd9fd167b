//! A segment in a bucket: its head is read when it is first asked, its blocks when they are needed.
//!
//! What was read stays in memory for a while, in bounded space; a segment never changes, so it is never stale.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::error::{ErrorKind, StoreError};
use crate::packed::Damaged;
use crate::packed::row::Found;
use crate::packed::segment::{Footer, Head, find, rows_for};
use crate::s3::bucket::Bucket;
use crate::s3::scratch::Scratch;
use crate::s3::values::local;
use crate::s3::values::manifest::Entry;

/// A segment this long, in bytes, is read as a whole; also the longest thing that stays in memory.
const WHOLE: u64 = 256 << 10;
/// Bytes of blocks in one of two generations.
const GENERATION: usize = 8 << 20;

/// Why a row could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RowError {
    #[error("`{0}` is gone")]
    Gone(String),
    #[error("`{0}` at byte {1}")]
    Damaged(String, u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RowError {
    /// The same as the store's error.
    pub(crate) fn into_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            damaged => StoreError::new(ErrorKind::Damaged, format!("reading small values: {damaged}")),
        }
    }
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) entry: Entry,
    reach: Reach,
    head: OnceCell<Head>,
}

/// What segments are reached with.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) bucket: Bucket,
    /// Where whole segments come down and are built.
    pub(crate) scratch: Scratch,
    pub(crate) blocks: Arc<Blocks>,
}

impl Segment {
    pub(crate) fn new(entry: Entry, reach: Reach) -> Self {
        Self { entry, reach, head: OnceCell::new() }
    }

    /// Whether its head has been read.
    pub(crate) fn is_open(&self) -> bool {
        self.head.initialized()
    }

    /// Its head; made of its rows where it is damaged.
    pub(crate) async fn head(&self) -> Result<&Head, RowError> {
        self.head.get_or_try_init(|| self.read_head()).await
    }

    async fn read_head(&self) -> Result<Head, RowError> {
        let len = self.entry.len;
        let footer = self.read(Footer::range(len).unwrap_or(0..len)).await?;
        let head = match Footer::parse(&footer, len) {
            Ok(footer) => Head::parse(&footer, self.read(footer.head_range()).await?),
            Err(damaged) => Err(damaged),
        };
        match head {
            Ok(head) => Ok(head),
            Err(Damaged { at }) => {
                let segment = self.entry.object();
                tracing::warn!(segment, at, "the head of a segment is damaged: reading its rows instead");
                local::rebuild(&self.reach.bucket, &self.reach.scratch, self.entry).await
            }
        }
    }

    /// What it says of `name`, whose [`hash`](crate::packed::filter::hash) is given.
    pub(crate) async fn find(&self, name: &[u8], hash: u64) -> Result<Option<Found>, RowError> {
        let head = self.head().await?;
        if !head.may_hold(hash) {
            return Ok(None);
        }
        let Some(fences) = head.fences_for(name) else { return Ok(None) };
        let block = rows_for(&self.read(fences.clone()).await?, name);
        let Some(block) = block.map_err(|bad| self.damaged(bad.behind(fences.start)))? else {
            return Ok(None);
        };
        let bytes = self.read(block.clone()).await?;
        Ok(find(&bytes, name).map_err(|bad| self.damaged(bad.behind(block.start)))?.map(Found::of))
    }

    /// Where rows of names from `name` on begin, or a few before them.
    pub(crate) async fn start_of(&self, name: &[u8]) -> Result<u64, RowError> {
        let Some(fences) = self.head().await?.fences_for(name) else { return Ok(0) };
        let block = rows_for(&self.read(fences.clone()).await?, name);
        let block = block.map_err(|bad| self.damaged(bad.behind(fences.start)))?;
        Ok(block.map_or(0, |block| block.start))
    }

    pub(crate) fn damaged(&self, damaged: Damaged) -> RowError {
        RowError::Damaged(self.entry.object(), damaged.at)
    }

    /// Exactly the bytes of `range`.
    pub(crate) async fn read(&self, range: Range<u64>) -> Result<Bytes, RowError> {
        let len = self.entry.len;
        if range.start > range.end || range.end > len {
            return Err(self.damaged(Damaged { at: range.start }));
        }
        let unit = if len <= WHOLE { 0..len } else { range.clone() };
        let key = (self.entry.id, unit.start, unit.end);
        let cut = |bytes: Bytes| {
            bytes.slice((range.start - unit.start) as usize..(range.end - unit.start) as usize)
        };
        if let Some(bytes) = self.reach.blocks.get(key) {
            return Ok(cut(bytes));
        }
        let name = self.entry.object();
        let bytes = self.reach.bucket.get_bytes(&name, unit.clone()).await?.ok_or(RowError::Gone(name))?;
        if bytes.len() as u64 <= WHOLE {
            self.reach.blocks.put(key, bytes.clone());
        }
        Ok(cut(bytes))
    }
}

/// Segment, first byte, end.
type Place = (u128, u64, u64);

/// What was read lately: a young and an old generation. What is asked for moves to the young one; when that is full the old
/// one is dropped.
#[derive(Debug, Default)]
pub(crate) struct Blocks(Mutex<[Generation; 2]>);

#[derive(Debug, Default)]
struct Generation {
    blocks: HashMap<Place, Bytes>,
    bytes: usize,
}

impl Blocks {
    fn get(&self, place: Place) -> Option<Bytes> {
        let mut generations = self.0.lock();
        let [young, old] = &mut *generations;
        if let Some(bytes) = young.blocks.get(&place) {
            return Some(bytes.clone());
        }
        let bytes = old.blocks.get(&place)?.clone();
        put(&mut generations, place, bytes.clone());
        Some(bytes)
    }

    fn put(&self, place: Place, bytes: Bytes) {
        put(&mut self.0.lock(), place, bytes);
    }
}

fn put(generations: &mut [Generation; 2], place: Place, bytes: Bytes) {
    let [young, old] = generations;
    if young.bytes + bytes.len() > GENERATION {
        *old = std::mem::take(young);
    }
    young.bytes += bytes.len();
    if let Some(replaced) = young.blocks.insert(place, bytes) {
        young.bytes -= replaced.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_asked_for_stay_and_memory_is_bounded() {
        let blocks = Blocks::default();
        blocks.put((1, 0, 1), Bytes::from_static(b"asked"));
        for place in 0..10_000 {
            blocks.put((2, place, place), Bytes::from(vec![0; 4096]));
            assert!(blocks.get((1, 0, 1)).is_some(), "after {place} others");
        }
        let held: usize = blocks.0.lock().iter().flat_map(|g| g.blocks.values()).map(Bytes::len).sum();
        assert!(held <= 2 * GENERATION + 4096, "{held}");
    }
}
