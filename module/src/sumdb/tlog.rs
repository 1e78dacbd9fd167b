//! The arithmetic of a transparency log: hashes, complete subtrees, roots.
//!
//! A log of `n` records is the binary tree of RFC 6962, section 2.1. Every complete subtree is a [`Node`]; its hash
//! never changes once the log has grown over it, so a tree of any size is a short list of nodes ([`subtrees`]).
//! Proofs are in [`proof`], the grouping of nodes into files in [`super::tile`].
//! Sizes and record numbers stay below 2^63, as in every signed head (`golang.org/x/mod/sumdb/tlog`).

pub mod proof;

use std::fmt;

use sha2::{Digest, Sha256};

use super::base64;

/// The hash of a record, of a node, or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; Hash::SIZE]);

impl Hash {
    /// Bytes in a hash.
    pub const SIZE: usize = 32;

    /// The root of the tree without records: the hash of nothing.
    pub const EMPTY_TREE: Hash = Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Reads the base64 form that heads and proofs are printed in.
    pub fn parse(text: &str) -> Option<Hash> {
        base64::decode(text)?.try_into().ok().map(Hash)
    }

    /// The hash of a record's text, SHA-256(0x00 || text).
    pub fn of_record(text: &[u8]) -> Hash {
        Hash(Sha256::new().chain_update([0x00]).chain_update(text).finalize().into())
    }

    /// The hash above two others, SHA-256(0x01 || left || right).
    pub fn of_node(left: Hash, right: Hash) -> Hash {
        let mut preimage = [0x01; 1 + 2 * Hash::SIZE];
        preimage[1..1 + Hash::SIZE].copy_from_slice(&left.0);
        preimage[1 + Hash::SIZE..].copy_from_slice(&right.0);
        Hash(Sha256::digest(preimage).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A complete subtree: the `index`th group of `1 << level` records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Height above the records, below 63.
    pub level: u8,
    /// Place among the nodes of that level.
    pub index: u64,
}

impl Node {
    /// The node that is one record.
    pub fn record(id: u64) -> Node {
        Node { level: 0, index: id }
    }

    /// Whether a tree of `size` records holds all of this node's records.
    pub fn is_in(self, size: u64) -> bool {
        self.index < size.checked_shr(u32::from(self.level)).unwrap_or(0)
    }

    /// The place of this node's hash where hashes are stored one after the other, each as soon as it is known:
    /// a record's hash is followed by those of the nodes that it completes (`tlog.StoredHashIndex`).
    pub fn stored_index(self) -> u64 {
        let last_record = ((self.index + 1) << self.level) - 1;
        let before: u64 = (0..64).map(|level| last_record >> level).sum();
        before + u64::from(self.level)
    }

    /// The node whose hash is stored at a place, the inverse of [`Node::stored_index`].
    pub fn from_stored_index(place: u64) -> Node {
        // Record n's hash is stored before place 2n+1 and not before place 2n - 64.
        let mut record = place / 2;
        loop {
            let completed = (record + 1).trailing_zeros() as u64;
            let above = place - Node::record(record).stored_index();
            if above <= completed {
                return Node { level: above as u8, index: record >> above };
            }
            record += 1;
        }
    }
}

/// How many hashes are stored for a log of `size` records (`tlog.StoredHashCount`).
pub fn stored_count(size: u64) -> u64 {
    (0..64).map(|level| size >> level).sum()
}

/// The nodes that make up the records `low..high`, from left to right, where `low` is a multiple of a power of two not
/// below `high - low`. There are at most 63 of them.
pub fn subtrees(low: u64, high: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = low;
    while start < high {
        let level = (high - start).ilog2();
        nodes.push(Node { level: level as u8, index: start >> level });
        start += 1 << level;
    }
    nodes
}

/// The root of the tree of the first `size` records, where `read` knows its [`subtrees`].
pub fn tree_hash(size: u64, read: impl FnMut(Node) -> Hash) -> Hash {
    join(subtrees(0, size).into_iter().map(read)).unwrap_or(Hash::EMPTY_TREE)
}

/// Joins the hashes of neighbouring subtrees of falling height, none where there are none.
pub(super) fn join(hashes: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    hashes.rev().reduce(|right, left| Hash::of_node(left, right))
}

#[cfg(test)]
mod tests {
    use super::{Hash, Node, stored_count, subtrees, tree_hash};

    #[test]
    fn stored_places_are_dense_and_go_both_ways() {
        let mut next = 0;
        for record in 0..2000_u64 {
            for level in 0..=(record + 1).trailing_zeros() as u8 {
                let node = Node { level, index: record >> level };
                assert_eq!(node.stored_index(), next, "{node:?}");
                assert_eq!(Node::from_stored_index(next), node);
                next += 1;
            }
            assert_eq!(stored_count(record + 1), next);
        }
        for place in [1_u64 << 40, (1 << 62) - 1, (1 << 62) + 12345] {
            assert_eq!(Node::from_stored_index(place).stored_index(), place);
        }
    }

    #[test]
    fn a_node_is_in_a_tree_that_holds_its_last_record() {
        assert!(Node { level: 3, index: 1 }.is_in(16));
        assert!(!Node { level: 3, index: 1 }.is_in(15));
        assert!(!Node::record(0).is_in(0));
        assert!(!Node { level: 64, index: 0 }.is_in(u64::MAX));
    }

    #[test]
    fn a_tree_is_a_falling_list_of_nodes() {
        let node = |level, index| Node { level, index };
        assert_eq!(subtrees(0, 0), []);
        assert_eq!(subtrees(0, 7), [node(2, 0), node(1, 2), node(0, 6)]);
        assert_eq!(subtrees(8, 11), [node(1, 4), node(0, 10)]);
        assert_eq!(subtrees(0, i64::MAX as u64).len(), 63);
    }

    #[test]
    fn the_empty_tree_has_the_hash_of_nothing() {
        let hash = tree_hash(0, |_| unreachable!("no node is read"));
        assert_eq!(hash, Hash::EMPTY_TREE);
        assert_eq!(hash.to_string(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
    }
}
