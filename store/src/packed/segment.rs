//! Reading a segment: its head is held in memory, everything else is found by two bounded reads.
//!
//! The functions say which bytes they need next and judge the bytes they are given, so that a file and an object in a bucket
//! are read by the same code.

use std::ops::Range;

use bytes::Bytes;

use crate::packed::Damaged;
use crate::packed::build::{FOOTER, MAGIC};
use crate::packed::filter::Filter;
use crate::packed::row::{Row, Tag, Unreadable, decode};

/// The last bytes of a segment, which say where its head is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footer {
    rows: u64,
    data_end: u64,
    top_len: u64,
    filter_len: u64,
    top_crc: u32,
    filter_crc: u32,
}

impl Footer {
    /// The range of the footer in a segment of `len` bytes; `None` when it is too short to be one.
    pub(crate) fn range(len: u64) -> Option<Range<u64>> {
        len.checked_sub(FOOTER as u64).map(|start| start..len)
    }

    /// Reads a footer that ends a segment of `len` bytes.
    pub(crate) fn parse(bytes: &[u8], len: u64) -> Result<Self, Damaged> {
        let damaged = Damaged { at: len.saturating_sub(FOOTER as u64) };
        let footer: &[u8; FOOTER] = bytes.try_into().map_err(|_| damaged)?;
        let (body, checksum) = footer.split_at(FOOTER - 4);
        if checksum != crc32fast::hash(body).to_le_bytes() || body[..8] != MAGIC {
            return Err(damaged);
        }
        let (words, _) = body[8..].as_chunks();
        let [rows, data_end, top_len, filter_len, crcs, ..] = words else { return Err(damaged) };
        let [rows, data_end, top_len, filter_len, crcs] =
            [rows, data_end, top_len, filter_len, crcs].map(|word| u64::from_le_bytes(*word));
        let sum = [data_end, top_len, filter_len, FOOTER as u64].into_iter().try_fold(0, u64::checked_add);
        if sum != Some(len) {
            return Err(damaged);
        }
        Ok(Self {
            rows,
            data_end,
            top_len,
            filter_len,
            top_crc: crcs as u32,
            filter_crc: (crcs >> 32) as u32,
        })
    }

    /// Where the head is.
    pub(crate) fn head_range(&self) -> Range<u64> {
        self.data_end..self.data_end + self.top_len + self.filter_len
    }
}

/// What is kept in memory of an open segment: about ten bits a row, and a name for every few hundred rows.
#[derive(Debug)]
pub(crate) struct Head {
    rows: u64,
    data_end: u64,
    filter: Filter,
    top: Bytes,
    /// Where each fence of `top` begins.
    starts: Vec<u32>,
}

impl Head {
    /// Reads the head that `footer` points to.
    pub(crate) fn parse(footer: &Footer, bytes: Bytes) -> Result<Self, Damaged> {
        let damaged = Damaged { at: footer.data_end };
        if bytes.len() as u64 != footer.top_len + footer.filter_len {
            return Err(damaged);
        }
        let top = Bytes::copy_from_slice(&bytes[..footer.top_len as usize]);
        let filter = &bytes[footer.top_len as usize..];
        if crc32fast::hash(&top) != footer.top_crc || crc32fast::hash(filter) != footer.filter_crc {
            return Err(damaged);
        }
        let filter = Filter::from_bytes(filter).ok_or(damaged)?;
        Ok(Self { rows: footer.rows, data_end: footer.data_end, filter, starts: starts(&top), top })
    }

    /// A head made of what the rows say.
    pub(crate) fn made_of(rows: u64, data_end: u64, filter: Filter, top: Vec<u8>) -> Self {
        Self { rows, data_end, filter, starts: starts(&top), top: top.into() }
    }

    /// Rows in the segment.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Where the rows end: everything before is rows and fences.
    pub(crate) fn data_end(&self) -> u64 {
        self.data_end
    }

    /// False only when the segment does not hold the name of this [`hash`](crate::packed::filter::hash).
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    /// The blocks of fences, in order.
    pub(crate) fn fence_blocks(&self) -> impl Iterator<Item = Range<u64>> {
        self.starts
            .iter()
            .filter_map(|start| decode(&self.top[*start as usize..]).ok().and_then(|(row, _)| block_of(row)))
    }

    /// The block of fences to read for `name`; `None` when every name here is greater.
    pub(crate) fn fences_for(&self, name: &[u8]) -> Option<Range<u64>> {
        let fence = |start: &u32| decode(&self.top[*start as usize..]).ok().map(|(row, _)| row);
        let after = self.starts.partition_point(|start| fence(start).is_some_and(|row| row.name <= name));
        fence(self.starts.get(after.checked_sub(1)?)?).and_then(block_of)
    }
}

/// Where each of the fences in `top` begins.
fn starts(top: &[u8]) -> Vec<u32> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Ok((_, len)) = decode(&top[at..]) {
        starts.push(at as u32);
        at += len;
    }
    starts
}

/// The block of rows to read for `name`, from its block of fences; `None` when every name there is greater.
pub(crate) fn rows_for(fences: &[u8], name: &[u8]) -> Result<Option<Range<u64>>, Damaged> {
    let mut found = None;
    let mut at = 0;
    while at < fences.len() {
        let damaged = Damaged { at: at as u64 };
        let (row, len) = decode(&fences[at..]).map_err(|_| damaged)?;
        if row.name > name {
            break;
        }
        found = Some(block_of(row).ok_or(damaged)?);
        at += len;
    }
    Ok(found)
}

/// The row of `name` in its block. A name that is not found beside a damaged row may have been that row.
pub(crate) fn find<'a>(block: &'a [u8], name: &[u8]) -> Result<Option<Row<'a>>, Damaged> {
    let mut damaged = None;
    let mut at = 0;
    while at < block.len() {
        match decode(&block[at..]) {
            Ok((row, _)) if row.name == name => return Ok(Some(row)),
            Ok((row, _)) if row.name > name => break,
            Ok((_, len)) => at += len,
            Err(Unreadable::Checksum { len, .. }) => {
                damaged = Some(Damaged { at: at as u64 });
                at += len;
            }
            Err(Unreadable::Short) => return Err(Damaged { at: at as u64 }),
        }
    }
    damaged.map_or(Ok(None), Err)
}

pub(crate) fn block_of(fence: Row<'_>) -> Option<Range<u64>> {
    let (offset, len) = fence.payload.split_first_chunk()?;
    let (offset, len) = (u64::from_le_bytes(*offset), u32::from_le_bytes(len.try_into().ok()?));
    (fence.tag == Tag::Fence).then(|| offset.checked_add(len.into()).map(|end| offset..end))?
}
