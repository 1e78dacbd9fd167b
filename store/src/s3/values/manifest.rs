//! The manifest: which segments there are, who wrote it lately, and the tail.
//!
//! ```text
//! length  checksum  head     numbers of 4 bytes, little-endian
//! rows…                      the tail, by name
//! head  checksum  length     the same head once more: one turned bit does not close the store
//! ```
//!
//! The head is text:
//!
//! ```text
//! modkeep values 1
//! generation 12
//! swept 2                    how often nameless segments were swept away; left out for 0
//! writer 4f…                 who made generation 12, then who made 11, … at most 32
//! segment 5e… 1 41002 93822  name, level, rows, bytes; the newest first
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::packed::row::{Found, Row, Tag, Unreadable, decode, encode, encoded_len};
use crate::s3::values::SEGMENT;

const TITLE: &str = "modkeep values 1";
/// Writers that are remembered: whoever lost a reply looks whether it was the one.
const WRITERS: usize = 32;
/// Bytes around a head.
const FRAME: usize = 8;

/// What a manifest says besides the tail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Grows by one with every change; 0 where nothing was ever written.
    pub(crate) generation: u64,
    /// Marks of those who made the last generations, the newest first.
    pub(crate) writers: Vec<u128>,
    /// The newest first.
    pub(crate) segments: Vec<Entry>,
    /// Grows by one with every sweep of nameless segments.
    pub(crate) swept: u64,
}

/// One segment of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: u128,
    /// How many merges its rows went through.
    pub(crate) level: u64,
    pub(crate) rows: u64,
    pub(crate) len: u64,
}

impl Entry {
    /// The object it is.
    pub(crate) fn object(&self) -> String {
        format!("{SEGMENT}{:032x}", self.id)
    }
}

/// The newest rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) rows: BTreeMap<Vec<u8>, Found>,
    /// Rows that are not as they were written, with the names they seem to have and where they are. While there are any, a
    /// name that is not found in the tail may be theirs.
    pub(crate) damaged: Vec<(Vec<u8>, u64)>,
    /// A copy of the head is damaged.
    pub(crate) head_damaged: bool,
}

impl Manifest {
    /// The same with other segments, to be put in its place.
    pub(crate) fn with(&self, segments: Vec<Entry>) -> Self {
        Self { segments, ..self.clone() }
    }

    /// The same after one more sweep.
    pub(crate) fn swept_once(self) -> Self {
        Self { swept: self.swept + 1, ..self }
    }

    /// What `mark` puts in the place of the manifest that this one was made from.
    pub(crate) fn made_by(self, mark: u128) -> Self {
        let writers = [mark].into_iter().chain(self.writers).take(WRITERS).collect();
        Self { generation: self.generation + 1, writers, ..self }
    }

    /// Who made `generation`; `None` when it is not reached yet, or so long ago that nobody knows.
    pub(crate) fn writer_of(&self, generation: u64) -> Option<u128> {
        self.writers.get(usize::try_from(self.generation.checked_sub(generation)?).ok()?).copied()
    }

    /// The object's body.
    pub(crate) fn encode(&self, tail: &Tail) -> Bytes {
        let mut head = format!("{TITLE}\ngeneration {}\n", self.generation);
        if self.swept > 0 {
            head += &format!("swept {}\n", self.swept);
        }
        head.extend(self.writers.iter().map(|writer| format!("writer {writer:032x}\n")));
        let line = |s: &Entry| format!("segment {:032x} {} {} {}\n", s.id, s.level, s.rows, s.len);
        head.extend(self.segments.iter().map(line));
        let (len, checksum) =
            ((head.len() as u32).to_le_bytes(), crc32fast::hash(head.as_bytes()).to_le_bytes());
        let mut body = [&len[..], &checksum, head.as_bytes()].concat();
        tail.rows.iter().for_each(|(name, found)| encode(&mut body, row_of(name, found)));
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&checksum);
        body.extend_from_slice(&len);
        body.into()
    }

    /// Reads a body; `None` when both heads are damaged.
    pub(crate) fn parse(body: &Bytes) -> Option<(Self, Tail)> {
        let (front, back) = (front(body), back(body));
        let manifest = front.and_then(Self::parse_head).or_else(|| back.and_then(Self::parse_head))?;
        let len = FRAME + front.or(back)?.len();
        let head_damaged = front.is_none() || front != back;
        let mut tail = Tail { head_damaged, ..Tail::default() };
        let rows = body.get(len..body.len().checked_sub(len)?)?;
        tail.read(rows, len as u64);
        Some((manifest, tail))
    }

    fn parse_head(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let mut manifest = Self::default();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["generation", generation] => manifest.generation = generation.parse().ok()?,
                ["swept", swept] => manifest.swept = swept.parse().ok()?,
                ["writer", writer] => manifest.writers.push(u128::from_str_radix(writer, 16).ok()?),
                ["segment", id, level, rows, len] => manifest.segments.push(Entry {
                    id: u128::from_str_radix(id, 16).ok()?,
                    level: level.parse().ok()?,
                    rows: rows.parse().ok()?,
                    len: len.parse().ok()?,
                }),
                _ => return None,
            }
        }
        (manifest.generation > 0).then_some(manifest)
    }
}

fn front(body: &[u8]) -> Option<&[u8]> {
    let (len, rest) = body.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    whole(rest.get(..u32::from_le_bytes(*len) as usize)?, *checksum)
}

fn back(body: &[u8]) -> Option<&[u8]> {
    let (rest, len) = body.split_last_chunk()?;
    let (rest, checksum) = rest.split_last_chunk()?;
    whole(rest.get(rest.len().checked_sub(u32::from_le_bytes(*len) as usize)?..)?, *checksum)
}

fn whole(head: &[u8], checksum: [u8; 4]) -> Option<&[u8]> {
    (crc32fast::hash(head).to_le_bytes() == checksum).then_some(head)
}

/// A row as it is written.
pub(crate) fn row_of<'a>(name: &'a [u8], found: &'a Found) -> Row<'a> {
    match found {
        Found::Present(payload) => Row { tag: Tag::Present, name, payload },
        Found::Removed => Row { tag: Tag::Removed, name, payload: &[] },
    }
}

impl Tail {
    /// What it says of `name`; an error when a damaged row may have said something.
    pub(crate) fn find(&self, name: &[u8]) -> Result<Option<&Found>, u64> {
        match (self.rows.get(name), self.damaged.first()) {
            (Some(found), _) => Ok(Some(found)),
            (None, Some((_, at))) => Err(*at),
            (None, None) => Ok(None),
        }
    }

    /// Its length in bytes when it is written.
    pub(crate) fn len(&self) -> usize {
        let len = |(name, found): (&Vec<u8>, &Found)| {
            let row = row_of(name, found);
            encoded_len(row.name, row.payload)
        };
        self.rows.iter().map(len).sum()
    }

    fn read(&mut self, bytes: &[u8], offset: u64) {
        let mut at = 0;
        while at < bytes.len() {
            let len = match decode(&bytes[at..]) {
                Ok((row, len)) => {
                    self.rows.insert(row.name.to_vec(), Found::of(row));
                    len
                }
                Err(Unreadable::Checksum { name, len }) => {
                    self.damaged.push((name.to_vec(), offset + at as u64));
                    len
                }
                Err(Unreadable::Short) => {
                    self.damaged.push((Vec::new(), offset + at as u64));
                    return;
                }
            };
            at += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Manifest, Tail) {
        let entry = Entry { id: 1 << 100, level: 2, rows: 3, len: 4 };
        let manifest = Manifest { generation: 7, writers: vec![9, 8], segments: vec![entry], swept: 3 };
        let present = Found::Present(Bytes::from_static(b"payload"));
        let rows = [(b"a\0v".to_vec(), present), (b"b\0c".to_vec(), Found::Removed)].into();
        (manifest, Tail { rows, ..Tail::default() })
    }

    #[test]
    fn a_manifest_is_read_back_as_it_was_written() {
        for (manifest, tail) in [sample(), (Manifest::default().made_by(5), Tail::default())] {
            assert_eq!(Manifest::parse(&manifest.encode(&tail)), Some((manifest, tail)));
        }
    }

    #[test]
    fn no_turned_bit_makes_a_wrong_answer() {
        let (manifest, tail) = sample();
        let body = manifest.encode(&tail);
        for bit in 0..body.len() * 8 {
            let mut turned = body.to_vec();
            turned[bit / 8] ^= 1 << (bit % 8);
            let (read, found) = Manifest::parse(&turned.into()).unwrap_or_else(|| panic!("bit {bit}"));
            assert_eq!(read, manifest, "bit {bit}");
            assert!(found.head_damaged || !found.damaged.is_empty(), "bit {bit}");
            for (name, expected) in &tail.rows {
                assert!(found.find(name).is_err() || found.find(name) == Ok(Some(expected)), "bit {bit}");
            }
        }
    }

    #[test]
    fn writers_are_remembered_for_a_while() {
        let mut manifest = Manifest::default();
        for mark in 1..=100 {
            manifest = manifest.made_by(mark);
        }
        let cases = [(101, None), (100, Some(100)), (69, Some(69)), (68, None), (0, None)];
        for (generation, writer) in cases {
            assert_eq!(manifest.writer_of(generation), writer, "{generation}");
        }
    }
}
