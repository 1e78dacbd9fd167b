//! The content of one entry, inflated and checked as `archive/zip` does it.
//!
//! The local header serves only to be skipped. What the directory says is compared: the size always, the
//! CRC unless it is 0 and no data descriptor follows (`archive/zip/reader.go:checksumReader`). A stream that
//! ends before its compressed size does is fine; one that yields more than its size is not.

use std::io;

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

use super::archive::Archive;
use super::directory::Record;
use super::little_endian::{u16_at, u32_at};
use super::read_at::{Section, read_exactly};
use super::{ArchiveError, ReadAt};

/// How a local header begins.
pub(super) const LOCAL_SIGNATURE: &[u8; 4] = b"PK\x03\x04";
/// Length of a local header without its name and extra fields, in bytes.
pub(super) const LOCAL_LENGTH: usize = 30;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
/// Flag of an entry with a data descriptor behind its content.
pub(super) const FLAG_DESCRIPTOR: u16 = 0x8;
/// Entry's bytes stand as they are.
pub(super) const STORED: u16 = 0;
/// Entry's bytes are deflated.
pub(super) const DEFLATED: u16 = 8;

/// Length of the buffers for compressed and for plain bytes. Most files of a module fit in one of each.
const BUFFER: usize = 64 << 10;
/// Room for extra fields in local headers, where one read should get the whole entry, in bytes.
const EXTRA_ROOM: u64 = 64;

/// What reading contents needs and several readings can share: about 200 KiB.
pub struct Scratch {
    pub(super) inflate: Decompress,
    pub(super) input: Box<[u8]>,
    pub(super) output: Box<[u8]>,
}

impl Default for Scratch {
    fn default() -> Self {
        let buffer = || vec![0; BUFFER].into_boxed_slice();
        Self { inflate: Decompress::new(false), input: buffer(), output: buffer() }
    }
}

impl Scratch {
    /// The buffer for plain bytes, for those who read elsewhere.
    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.output
    }
}

/// An entry's content, read in order.
pub struct Content<'a, R: ?Sized> {
    archive: &'a Archive<R>,
    record: &'a Record,
    /// The compressed bytes that are not yet in `input`.
    rest: Section<'a, R>,
    form: Form,
    descriptor_at: i64,
    crc: Hasher,
    length: u64,
    /// Compressed bytes that were used.
    pub(super) consumed: u64,
    inflate: &'a mut Decompress,
    input: &'a mut [u8],
    input_at: usize,
    input_end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stored,
    Deflated,
    Directory,
    Ended,
}

impl<'a, R: ReadAt + ?Sized> Content<'a, R> {
    pub(super) fn open(
        archive: &'a Archive<R>,
        record: &'a Record,
        inflate: &'a mut Decompress,
        input: &'a mut [u8],
    ) -> Result<Self, ArchiveError> {
        // Most entries are read whole at once, with the local header that must be skipped.
        let whole = LOCAL_LENGTH as u64 + u64::from(record.name_length) + EXTRA_ROOM;
        let whole = whole.saturating_add(record.compressed_size).min(input.len() as u64);
        let mut start = Section::new(&archive.reader, archive.length, record.at, whole);
        let filled = start.fill(&mut input[..whole as usize])?;
        let local = input[..filled].first_chunk::<LOCAL_LENGTH>().ok_or(ArchiveError::Eof)?;
        if !local.starts_with(LOCAL_SIGNATURE) {
            return Err(ArchiveError::Format);
        }
        let header_length = LOCAL_LENGTH + usize::from(u16_at(local, 26)) + usize::from(u16_at(local, 28));
        let form = match record.method {
            _ if archive.name(record).ends_with(b"/") => Form::Directory,
            STORED => Form::Stored,
            DEFLATED => Form::Deflated,
            _ => return Err(ArchiveError::Algorithm),
        };
        inflate.reset(false);
        let at = record.at.wrapping_add(header_length as i64);
        let input_at = header_length.min(filled);
        let had = record.compressed_size.min((filled - input_at) as u64);
        let rest_at = at.wrapping_add(had as i64);
        Ok(Self {
            archive,
            record,
            rest: Section::new(&archive.reader, archive.length, rest_at, record.compressed_size - had),
            form,
            descriptor_at: at.wrapping_add(record.compressed_size as i64),
            crc: Hasher::new(),
            length: 0,
            consumed: 0,
            inflate,
            input,
            input_at,
            input_end: input_at + had as usize,
        })
    }

    /// Reads some bytes into `buffer`; 0 at the end, when everything that Go checks has been checked.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let n = match self.form {
            Form::Ended => return Ok(0),
            Form::Directory if self.record.size != 0 => return Err(ArchiveError::Format),
            Form::Directory => {
                self.form = Form::Ended;
                return Ok(0);
            }
            Form::Stored => self.stored(buffer)?,
            Form::Deflated => self.inflate(buffer)?,
        };
        self.crc.update(&buffer[..n]);
        self.length += n as u64;
        if self.length > self.record.size {
            return Err(ArchiveError::Format);
        }
        if n == 0 {
            self.finish()?;
            self.form = Form::Ended;
        }
        Ok(n)
    }

    fn stored(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let had = &self.input[self.input_at..self.input_end];
        let n = match had.len().min(buffer.len()) {
            0 => self.rest.fill(buffer)?,
            n => {
                buffer[..n].copy_from_slice(&had[..n]);
                self.input_at += n;
                n
            }
        };
        self.consumed += n as u64;
        Ok(n)
    }

    fn inflate(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        loop {
            if self.input_at == self.input_end {
                self.input_at = 0;
                self.input_end = self.rest.fill(self.input)?;
            }
            let input = &self.input[self.input_at..self.input_end];
            let (had_in, had_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|_| ArchiveError::Deflate)?;
            let used = (self.inflate.total_in() - had_in) as usize;
            let made = (self.inflate.total_out() - had_out) as usize;
            self.input_at += used;
            self.consumed += used as u64;
            if made > 0 || status == Status::StreamEnd {
                return Ok(made);
            }
            if used == 0 {
                return Err(ArchiveError::UnexpectedEof);
            }
        }
    }

    /// Whether what was read has the CRC that the directory says, which Go does not ask where that is 0.
    pub(super) fn has_crc(&self) -> bool {
        self.crc.clone().finalize() == self.record.crc
    }

    /// What is compared when the content has been read to its end.
    fn finish(&mut self) -> Result<(), ArchiveError> {
        if self.length != self.record.size {
            return Err(ArchiveError::UnexpectedEof);
        }
        let is_right = if self.record.flags & FLAG_DESCRIPTOR != 0 {
            self.descriptor_crc()? == self.record.crc && self.has_crc()
        } else {
            self.record.crc == 0 || self.has_crc()
        };
        if is_right { Ok(()) } else { Err(ArchiveError::Checksum) }
    }

    /// The CRC in the descriptor behind the content, which may or may not begin with a signature and whose
    /// sizes may be of 32 or 64 bits and are not looked at (`readDataDescriptor`).
    fn descriptor_crc(&self) -> Result<u32, ArchiveError> {
        let mut descriptor = [0; 12];
        let (reader, length) = (&self.archive.reader, self.archive.length);
        let read = |at: i64, part: &mut [u8]| match read_exactly(reader, length, at, part) {
            Err(ArchiveError::Eof) => Err(ArchiveError::UnexpectedEof),
            other => other,
        };
        read(self.descriptor_at, &mut descriptor[..4])?;
        let with_signature = u32_at(&descriptor, 0) == DESCRIPTOR_SIGNATURE;
        let wanted = if with_signature { 4 + 12 } else { 12 };
        let mut whole = [0; 16];
        read(self.descriptor_at, &mut whole[..wanted])?;
        Ok(u32_at(&whole, if with_signature { 4 } else { 0 }))
    }
}

impl<R: ReadAt + ?Sized> io::Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Content::read(self, buffer).map_err(|error| match error {
            ArchiveError::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        })
    }
}
