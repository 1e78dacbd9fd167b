//! Where hashes are fetched from: tiles of height 8.
//!
//! A tile of level L and number N holds up to 256 hashes of the nodes of tree level 8·L, starting with node 256·N. It
//! stands for the whole subtree above them. Only the last tile of a level can be narrower than 256, and a narrow tile
//! is the beginning of the wider ones. Checksum databases use no other height, so none can be said here
//! (`golang.org/x/mod/sumdb/tlog.Tile`; its parser also takes heights up to 30, tiles of 32 GiB).

use std::fmt;

use super::tlog::{Hash, Node};

/// Levels of the tree that one tile spans.
pub const HEIGHT: u8 = 8;

/// Hashes, or records, in a full tile.
pub const FULL_WIDTH: u16 = 1 << HEIGHT;

/// The highest tile level of any tree below 2^63 records.
const MAX_LEVEL: u8 = 7;

/// The coordinates of a tile of hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at a level and number, as wide as a tree of `size` records has it; none where it has none.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Tile> {
        if level > MAX_LEVEL {
            return None;
        }
        let hashes = size >> (level * HEIGHT);
        let before = index.checked_mul(u64::from(FULL_WIDTH))?;
        let width = hashes.checked_sub(before)?.min(u64::from(FULL_WIDTH)) as u16;
        (width > 0).then_some(Tile { level, index, width })
    }

    /// The tile that a node's hash can be computed from, as wide as a tree of `size` records has it; none where the tree
    /// does not hold the node.
    pub fn holding(node: Node, size: u64) -> Option<Tile> {
        if !node.is_in(size) {
            return None;
        }
        let first = node.index << (node.level % HEIGHT);
        Tile::in_tree(node.level / HEIGHT, first >> HEIGHT, size)
    }

    /// Level in the tiling, 0 to 7.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Number within the level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Hashes in the tile, 1 to 256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Bytes in the tile.
    pub fn byte_len(self) -> usize {
        usize::from(self.width) * Hash::SIZE
    }

    /// Whether nothing can be added to the tile any more.
    pub fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// The full tile at the same place.
    pub fn full(self) -> Tile {
        Tile { width: FULL_WIDTH, ..self }
    }

    /// Whether the other tile is at the same place and at least as wide.
    pub fn is_within(self, other: Tile) -> bool {
        (self.level, self.index) == (other.level, other.index) && self.width <= other.width
    }

    /// Whether a tree of `size` records has this tile in at least this width.
    pub fn is_in(self, size: u64) -> bool {
        Tile::in_tree(self.level, self.index, size).is_some_and(|tile| self.is_within(tile))
    }

    /// The tile that holds this one's root hash in a tree of `size` records; none where the tree has none.
    pub fn parent(self, size: u64) -> Option<Tile> {
        Tile::in_tree(self.level + 1, self.index >> HEIGHT, size)
    }

    /// Where in the tile's hashes the records of a node begin, and how many hashes it spans; none where the tile does not
    /// hold the node.
    pub(super) fn place_of(self, node: Node) -> Option<(usize, usize)> {
        let within = node.level % HEIGHT;
        let first = node.index.checked_shl(u32::from(within))?;
        let start = (first & (u64::from(FULL_WIDTH) - 1)) as usize;
        let span = 1_usize << within;
        let holds = node.level / HEIGHT == self.level
            && first >> HEIGHT == self.index
            && start + span <= usize::from(self.width);
        holds.then_some((start, span))
    }

    /// The path relative to the database, `tile/8/L/NNN[.p/W]`.
    pub fn path(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{HEIGHT}/{}/", self.level)?;
        write_place(f, self.index, self.width)
    }
}

/// What a tile path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TilePath {
    /// Hashes.
    Hashes(Tile),
    /// The texts of up to 256 records, `tile/8/data/NNN[.p/W]`. The go command never asks for them.
    Records {
        /// The number of the level-0 tile with the hashes of the same records.
        index: u64,
        /// Records in the tile, 1 to 256.
        width: u16,
    },
}

/// A path that names no tile that is served here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed tile path {0:?}")]
pub struct TilePathError(pub String);

impl TilePath {
    /// Reads a path relative to the database. Only the one spelling that [`Tile::path`] has is taken, and of the tiles
    /// that `tlog.ParseTilePath` knows only those of height 8 and level at most 7.
    pub fn parse(path: &str) -> Result<TilePath, TilePathError> {
        parse(path).filter(|tile| tile.to_string() == path).ok_or_else(|| TilePathError(path.to_owned()))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TilePath::Hashes(tile) => tile.fmt(f),
            TilePath::Records { index, width } => {
                write!(f, "tile/{HEIGHT}/data/")?;
                write_place(f, index, width)
            }
        }
    }
}

/// Reads any path that could be a tile's, also in spellings that are none.
fn parse(path: &str) -> Option<TilePath> {
    let (level, place) = path.strip_prefix("tile/8/")?.split_once('/')?;
    let (number, width) = match place.split_once(".p/") {
        Some((number, width)) => {
            (number, width.parse().ok().filter(|width| (1..FULL_WIDTH).contains(width))?)
        }
        None => (place, FULL_WIDTH),
    };
    let mut index = 0_u64;
    for group in number.split('/') {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    match level {
        "data" => Some(TilePath::Records { index, width }),
        _ => {
            let level = level.parse().ok().filter(|&level| level <= MAX_LEVEL)?;
            Some(TilePath::Hashes(Tile { level, index, width }))
        }
    }
}

/// Writes a tile's number in groups of three digits, all but the last marked, and its width where that is not full.
fn write_place(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let digits = index.to_string();
    let digits = format!("{}{digits}", "0".repeat(digits.len().next_multiple_of(3) - digits.len()));
    let (marked, last) = digits.split_at(digits.len() - 3);
    for group in 0..marked.len() / 3 {
        write!(f, "x{}/", &marked[3 * group..3 * group + 3])?;
    }
    f.write_str(last)?;
    if width == FULL_WIDTH { Ok(()) } else { write!(f, ".p/{width}") }
}

/// The tiles to publish when a log grows from `older` to `newer` records, each as wide as it is then
/// (`tlog.NewTiles`).
pub fn new_tiles(older: u64, newer: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for level in 0..=MAX_LEVEL {
        let (from, to) = (older >> (level * HEIGHT), newer >> (level * HEIGHT));
        if from != to {
            tiles.extend((from >> HEIGHT..).map_while(|index| Tile::in_tree(level, index, newer)));
        }
    }
    tiles
}

#[cfg(test)]
mod tests {
    use super::{Tile, TilePath, new_tiles};
    use crate::sumdb::tlog::Node;

    #[track_caller]
    fn check_path(path: &str, expected: Option<TilePath>) {
        assert_eq!(TilePath::parse(path).ok(), expected, "{path}");
    }

    fn hashes(level: u8, index: u64, width: u16) -> Option<TilePath> {
        Some(TilePath::Hashes(Tile { level, index, width }))
    }

    fn records(index: u64, width: u16) -> Option<TilePath> {
        Some(TilePath::Records { index, width })
    }

    #[test]
    fn a_path_has_one_spelling() {
        check_path("tile/8/0/000", hashes(0, 0, 256));
        check_path("tile/8/0/000.p/1", hashes(0, 0, 1));
        check_path("tile/8/0/000.p/255", hashes(0, 0, 255));
        check_path("tile/8/0/x001/234", hashes(0, 1234, 256));
        check_path("tile/8/0/x001/x234/067", hashes(0, 1_234_067, 256));
        check_path("tile/8/7/999.p/9", hashes(7, 999, 9));
        check_path("tile/8/data/000", records(0, 256));
        check_path("tile/8/data/x123/456.p/7", records(123_456, 7));

        check_path("tile/8/0/000.p/256", None);
        check_path("tile/8/0/000.p/0", None);
        check_path("tile/8/0/000.p/01", None);
        check_path("tile/8/0/000.p/+1", None);
        check_path("tile/8/0/000.p/1/2", None);
        check_path("tile/8/0/0", None);
        check_path("tile/8/0/1000", None);
        check_path("tile/8/0/x000/001", None);
        check_path("tile/8/0/x000/x000/000", None);
        check_path("tile/8/0/x01/000", None);
        check_path("tile/8/0/001/234", None);
        check_path("tile/8/0/+01", None);
        check_path("tile/8/-1/000", None);
        check_path("tile/8/00/000", None);
        check_path("tile/08/0/000", None);
        check_path("/tile/8/0/000", None);
        check_path("tile/8/0/x184/x467/x440/x737/x095/x516/160", None);
    }

    #[test]
    fn heights_and_levels_that_no_database_has_are_refused() {
        check_path("tile/30/0/000", None);
        check_path("tile/2/0/000", None);
        check_path("tile/8/8/000", None);
        check_path("tile/8/63/000", None);
    }

    #[test]
    fn a_growing_log_publishes_full_tiles_and_its_edge() {
        #[track_caller]
        fn check(older: u64, newer: u64, count: usize, paths: &[&str]) {
            let tiles: Vec<String> = new_tiles(older, newer).into_iter().map(Tile::path).collect();
            assert_eq!(tiles.len(), count, "{older} to {newer}");
            assert_eq!(&tiles[..paths.len()], paths);
        }
        check(0, 0, 0, &[]);
        check(7, 7, 0, &[]);
        check(0, 1, 1, &["tile/8/0/000.p/1"]);
        check(0, 255, 1, &["tile/8/0/000.p/255"]);
        check(255, 256, 2, &["tile/8/0/000", "tile/8/1/000.p/1"]);
        check(256, 257, 1, &["tile/8/0/001.p/1"]);
        check(0, 70000, 277, &["tile/8/0/000", "tile/8/0/001"]);
        check(69999, 70000, 1, &["tile/8/0/273.p/112"]);
        check(65535, 65537, 4, &["tile/8/0/255", "tile/8/0/256.p/1", "tile/8/1/000", "tile/8/2/000.p/1"]);
    }

    #[test]
    fn a_node_lies_in_the_tile_at_its_level() {
        #[track_caller]
        fn check(level: u8, index: u64, size: u64, path: Option<&str>) {
            let tile = Tile::holding(Node { level, index }, size).map(Tile::path);
            assert_eq!(tile.as_deref(), path, "level {level}, index {index}, {size} records");
        }
        check(0, 299, 300, Some("tile/8/0/001.p/44"));
        check(0, 300, 300, None);
        check(7, 0, 300, Some("tile/8/0/000"));
        check(8, 0, 300, Some("tile/8/1/000.p/1"));
        check(8, 1, 300, None);
        check(15, 1, 70000, Some("tile/8/1/000"));
        check(16, 0, 70000, Some("tile/8/2/000.p/1"));
    }
}
