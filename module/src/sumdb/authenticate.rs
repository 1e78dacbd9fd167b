//! From fetched tiles to proved hashes.
//!
//! The tiles at the right edge of a tree are hashed together and must give the signed root; every other tile must give
//! the hash that an already authenticated parent holds for it. These two checks are the only ways to an
//! [`AuthenticatedTile`], so a tile that nobody checked cannot be read or kept (CVE-2026-56865: x/mod before v0.40.0
//! passed over the first tiles beside the edge).
//!
//! [`Plan`] says which tiles prove some nodes of a tree, all of them at once, so that they are fetched in one round.

use std::collections::HashMap;

use super::head::TreeHead;
use super::tile::{HEIGHT, Tile};
use super::tlog::{Hash, Node, join, tree_hash};

/// A tile whose hashes are proved to be those of a tree with a known root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedTile {
    tile: Tile,
    data: Vec<u8>,
}

/// Fetched tiles do not belong to the tree. Which one is wrong is known only for tiles beside the edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("downloaded inconsistent tile")]
pub struct InconsistentTiles {
    /// One of these, at least, is wrong.
    pub suspects: Vec<Tile>,
}

impl AuthenticatedTile {
    /// The coordinates.
    pub fn tile(&self) -> Tile {
        self.tile
    }

    fn place(&self) -> (u8, u64) {
        (self.tile.level(), self.tile.index())
    }

    /// The hashes, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The hashes without their coordinates.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// The hash of a node within the tile; none where the tile does not hold it.
    pub fn node(&self, node: Node) -> Option<Hash> {
        let (start, span) = self.tile.place_of(node)?;
        Some(root_of(hashes(&self.data).skip(start).take(span)))
    }

    /// Authenticates the tiles at the right edge of a tree, highest level first, which [`edge`] names.
    fn at_edge(tree: &TreeHead, tiles: Vec<(Tile, Vec<u8>)>) -> Result<Vec<Self>, InconsistentTiles> {
        let named = edge(tree.size);
        let complete = tiles.len() == named.len()
            && tiles
                .iter()
                .zip(&named)
                .all(|((tile, data), name)| tile == name && data.len() == tile.byte_len());
        if !complete || edge_root(tiles.iter().map(|(_, data)| hashes(data).collect())) != tree.root {
            return Err(InconsistentTiles { suspects: named });
        }
        Ok(tiles.into_iter().map(|(tile, data)| AuthenticatedTile { tile, data }).collect())
    }

    /// Authenticates a full tile against the hash that this one, its parent, holds for it.
    fn child(&self, tile: Tile, data: Vec<u8>) -> Result<Self, InconsistentTiles> {
        let expected = self.node(Node { level: (tile.level() + 1) * HEIGHT, index: tile.index() });
        if data.len() != tile.full().byte_len() || expected != Some(root_of(hashes(&data))) {
            return Err(InconsistentTiles { suspects: vec![tile] });
        }
        Ok(AuthenticatedTile { tile: tile.full(), data })
    }
}

/// The tiles that a tree's root is computed from, highest level first: on each level the last one, where it is not
/// full.
pub fn edge(size: u64) -> Vec<Tile> {
    let last = |level| {
        let hashes = size >> (level * HEIGHT);
        Tile::in_tree(level, hashes >> HEIGHT, size)
    };
    (0..8).rev().filter_map(last).collect()
}

/// The root over the hashes of the tiles at a tree's edge, highest level first.
pub(super) fn edge_root(levels: impl Iterator<Item = Vec<Hash>>) -> Hash {
    let mut subtrees = Vec::new();
    for level in levels {
        let mut rest = &level[..];
        while !rest.is_empty() {
            let (subtree, after) = rest.split_at(1 << rest.len().ilog2());
            subtrees.push(root_of(subtree.iter().copied()));
            rest = after;
        }
    }
    join(subtrees.into_iter()).unwrap_or(Hash::EMPTY_TREE)
}

/// The hash above a power of two of hashes.
pub(super) fn root_of(hashes: impl Iterator<Item = Hash>) -> Hash {
    let mut row: Vec<Hash> = hashes.collect();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| Hash::of_node(pair[0], pair[1])).collect();
    }
    row[0]
}

fn hashes(data: &[u8]) -> impl Iterator<Item = Hash> + '_ {
    data.chunks_exact(Hash::SIZE).map(|bytes| Hash(bytes.try_into().expect("a chunk has the size of a hash")))
}

/// Which tiles prove some nodes of a tree, and how each is checked.
#[derive(Clone, Debug)]
pub struct Plan {
    tree: TreeHead,
    /// The edge, then every other tile after its parent.
    tiles: Vec<Tile>,
}

/// A tree is too small for what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in the tree of {size} records")]
pub struct NotInTree {
    /// Records in the tree.
    pub size: u64,
}

impl Plan {
    /// A plan to prove the root of a tree.
    pub fn new(tree: TreeHead) -> Plan {
        Plan { tree, tiles: edge(tree.size) }
    }

    /// Plans to prove a node too.
    ///
    /// # Errors
    /// When the tree does not hold it.
    pub fn prove(&mut self, node: Node) -> Result<(), NotInTree> {
        let tile = Tile::holding(node, self.tree.size).ok_or(NotInTree { size: self.tree.size })?;
        self.add(tile);
        Ok(())
    }

    /// Plans to prove a tile too, as wide as the tree has it.
    ///
    /// # Errors
    /// When the tree has it less wide, or not at all.
    pub fn prove_tile(&mut self, tile: Tile) -> Result<(), NotInTree> {
        let size = self.tree.size;
        let whole = Tile::in_tree(tile.level(), tile.index(), size).filter(|whole| tile.is_within(*whole));
        self.add(whole.ok_or(NotInTree { size })?);
        Ok(())
    }

    /// Adds a tile after those that it is checked against.
    fn add(&mut self, tile: Tile) {
        if self.tiles.contains(&tile) {
            return;
        }
        // A tile that is not at the edge is full, so the tree holds its root and thereby a parent.
        let parent = tile.parent(self.tree.size).expect("every tile beside the edge has a parent");
        self.add(parent);
        self.tiles.push(tile);
    }

    /// The tiles to fetch, each in exactly this width.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// How many of the tiles are the edge.
    pub(super) fn edge_len(&self) -> usize {
        edge(self.tree.size).len()
    }

    /// The tiles with what was fetched for them, which must be something for each.
    pub(super) fn pair(&self, data: Vec<Vec<u8>>) -> Result<Vec<(Tile, Vec<u8>)>, InconsistentTiles> {
        if data.len() != self.tiles.len() {
            return Err(InconsistentTiles { suspects: self.tiles.clone() });
        }
        Ok(self.tiles.iter().copied().zip(data).collect())
    }

    /// Checks what was fetched, in the order of [`Plan::tiles`].
    ///
    /// # Errors
    /// At the first tile that is not of the tree.
    pub fn check(&self, data: Vec<Vec<u8>>) -> Result<Authenticated, InconsistentTiles> {
        let mut fetched = self.pair(data)?.into_iter();
        let mut proved = Authenticated::at_edge(self.tree, &mut fetched)?;
        for (tile, data) in fetched {
            proved.add(tile, data)?;
        }
        Ok(proved)
    }
}

/// Proved hashes of a tree.
#[derive(Clone, Debug)]
pub struct Authenticated {
    tree: TreeHead,
    tiles: HashMap<(u8, u64), AuthenticatedTile>,
}

impl Authenticated {
    /// Takes the tiles at the edge of a tree, which are the first of every plan, and checks them together.
    pub(super) fn at_edge(
        tree: TreeHead,
        fetched: &mut impl Iterator<Item = (Tile, Vec<u8>)>,
    ) -> Result<Authenticated, InconsistentTiles> {
        let at_edge = fetched.take(edge(tree.size).len()).collect();
        let tiles = AuthenticatedTile::at_edge(&tree, at_edge)?;
        let tiles = tiles.into_iter().map(|tile| (tile.place(), tile)).collect();
        Ok(Authenticated { tree, tiles })
    }

    /// Checks a tile against its parent, which was checked before.
    pub(super) fn add(&mut self, tile: Tile, data: Vec<u8>) -> Result<(), InconsistentTiles> {
        let parent = tile.parent(self.tree.size).and_then(|parent| self.tile(parent));
        let parent = parent.ok_or_else(|| InconsistentTiles { suspects: vec![tile] })?;
        let tile = parent.child(tile, data)?;
        self.tiles.insert(tile.place(), tile);
        Ok(())
    }

    /// The tree that the hashes are of.
    pub fn tree(&self) -> TreeHead {
        self.tree
    }

    /// The authenticated tile at the coordinates, in the width that the tree has it; none where it was not planned.
    pub fn tile(&self, tile: Tile) -> Option<&AuthenticatedTile> {
        self.tiles.get(&(tile.level(), tile.index()))
    }

    /// The hash of a node; none where it was not planned.
    pub fn node(&self, node: Node) -> Option<Hash> {
        self.tile(Tile::holding(node, self.tree.size)?)?.node(node)
    }

    /// The root of the first `size` records; none where its nodes were not planned.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        let mut complete = true;
        let root = tree_hash(size, |node| {
            self.node(node).unwrap_or_else(|| {
                complete = false;
                Hash::EMPTY_TREE
            })
        });
        complete.then_some(root)
    }

    /// All tiles that were authenticated.
    pub fn into_tiles(self) -> impl Iterator<Item = AuthenticatedTile> {
        self.tiles.into_values()
    }
}
