//! The end of central directory record: where Go finds it and what it says.
//!
//! The last signature within 65 KiB of the end wins, even inside the comment of another one. 64-bit values
//! are looked for only where the record has a field at its maximum. What stands before the archive is allowed.

use super::directory::Headers;
use super::little_endian::{u16_at, u32_at, u64_at};
use super::read_at::{Section, read_exactly};
use super::{ArchiveError, ReadAt};

/// How an end record begins.
pub(super) const END_SIGNATURE: &[u8; 4] = b"PK\x05\x06";
/// Length of an end record without its comment, in bytes.
pub(super) const END_LENGTH: usize = 22;
const END64_SIGNATURE: &[u8] = b"PK\x06\x06";
/// Length of the 64-bit end record, in bytes.
pub(super) const END64_LENGTH: usize = 56;
const LOCATOR64_SIGNATURE: &[u8] = b"PK\x06\x07";
/// Length of the record between the two, in bytes.
pub(super) const LOCATOR64_LENGTH: i64 = 20;

/// How much of the archive's end is searched for the end record, in bytes: first the last KiB, then more.
const END_SEARCH: [u64; 2] = [1024, 65 * 1024];

/// Where the central directory is and how many entries it is said to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// Where the end record begins, the 64-bit one if there is one.
    pub(super) at: i64,
    pub(super) count: u64,
    pub(super) size: i64,
    pub(super) offset: i64,
    /// What must be added to the offsets in the directory: the length of what stands before the archive.
    pub(super) base: i64,
    pub(super) is_zip64: bool,
}

/// Finds the end record and what it says (`readDirectoryEnd`).
pub(super) fn find<R: ReadAt + ?Sized>(archive: &R, length: u64) -> Result<End, ArchiveError> {
    let (at, record) = find_end_record(archive, length)?;
    let comment_length = u16_at(&record, 20);
    if usize::from(comment_length) > record.len() - END_LENGTH {
        return Err(ArchiveError::CommentLength);
    }
    let mut at = at;
    let mut count = u64::from(u16_at(&record, 10));
    let mut size = u64::from(u32_at(&record, 12));
    let mut offset = u64::from(u32_at(&record, 16));
    let mut is_zip64 = false;
    if (count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff)
        && let Some(at64) = find_end64(archive, length, at)?
    {
        let mut end64 = [0; END64_LENGTH];
        read_exactly(archive, length, at64, &mut end64)?;
        if !end64.starts_with(END64_SIGNATURE) {
            return Err(ArchiveError::Format);
        }
        (at, is_zip64) = (at64, true);
        (count, size, offset) = (u64_at(&end64, 32), u64_at(&end64, 40), u64_at(&end64, 48));
    }

    let size = i64::try_from(size).map_err(|_| ArchiveError::Format)?;
    let offset = i64::try_from(offset).map_err(|_| ArchiveError::Format)?;
    let start = at - size;
    if start < 0 || start as u64 >= length {
        return Err(ArchiveError::Format);
    }
    let mut base = start - offset;
    // Archives exist whose base is wrong: where offset, taken as it is, leads to a header, it is right.
    if base > 0 && Headers::new(archive, length, offset).next().is_ok() {
        base = 0;
    }
    Ok(End { at, count, size, offset, base, is_zip64 })
}

/// The last end record with what follows it, and where it begins.
fn find_end_record<R: ReadAt + ?Sized>(archive: &R, length: u64) -> Result<(i64, Vec<u8>), ArchiveError> {
    for search in END_SEARCH {
        let search = search.min(length);
        let start = length - search;
        let mut tail = vec![0; search as usize];
        let filled = Section::new(archive, length, to_offset(start)?, search).fill(&mut tail)?;
        // A file that is shorter than it was said to be reads as zeros, as in Go.
        tail[filled..].fill(0);
        if let Some(at) = find_signature(&tail) {
            return Ok((to_offset(start + at as u64)?, tail.split_off(at)));
        }
        if search == length {
            break;
        }
    }
    Err(ArchiveError::Format)
}

/// Where the last end signature stands; none if the comment behind it is cut off.
fn find_signature(tail: &[u8]) -> Option<usize> {
    let at =
        (0..=tail.len().checked_sub(END_LENGTH)?).rev().find(|&at| tail[at..].starts_with(END_SIGNATURE))?;
    let comment_length = usize::from(u16_at(&tail[at..], 20));
    (at + END_LENGTH + comment_length <= tail.len()).then_some(at)
}

/// Where the locator before the end record says that the 64-bit end record is; none if there is no locator.
fn find_end64<R: ReadAt + ?Sized>(archive: &R, length: u64, end: i64) -> Result<Option<i64>, ArchiveError> {
    let at = end - LOCATOR64_LENGTH;
    if at < 0 {
        return Ok(None);
    }
    let mut locator = [0; LOCATOR64_LENGTH as usize];
    read_exactly(archive, length, at, &mut locator)?;
    let disk = u32_at(&locator, 4);
    let disks = u32_at(&locator, 16);
    if !locator.starts_with(LOCATOR64_SIGNATURE) || disk != 0 || disks != 1 {
        return Ok(None);
    }
    Ok(i64::try_from(u64_at(&locator, 8)).ok())
}

fn to_offset(offset: u64) -> Result<i64, ArchiveError> {
    i64::try_from(offset).map_err(|_| ArchiveError::Format)
}
