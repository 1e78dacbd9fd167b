//! Zips put together by hand, in which every field can lie.
//!
//! [`Part::new`] and [`RawZip::new`] make an honest archive; a test then spoils what it is about. Whatever is left
//! `None` is computed.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Entry's bytes stand as they are.
pub const STORED: u16 = 0;
/// Entry's bytes are deflated.
pub const DEFLATED: u16 = 8;
/// Flag: CRC and sizes follow the content.
pub const DESCRIPTOR: u16 = 8;
/// Flag: the name is UTF-8.
pub const UTF8: u16 = 0x800;

/// One entry: what stands at its place, and what the directory says.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name in the directory.
    pub name: Vec<u8>,
    /// Name in the local header, if another.
    pub local_name: Option<Vec<u8>>,
    /// The compressed content as it stands in the file.
    pub body: Vec<u8>,
    /// Compression method.
    pub method: u16,
    /// Method in the local header, if another.
    pub local_method: Option<u16>,
    /// Flags, in both headers.
    pub flags: u16,
    /// CRC in the directory.
    pub crc: u32,
    /// CRC in the local header, if another.
    pub local_crc: Option<u32>,
    /// Length of the content in the directory.
    pub size: u32,
    /// Length of the compressed content in the directory.
    pub compressed_size: u32,
    /// Sizes in the local header, compressed and not, if others.
    pub local_sizes: Option<(u32, u32)>,
    /// What stands behind the content.
    pub descriptor: Vec<u8>,
    /// Extra fields in the directory.
    pub extra: Vec<u8>,
    /// Extra fields in the local header.
    pub local_extra: Vec<u8>,
    /// Comment in the directory.
    pub comment: Vec<u8>,
    /// System that made the entry (high byte: 3 is Unix) and version.
    pub creator: u16,
    /// Attributes; on Unix the mode in the high half.
    pub external: u32,
    /// How the local header begins.
    pub local_signature: u32,
    /// How the header in the directory begins.
    pub signature: u32,
    /// Offset of the local header, if the directory lies about it.
    pub at: Option<u32>,
    /// How often the directory has it.
    pub times: usize,
    /// Whether anything stands at its place.
    pub is_there: bool,
}

impl Part {
    /// An honest entry, stored.
    pub fn new(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        let (name, content) = (name.as_ref(), content.as_ref());
        Self {
            name: name.to_vec(),
            local_name: None,
            body: content.to_vec(),
            method: STORED,
            local_method: None,
            flags: if name.is_ascii() { 0 } else { UTF8 },
            crc: crc32fast::hash(content),
            local_crc: None,
            size: content.len() as u32,
            compressed_size: content.len() as u32,
            local_sizes: None,
            descriptor: Vec::new(),
            extra: Vec::new(),
            local_extra: Vec::new(),
            comment: Vec::new(),
            creator: 0x0314,
            external: 0o100644 << 16,
            local_signature: 0x0403_4b50,
            signature: 0x0201_4b50,
            at: None,
            times: 1,
            is_there: true,
        }
    }

    /// An honest entry, deflated.
    pub fn deflated(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        let body = deflate(content.as_ref());
        Self { method: DEFLATED, compressed_size: body.len() as u32, body, ..Self::new(name, content) }
    }

    /// The same entry with its CRC and sizes behind the content, as Go writes it.
    pub fn with_descriptor(mut self) -> Self {
        self.flags |= DESCRIPTOR;
        self.descriptor = self.descriptor_bytes();
        (self.local_crc, self.local_sizes) = (Some(0), Some((0, 0)));
        self
    }

    /// A descriptor that tells what the directory does.
    pub fn descriptor_bytes(&self) -> Vec<u8> {
        [0x0807_4b50, self.crc, self.compressed_size, self.size].map(u32::to_le_bytes).concat()
    }

    /// The same entry with something changed.
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn write_local(&self, out: &mut Vec<u8>) {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let (compressed_size, size) = self.local_sizes.unwrap_or((self.compressed_size, self.size));
        put32(out, self.local_signature);
        put16(out, 20);
        put16(out, self.flags);
        put16(out, self.local_method.unwrap_or(self.method));
        out.extend_from_slice(&[0; 4]);
        put32(out, self.local_crc.unwrap_or(self.crc));
        put32(out, compressed_size);
        put32(out, size);
        put16(out, name.len() as u16);
        put16(out, self.local_extra.len() as u16);
        out.extend_from_slice(name);
        out.extend_from_slice(&self.local_extra);
        out.extend_from_slice(&self.body);
        out.extend_from_slice(&self.descriptor);
    }

    fn write_header(&self, at: u32, out: &mut Vec<u8>) {
        put32(out, self.signature);
        put16(out, self.creator);
        put16(out, 20);
        put16(out, self.flags);
        put16(out, self.method);
        out.extend_from_slice(&[0; 4]);
        put32(out, self.crc);
        put32(out, self.compressed_size);
        put32(out, self.size);
        put16(out, self.name.len() as u16);
        put16(out, self.extra.len() as u16);
        put16(out, self.comment.len() as u16);
        out.extend_from_slice(&[0; 4]);
        put32(out, self.external);
        put32(out, self.at.unwrap_or(at));
        out.extend_from_slice(&self.name);
        out.extend_from_slice(&self.extra);
        out.extend_from_slice(&self.comment);
    }
}

/// A 64-bit end record and the locator that leads to it.
#[derive(Clone, Debug, Default)]
pub struct End64 {
    /// Count of entries, if it lies.
    pub count: Option<u64>,
    /// Length of the directory, if it lies.
    pub size: Option<u64>,
    /// Offset of the directory, if it lies.
    pub offset: Option<u64>,
    /// Where the locator says that the record is, if it lies.
    pub at: Option<u64>,
    /// Disk on which the locator says that it is.
    pub disk: u32,
    /// How many disks the locator says there are, less one.
    pub more_disks: u32,
    /// Whether the record begins as it should.
    pub has_bad_signature: bool,
}

/// A whole archive.
#[derive(Clone, Debug, Default)]
pub struct RawZip {
    /// What stands before the archive; offsets do not count it.
    pub before: Vec<u8>,
    /// The entries.
    pub parts: Vec<Part>,
    /// What stands between the last content and the directory.
    pub between: Vec<u8>,
    /// What stands between the directory and its end record.
    pub behind_directory: Vec<u8>,
    /// The 64-bit end record, if there is one.
    pub end64: Option<End64>,
    /// Count of entries in the end record, if it lies.
    pub count: Option<u16>,
    /// Length of the directory in the end record, if it lies.
    pub size: Option<u32>,
    /// Offset of the directory in the end record, if it lies.
    pub offset: Option<u32>,
    /// Comment of the archive.
    pub comment: Vec<u8>,
    /// Length of the comment, if it lies.
    pub comment_length: Option<u16>,
    /// What stands behind the archive.
    pub after: Vec<u8>,
}

impl RawZip {
    /// An honest archive.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self { parts: parts.into_iter().collect(), ..Self::default() }
    }

    /// The same archive with something changed.
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The archive's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        let mut directory = Vec::new();
        for part in &self.parts {
            let at = (out.len() - self.before.len()) as u32;
            if part.is_there {
                part.write_local(&mut out);
            }
            (0..part.times).for_each(|_| part.write_header(at, &mut directory));
        }
        out.extend_from_slice(&self.between);
        let offset = (out.len() - self.before.len()) as u64;
        let count = self.parts.iter().map(|part| part.times as u64).sum();
        out.extend_from_slice(&directory);
        out.extend_from_slice(&self.behind_directory);
        if let Some(end64) = &self.end64 {
            write_end64(end64, count, directory.len() as u64, offset, &mut out);
        }
        put32(&mut out, 0x0605_4b50);
        put32(&mut out, 0);
        put16(&mut out, self.count.unwrap_or(count as u16));
        put16(&mut out, self.count.unwrap_or(count as u16));
        put32(&mut out, self.size.unwrap_or(directory.len() as u32));
        put32(&mut out, self.offset.unwrap_or(offset as u32));
        put16(&mut out, self.comment_length.unwrap_or(self.comment.len() as u16));
        out.extend_from_slice(&self.comment);
        out.extend_from_slice(&self.after);
        out
    }
}

fn write_end64(end64: &End64, count: u64, size: u64, offset: u64, out: &mut Vec<u8>) {
    let at = out.len() as u64;
    let count = end64.count.unwrap_or(count);
    put32(out, if end64.has_bad_signature { 0 } else { 0x0606_4b50 });
    put64(out, 44);
    put32(out, 45 << 16 | 45);
    put64(out, 0);
    put64(out, count);
    put64(out, count);
    put64(out, end64.size.unwrap_or(size));
    put64(out, end64.offset.unwrap_or(offset));
    put32(out, 0x0706_4b50);
    put32(out, end64.disk);
    put64(out, end64.at.unwrap_or(at));
    put32(out, end64.more_disks + 1);
}

/// An extra field.
pub fn extra(tag: u16, content: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
}

/// An extra field with 64-bit values.
pub fn extra64(values: &[u64]) -> Vec<u8> {
    extra(1, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

/// A deflated stream.
///
/// # Panics
/// Never: memory can be written.
pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
