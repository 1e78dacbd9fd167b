//! Writing a segment: rows come in by ascending name and leave as a stream, in memory that does not grow with their payloads.
//!
//! ```text
//! rows…  fences…  rows…  fences…   blocks of about 4 KiB; the fences of the blocks before them
//! top fences                       one for each block of fences
//! filter
//! footer                           80 bytes
//! ```

use std::io::{self, Write};

use crate::packed::filter::Filter;
use crate::packed::row::{Row, Tag, encode};

/// A block is closed when it has this many bytes; a longer row makes a longer block.
const BLOCK: usize = 4096;

pub(crate) const FOOTER: usize = 80;
pub(crate) const MAGIC: [u8; 8] = *b"mkseg\0\0\x01";

/// A segment in the making.
pub(crate) struct Builder<W> {
    out: W,
    offset: u64,
    block: Vec<u8>,
    block_first: Vec<u8>,
    fences: Vec<u8>,
    fences_first: Vec<u8>,
    top: Vec<u8>,
    filter: Filter,
    rows: u64,
}

impl<W: Write> Builder<W> {
    /// A segment of at most `rows` rows.
    pub(crate) fn new(out: W, rows: u64) -> Self {
        Self {
            out,
            offset: 0,
            block: Vec::with_capacity(2 * BLOCK),
            block_first: Vec::new(),
            fences: Vec::with_capacity(2 * BLOCK),
            fences_first: Vec::new(),
            top: Vec::new(),
            filter: Filter::with_room(rows),
            rows: 0,
        }
    }

    /// Appends a row whose name follows all before it.
    pub(crate) fn push(&mut self, row: Row<'_>) -> io::Result<()> {
        if self.block.is_empty() {
            self.block_first = row.name.to_vec();
        }
        encode(&mut self.block, row);
        self.filter.insert(row.name);
        self.rows += 1;
        if self.block.len() >= BLOCK { self.close_block() } else { Ok(()) }
    }

    fn close_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        if self.fences.is_empty() {
            self.fences_first.clone_from(&self.block_first);
        }
        let payload = place(self.offset, self.block.len());
        encode(&mut self.fences, Row { tag: Tag::Fence, name: &self.block_first, payload: &payload });
        self.offset = write(&mut self.out, self.offset, &mut self.block)?;
        if self.fences.len() >= BLOCK { self.close_fences() } else { Ok(()) }
    }

    fn close_fences(&mut self) -> io::Result<()> {
        if self.fences.is_empty() {
            return Ok(());
        }
        let payload = place(self.offset, self.fences.len());
        encode(&mut self.top, Row { tag: Tag::Fence, name: &self.fences_first, payload: &payload });
        self.offset = write(&mut self.out, self.offset, &mut self.fences)?;
        Ok(())
    }

    /// Writes what is left and says how many rows and bytes the segment has.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64, u64)> {
        self.close_block()?;
        self.close_fences()?;
        let filter = self.filter.to_bytes();
        let mut footer = Vec::with_capacity(FOOTER);
        footer.extend_from_slice(&MAGIC);
        for number in [self.rows, self.offset, self.top.len() as u64, filter.len() as u64] {
            footer.extend_from_slice(&number.to_le_bytes());
        }
        footer.extend_from_slice(&crc32fast::hash(&self.top).to_le_bytes());
        footer.extend_from_slice(&crc32fast::hash(&filter).to_le_bytes());
        footer.resize(FOOTER - 4, 0);
        let checksum = crc32fast::hash(&footer);
        footer.extend_from_slice(&checksum.to_le_bytes());
        let len = self.offset + (self.top.len() + filter.len() + FOOTER) as u64;
        self.out.write_all(&self.top)?;
        self.out.write_all(&filter)?;
        self.out.write_all(&footer)?;
        Ok((self.out, self.rows, len))
    }
}

fn write(out: &mut impl Write, offset: u64, bytes: &mut Vec<u8>) -> io::Result<u64> {
    out.write_all(bytes)?;
    let offset = offset + bytes.len() as u64;
    bytes.clear();
    Ok(offset)
}

/// A fence's payload: where the block is.
pub(crate) fn place(offset: u64, len: usize) -> [u8; 12] {
    let mut payload = [0; 12];
    payload[..8].copy_from_slice(&offset.to_le_bytes());
    payload[8..].copy_from_slice(&(len as u32).to_le_bytes());
    payload
}
