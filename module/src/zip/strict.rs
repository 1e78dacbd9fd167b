//! Whether all tools see in an archive what Go sees.
//!
//! Go's reader is lenient, and others are lenient otherwise: a scanner that follows local headers can be shown other
//! files than a build that follows the directory. An archive is strict if nobody can read it in two ways: one end
//! record, nothing before, behind or between the entries, local headers that say what the directory says, no extra
//! fields that change the meaning, streams that fill their place. What we publish must be strict; Go's own
//! `golang.org/x/mod/zip.Create` and [`super::create()`] make nothing else.

use super::content::{DEFLATED, FLAG_DESCRIPTOR, LOCAL_LENGTH, LOCAL_SIGNATURE, STORED};
use super::directory::{Record, is_odd_extra};
use super::end::{END_LENGTH, END64_LENGTH, LOCATOR64_LENGTH};
use super::little_endian::{u16_at, u32_at};
use super::read_at::read_exactly;
use super::{Archive, ArchiveError, Entry, Kind, ReadAt, Scratch};
use crate::quote::quote;

const FLAG_UTF8: u16 = 0x800;
/// Flags that an entry may have: how well it was deflated, a descriptor, a name in UTF-8.
const FLAGS: u16 = 0x6 | FLAG_DESCRIPTOR | FLAG_UTF8;
/// From this count on an end record cannot hold it.
const COUNT_MAX: u64 = 0xffff;

/// What can be read in two ways.
#[derive(Debug, thiserror::Error)]
pub enum StrictError {
    /// Go cannot read it at all.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Something other than an end record is last.
    #[error("zip: bytes or a comment behind the end of central directory")]
    Trailing,
    /// The archive does not begin where the file does.
    #[error("zip: bytes before the first entry")]
    Leading,
    /// The directory does not end where the end record begins, or does not have as many entries as it says.
    #[error("zip: the end of central directory does not describe the directory")]
    Directory,
    /// 64-bit records where none are needed, extra fields with other sizes, names or methods, or comments.
    #[error("zip: comments, extra fields or 64-bit records that nobody needs")]
    Extra,
    /// Something is wrong with an entry.
    #[error("zip: entry {}: {problem}", quote(.name))]
    Entry {
        /// The entry.
        name: Vec<u8>,
        /// What is wrong.
        problem: EntryProblem,
    },
}

/// What about an entry can be read in two ways.
#[derive(Debug, thiserror::Error)]
pub enum EntryProblem {
    /// Its name is there twice.
    #[error("duplicate")]
    Duplicate,
    /// It does not begin where the one before it ends, or the directory does not begin where the last one ends.
    #[error("overlaps another or leaves a gap")]
    Place,
    /// Its local header says something else than the directory.
    #[error("local header and directory differ")]
    LocalHeader,
    /// Encryption, or flags that nobody needs.
    #[error("flags {0:#x}")]
    Flags(u16),
    /// A method other than stored and deflated.
    #[error("method {0}")]
    Method(u16),
    /// A name outside of ASCII that is not marked as UTF-8, or is none.
    #[error("name in an unknown encoding")]
    Encoding,
    /// It is no regular file and no directory.
    #[error("not a regular file")]
    Irregular,
    /// A directory with content, or a stored file whose two sizes differ.
    #[error("sizes that cannot be")]
    Sizes,
    /// Its compressed stream ends before its place does.
    #[error("bytes behind the compressed stream")]
    Hidden,
    /// Its content cannot be read.
    #[error(transparent)]
    Content(ArchiveError),
}

/// Checks that an archive of `length` bytes can be read in one way only. Reads all contents; blocks.
pub fn strict<R: ReadAt>(reader: R, length: u64) -> Result<(), StrictError> {
    let archive = Archive::open(reader, length)?;
    frame(&archive)?;
    let mut order: Vec<usize> = (0..archive.len()).collect();
    order.sort_unstable_by_key(|&index| archive.entry(index).name());
    for pair in order.windows(2) {
        let name = archive.entry(pair[0]).name();
        if name == archive.entry(pair[1]).name() {
            return Err(StrictError::Entry { name: name.to_owned(), problem: EntryProblem::Duplicate });
        }
    }
    order.sort_unstable_by_key(|&index| archive.directory.records[index].at);
    let (mut at, mut scratch) = (0, Scratch::default());
    for index in order {
        at = entry(&archive, index, at, &mut scratch).map_err(|problem| StrictError::Entry {
            name: archive.entry(index).name().to_owned(),
            problem,
        })?;
    }
    if at == archive.directory.end.offset { Ok(()) } else { Err(StrictError::Directory) }
}

/// The directory and the records behind it.
fn frame<R: ReadAt>(archive: &Archive<R>) -> Result<(), StrictError> {
    let (directory, end) = (&archive.directory, &archive.directory.end);
    let behind = if end.is_zip64 { END64_LENGTH as u64 + LOCATOR64_LENGTH as u64 } else { 0 };
    if end.at as u64 + behind + END_LENGTH as u64 != archive.length {
        return Err(StrictError::Trailing);
    }
    if end.base != 0 {
        return Err(StrictError::Leading);
    }
    let is_described = end.offset + end.size == end.at
        && directory.length == end.size as u64
        && end.count == archive.len() as u64;
    if !is_described {
        return Err(StrictError::Directory);
    }
    if directory.has_extras || end.is_zip64 && end.count < COUNT_MAX {
        return Err(StrictError::Extra);
    }
    Ok(())
}

/// Checks the entry that must begin at `at`, and says where the next one must.
fn entry<R: ReadAt>(
    archive: &Archive<R>,
    index: usize,
    at: i64,
    scratch: &mut Scratch,
) -> Result<i64, EntryProblem> {
    let (record, entry) = (&archive.directory.records[index], archive.entry(index));
    if record.at != at {
        return Err(EntryProblem::Place);
    }
    header(record, entry)?;
    let body = at + local(archive, record, entry)?;
    let end = i64::try_from(record.compressed_size).ok().and_then(|size| body.checked_add(size));
    let end = end.ok_or(EntryProblem::Sizes)?;

    let mut content = archive.content(index, scratch).map_err(EntryProblem::Content)?;
    let mut buffer = [0; 4096];
    while content.read(&mut buffer).map_err(EntryProblem::Content)? > 0 {}
    if content.consumed != record.compressed_size {
        return Err(EntryProblem::Hidden);
    }
    if !content.has_crc() {
        return Err(EntryProblem::Content(ArchiveError::Checksum));
    }
    if record.flags & FLAG_DESCRIPTOR == 0 {
        return Ok(end);
    }
    let mut descriptor = [0; 16];
    read_exactly(&archive.reader, archive.length, end, &mut descriptor).map_err(EntryProblem::Content)?;
    let sizes = (u32_at(&descriptor, 8), u32_at(&descriptor, 12));
    if !descriptor.starts_with(b"PK\x07\x08") || !has_sizes(record, sizes) {
        return Err(EntryProblem::LocalHeader);
    }
    Ok(end + descriptor.len() as i64)
}

/// What the directory says of an entry.
fn header(record: &Record, entry: Entry<'_>) -> Result<(), EntryProblem> {
    if record.flags & !FLAGS != 0 {
        return Err(EntryProblem::Flags(record.flags));
    }
    if !matches!(record.method, STORED | DEFLATED) {
        return Err(EntryProblem::Method(record.method));
    }
    let is_marked = record.flags & FLAG_UTF8 != 0;
    if !entry.name().is_ascii() && (!is_marked || std::str::from_utf8(entry.name()).is_err()) {
        return Err(EntryProblem::Encoding);
    }
    match entry.kind() {
        Kind::Directory if record.size != 0 || record.compressed_size != 0 => Err(EntryProblem::Sizes),
        Kind::File if record.method == STORED && record.size != record.compressed_size => {
            Err(EntryProblem::Sizes)
        }
        Kind::Directory if entry.name().ends_with(b"/") => Ok(()),
        Kind::File => Ok(()),
        _ => Err(EntryProblem::Irregular),
    }
}

/// Compares the local header with the directory; says how long it is.
fn local<R: ReadAt>(archive: &Archive<R>, record: &Record, entry: Entry<'_>) -> Result<i64, EntryProblem> {
    let read = |at: i64, buffer: &mut [u8]| {
        read_exactly(&archive.reader, archive.length, at, buffer).map_err(EntryProblem::Content)
    };
    let mut fixed = [0; LOCAL_LENGTH];
    read(record.at, &mut fixed)?;
    let (name_length, extra_length) = (usize::from(u16_at(&fixed, 26)), usize::from(u16_at(&fixed, 28)));
    let mut variable = vec![0; name_length + extra_length];
    read(record.at + LOCAL_LENGTH as i64, &mut variable)?;
    let (name, extra) = variable.split_at(name_length);

    let crc = u32_at(&fixed, 14);
    let sizes = (u32_at(&fixed, 18), u32_at(&fixed, 22));
    let is_later = record.flags & FLAG_DESCRIPTOR != 0 && crc == 0 && sizes == (0, 0);
    let is_same = fixed.starts_with(LOCAL_SIGNATURE)
        && u16_at(&fixed, 6) == record.flags
        && u16_at(&fixed, 8) == record.method
        && (is_later || crc == record.crc && has_sizes(record, sizes))
        && name == entry.name()
        && !is_odd_extra(extra);
    if is_same { Ok((LOCAL_LENGTH + variable.len()) as i64) } else { Err(EntryProblem::LocalHeader) }
}

fn has_sizes(record: &Record, (compressed_size, size): (u32, u32)) -> bool {
    u64::from(compressed_size) == record.compressed_size && u64::from(size) == record.size
}
