//! Which bytes of a zip may leave before the zip is proved.
//!
//! A cold zip streams to its readers while it arrives, and whoever gets all of it could use it. To hold back a
//! fixed length at the end is not enough: a hostile upstream may send a whole small zip first and bytes of any
//! number behind it, so that what was let out is a zip. But no reader opens an archive without an end record, and
//! it finds entries only through directory headers. So nothing from the first signature of either on may
//! leave before the verdict; what does leave can be no zip, wherever it is cut.
//!
//! The signatures may also stand within a content, as in a zip that is a file of the module and was stored as it
//! is, or by chance (once in 2 GiB of compressed bytes). Then the rest waits for the verdict: slower, not less safe.

use super::directory::HEADER_SIGNATURE;
use super::end::{END_LENGTH, END_SIGNATURE};

/// How many bytes at the end stay back in any case, in bytes: an end record, without which nothing is a zip. A body
/// that is no zip at all is then still cut short, and so known to be bad.
pub const HELD_BACK: u64 = END_LENGTH as u64;

/// Follows a zip while it arrives, and says how much of it may leave.
#[derive(Debug, Default)]
pub struct Withheld {
    length: u64,
    /// The last bytes, in which a signature may have begun.
    tail: Vec<u8>,
    first_signature: Option<u64>,
}

impl Withheld {
    /// Nothing has arrived.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, and says how many of all bytes so far, from the first on, may leave. Never less than
    /// it said before.
    pub fn feed(&mut self, part: &[u8]) -> u64 {
        const OVERLAP: usize = END_SIGNATURE.len() - 1;
        if self.first_signature.is_none() {
            let start = self.length - self.tail.len() as u64;
            let head = &part[..part.len().min(OVERLAP)];
            self.tail.extend_from_slice(head);
            let found = find(&self.tail).map(|at| start + at as u64);
            self.first_signature = found.or_else(|| find(part).map(|at| self.length + at as u64));
            match part.len().checked_sub(OVERLAP) {
                Some(last) => part[last..].clone_into(&mut self.tail),
                None => drop(self.tail.drain(..self.tail.len().saturating_sub(OVERLAP))),
            }
        }
        self.length += part.len() as u64;
        let before_end = self.length.saturating_sub(HELD_BACK);
        self.first_signature.map_or(before_end, |at| at.min(before_end))
    }
}

/// Where the first signature begins.
fn find(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"PK").find(|&at| {
        let rest = &bytes[at..];
        rest.starts_with(HEADER_SIGNATURE) || rest.starts_with(END_SIGNATURE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may leave after each part.
    fn check(parts: &[&[u8]], want: &[u64]) {
        let mut withheld = Withheld::new();
        let got: Vec<_> = parts.iter().map(|part| withheld.feed(part)).collect();
        assert_eq!(got, want, "{parts:?}");
    }

    #[test]
    fn an_end_records_length_stays_back_in_any_case() {
        check(&[&[b'x'; 10], &[b'x'; 10], &[b'x'; 10], &[b'x'; 100]], &[0, 0, 8, 108]);
        check(&[], &[]);
        check(&[b""], &[0]);
    }

    #[test]
    fn nothing_leaves_from_the_first_signature_on() {
        let long = [b'x'; 1000];
        for signature in [b"PK\x01\x02", b"PK\x05\x06"] {
            check(&[&long, signature, &long, &long], &[978, 982, 1000, 1000]);
            check(&[signature, &long], &[0, 0]);
        }
        check(&[&long, b"PK\x03\x04", &long], &[978, 982, 1982]);
    }

    #[test]
    fn a_signature_is_found_however_it_is_cut() {
        let whole: Vec<u8> = [&[b'P'; 60][..], b"PKPK\x01PK\x05\x06", &[b'K'; 60]].concat();
        for size in 1..whole.len() {
            let mut withheld = Withheld::new();
            let last = whole.chunks(size).map(|part| withheld.feed(part)).last();
            assert_eq!(last, Some(65), "in parts of {size}");
        }
    }
}
