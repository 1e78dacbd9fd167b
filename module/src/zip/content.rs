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
    compressed: Section<'a, R>,
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
        let mut local = [0; LOCAL_LENGTH];
        read_exactly(&archive.reader, archive.length, record.at, &mut local)?;
        if !local.starts_with(LOCAL_SIGNATURE) {
            return Err(ArchiveError::Format);
        }
        let variable_length = i64::from(u16_at(&local, 26)) + i64::from(u16_at(&local, 28));
        let at = record.at.wrapping_add(LOCAL_LENGTH as i64 + variable_length);
        let form = match record.method {
            _ if archive.name(record).ends_with(b"/") => Form::Directory,
            STORED => Form::Stored,
            DEFLATED => Form::Deflated,
            _ => return Err(ArchiveError::Algorithm),
        };
        inflate.reset(false);
        Ok(Self {
            archive,
            record,
            compressed: Section::new(&archive.reader, archive.length, at, record.compressed_size),
            form,
            descriptor_at: at.wrapping_add(record.compressed_size as i64),
            crc: Hasher::new(),
            length: 0,
            consumed: 0,
            inflate,
            input,
            input_at: 0,
            input_end: 0,
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
            Form::Stored => {
                let n = self.compressed.fill(buffer).map_err(ArchiveError::Io)?;
                self.consumed += n as u64;
                n
            }
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

    fn inflate(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        loop {
            if self.input_at == self.input_end {
                self.input_at = 0;
                self.input_end = self.compressed.fill(self.input).map_err(ArchiveError::Io)?;
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
