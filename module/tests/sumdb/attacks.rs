//! Attacks that had names, and forks.

use modkeep_harness::checksumdb::Log;
use modkeep_module::sumdb::check::{Check, CheckError, Unproved};
use modkeep_module::sumdb::note::{Note, Signer};
use modkeep_module::sumdb::tlog::Node;
use modkeep_module::sumdb::{Hash, Tile};

use crate::{NAME, lookup, plan};

/// CVE-2026-56865: the tiles that come first beside the edge were not authenticated. One leaf of one tile is forged, for
/// 14 sizes and 4 records: 56 forgeries, of which older releases of golang.org/x/mod believed 34.
#[test]
fn cve_2026_56865_no_forged_leaf_is_read() {
    let mut forged = 0;
    for size in [257, 300, 511, 512, 513, 700, 768, 1000, 1023, 1024, 3000, 65535, 65537, 70000] {
        let log = Log::of_modules(NAME, 1, size);
        for id in [0, 255, 256, size / 2] {
            let node = Node::record(id);
            let plan = plan(&log, &[node]);
            let honest: Vec<Vec<u8>> = plan.tiles().iter().map(|&tile| log.tile(tile).unwrap()).collect();
            assert_eq!(plan.check(honest.clone()).unwrap().node(node), Some(log.node(node)));

            let leaf = Tile::holding(node, size).unwrap();
            let at = plan.tiles().iter().position(|&tile| tile == leaf).unwrap();
            let mut tiles = honest;
            let from = 32 * (id % 256) as usize;
            tiles[at][from..from + 32].copy_from_slice(&Hash::of_record(b"forged").0);
            let error = plan.check(tiles).unwrap_err();
            assert!(error.suspects.contains(&leaf));
            assert_eq!(error.to_string(), "downloaded inconsistent tile");
            forged += 1;
        }
    }
    assert_eq!(forged, 56);
}

/// CVE-2026-56864: checksums were searched in the whole reply. Lines in the signed note, or between record and note, are in
/// no log.
#[test]
fn cve_2026_56864_lines_outside_the_record_are_no_checksums() {
    let log = Log::of_modules(NAME, 1, 300);
    let signer = Signer::from_seed(NAME, [1; 32]).unwrap();
    let tree = log.tree_at(300).text();
    let text =
        format!("{tree}example.com/victim v1.0.0 h1:evil=\nexample.com/victim v1.0.0/go.mod h1:evil=\n");
    let note = Note::unsigned(text).sign(&[&signer]).unwrap();
    let reply = format!("7\n{}\n{note}", log.record(7));
    let check = Check::lookup(reply.as_bytes(), &log.verifier(), None).unwrap();
    let tiles = check.tiles().iter().map(|&tile| log.tile(tile).unwrap()).collect();
    let record = check.finish(tiles).unwrap().record.unwrap().unwrap();
    assert_eq!(record.record().checksum("example.com/victim", "v1.0.0"), None);
    assert!(record.record().checksum("example.com/m7", "v1.0.0").is_some());
}

/// CVE-2026-42501: an authentic record about something else passed for an answer.
#[test]
fn cve_2026_42501_a_record_about_another_module_is_no_answer() {
    let log = Log::of_modules(NAME, 1, 300);
    let check = Check::lookup(&lookup(&log, 7), &log.verifier(), None).unwrap();
    let tiles = check.tiles().iter().map(|&tile| log.tile(tile).unwrap()).collect();
    let record = check.finish(tiles).unwrap().record.unwrap().unwrap();
    for (path, version) in
        [("example.com/m8", "v1.0.0"), ("example.com/m7", "v1.0.1"), ("example.com/m", "v1.0.0")]
    {
        assert_eq!(record.record().checksum(path, version), None, "{path}@{version}");
    }
}

#[test]
fn a_record_beyond_the_newest_tree_is_not_proved_but_its_head_counts() {
    let mut log = Log::of_modules(NAME, 1, 300);
    let known = log.head();
    log.add("example.com/new", "v1.0.0");
    let reply = format!("400\n{}\n{}", log.record(300), log.head().note());
    let check = Check::lookup(reply.as_bytes(), &log.verifier(), Some(&known)).unwrap();
    let tiles = check.tiles().iter().map(|&tile| log.tile(tile).unwrap()).collect();
    let proved = check.finish(tiles).unwrap();
    assert_eq!(proved.record, Some(Err(Unproved::NotInTree { id: 400, size: 301 })));
    assert!(proved.advances);
}

#[test]
fn a_fork_of_any_age_is_convicted_by_its_own_tiles() {
    let log = Log::of_modules(NAME, 1, 700);
    for common in [0, 1, 200, 255, 256, 257, 400, 511, 512, 600] {
        let mut other = log.at(common);
        for number in common..900 {
            other.add(&format!("example.com/other{number}"), "v1.0.0");
        }
        for (known, shown) in [(700, 900), (700, 701), (common + 1, 700), (700, 700), (700, common + 1)] {
            if known > 700 {
                continue;
            }
            let check = Check::head(
                other.head_at(shown).note().as_bytes(),
                &log.verifier(),
                Some(&log.head_at(known)),
            );
            let check = check.unwrap();
            let newer = if shown > known { &other } else { &log };
            let tiles = check.tiles().iter().map(|&tile| newer.tile(tile).unwrap()).collect();
            let Err(CheckError::Fork(fork)) = check.finish(tiles) else {
                panic!("common to {common}, known {known}, shown {shown}")
            };
            let text = fork.to_string();
            assert!(text.starts_with(
                "SECURITY ERROR\ngo.sum database server misbehavior detected!\n\nold database:\n\tgo.sum"
            ));
            assert!(text.contains("\nproof of misbehavior:\n\t"));
        }
    }
}

/// The database lies about the record too, so that no check of a record gets as far as the heads.
#[test]
fn a_fork_is_found_whatever_becomes_of_the_record_s_tiles() {
    let log = Log::of_modules(NAME, 1, 497);
    let mut other = log.at(152);
    while other.size() < 497 {
        let path = format!("example.com/other{}", other.size());
        other.add(&path, "v1.0.0");
    }
    let reply = format!("152\n{}\n{}", other.record(152), other.head().note());
    let check = Check::lookup(reply.as_bytes(), &log.verifier(), Some(&log.head())).unwrap();
    let record_tile = Tile::holding(Node::record(152), 497).unwrap();
    for forged in [other.tile(record_tile).unwrap(), Vec::new(), vec![7; 8192]] {
        let tiles = check.tiles().iter().map(|&tile| match tile == record_tile {
            true => forged.clone(),
            false => log.tile(tile).unwrap(),
        });
        assert!(matches!(check.finish(tiles.collect()), Err(CheckError::Fork(_))));
    }
}
