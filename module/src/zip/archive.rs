//! An archive as Go sees it: its entries in the order of the central directory, duplicates included.

use super::content::{Content, Scratch};
use super::directory::{self, Directory, Record};
use super::{ArchiveError, ReadAt};

/// An open archive. Many threads may read its contents at once.
pub struct Archive<R: ?Sized> {
    pub(super) length: u64,
    pub(super) directory: Directory,
    pub(super) reader: R,
}

impl<R: ReadAt> Archive<R> {
    /// Reads the central directory of an archive of `length` bytes. Takes memory in proportion to the
    /// directory, at most about 50 MiB.
    pub fn open(reader: R, length: u64) -> Result<Self, ArchiveError> {
        let directory = directory::read(&reader, length)?;
        Ok(Self { length, directory, reader })
    }
}

impl<R: ReadAt + ?Sized> Archive<R> {
    /// The entries in the order of the directory.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.directory.records.iter().map(|record| Entry { record, name: self.name(record) })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.directory.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.directory.records.is_empty()
    }

    /// The entry at `index`, which must be below [`Archive::len`].
    pub fn entry(&self, index: usize) -> Entry<'_> {
        let record = &self.directory.records[index];
        Entry { record, name: self.name(record) }
    }

    /// The content of the entry at `index`, which must be below [`Archive::len`].
    pub fn content<'a>(
        &'a self,
        index: usize,
        scratch: &'a mut Scratch,
    ) -> Result<Content<'a, R>, ArchiveError> {
        Content::open(self, &self.directory.records[index], &mut scratch.inflate, &mut scratch.input)
    }

    /// Hands the content of the entry at `index` to `take`, part by part.
    pub fn each_part(
        &self,
        index: usize,
        scratch: &mut Scratch,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), ArchiveError> {
        let Scratch { inflate, input, output } = scratch;
        let mut content = Content::open(self, &self.directory.records[index], inflate, input)?;
        loop {
            match content.read(output)? {
                0 => return Ok(()),
                n => take(&output[..n]),
            }
        }
    }

    /// The whole content of the entry at `index`: as many bytes as it declares, so look at its size first.
    pub fn bytes(&self, index: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        self.each_part(index, &mut Scratch::default(), |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    pub(super) fn name(&self, record: &Record) -> &[u8] {
        &self.directory.names[record.name_at as usize..][..usize::from(record.name_length)]
    }
}

/// What the central directory says of one entry.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub(super) record: &'a Record,
    name: &'a [u8],
}

/// What kind of file an entry says it is, by the mode bits and the name (`FileHeader.Mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, pipe or socket.
    Irregular,
}

impl<'a> Entry<'a> {
    /// The name's bytes, as they stand: no encoding is assumed.
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Declared length of the content, in bytes.
    pub fn size(&self) -> u64 {
        self.record.size
    }

    /// Declared length of the compressed content, in bytes.
    pub fn compressed_size(&self) -> u64 {
        self.record.compressed_size
    }

    /// What the entry says it is. Reading a module zip does not look at this, as Go does not.
    pub fn kind(&self) -> Kind {
        const UNIX: u16 = 3;
        const MAC_OS: u16 = 19;
        const FAT: u16 = 0;
        const NTFS: u16 = 11;
        const VFAT: u16 = 14;
        const DOS_DIRECTORY: u32 = 0x10;
        let external = self.record.external;
        let kind = match self.record.creator >> 8 {
            UNIX | MAC_OS => match external >> 16 & 0xf000 {
                0x4000 => Kind::Directory,
                0xa000 => Kind::Symlink,
                0x1000 | 0x2000 | 0x6000 | 0xc000 => Kind::Irregular,
                _ => Kind::File,
            },
            FAT | NTFS | VFAT if external & DOS_DIRECTORY != 0 => Kind::Directory,
            _ => Kind::File,
        };
        match kind {
            Kind::File if self.name.ends_with(b"/") => Kind::Directory,
            kind => kind,
        }
    }
}
