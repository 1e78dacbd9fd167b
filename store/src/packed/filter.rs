//! A Bloom filter in blocks of one cache line: knows at once that a segment does not hold a name.
//!
//! Ten bits a name and six probes within 512 bits let about one absent name in a hundred through, which then costs a read.

/// Bits spent on a name.
const BITS_PER_NAME: usize = 10;
/// Bits set for a name.
const PROBES: u32 = 6;
/// Words of 64 bits in a block.
const BLOCK: usize = 8;

/// The set of names a segment may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<u64>);

impl Filter {
    /// An empty filter with room for `names`.
    pub(crate) fn with_room(names: u64) -> Self {
        let blocks = (names as usize * BITS_PER_NAME).div_ceil(BLOCK * 64).max(1);
        Self(vec![0; blocks * BLOCK])
    }

    pub(crate) fn insert(&mut self, name: &[u8]) {
        let hash = hash(name);
        let block = self.block(hash);
        for bit in bits(hash) {
            self.0[block + bit / 64] |= 1 << (bit % 64);
        }
    }

    /// False only when the name was never inserted.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let block = self.block(hash);
        bits(hash).all(|bit| self.0[block + bit / 64] & (1 << (bit % 64)) != 0)
    }

    fn block(&self, hash: u64) -> usize {
        let blocks = (self.0.len() / BLOCK) as u128;
        ((u128::from(hash) * blocks) >> 64) as usize * BLOCK
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The filter of `bytes`, unless their number cannot be a filter's.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK * 8) {
            return None;
        }
        let (words, _) = bytes.as_chunks();
        Some(Self(words.iter().map(|word| u64::from_le_bytes(*word)).collect()))
    }
}

/// The positions in a block that stand for a hash: nine bits each, from a scramble of what did not choose the block.
fn bits(hash: u64) -> impl Iterator<Item = usize> {
    let scrambled = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..PROBES).map(move |probe| (scrambled >> (probe * 9) & 511) as usize)
}

/// A hash that is part of the format: eight bytes at a time, multiply and fold.
pub(crate) fn hash(name: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0xff51_afd7_ed55_8ccd;
    let fold = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(MULTIPLIER);
        mixed ^ (mixed >> 32)
    };
    let (words, rest) = name.as_chunks();
    let mut tail = [0; 8];
    tail[..rest.len()].copy_from_slice(rest);
    let hash = words.iter().fold(name.len() as u64, |hash, word| fold(hash, u64::from_le_bytes(*word)));
    fold(fold(hash, u64::from_le_bytes(tail)), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_inserted_and_little_else() {
        let name = |n: u32| format!("mod/example.com/m{n}/@v/v1.0.{n}.mod").into_bytes();
        let mut filter = Filter::with_room(10_000);
        (0..10_000).for_each(|n| filter.insert(&name(n)));
        assert_eq!((0..10_000).filter(|n| filter.may_hold(hash(&name(*n)))).count(), 10_000);
        let wrong = (10_000..110_000).filter(|n| filter.may_hold(hash(&name(*n)))).count();
        assert!(wrong < 2_000, "{wrong} of 100 000 absent names pass");
        assert_eq!(Filter::from_bytes(&filter.to_bytes()), Some(filter));
    }

    #[test]
    fn the_hash_is_the_formats() {
        assert_eq!(hash(b""), hash(b""));
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_eq!(format!("{:016x}", hash(b"modkeep packs small values")), "e654d2cc37265320");
    }
}
