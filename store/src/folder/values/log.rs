//! The log: where small values are first written. Frames of rows, appended and synced together, and an index in memory.
//!
//! ```text
//! magic  rows' length  checksum   12 bytes; the checksum covers the log's number and the frame's offset too
//! rows…
//! ```
//!
//! A writer that dies leaves at most one torn frame, at the end: the next frame is only written when the one before it is
//! durable. So a bad frame with a good one behind it, or before the durable mark, is damage and not a torn end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::folder::read::{Reading, read_at};
use crate::packed::merge::{Run, RunError};
use crate::packed::row::{Found, Row, Unreadable, checked, decode};

const MAGIC: u32 = u32::from_le_bytes(*b"mkf1");
/// Bytes in front of a frame's rows.
pub(crate) const FRAME: usize = 12;

/// One log file and what is in it.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) number: u64,
    pub(crate) file: Arc<File>,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// The bytes that were read into the index; all of them durable.
    len: u64,
    rows: BTreeMap<Box<[u8]>, Place>,
    unreadable: Vec<Range<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    offset: u64,
    len: u32,
}

impl Log {
    pub(crate) fn open(path: &Path, number: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self { number, file: Arc::new(file), index: RwLock::default() })
    }

    /// The length in bytes that is indexed, all of it durable.
    pub(crate) fn len(&self) -> u64 {
        self.index.read().len
    }

    /// Names in the log.
    pub(crate) fn rows(&self) -> u64 {
        self.index.read().rows.len() as u64
    }

    /// Parts that could not be read when the log was opened.
    pub(crate) fn unreadable(&self) -> Vec<Range<u64>> {
        self.index.read().unreadable.clone()
    }

    /// What the log says of `name`.
    pub(crate) fn find(&self, name: &[u8], reading: Reading) -> Result<Option<Found>, RunError> {
        let Some(place) = self.index.read().rows.get(name).copied() else { return Ok(None) };
        let bytes = read_at(&self.file, place.offset, place.len as usize, reading)?;
        let (row, _) = decode(&bytes).map_err(|_| RunError::Damaged(place.offset))?;
        if row.name != name {
            return Err(RunError::Damaged(place.offset));
        }
        Ok(Some(Found::of(row)))
    }

    /// Reads what was appended up to `end`, which is durable, into the index.
    pub(crate) fn index_to(&self, end: u64) -> io::Result<()> {
        let mut index = self.index.write();
        if end > index.len {
            let pieces = self.read_pieces(index.len, end)?;
            index.take(&pieces, end);
        }
        Ok(())
    }

    /// What lies between the index and the file's end, and where a torn frame begins there. `mark` is the length known as durable.
    pub(crate) fn unindexed(&self, mark: u64) -> io::Result<Unindexed> {
        let len = self.file.metadata()?.len();
        let start = self.len();
        if len < start.max(mark) {
            let why =
                format!("log {} ends at {len}, before its durable length {}", self.number, start.max(mark));
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let pieces = if len > start { self.read_pieces(start, len)? } else { Vec::new() };
        let whole = pieces.iter().rposition(|piece| piece.whole).map_or(start, |last| pieces[last].range.end);
        Ok(Unindexed { end: whole.max(mark), len })
    }

    fn read_pieces(&self, start: u64, end: u64) -> io::Result<Vec<Piece>> {
        let bytes = read_at(&self.file, start, (end - start) as usize, Reading::Waiting)?;
        Ok(pieces(&bytes, self.number, start))
    }

    /// Its rows by name, from `from` on.
    pub(crate) fn run(&self, from: &[u8]) -> Result<LogRun, RunError> {
        self.start_run(from, false)
    }

    /// Those of its rows that can be read, by name.
    pub(crate) fn salvage(&self) -> Result<LogRun, RunError> {
        self.start_run(&[], true)
    }

    fn start_run(&self, from: &[u8], salvage: bool) -> Result<LogRun, RunError> {
        let index = self.index.read();
        let rest = index.rows.range::<[u8], _>((Bound::Included(from), Bound::Unbounded));
        let mut places: Vec<Place> = rest.map(|(_, place)| *place).collect();
        drop(index);
        places.reverse();
        let mut run = LogRun { file: self.file.clone(), places, salvage, current: Vec::new() };
        run.advance()?;
        Ok(run)
    }

    /// Reads every row and says its name, its offset and whether it is as it was written.
    pub(crate) fn visit(&self, meet: &mut dyn FnMut(&[u8], u64, bool)) -> io::Result<()> {
        let rows: Vec<(Box<[u8]>, Place)> =
            self.index.read().rows.iter().map(|(name, place)| (name.clone(), *place)).collect();
        for (name, place) in rows {
            let bytes = read_at(&self.file, place.offset, place.len as usize, Reading::Waiting)?;
            meet(&name, place.offset, decode(&bytes).is_ok_and(|(row, _)| row.name == &name[..]));
        }
        Ok(())
    }
}

/// The end of a log that is not indexed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unindexed {
    /// Where the last whole frame ends.
    pub(crate) end: u64,
    /// The file's length; more than `end` if a frame is torn.
    pub(crate) len: u64,
}

impl Index {
    fn take(&mut self, pieces: &[Piece], end: u64) {
        for piece in pieces {
            self.rows.extend(piece.rows.iter().cloned());
            self.unreadable.extend(piece.unreadable.clone());
        }
        self.len = end;
    }
}

/// Some bytes of a log: a frame, or what should have been one.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    range: Range<u64>,
    /// Every byte of it is as it was written.
    whole: bool,
    rows: Vec<(Box<[u8]>, Place)>,
    unreadable: Option<Range<u64>>,
}

/// A frame's first bytes: its rows take `len` bytes, and it begins at `offset` of log `number`.
pub(crate) fn frame_head(number: u64, offset: u64, len: u32) -> [u8; FRAME] {
    let mut head = [0; FRAME];
    head[..4].copy_from_slice(&MAGIC.to_le_bytes());
    head[4..8].copy_from_slice(&len.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[..8]);
    hasher.update(&number.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    head[8..].copy_from_slice(&hasher.finalize().to_le_bytes());
    head
}

/// The end of the frame that begins at `at`, if one does.
fn frame_end(bytes: &[u8], at: usize, number: u64, base: u64) -> Option<usize> {
    let head: &[u8; FRAME] = bytes.get(at..)?.first_chunk()?;
    let [m0, m1, m2, m3, l0, l1, l2, l3, ..] = *head;
    if u32::from_le_bytes([m0, m1, m2, m3]) != MAGIC {
        return None;
    }
    let len = u32::from_le_bytes([l0, l1, l2, l3]);
    (*head == frame_head(number, base + at as u64, len)).then(|| at + FRAME + len as usize)
}

/// Cuts `bytes`, which begin at `base` of log `number`, into frames and what lies between them.
fn pieces(bytes: &[u8], number: u64, base: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match frame_end(bytes, at, number, base) {
            Some(end) if end <= bytes.len() => {
                pieces.push(frame(&bytes[..end], at, base));
                at = end;
            }
            _ => {
                let next = (at + 1..bytes.len())
                    .find(|next| frame_end(bytes, *next, number, base).is_some_and(|end| end <= bytes.len()));
                let end = next.unwrap_or(bytes.len());
                let range = base + at as u64..base + end as u64;
                pieces.push(Piece {
                    range: range.clone(),
                    whole: false,
                    rows: Vec::new(),
                    unreadable: Some(range),
                });
                at = end;
            }
        }
    }
    pieces
}

/// The frame at `start` that ends `bytes`. A row with a wrong checksum keeps the name it seems to have: reading it is an error.
/// If the name itself was hit, that name is taken for absent from here on; `store check` tells.
fn frame(bytes: &[u8], start: usize, base: u64) -> Piece {
    let range = base + start as u64..base + bytes.len() as u64;
    let mut piece = Piece { range, whole: true, rows: Vec::new(), unreadable: None };
    let mut at = start + FRAME;
    while at < bytes.len() {
        let offset = base + at as u64;
        let (name, len) = match decode(&bytes[at..]) {
            Ok((row, len)) => (row.name, len),
            Err(Unreadable::Checksum { name, len }) => {
                piece.whole = false;
                (name, len)
            }
            Err(Unreadable::Short) => {
                piece.whole = false;
                piece.unreadable = Some(offset..piece.range.end);
                return piece;
            }
        };
        piece.rows.push((name.into(), Place { offset, len: len as u32 }));
        at += len;
    }
    piece
}

/// The rows of a log in order of their names.
pub(crate) struct LogRun {
    file: Arc<File>,
    /// The places still to come, the next one last.
    places: Vec<Place>,
    /// Leave out what cannot be read.
    salvage: bool,
    current: Vec<u8>,
}

impl Run for LogRun {
    fn row(&self) -> Option<Row<'_>> {
        checked(&self.current)
    }

    fn advance(&mut self) -> Result<(), RunError> {
        self.current.clear();
        while let Some(place) = self.places.pop() {
            let bytes = read_at(&self.file, place.offset, place.len as usize, Reading::Waiting)?;
            match decode(&bytes) {
                Ok(_) => {
                    self.current = bytes;
                    break;
                }
                Err(_) if self.salvage => {}
                Err(_) => return Err(RunError::Damaged(place.offset)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::durable::Disk;
    use crate::packed::row::{Tag, encode};

    fn frame_of(number: u64, offset: u64, names: &[&str]) -> Vec<u8> {
        let mut rows = Vec::new();
        for name in names {
            encode(&mut rows, Row { tag: Tag::Present, name: name.as_bytes(), payload: b"payload" });
        }
        [&frame_head(number, offset, rows.len() as u32)[..], &rows].concat()
    }

    fn three_frames() -> (Vec<u8>, [u64; 3]) {
        let mut bytes = frame_of(3, 0, &["a", "b"]);
        let one = bytes.len() as u64;
        bytes.extend(frame_of(3, one, &["c"]));
        let two = bytes.len() as u64;
        bytes.extend(frame_of(3, two, &["d", "a"]));
        let three = bytes.len() as u64;
        (bytes, [one, two, three])
    }

    fn log_of(bytes: &[u8]) -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log-3");
        Disk::default().write_at(&Disk::default().create(&path).unwrap(), bytes, 0).unwrap();
        let log = Log::open(&path, 3).unwrap();
        (folder, log)
    }

    #[test]
    fn a_log_cut_anywhere_ends_with_its_last_whole_frame() {
        let (bytes, ends) = three_frames();
        for len in 0..=bytes.len() {
            let (_folder, log) = log_of(&bytes[..len]);
            let last = ends.into_iter().filter(|end| *end <= len as u64).max().unwrap_or(0);
            assert_eq!(log.unindexed(0).unwrap(), Unindexed { end: last, len: len as u64 }, "{len}");
        }
    }

    #[test]
    fn a_log_with_zeros_or_junk_behind_its_last_frame_is_cut_there() {
        let (bytes, ends) = three_frames();
        for junk in [&[0; 5000][..], b"mkf1junk that is no frame", &bytes] {
            let (_folder, log) = log_of(&[&bytes, junk].concat());
            assert_eq!(log.unindexed(0).unwrap().end, ends[2]);
        }
    }

    #[test]
    fn damage_before_a_whole_frame_is_not_a_torn_end() {
        let (bytes, [one, two, three]) = three_frames();
        for bit in one * 8..two * 8 {
            let mut bytes = bytes.clone();
            bytes[bit as usize / 8] ^= 1 << (bit % 8);
            let (_folder, log) = log_of(&bytes);
            assert_eq!(log.unindexed(0).unwrap().end, three, "bit {bit}");
            log.index_to(three).unwrap();
            assert_eq!(
                log.find(b"d", Reading::Waiting).unwrap(),
                Some(Found::Present(Bytes::from_static(b"payload")))
            );
            assert!(!matches!(log.find(b"c", Reading::Waiting), Ok(Some(_))), "bit {bit}");
        }
    }

    #[test]
    fn a_log_shorter_than_its_durable_length_is_damaged() {
        let (bytes, [_, two, three]) = three_frames();
        let (_folder, log) = log_of(&bytes[..two as usize]);
        assert!(log.unindexed(three).is_err());
    }
}
