//! The central directory, read as `archive/zip` reads it.
//!
//! Go's reader is lenient in its own way, and every leniency decides which bytes a build sees: the end record
//! is the last one that is found, the archive may begin behind other bytes, headers are read until one is bad
//! and only then counted, modulo 65536. So this is a port of the rules (`archive/zip/reader.go:readDirectoryEnd`,
//! `readDirectoryHeader`, `Reader.init`), not of the specification of zip.
//!
//! Stricter than Go: [`MAX_ENTRIES`], [`MAX_NAMES`] and [`MAX_DIRECTORY`], so that memory is bounded.

use super::end::{self, End};
use super::little_endian::{u16_at, u32_at};
use super::read_at::Section;
use super::{ArchiveError, MAX_DIRECTORY, MAX_ENTRIES, MAX_NAMES, ReadAt};

/// How a header begins.
pub(super) const HEADER_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
const HEADER_LENGTH: usize = 46;
const ZIP64_EXTRA: u16 = 1;
/// Extra fields by which readers that know them see another entry: 64-bit sizes, encryption, Unicode names.
const ODD_EXTRAS: [u16; 5] = [ZIP64_EXTRA, 0x0017, 0x6375, 0x7075, 0x9901];

const READ_BUFFER: usize = 64 << 10;

/// One header of the directory; its name is in [`Directory::names`].
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) size: u64,
    pub(super) compressed_size: u64,
    /// Offset of the local header, `base` included. May be any number.
    pub(super) at: i64,
    pub(super) crc: u32,
    pub(super) external: u32,
    pub(super) name_at: u32,
    pub(super) name_length: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) creator: u16,
}

pub(super) struct Directory {
    pub(super) end: End,
    pub(super) records: Vec<Record>,
    pub(super) names: Vec<u8>,
    /// Length of the headers that were read, in bytes.
    pub(super) length: u64,
    /// Whether a header has a comment, or an extra field that other readers take sizes, names or methods from.
    pub(super) has_extras: bool,
}

/// Reads the directory of an archive of `length` bytes.
pub(super) fn read<R: ReadAt + ?Sized>(archive: &R, length: u64) -> Result<Directory, ArchiveError> {
    let end = end::find(archive, length)?;
    let start = end.base.wrapping_add(end.offset);
    // All headers are behind the start: enough room is made at once, since growing would take it twice.
    let room = length.saturating_sub(start as u64).min(MAX_DIRECTORY) as usize;
    let mut directory = Directory {
        end,
        records: Vec::with_capacity(MAX_ENTRIES.min(room / HEADER_LENGTH)),
        names: Vec::with_capacity(MAX_NAMES.min(room)),
        length: 0,
        has_extras: false,
    };
    let mut headers = Headers::new(archive, length, start);
    let stop = loop {
        match headers.next() {
            Ok(header) => directory.push(header)?,
            Err(error @ (ArchiveError::Format | ArchiveError::UnexpectedEof)) => break error,
            Err(error) => return Err(error),
        }
    };
    if directory.records.len() as u16 != directory.end.count as u16 {
        return Err(stop);
    }
    directory.records.shrink_to_fit();
    directory.names.shrink_to_fit();
    Ok(directory)
}

impl Directory {
    fn push(&mut self, header: Header<'_>) -> Result<(), ArchiveError> {
        self.length += header.length;
        if self.length > MAX_DIRECTORY {
            return Err(ArchiveError::DirectoryTooLarge);
        }
        if self.records.len() == MAX_ENTRIES {
            return Err(ArchiveError::TooManyEntries);
        }
        if self.names.len() + header.name.len() > MAX_NAMES {
            return Err(ArchiveError::NamesTooLong);
        }
        self.has_extras |= header.has_extras;
        let mut record = header.record;
        record.at = record.at.wrapping_add(self.end.base);
        record.name_at = self.names.len() as u32;
        self.names.extend_from_slice(header.name);
        self.records.push(record);
        Ok(())
    }
}

/// A header with its name.
pub(super) struct Header<'a> {
    record: Record,
    name: &'a [u8],
    length: u64,
    has_extras: bool,
}

/// Headers one after the other, from a buffer that never holds more than a few of them.
pub(super) struct Headers<'a, R: ?Sized> {
    section: Section<'a, R>,
    buffer: Vec<u8>,
    at: usize,
}

impl<'a, R: ReadAt + ?Sized> Headers<'a, R> {
    pub(super) fn new(archive: &'a R, length: u64, at: i64) -> Self {
        Self { section: Section::new(archive, length, at, length), buffer: Vec::new(), at: 0 }
    }

    /// The next header: [`ArchiveError::Format`] where there is none, [`ArchiveError::UnexpectedEof`] where it
    /// is cut off within a part, and [`ArchiveError::Eof`] where the archive ends between two parts.
    pub(super) fn next(&mut self) -> Result<Header<'_>, ArchiveError> {
        let fixed = self.take(HEADER_LENGTH)?;
        let fixed = &self.buffer[fixed..fixed + HEADER_LENGTH];
        if !fixed.starts_with(HEADER_SIGNATURE) {
            return Err(ArchiveError::Format);
        }
        let name_length = u16_at(fixed, 28);
        let extra_length = usize::from(u16_at(fixed, 30));
        let comment_length = usize::from(u16_at(fixed, 32));
        let (size, compressed_size) = (u32_at(fixed, 24), u32_at(fixed, 20));
        let mut record = Record {
            size: u64::from(size),
            compressed_size: u64::from(compressed_size),
            at: i64::from(u32_at(fixed, 42)),
            crc: u32_at(fixed, 16),
            external: u32_at(fixed, 38),
            name_at: 0,
            name_length,
            flags: u16_at(fixed, 8),
            method: u16_at(fixed, 10),
            creator: u16_at(fixed, 4),
        };
        let name_length = usize::from(name_length);
        let variable_length = name_length + extra_length + comment_length;
        let variable = self.take(variable_length)?;
        let variable = &self.buffer[variable..variable + variable_length];
        let (name, rest) = variable.split_at(name_length);
        let extra = &rest[..extra_length];
        apply_extra(&mut record, extra, size == u32::MAX, compressed_size == u32::MAX)?;
        let has_extras = comment_length > 0 || is_odd_extra(extra);
        Ok(Header { record, name, length: (HEADER_LENGTH + variable_length) as u64, has_extras })
    }

    /// Makes `count` bytes available, and says where in the buffer they are (`io.ReadFull`).
    fn take(&mut self, count: usize) -> Result<usize, ArchiveError> {
        if self.buffer.len() - self.at < count {
            self.buffer.drain(..self.at);
            self.at = 0;
            let had = self.buffer.len();
            self.buffer.resize(READ_BUFFER.max(count), 0);
            let filled = self.section.fill(&mut self.buffer[had..])?;
            self.buffer.truncate(had + filled);
        }
        let had = self.buffer.len() - self.at;
        if had < count {
            return Err(if had == 0 { ArchiveError::Eof } else { ArchiveError::UnexpectedEof });
        }
        let at = self.at;
        self.at += count;
        Ok(at)
    }
}

/// Takes 64-bit values from the extra fields where the header has its 32-bit ones at the maximum. A field that is
/// too short for what it must hold makes the header bad.
fn apply_extra(
    record: &mut Record,
    extra: &[u8],
    wants_size: bool,
    wants_compressed_size: bool,
) -> Result<(), ArchiveError> {
    for (_, mut field) in fields(extra).filter(|&(tag, _)| tag == ZIP64_EXTRA) {
        let mut next = || {
            let (value, rest) = field.split_first_chunk::<8>().ok_or(ArchiveError::Format)?;
            field = rest;
            Ok::<u64, ArchiveError>(u64::from_le_bytes(*value))
        };
        if wants_size {
            record.size = next()?;
        }
        if wants_compressed_size {
            record.compressed_size = next()?;
        }
        if record.at == i64::from(u32::MAX) {
            record.at = next()? as i64;
        }
    }
    Ok(())
}

/// Whether extra fields could make other readers see another entry, or are no fields.
pub(super) fn is_odd_extra(extra: &[u8]) -> bool {
    let length: usize = fields(extra).map(|(_, field)| 4 + field.len()).sum();
    length != extra.len() || fields(extra).any(|(tag, _)| ODD_EXTRAS.contains(&tag))
}

/// The extra fields, each with its tag; ends at the first that is cut off.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, rest) = extra.split_at_checked(4)?;
        let (field, rest) = rest.split_at_checked(usize::from(u16_at(header, 2)))?;
        extra = rest;
        Some((u16_at(header, 0), field))
    })
}
