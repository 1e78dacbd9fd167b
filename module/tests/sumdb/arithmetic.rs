//! The arithmetic of transparency logs: every root and every proof of every tree up to 256 records (1 024 in a full run)
//! against the definition in RFC 6962, larger ones against golang.org/x/mod.

use modkeep_harness::checksumdb::Log;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_harness::place::full_run;
use modkeep_module::sumdb::edge::Edge;
use modkeep_module::sumdb::tile::{Tile, new_tiles};
use modkeep_module::sumdb::tlog::proof::{ProofError, check_record, check_tree, prove_record, prove_tree};
use modkeep_module::sumdb::tlog::{Hash, Node, stored_count, tree_hash};
use serde_json::json;

use crate::NAME;

/// RFC 6962, section 2.1, as it is written there.
fn defined_root(records: &[Hash]) -> Hash {
    match records {
        [] => Hash::EMPTY_TREE,
        [record] => *record,
        _ => {
            let split = records.len().next_power_of_two() / 2;
            Hash::of_node(defined_root(&records[..split]), defined_root(&records[split..]))
        }
    }
}

/// A log whose records read `record 0`, `record 1`, …
fn counted(size: u64) -> Log {
    let mut log = Log::new(NAME, 1);
    for id in 0..size {
        log.append(format!("record {id}"));
    }
    log
}

fn leaves(log: &Log) -> Vec<Hash> {
    (0..log.size()).map(|id| log.node(Node::record(id))).collect()
}

#[test]
fn roots_are_those_that_go_computes() {
    let log = counted(70000);
    for (size, root) in [
        (0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        (1, "OzZ9bbe8UXJtkYsY6aeeD85T+Gf744Zx9gnmu1nUYDU="),
        (2, "XDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8="),
        (7, "ZlCXn2yHiq2F84Dsicnip68Q0qZKqWqJGKp/UHsg+Y4="),
        (255, "EtIOA5OysQRktVpSad0GbwuDbqlRKjTxPjrVxyV19Ds="),
        (256, "3JNJ+Xh+0Ahtptl/Z5xRpRmPmORW6Vsdh/o6vAEv7DE="),
        (257, "e8lTONnrdW/d1vzeOGps12khFsE79avvFd+35TWOaK4="),
        (1000, "mXwAZ8XucWmQ1EpnMacEiQrHlXQBuXYF/fJms8q4tO8="),
        (65537, "JemCm45V1bT69egytHB0eLeQlWFlIdmqHeuA/+JGNPg="),
        (70000, "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY="),
    ] {
        assert_eq!(log.tree_at(size).root.to_string(), root, "{size} records");
    }
}

#[test]
fn proofs_are_those_that_go_makes() {
    let log = counted(7);
    let proof = prove_record(7, 3, |node| log.node(node)).unwrap();
    let expected = [
        "eQtCVVwoF8KPO6ujvYzB2nR8wC1umQQeZPjGJ0bPBTs=",
        "XDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8=",
        "EtyAqalq3FVEKTfLRap2mL+X8JrjwFC6sFVLX4WzZDs=",
    ];
    assert_eq!(proof.iter().map(Hash::to_string).collect::<Vec<_>>(), expected);
    let proof = prove_tree(7, 4, |node| log.node(node)).unwrap();
    assert_eq!(proof.iter().map(Hash::to_string).collect::<Vec<_>>(), expected[2..]);
}

#[test]
fn every_proof_of_every_small_tree_holds_for_that_tree_alone() {
    let largest = if full_run() { 1024 } else { 256 };
    let log = counted(largest);
    let leaves = leaves(&log);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| defined_root(&leaves[..size])).collect();
    for size in 0..=largest {
        let root = roots[size as usize];
        assert_eq!(tree_hash(size, |node| log.node(node)), root, "root of {size} records");
        for part in 0..=size {
            check_record_proofs(&log, size, root, part);
            check_tree_proofs(&log, size, root, part, roots[part as usize]);
        }
    }
}

fn check_record_proofs(log: &Log, size: u64, root: Hash, id: u64) {
    if id == size {
        let error = prove_record(size, id, |node| log.node(node)).unwrap_err();
        assert_eq!(error, ProofError::NotInTree { size });
        return;
    }
    let record = log.node(Node::record(id));
    let proof = prove_record(size, id, |node| log.node(node)).unwrap();
    assert_eq!(check_record(&proof, size, root, id, record), Ok(()), "record {id} of {size}");
    let other = Hash([7; 32]);
    assert_eq!(check_record(&proof, size, root, id, other), Err(ProofError::Invalid));
    assert_eq!(check_record(&proof, size, other, id, record), Err(ProofError::Invalid));
    let spoiled = spoiled_proofs(&proof);
    for proof in spoiled {
        assert_eq!(check_record(&proof, size, root, id, record), Err(ProofError::Invalid));
    }
}

fn check_tree_proofs(log: &Log, size: u64, root: Hash, older: u64, older_root: Hash) {
    if older == 0 {
        let error = prove_tree(size, older, |node| log.node(node)).unwrap_err();
        assert_eq!(error, ProofError::NotInTree { size });
        return;
    }
    let proof = prove_tree(size, older, |node| log.node(node)).unwrap();
    assert_eq!(check_tree(&proof, size, root, older, older_root), Ok(()), "{older} of {size}");
    let other = Hash([7; 32]);
    assert_eq!(check_tree(&proof, size, root, older, other), Err(ProofError::Invalid));
    assert_eq!(check_tree(&proof, size, other, older, older_root), Err(ProofError::Invalid));
    for proof in spoiled_proofs(&proof) {
        assert_eq!(check_tree(&proof, size, root, older, older_root), Err(ProofError::Invalid));
    }
}

/// One hash changed, one missing, one too many.
fn spoiled_proofs(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut spoiled = vec![[proof, &[Hash([9; 32])]].concat()];
    if let Some(middle) = proof.len().checked_sub(1).map(|last| last / 2) {
        let mut changed = proof.to_vec();
        changed[middle].0[5] ^= 1;
        spoiled.extend([changed, proof[1..].to_vec(), proof[..proof.len() - 1].to_vec()]);
    }
    spoiled
}

#[test]
fn an_edge_grows_into_the_same_log_and_publishes_the_same_tiles() {
    let log = counted(70000);
    let mut edge = Edge::new();
    let mut published = Vec::new();
    for id in 0..log.size() {
        let completed = edge.append(log.node(Node::record(id)));
        for tile in completed.into_iter().chain(if id % 997 == 0 { edge.tiles() } else { Vec::new() }) {
            assert_eq!(Some(&tile.data), log.tile(tile.tile).as_ref(), "{}", tile.tile);
            if tile.tile.is_full() {
                published.push(tile.tile);
            }
        }
        if id % 97 == 0 || id > 65000 && id < 66000 {
            assert_eq!(edge.head(), log.tree_at(id + 1));
        }
    }
    let mut expected: Vec<Tile> =
        new_tiles(0, log.size()).into_iter().filter(|tile| tile.is_full()).collect();
    expected.sort();
    published.sort();
    assert_eq!(published, expected);
}

#[test]
fn large_trees_are_as_go_has_them() {
    let Some(mut judge) = Judge::start_or_skip("large_trees_are_as_go_has_them") else { return };
    let mut dice = Dice::of("large_trees_are_as_go_has_them");
    let log = counted(70000);
    let sizes = |dice: &mut Dice| {
        let size = 1 + dice.below(70000) as u64;
        (size, dice.below(size as usize) as u64)
    };
    let pairs: Vec<(u64, u64)> = (0..cases() / 10).map(|_| sizes(&mut dice)).collect();
    let texts = |proof: Vec<Hash>| json!(proof.iter().map(Hash::to_string).collect::<Vec<_>>());
    judge.check("tlog.TreeHash", &pairs, |&(size, _)| {
        (json!([size]), Ok(json!(log.tree_at(size).root.to_string())))
    });
    judge.check("tlog.ProveRecord", &pairs, |&(size, id)| {
        (json!([size, id]), Ok(texts(prove_record(size, id, |node| log.node(node)).unwrap())))
    });
    judge.check("tlog.ProveTree", &pairs, |&(size, below)| {
        (json!([size, below + 1]), Ok(texts(prove_tree(size, below + 1, |node| log.node(node)).unwrap())))
    });
    judge.check("tlog.NewTiles", &pairs, |&(newer, older)| {
        let paths: Vec<String> = new_tiles(older, newer).into_iter().map(Tile::path).collect();
        (json!([older, newer]), Ok(json!(paths)))
    });
    judge.check("tlog.StoredHashIndex", &pairs, |&(index, level)| {
        let node = Node { level: (level % 40) as u8, index };
        (json!([node.level, index]), Ok(json!(node.stored_index())))
    });
    judge.check("tlog.StoredHashCount", &pairs, |&(size, _)| (json!([size]), Ok(json!(stored_count(size)))));
}
