//! ELF, as far as build IDs need it: of any class and byte order, and never beyond the end of a hostile file.

use std::ops::Range;

const GO_NOTE: (&[u8; 4], u32) = (b"Go\0\0", 4);
const GNU_NOTE: (&[u8; 4], u32) = (b"GNU\0", 3);
const NOTE_SEGMENT: u32 = 4;

/// A file's class and byte order.
#[derive(Clone, Copy)]
struct Elf<'a> {
    file: &'a [u8],
    wide: bool,
    little: bool,
}

impl<'a> Elf<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        let header = file.get(..16).filter(|header| header.starts_with(b"\x7fELF"))?;
        let wide = match header[4] {
            1 => false,
            2 => true,
            _ => return None,
        };
        let little = match header[5] {
            1 => true,
            2 => false,
            _ => return None,
        };
        Some(Self { file, wide, little })
    }

    fn number<const N: usize>(self, at: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        let found: &[u8; N] = self.file.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if self.little {
            bytes[..N].copy_from_slice(found);
            Some(u64::from_le_bytes(bytes))
        } else {
            bytes[8 - N..].copy_from_slice(found);
            Some(u64::from_be_bytes(bytes))
        }
    }

    fn half(self, at: usize) -> Option<usize> {
        self.number::<2>(at).and_then(|n| usize::try_from(n).ok())
    }

    fn word(self, at: usize) -> Option<usize> {
        self.number::<4>(at).and_then(|n| usize::try_from(n).ok())
    }

    /// An address or offset: 4 bytes in files of the small class, 8 in others.
    fn offset(self, at: usize) -> Option<usize> {
        let number = if self.wide { self.number::<8>(at) } else { self.number::<4>(at) };
        number.and_then(|n| usize::try_from(n).ok())
    }
}

/// Where the payload of the linker's own build ID is.
pub(super) fn gnu_build_id(file: &[u8]) -> Option<Range<usize>> {
    let elf = Elf::open(file)?;
    let (headers, sizes, place) = if elf.wide { (0x28, 0x3a, 0x18) } else { (0x20, 0x2e, 0x10) };
    let start = elf.offset(headers)?;
    let (size, count, names) = (elf.half(sizes)?, elf.half(sizes + 2)?, elf.half(sizes + 4)?);
    if start == 0 {
        return None;
    }
    let header = |index: usize| size.checked_mul(index)?.checked_add(start);
    let place_of = |index: usize| elf.offset(header(index)?.checked_add(place)?);
    let names = place_of(names)?;
    for index in 0..count {
        let name = names.checked_add(elf.word(header(index)?)?)?;
        if !file.get(name..)?.starts_with(b".note.gnu.build-id\0") {
            continue;
        }
        let offset = place_of(index)?;
        let width = if elf.wide { 8 } else { 4 };
        let length = elf.offset(header(index)?.checked_add(place + width)?)?;
        return Some(offset.checked_add(16)?..offset.checked_add(length)?).filter(|r| r.start <= r.end);
    }
    None
}

/// The build ID in the notes, Go's or else the linker's; `None` for what is no ELF file, the empty text without notes.
pub(super) fn build_id(file: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::open(file)?;
    let (headers, sizes) = if elf.wide { (0x20, 0x36) } else { (0x1c, 0x2a) };
    let start = elf.offset(headers)?;
    let (size, count) = (elf.half(sizes)?, elf.half(sizes + 2)?);
    let (place, length, align) = if elf.wide { (0x08, 0x20, 0x30) } else { (0x04, 0x10, 0x1c) };
    let mut of_linker = Vec::new();
    for index in 0..count {
        let header = start.checked_add(size.checked_mul(index)?)?;
        if elf.word(header)? != NOTE_SEGMENT as usize {
            continue;
        }
        let offset = elf.offset(header.checked_add(place)?)?;
        let end = offset.checked_add(elf.offset(header.checked_add(length)?)?)?;
        let align = elf.offset(header.checked_add(align)?)?.max(1);
        match notes(elf, offset, end.min(file.len()), align) {
            Found::OfGo(id) => return Some(id),
            Found::OfLinker(id) => of_linker = id,
            Found::Nothing => {}
        }
    }
    Some(of_linker)
}

enum Found {
    OfGo(Vec<u8>),
    OfLinker(Vec<u8>),
    Nothing,
}

fn notes(elf: Elf<'_>, mut at: usize, end: usize, align: usize) -> Found {
    let mut found = Found::Nothing;
    while at.saturating_add(16) <= end {
        let (Some(name), Some(size), Some(kind)) = (elf.word(at), elf.word(at + 4), elf.word(at + 8)) else {
            break;
        };
        let payload = elf.file.get(at + 16..).and_then(|rest| rest.get(..size));
        let is = |(word, tag): (&[u8; 4], u32)| {
            name == 4 && kind == tag as usize && elf.file[at + 12..at + 16] == *word
        };
        if let Some(payload) = payload {
            if is(GO_NOTE) {
                return Found::OfGo(payload.to_vec());
            }
            if is(GNU_NOTE) {
                found = Found::OfLinker(payload.to_vec());
            }
        }
        let length =
            12usize.saturating_add(name.next_multiple_of(4)).saturating_add(size.next_multiple_of(4));
        at = match at.checked_add(length) {
            Some(next) => next.div_ceil(align).saturating_mul(align),
            None => break,
        };
    }
    found
}
