//! Listing keys: the rows of the tail and all segments in order of their names, read ahead in pieces.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::StoreError;
use crate::key::Key;
use crate::packed::Damaged;
use crate::packed::name::{Shelf, parse_row_name, row_name};
use crate::packed::row::{Found, HEAD, Tag, claimed_len, decode};
use crate::s3::values::Shared;
use crate::s3::values::segment::{RowError, Segment};
use crate::s3::values::view::View;

/// Read at once, in bytes.
const AHEAD: u64 = 128 << 10;

impl Shared {
    /// At most `limit` keys that begin with `prefix`, those after `after`.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.looking(|view| async move { keys(&view, prefix, after, limit).await }).await
    }
}

async fn keys(view: &View, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, RowError> {
    if let Some((_, at)) = view.tail.damaged.first() {
        return Err(RowError::Damaged("the manifest".into(), *at));
    }
    // a zero byte follows a key in its row's name, so these are the first rows that can be meant
    let from = after.map_or_else(|| prefix.as_bytes().to_vec(), |after| row_name(after, Shelf::Value));
    let from = from.max(prefix.as_bytes().to_vec());
    let mut tail = view.tail.rows.range(from.clone()..).peekable();
    let mut cursors = Vec::with_capacity(view.segments.len());
    for segment in &view.segments {
        cursors.push(Cursor::start(segment.clone(), &from).await?);
    }
    let mut keys: Vec<Key> = Vec::new();
    while keys.len() < limit {
        let in_tail = tail.peek().map(|(name, _)| name.as_slice());
        let in_segments = cursors.iter().filter_map(Cursor::name);
        let Some(name) = in_tail.into_iter().chain(in_segments).min().map(<[u8]>::to_vec) else { break };
        if !name.starts_with(prefix.as_bytes()) && *name > *prefix.as_bytes() {
            break;
        }
        // the newest row counts, and that is the first one met
        let mut present = None;
        if in_tail == Some(&name) {
            present = tail.next().map(|(_, found)| matches!(found, Found::Present(_)));
        }
        for cursor in cursors.iter_mut().filter(|cursor| cursor.name() == Some(&name)) {
            present = present.or(Some(cursor.is_present()));
            cursor.advance().await?;
        }
        if let Some((key, _)) = parse_row_name(&name)
            && present == Some(true)
            && key.as_str().starts_with(prefix)
            && after.is_none_or(|after| key > *after)
            && keys.last() != Some(&key)
        {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// A place among the rows of a segment.
struct Cursor {
    segment: Arc<Segment>,
    /// Where `ahead` begins, and where the rows end.
    offset: u64,
    end: u64,
    ahead: Bytes,
    row: Option<(Vec<u8>, Tag)>,
}

impl Cursor {
    /// Stands on the first row from `from` on.
    async fn start(segment: Arc<Segment>, from: &[u8]) -> Result<Self, RowError> {
        let offset = segment.start_of(from).await?;
        let end = segment.head().await?.data_end();
        let mut cursor = Self { segment, offset, end, ahead: Bytes::new(), row: None };
        cursor.advance().await?;
        while cursor.name().is_some_and(|name| name < from) {
            cursor.advance().await?;
        }
        Ok(cursor)
    }

    fn name(&self) -> Option<&[u8]> {
        self.row.as_ref().map(|(name, _)| name.as_slice())
    }

    fn is_present(&self) -> bool {
        self.row.as_ref().is_some_and(|(_, tag)| *tag == Tag::Present)
    }

    /// Goes to the next row, over fences.
    async fn advance(&mut self) -> Result<(), RowError> {
        self.row = None;
        while self.row.is_none() && self.offset < self.end {
            self.need(HEAD).await?;
            let head = self.ahead.first_chunk().ok_or_else(|| self.damaged())?;
            self.need(claimed_len(head)).await?;
            let (row, len) = decode(&self.ahead).map_err(|_| self.damaged())?;
            if row.tag != Tag::Fence {
                self.row = Some((row.name.to_vec(), row.tag));
            }
            self.ahead = self.ahead.slice(len..);
            self.offset += len as u64;
        }
        Ok(())
    }

    /// Makes sure that `len` bytes lie ahead, as far as there are so many.
    async fn need(&mut self, len: usize) -> Result<(), RowError> {
        if self.ahead.len() < len {
            let until = self.end.min(self.offset + AHEAD.max(len as u64));
            self.ahead = self.segment.read(self.offset..until).await?;
        }
        Ok(())
    }

    fn damaged(&self) -> RowError {
        self.segment.damaged(Damaged { at: self.offset })
    }
}
