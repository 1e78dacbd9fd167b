//! What a program that is built already tells about how it was built.
//!
//! The release and the text of the build info lie in the program's data, behind a mark; where that is in a file is a matter
//! of its [format](image). Hostile files cost bounded time and memory. Source of the rules: `debug/buildinfo/buildinfo.go`.

mod image;
mod text;

use std::fs::File;
use std::io;
use std::path::Path;

use memchr::memmem;

use crate::package::BuildInfo;
use image::Image;

/// What a program tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The release that built it.
    pub go_version: String,
    /// The rest.
    pub info: BuildInfo,
}

/// Why a file tells nothing; the words are go's.
#[derive(Debug, thiserror::Error)]
pub enum StampedError {
    /// It can't be opened.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is no program, or a broken one.
    #[error("unrecognized file format")]
    Unrecognized,
    /// Go did not build it.
    #[error("not a Go executable")]
    NotGo,
    /// Its text can't be understood.
    #[error("could not parse Go build info: line {line}: {problem}")]
    Text {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
}

const MARK: &[u8] = b"\xff Go buildinf:";
/// The mark stands at such places.
const ALIGNMENT: u64 = 16;
const HEADER: u64 = 32;
const PIECE: u64 = 1 << 20;
/// Longer texts are none.
const LONGEST: u64 = 64 << 20;
/// Whether the texts follow the header, as since Go 1.18.
const IS_INLINE: u8 = 2;
const IS_BIG_ENDIAN: u8 = 1;
/// What stands around the text, at either end.
const FRAME: usize = 16;

/// Reads what a program tells.
///
/// # Errors
/// When it tells nothing.
pub fn read(path: &Path) -> Result<Stamped, StampedError> {
    let file = File::open(path).map_err(StampedError::Unreadable)?;
    let image = Image::of(&file).ok_or(StampedError::Unrecognized)?;
    let at = mark(&image)?;
    let header = image.data(at, HEADER).ok_or(StampedError::NotGo)?;
    let (version, text) = match header[15] & IS_INLINE != 0 {
        true => inline(&image, at + HEADER),
        false => pointed(&image, &header),
    }
    .ok_or(StampedError::NotGo)?;
    if version.is_empty() {
        return Err(StampedError::NotGo);
    }
    let has_frame = text.len() > 2 * FRAME && text[text.len() - FRAME - 1] == b'\n';
    let text = if has_frame { &text[FRAME..text.len() - FRAME] } else { &[] };
    let info = text::parse(&String::from_utf8_lossy(text))?;
    Ok(Stamped { go_version: String::from_utf8_lossy(&version).into_owned(), info })
}

/// The address of the mark.
fn mark(image: &Image<'_>) -> Result<u64, StampedError> {
    let (start, size) = image.start();
    let end = start.checked_add(size).ok_or(StampedError::Unrecognized)?;
    let mut start = start.checked_next_multiple_of(ALIGNMENT).ok_or(StampedError::NotGo)?;
    while start < end {
        let size = PIECE.min(end - start);
        let piece = image.up_to(start, size).ok_or(StampedError::NotGo)?;
        for found in memmem::find_iter(&piece, MARK) {
            let found = found as u64;
            if found.is_multiple_of(ALIGNMENT) {
                return if end - start - found < HEADER {
                    Err(StampedError::NotGo)
                } else {
                    Ok(start + found)
                };
            }
        }
        start += size;
    }
    Err(StampedError::NotGo)
}

fn inline(image: &Image<'_>, at: u64) -> Option<(Vec<u8>, Vec<u8>)> {
    let (version, at) = counted(image, at)?;
    let (text, _) = counted(image, at)?;
    Some((version, text))
}

/// A text behind its length, and the address behind it.
fn counted(image: &Image<'_>, at: u64) -> Option<(Vec<u8>, u64)> {
    let head = image.up_to(at, 10)?;
    let (mut length, mut used) = (0u64, 0);
    for (index, byte) in head.iter().enumerate() {
        length |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        used = index as u64 + 1;
        if byte & 0x80 == 0 {
            let at = at.checked_add(used)?;
            let text = if length == 0 { Vec::new() } else { image.data(at, length)? };
            return Some((text, at.checked_add(length)?));
        }
    }
    debug_assert!(used <= 10, "no more was read");
    None
}

/// The texts that a header of old points to.
fn pointed(image: &Image<'_>, header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let width = usize::from(header[14]);
    let is_big = header[15] & IS_BIG_ENDIAN != 0;
    if !matches!(width, 4 | 8) {
        return None;
    }
    let number = |bytes: &[u8]| image::number(&bytes[..width], is_big);
    let text = |at: u64| {
        let head = image.data(at, 2 * width as u64)?;
        image.data(number(&head), number(&head[width..]))
    };
    let version = text(number(&header[16..])).unwrap_or_default();
    let info = text(number(&header[16 + width..])).unwrap_or_default();
    Some((version, info))
}
