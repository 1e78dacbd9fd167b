//! Where addresses of a program are in its file: ELF, PE, Mach-O, XCOFF and Plan 9's a.out.
//!
//! Headers are read, and then what is asked for; never the whole file. Sources: `debug/elf`, `pe`, `macho`, `xcoff`,
//! `plan9obj`, as far as `debug/buildinfo` asks them.

use std::fs::File;

use super::LONGEST;

/// More bytes of headers than any program has.
const MOST_HEADERS: u64 = 16 << 20;

/// A program's file.
pub(super) struct Image<'a> {
    file: &'a File,
    length: u64,
    /// Where the program begins in the file, which may hold some.
    base: u64,
    is_big: bool,
    mapped: Vec<Mapped>,
    start: (u64, u64),
}

/// Addresses that the file has bytes for.
struct Mapped {
    address: u64,
    size: u64,
    offset: u64,
}

/// The number that some bytes are.
pub(super) fn number(bytes: &[u8], is_big: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    if is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// A row of a table, of which fields are read by offset and width.
struct Row<'a>(&'a [u8], bool);

impl Row<'_> {
    fn get(&self, at: usize, width: usize) -> Option<u64> {
        Some(number(self.0.get(at..at + width)?, self.1))
    }
}

impl<'a> Image<'a> {
    /// The program in a file; none if there is none.
    pub(super) fn of(file: &'a File) -> Option<Self> {
        let length = file.metadata().ok()?.len();
        let mut image = Self { file, length, base: 0, is_big: false, mapped: Vec::new(), start: (0, 0) };
        let head = image.read(0, 16)?;
        image.find(&head)?;
        Some(image)
    }

    fn find(&mut self, head: &[u8]) -> Option<()> {
        match head {
            [0x7f, b'E', b'L', b'F', class, order, ..] => {
                self.is_big = *order == 2;
                self.elf(*class == 2)
            }
            [b'M', b'Z', ..] => self.pe(),
            [0xfe, 0xed, 0xfa, kind, ..] => {
                self.is_big = true;
                self.mach_o(*kind == 0xcf)
            }
            [kind, 0xfa, 0xed, 0xfe, ..] => self.mach_o(*kind == 0xcf),
            [0xca, 0xfe, 0xba, kind @ (0xbe | 0xbf), ..] if self.base == 0 => {
                let at = self.read(8, 32)?;
                let offset =
                    if *kind == 0xbe { number(at.get(8..12)?, true) } else { number(at.get(8..16)?, true) };
                self.base = offset;
                let head = self.read(0, 16)?;
                if offset == 0 { None } else { self.find(&head) }
            }
            [0x01, kind @ (0xdf | 0xf7), ..] => {
                self.is_big = true;
                self.xcoff(*kind == 0xf7)
            }
            [0, 0, 0x01, 0xeb, ..] | [0, 0, 0x8a, 0x97, ..] | [0, 0, 0x06, 0x47, ..] => {
                self.is_big = true;
                self.plan9(head[2] == 0x8a)
            }
            _ => None,
        }
    }

    /// Where the mark is looked for: an address and a size; 0 if there is no such place.
    pub(super) fn start(&self) -> (u64, u64) {
        self.start
    }

    /// Bytes at an address, all of them.
    pub(super) fn data(&self, address: u64, size: u64) -> Option<Vec<u8>> {
        if size > LONGEST {
            return None;
        }
        self.up_to(address, size).filter(|data| data.len() as u64 == size)
    }

    /// Bytes at an address, as many as there are.
    pub(super) fn up_to(&self, address: u64, size: u64) -> Option<Vec<u8>> {
        let inside = |mapped: &&Mapped| mapped.address <= address && address - mapped.address < mapped.size;
        let mapped = self.mapped.iter().find(inside)?;
        let way = address - mapped.address;
        self.read(mapped.offset.checked_add(way)?, size.min(mapped.size - way))
    }

    fn read(&self, offset: u64, size: u64) -> Option<Vec<u8>> {
        let offset = self.base.checked_add(offset)?;
        let size = size.min(self.length.checked_sub(offset)?);
        let mut bytes = vec![0; usize::try_from(size).ok().filter(|_| size <= LONGEST)?];
        read_at(self.file, &mut bytes, offset)?;
        Some(bytes)
    }

    /// A table of `count` rows.
    fn table(&self, offset: u64, width: u64, count: u64) -> Option<Vec<u8>> {
        let size = width.checked_mul(count).filter(|size| *size <= MOST_HEADERS)?;
        self.read(offset, size).filter(|table| table.len() as u64 == size)
    }

    fn rows<'t>(&self, table: &'t [u8], width: u64) -> Option<Vec<Row<'t>>> {
        let width = usize::try_from(width).ok().filter(|width| *width > 0)?;
        Some(table.chunks_exact(width).map(|row| Row(row, self.is_big)).collect())
    }

    fn map(&mut self, address: u64, size: u64, offset: u64) {
        self.mapped.push(Mapped { address, size, offset });
    }

    fn elf(&mut self, is_wide: bool) -> Option<()> {
        let head = self.read(0, 64)?;
        let head = Row(&head, self.is_big);
        let (w, at) =
            if is_wide { (8, [32, 40, 54, 56, 58, 60, 62]) } else { (4, [28, 32, 42, 44, 46, 48, 50]) };
        let [programs, sections] = [head.get(at[0], w)?, head.get(at[1], w)?];
        let [p_width, p_count, s_width, s_count, names] = [
            head.get(at[2], 2)?,
            head.get(at[3], 2)?,
            head.get(at[4], 2)?,
            head.get(at[5], 2)?,
            head.get(at[6], 2)?,
        ];
        let table = self.table(programs, p_width, p_count)?;
        for row in self.rows(&table, p_width.max(1))? {
            let at = if is_wide { [8, 16, 32] } else { [4, 8, 16] };
            self.map(row.get(at[1], w)?, row.get(at[2], w)?, row.get(at[0], w)?);
        }
        let table = self.table(sections, s_width, s_count)?;
        let rows = self.rows(&table, s_width.max(1))?;
        let at = if is_wide { [16, 24, 32] } else { [12, 16, 20] };
        let Some(row) = rows.get(usize::try_from(names).ok()?) else { return Some(()) };
        let names = self.table(row.get(at[1], w)?, 1, row.get(at[2], w)?)?;
        for row in &rows {
            let name =
                usize::try_from(row.get(0, 4)?).ok().and_then(|at| names.get(at..)).unwrap_or_default();
            if name.starts_with(b".go.buildinfo\0") {
                self.start = (row.get(at[0], w)?, row.get(at[2], w)?);
                break;
            }
        }
        Some(())
    }

    fn pe(&mut self) -> Option<()> {
        let head = self.read(0, 64)?;
        let at = Row(&head, false).get(60, 4)?;
        let head = self.read(at, 24 + 32)?;
        if !head.starts_with(b"PE\0\0") {
            return None;
        }
        let row = Row(&head, false);
        let base = match row.get(24, 2)? {
            0x10b => row.get(24 + 28, 4)?,
            0x20b => row.get(24 + 24, 8)?,
            _ => 0,
        };
        let table = self.table(at + 24 + row.get(20, 2)?, 40, row.get(6, 2)?)?;
        for row in self.rows(&table, 40)? {
            let [in_memory, address, size, offset, kind] =
                [row.get(8, 4)?, row.get(12, 4)?, row.get(16, 4)?, row.get(20, 4)?, row.get(36, 4)?];
            let address_in_memory = base.checked_add(address)?;
            self.map(address_in_memory, size, offset);
            // Data that is read and written; the alignment is no matter.
            const DATA: u64 = 0xc000_0040;
            const ALIGNED: u64 = 0x0060_0000;
            if self.start.1 == 0 && address != 0 && size != 0 && kind & !ALIGNED == DATA {
                self.start = (address_in_memory, in_memory);
            }
        }
        Some(())
    }

    fn mach_o(&mut self, is_wide: bool) -> Option<()> {
        let head = self.read(0, 32)?;
        let row = Row(&head, self.is_big);
        let commands = self.table(if is_wide { 32 } else { 28 }, 1, row.get(20, 4)?)?;
        let mut rest = commands.as_slice();
        for _ in 0..row.get(16, 4)? {
            let row = Row(rest, self.is_big);
            let (kind, size) = (row.get(0, 4)?, usize::try_from(row.get(4, 4)?).ok()?);
            let command = rest.get(..size).filter(|_| size >= 8)?;
            rest = &rest[size..];
            match kind {
                0x1 => self.segment(command, false)?,
                0x19 => self.segment(command, true)?,
                _ => {}
            }
        }
        Some(())
    }

    fn segment(&mut self, command: &[u8], is_wide: bool) -> Option<()> {
        let row = Row(command, self.is_big);
        let (w, head, width) = if is_wide { (8, 72, 80) } else { (4, 56, 68) };
        let [address, offset, size] = [row.get(24, w)?, row.get(24 + 2 * w, w)?, row.get(24 + 3 * w, w)?];
        if !command.get(8..)?.starts_with(b"__PAGEZERO\0") {
            self.map(address, size, offset);
        }
        for section in self.rows(command.get(head..)?, width)? {
            if self.start.1 == 0 && section.0.starts_with(b"__go_buildinfo\0") {
                self.start = (section.get(32, w)?, section.get(32 + w, w)?);
            }
        }
        Some(())
    }

    fn xcoff(&mut self, is_wide: bool) -> Option<()> {
        let head = self.read(0, 24)?;
        let row = Row(&head, true);
        let (w, head, width, kind) = if is_wide { (8, 24, 72, 64) } else { (4, 20, 40, 36) };
        let table = self.table(head + row.get(16, 2)?, width, row.get(2, 2)?)?;
        for row in self.rows(&table, width)? {
            let [address, size, offset] =
                [row.get(8 + w, w)?, row.get(8 + 2 * w, w)?, row.get(8 + 3 * w, w)?];
            if offset != 0 {
                self.map(address, size, offset);
            }
            if self.start.1 == 0 && row.get(kind, 4)? & 0xffff == 0x40 {
                self.start = (address, size);
            }
        }
        Some(())
    }

    fn plan9(&mut self, is_wide: bool) -> Option<()> {
        let head = self.read(0, 32)?;
        let row = Row(&head, true);
        let begin = if is_wide { 40 } else { 32 };
        let (code, data) = (row.get(4, 4)?, row.get(8, 4)?);
        self.map(begin, code, begin);
        self.map(begin + code, data, begin + code);
        self.start = (begin + code, data);
        Some(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> Option<()> {
    use std::os::unix::fs::FileExt;
    file.read_exact_at(bytes, offset).ok()
}

#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> Option<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset)).ok()?;
    file.read_exact(bytes).ok()
}
