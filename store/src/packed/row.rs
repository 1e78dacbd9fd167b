//! One row: `crc32, tag, name length, payload length, name, payload`, numbers little-endian.
//!
//! The checksum covers everything behind it. Rows carry their own so that one turned bit costs one row and its name can
//! often still be told.

use bytes::Bytes;
use crc32fast::hash;

/// Bytes in front of a row's name.
pub(crate) const HEAD: usize = 4 + 1 + 2 + 4;

/// What a row says about its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// There is nothing of that name any more.
    Removed = 0,
    /// The payload is what the name holds.
    Present = 1,
    /// A fence: the payload says where the rows from this name on begin.
    Fence = 2,
}

impl Tag {
    fn of(byte: u8) -> Option<Self> {
        [Self::Removed, Self::Present, Self::Fence].into_iter().find(|tag| *tag as u8 == byte)
    }
}

/// A row where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) tag: Tag,
    pub(crate) name: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// What a row says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Removed,
    Present(Bytes),
}

impl Found {
    pub(crate) fn of(row: Row<'_>) -> Self {
        match row.tag {
            Tag::Removed => Self::Removed,
            _ => Self::Present(Bytes::copy_from_slice(row.payload)),
        }
    }

    /// The payload, unless the name was removed.
    pub(crate) fn present(self) -> Option<Bytes> {
        match self {
            Self::Present(payload) => Some(payload),
            Self::Removed => None,
        }
    }
}

/// Why there is no row to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable<'a> {
    /// Its lengths lead beyond the end.
    Short,
    /// The checksum is wrong; this is what stands there, which may be wrong anywhere, its length included.
    Checksum {
        /// What looks like the name.
        name: &'a [u8],
        /// What looks like the row's length.
        len: usize,
    },
}

/// The encoded length of a row.
pub(crate) fn encoded_len(name: &[u8], payload: &[u8]) -> usize {
    HEAD + name.len() + payload.len()
}

/// Appends a row. The name must be shorter than 64 KiB and the payload than 4 GiB, which keys and values are.
pub(crate) fn encode(out: &mut Vec<u8>, row: Row<'_>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(row.tag as u8);
    out.extend_from_slice(&(row.name.len() as u16).to_le_bytes());
    out.extend_from_slice(&(row.payload.len() as u32).to_le_bytes());
    out.extend_from_slice(row.name);
    out.extend_from_slice(row.payload);
    let checksum = hash(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// The length of the row whose first [`HEAD`] bytes these are, as they say it themselves.
pub(crate) fn claimed_len(head: &[u8; HEAD]) -> usize {
    let [_, _, _, _, _, n0, n1, p0, p1, p2, p3] = *head;
    HEAD + u16::from_le_bytes([n0, n1]) as usize + u32::from_le_bytes([p0, p1, p2, p3]) as usize
}

/// Reads the row at the start of `bytes` and says how long it is.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Row<'_>, usize), Unreadable<'_>> {
    let head: &[u8; HEAD] = bytes.first_chunk().ok_or(Unreadable::Short)?;
    let len = claimed_len(head);
    if bytes.len() < len {
        return Err(Unreadable::Short);
    }
    let [c0, c1, c2, c3, tag, n0, n1, ..] = *head;
    let name_len = u16::from_le_bytes([n0, n1]) as usize;
    let (name, payload) = bytes[HEAD..len].split_at(name_len);
    match Tag::of(tag) {
        Some(tag) if hash(&bytes[4..len]) == u32::from_le_bytes([c0, c1, c2, c3]) => {
            Ok((Row { tag, name, payload }, len))
        }
        _ => Err(Unreadable::Checksum { name, len }),
    }
}

/// The row that `bytes` are, which [`decode`] has accepted before; `None` of nothing.
pub(crate) fn checked(bytes: &[u8]) -> Option<Row<'_>> {
    let [_, _, _, _, tag, n0, n1, ..] = *bytes.first_chunk::<HEAD>()?;
    let (name, payload) = bytes[HEAD..].split_at_checked(u16::from_le_bytes([n0, n1]) as usize)?;
    Some(Row { tag: Tag::of(tag)?, name, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turned_bit_is_noticed() {
        let row = Row { tag: Tag::Present, name: b"k\0v", payload: b"payload" };
        let mut bytes = Vec::new();
        encode(&mut bytes, row);
        assert_eq!(decode(&bytes), Ok((row, bytes.len())));
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&turned).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len]), Err(Unreadable::Short), "{len}");
        }
    }
}
