//! Proofs that stand on their own: a record is in a tree, a tree is the beginning of another.
//!
//! Both are the hashes of what lies beside the way from the root down to the thing proved (RFC 6962, sections 2.1.1 and
//! 2.1.2). The way follows from sizes alone, so making and checking a proof walk the same list of `Beside`.

use super::{Hash, Node, join, subtrees};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The record or the older tree cannot be part of a tree of that size.
    #[error("no tree of {size} records holds what was to be proved")]
    NotInTree {
        /// Records in the tree.
        size: u64,
    },
    /// The hashes do not lead to the root.
    #[error("invalid transparency proof")]
    Invalid,
}

/// What lies beside the way down at one step.
enum Beside {
    Left(u64, u64),
    Right(u64, u64),
}

impl Beside {
    fn hash(&self, read: &mut impl FnMut(Node) -> Hash) -> Hash {
        let (Beside::Left(low, high) | Beside::Right(low, high)) = *self;
        join(subtrees(low, high).into_iter().map(read)).expect("what lies beside the way is never empty")
    }
}

/// Goes down from the root of `0..size` until `arrived(low, high)`, turning left where `left_of(middle)`.
/// Answers with the steps from the bottom up, and the first record of where it ended.
fn way_down(
    size: u64,
    arrived: impl Fn(u64, u64) -> bool,
    left_of: impl Fn(u64) -> bool,
) -> (Vec<Beside>, u64) {
    let (mut low, mut high) = (0, size);
    let mut steps = Vec::new();
    while !arrived(low, high) {
        let middle = low + (1 << (high - low - 1).ilog2());
        if left_of(middle) {
            steps.push(Beside::Right(middle, high));
            high = middle;
        } else {
            steps.push(Beside::Left(low, middle));
            low = middle;
        }
    }
    steps.reverse();
    (steps, low)
}

fn way_to_record(size: u64, id: u64) -> Result<Vec<Beside>, ProofError> {
    if id >= size {
        return Err(ProofError::NotInTree { size });
    }
    Ok(way_down(size, |low, high| high - low == 1, |middle| id < middle).0)
}

fn way_to_tree(size: u64, older: u64) -> Result<(Vec<Beside>, u64), ProofError> {
    if older < 1 || older > size {
        return Err(ProofError::NotInTree { size });
    }
    Ok(way_down(size, |_, high| high == older, |middle| older <= middle))
}

/// Proves that a tree of `size` records holds record `id` (`tlog.ProveRecord`).
pub fn prove_record(size: u64, id: u64, mut read: impl FnMut(Node) -> Hash) -> Result<Vec<Hash>, ProofError> {
    Ok(way_to_record(size, id)?.iter().map(|beside| beside.hash(&mut read)).collect())
}

/// Checks that the tree of `size` records under `root` holds `record` as number `id` (`tlog.CheckRecord`).
pub fn check_record(proof: &[Hash], size: u64, root: Hash, id: u64, record: Hash) -> Result<(), ProofError> {
    let way = way_to_record(size, id)?;
    if way.len() != proof.len() {
        return Err(ProofError::Invalid);
    }
    let reached = way.iter().zip(proof).fold(record, |hash, (beside, &other)| match beside {
        Beside::Left(..) => Hash::of_node(other, hash),
        Beside::Right(..) => Hash::of_node(hash, other),
    });
    if reached == root { Ok(()) } else { Err(ProofError::Invalid) }
}

/// Proves that the first `older` records of a tree of `size` records are the older tree (`tlog.ProveTree`).
/// The older tree has at least one record.
pub fn prove_tree(
    size: u64,
    older: u64,
    mut read: impl FnMut(Node) -> Hash,
) -> Result<Vec<Hash>, ProofError> {
    let (way, low) = way_to_tree(size, older)?;
    let start = (low > 0).then_some(Beside::Left(low, older));
    Ok(start.iter().chain(&way).map(|beside| beside.hash(&mut read)).collect())
}

/// Checks that the tree of `size` records under `root` begins with the tree of `older` records under `older_root`
/// (`tlog.CheckTree`).
pub fn check_tree(
    proof: &[Hash],
    size: u64,
    root: Hash,
    older: u64,
    older_root: Hash,
) -> Result<(), ProofError> {
    let (way, low) = way_to_tree(size, older)?;
    let (start, beside_hashes) = match proof.split_first() {
        Some((&first, rest)) if low > 0 => (first, rest),
        None if low > 0 => return Err(ProofError::Invalid),
        _ => (older_root, proof),
    };
    if way.len() != beside_hashes.len() {
        return Err(ProofError::Invalid);
    }
    let (mut reached, mut reached_older) = (start, start);
    for (beside, &other) in way.iter().zip(beside_hashes) {
        match beside {
            Beside::Left(..) => {
                reached = Hash::of_node(other, reached);
                reached_older = Hash::of_node(other, reached_older);
            }
            Beside::Right(..) => reached = Hash::of_node(reached, other),
        }
    }
    if reached == root && reached_older == older_root { Ok(()) } else { Err(ProofError::Invalid) }
}
