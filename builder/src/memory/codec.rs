//! The form of what is remembered: numbers of variable length, and bytes behind their length.

use std::ops::Range;

use modkeep_store::{Digest, Stamp};

/// Writes values one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.0.extend_from_slice(digest.as_bytes());
    }

    pub(crate) fn stamp(&mut self, stamp: &Stamp) {
        stamp.to_numbers().into_iter().for_each(|number| self.number(number));
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads them again; `None` where they end too early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    next: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, next: 0 }
    }

    pub(crate) fn stamp(&mut self) -> Option<Stamp> {
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Some(Stamp::from_numbers(numbers))
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.text.get(self.next)?;
            self.next += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Where the bytes are that come next.
    pub(crate) fn range(&mut self) -> Option<Range<usize>> {
        let length = usize::try_from(self.number()?).ok()?;
        let range = self.next..self.next.checked_add(length)?;
        self.text.get(range.clone())?;
        self.next = range.end;
        Some(range)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let range = self.range()?;
        self.text.get(range)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn digest(&mut self) -> Option<Digest> {
        let bytes = self.text.get(self.next..self.next.checked_add(32)?)?;
        self.next += 32;
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        Some(Digest::from(bytes))
    }
}
