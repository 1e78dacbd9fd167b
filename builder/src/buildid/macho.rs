//! Mach-O, as far as build IDs and code signatures need it.

use std::ops::Range;

use crate::codesign::Text;

const UUID: u32 = 0x1b;
const SIGNATURE: u32 = 0x1d;
const SEGMENT: u32 = 0x1;
const WIDE_SEGMENT: u32 = 0x19;
const PROGRAM: u32 = 2;

/// A file's width and byte order, and where its load commands are.
#[derive(Clone, Copy)]
struct MachO<'a> {
    file: &'a [u8],
    wide: bool,
    little: bool,
}

impl<'a> MachO<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        let (wide, little) = match file.get(..4)? {
            [0xce, 0xfa, 0xed, 0xfe] => (false, true),
            [0xcf, 0xfa, 0xed, 0xfe] => (true, true),
            [0xfe, 0xed, 0xfa, 0xce] => (false, false),
            [0xfe, 0xed, 0xfa, 0xcf] => (true, false),
            _ => return None,
        };
        Some(Self { file, wide, little })
    }

    fn word(self, at: usize) -> Option<u32> {
        let bytes = self.file.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn long(self, at: usize) -> Option<u64> {
        if !self.wide {
            return self.word(at).map(u64::from);
        }
        let bytes = self.file.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self.little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }

    /// The load commands: kind, offset and size of each.
    fn commands(self) -> impl Iterator<Item = (u32, usize, usize)> {
        let mut at = if self.wide { 32 } else { 28 };
        let count = self.word(16).unwrap_or(0);
        (0..count).map_while(move |_| {
            let (kind, size) = (self.word(at)?, self.word(at + 4)? as usize);
            let start = at;
            // A command that holds less than its own head would never end.
            at = at.checked_add(size.max(8))?;
            Some((kind, start, size))
        })
    }
}

/// Where the code signature is.
pub(super) fn signature(file: &[u8]) -> Option<Range<usize>> {
    let macho = MachO::open(file)?;
    let (_, at, _) = macho.commands().find(|(kind, ..)| *kind == SIGNATURE)?;
    let (start, size) = (macho.word(at + 8)? as usize, macho.word(at + 12)? as usize);
    Some(start..start.checked_add(size)?)
}

/// Where the UUID is that the linker gave to the file.
pub(super) fn uuid(file: &[u8]) -> Option<Range<usize>> {
    let (_, at, size) = MachO::open(file)?.commands().find(|(kind, ..)| *kind == UUID)?;
    Some(at + 8..at.checked_add(size)?).filter(|range| range.start <= range.end)
}

/// The text segment.
pub(super) fn text(file: &[u8]) -> Option<Text> {
    let macho = MachO::open(file)?;
    let is_program = macho.word(12)? == PROGRAM;
    let wanted = if macho.wide { WIDE_SEGMENT } else { SEGMENT };
    let (_, at, _) = macho.commands().find(|(kind, at, _)| {
        *kind == wanted && file.get(at + 8..at + 24).is_some_and(|name| name.starts_with(b"__TEXT\0"))
    })?;
    let (offset, size) = if macho.wide { (at + 40, at + 48) } else { (at + 32, at + 36) };
    Some(Text { offset: macho.long(offset)?, size: macho.long(size)?, is_program })
}

/// The section `__text`, where Go's build ID is; `None` if there is none.
pub(super) fn text_section(file: &[u8]) -> Option<Range<usize>> {
    let macho = MachO::open(file)?;
    let (wanted, head, size): (_, usize, usize) =
        if macho.wide { (WIDE_SEGMENT, 72, 80) } else { (SEGMENT, 56, 68) };
    for (kind, at, _) in macho.commands() {
        if kind != wanted {
            continue;
        }
        let count = macho.word(at + head - 8)?;
        for index in 0..count as usize {
            let section = at.checked_add(head)?.checked_add(size.checked_mul(index)?)?;
            if !file.get(section..section + 16)?.starts_with(b"__text\0") {
                continue;
            }
            let (length, offset) =
                if macho.wide { (section + 40, section + 48) } else { (section + 36, section + 40) };
            let start = macho.word(offset)? as usize;
            let length = usize::try_from(macho.long(length)?).ok()?;
            return Some(start..start.checked_add(length)?);
        }
    }
    None
}
