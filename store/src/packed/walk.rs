//! Looking at every byte of a segment, past what is damaged.

use std::io;
use std::ops::Range;

use crate::packed::row::{Row, Tag, Unreadable, decode};
use crate::packed::segment::{Head, block_of};

/// What a walk meets, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met<'a> {
    Row(Row<'a>),
    /// A row whose checksum is wrong, with the name it seems to have.
    BadRow {
        name: &'a [u8],
        at: u64,
    },
    /// Bytes in which no row can be made out.
    Lost {
        at: u64,
    },
}

/// Meets all rows of the segment with this `head`; `read` gives a range of it.
pub(crate) fn walk(
    head: &Head,
    read: &mut dyn FnMut(Range<u64>) -> io::Result<Vec<u8>>,
    meet: &mut dyn FnMut(Met<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut start = 0;
    for fences in head.fence_blocks() {
        let bytes = read(fences.clone())?;
        match blocks(&bytes) {
            Some(blocks) => {
                for block in blocks {
                    rows(&read(block.clone())?, block.start, meet)?;
                }
            }
            None => {
                meet(Met::Lost { at: fences.start })?;
                rows(&read(start..fences.start)?, start, meet)?;
            }
        }
        start = fences.end;
    }
    if start != head.data_end() {
        meet(Met::Lost { at: start })?;
    }
    Ok(())
}

fn blocks(fences: &[u8]) -> Option<Vec<Range<u64>>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < fences.len() {
        let (row, len) = decode(&fences[at..]).ok()?;
        blocks.push(block_of(row)?);
        at += len;
    }
    Some(blocks)
}

/// Meets the rows in `bytes`, which begin at `start` of the file.
fn rows(bytes: &[u8], start: u64, meet: &mut dyn FnMut(Met<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut at = 0;
    while at < bytes.len() {
        let place = start + at as u64;
        match decode(&bytes[at..]) {
            Ok((row, len)) => {
                if row.tag != Tag::Fence {
                    meet(Met::Row(row))?;
                }
                at += len;
            }
            Err(Unreadable::Checksum { name, len }) => {
                meet(Met::BadRow { name, at: place })?;
                at += len;
            }
            Err(Unreadable::Short) => return meet(Met::Lost { at: place }),
        }
    }
    Ok(())
}
