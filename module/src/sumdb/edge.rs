//! Growing a log: its right edge is all that appending needs.
//!
//! On each level of the tiling the edge holds the hashes of the one tile that is not full yet; the root is computed from
//! them. Full tiles leave the edge as they are completed and never change. Memory is at most 8 × 8 KiB for a log
//! of any size. When to sign and what must be durable before that is not decided here.

use super::authenticate::{edge_root, root_of};
use super::head::TreeHead;
use super::tile::{FULL_WIDTH, HEIGHT, Tile};
use super::tlog::Hash;
use super::{AuthenticatedTile, authenticate};

/// A tile to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTile {
    /// The coordinates.
    pub tile: Tile,
    /// The hashes, one after the other.
    pub data: Vec<u8>,
}

/// The right edge of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// Hashes of the unfinished tile of each level, lowest first, fewer than 256 each.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of a log without records.
    pub fn new() -> Edge {
        Edge::default()
    }

    /// The edge of the tree that authenticated tiles are of; none where one at the edge is missing.
    pub fn of_tree(proved: &authenticate::Authenticated) -> Option<Edge> {
        let size = proved.tree().size;
        let mut edge = Edge { size, levels: Vec::new() };
        for tile in authenticate::edge(size) {
            let tile = proved.tile(tile)?;
            let level = usize::from(tile.tile().level());
            if edge.levels.len() <= level {
                edge.levels.resize(level + 1, Vec::new());
            }
            edge.levels[level] = tile_hashes(tile);
        }
        Some(edge)
    }

    /// Records in the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a record and answers with the tiles that it completes, lowest first: one in 256 times there is one.
    pub fn append(&mut self, record: Hash) -> Vec<NewTile> {
        let mut completed = Vec::new();
        let mut hash = record;
        self.size += 1;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            if hashes.len() < usize::from(FULL_WIDTH) {
                break;
            }
            hash = root_of(hashes.iter().copied());
            completed.push(self.tile(level));
            self.levels[level].clear();
        }
        completed
    }

    /// The head of the log as it is now.
    pub fn head(&self) -> TreeHead {
        let root = edge_root(self.levels.iter().rev().cloned());
        TreeHead { size: self.size, root }
    }

    /// The tiles that are not full yet, lowest first.
    pub fn tiles(&self) -> Vec<NewTile> {
        (0..self.levels.len())
            .filter(|&level| !self.levels[level].is_empty())
            .map(|level| self.tile(level))
            .collect()
    }

    /// The last tile of a level as it is in the edge, which may be full for a moment.
    fn tile(&self, level: usize) -> NewTile {
        let hashes = &self.levels[level];
        let last = (self.size >> (level * usize::from(HEIGHT))) - 1;
        let tile = Tile::in_tree(level as u8, last >> HEIGHT, self.size)
            .expect("a log has the tile of its last hash on each level");
        debug_assert_eq!(usize::from(tile.width()), hashes.len());
        NewTile { tile, data: hashes.iter().flat_map(|hash| hash.0).collect() }
    }
}

fn tile_hashes(tile: &AuthenticatedTile) -> Vec<Hash> {
    tile.data()
        .chunks_exact(Hash::SIZE)
        .map(|bytes| Hash(bytes.try_into().expect("a chunk has the size of a hash")))
        .collect()
}
