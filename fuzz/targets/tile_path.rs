//! The path of a tile from anybody: one spelling for each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::sumdb::tile::TilePath;

fuzz_target!(|path: &str| {
    let Ok(tile) = TilePath::parse(path) else { return };
    assert_eq!(tile.to_string(), path);
    if let TilePath::Hashes(tile) = tile {
        assert!(tile.width() >= 1 && tile.width() <= 256 && tile.byte_len() == usize::from(tile.width()) * 32);
        assert!(tile.is_within(tile.full()));
    }
});
