//! Replies that someone changed on their way: none is believed.
//!
//! Trees of the sizes at which tiles begin and end, every kind of lie that a proxy between us and the database can tell:
//! 2 000 lies, 50 000 in a full run.

use modkeep_harness::checksumdb::Log;
use modkeep_harness::dice::Dice;
use modkeep_harness::place::full_run;
use modkeep_module::sumdb::check::{Check, CheckError, Proved};
use modkeep_module::sumdb::note::Signer;
use modkeep_module::sumdb::{Hash, SignedHead, Tile};

use crate::{NAME, lookup, module};

const SIZES: [u64; 23] = [
    1, 2, 255, 256, 257, 300, 511, 512, 513, 700, 768, 1000, 1023, 1024, 3000, 4095, 4096, 10_000, 65_535,
    65_536, 65_537, 66_000, 70_000,
];

/// What a client concludes: the checksum of the module that it asked for, where it believes one.
fn believed(check: &Check, tiles: Vec<Vec<u8>>, id: u64) -> Result<(Proved, Option<String>), CheckError> {
    let proved = check.finish(tiles)?;
    let record = match &proved.record {
        Some(Ok(record)) => record.record().checksum(&module(id), "v1.0.0").map(str::to_owned),
        _ => None,
    };
    Ok((proved, record))
}

/// A case of an honest log: the record asked for, the head known before.
struct Case<'a> {
    log: &'a Log,
    id: u64,
    known: Option<SignedHead>,
    reply: Vec<u8>,
}

impl Case<'_> {
    fn examine(&self, reply: &[u8]) -> Option<Check> {
        Check::lookup(reply, &self.log.verifier(), self.known.as_ref()).ok()
    }

    fn tiles(&self, check: &Check) -> Vec<Vec<u8>> {
        check.tiles().iter().map(|&tile| self.log.tile(tile).expect("the log has its own tiles")).collect()
    }
}

fn cases(log: &Log) -> Vec<Case<'_>> {
    let size = log.size();
    let mut ids = vec![0, size - 1, size / 2, 255.min(size - 1), 256.min(size - 1)];
    ids.dedup();
    let olders = [0, 1, size / 3, size.saturating_sub(1), size];
    let pairs = ids.into_iter().flat_map(|id| olders.map(|older| (id, older)));
    pairs
        .map(|(id, older)| {
            let known = (older > 0).then(|| log.head_at(older));
            Case { log, id, known, reply: lookup(log, id) }
        })
        .collect()
}

#[test]
fn honest_replies_are_believed_and_changed_ones_are_not() {
    let mut dice = Dice::of("honest_replies_are_believed_and_changed_ones_are_not");
    let wanted = if full_run() { 50_000 } else { 2_000 };
    let (mut told, mut harmless) = (0, 0);
    for size in SIZES {
        let log = Log::of_modules(NAME, 1, size);
        let cases = cases(&log);
        for case in &cases {
            let check = case.examine(&case.reply).unwrap();
            let (proved, record) = believed(&check, case.tiles(&check), case.id).unwrap();
            assert!(record.is_some(), "record {} of {size}", case.id);
            assert_eq!(proved.head, log.head_at(size));
        }
        for _ in 0..wanted / SIZES.len() + 1 {
            let case = &cases[dice.below(cases.len())];
            match lie(&mut dice, case) {
                Lie::Told => told += 1,
                Lie::ChangedNothing => harmless += 1,
            }
        }
    }
    println!("{told} lies told, 0 believed; {harmless} changed nothing that matters");
    assert!(told >= wanted * 9 / 10, "{told} lies of {wanted}");
}

enum Lie {
    Told,
    ChangedNothing,
}

/// Tells one lie about a case and checks that nothing comes of it.
fn lie(dice: &mut Dice, case: &Case<'_>) -> Lie {
    let honest = case.examine(&case.reply).unwrap();
    let truth = honest.finish(case.tiles(&honest)).unwrap();
    let reply = if dice.once_in(2) { change_reply(dice, case) } else { case.reply.clone() };
    let Some(check) = case.examine(&reply) else { return Lie::Told };
    let mut tiles = case.tiles(&check);
    if reply == case.reply {
        change_tiles(dice, &check, &mut tiles);
    }
    let unchanged = reply == case.reply && tiles == case.tiles(&check);
    match believed(&check, tiles, case.id) {
        Err(CheckError::Inconsistent { .. }) => Lie::Told,
        Err(CheckError::Fork(fork)) => panic!("an honest database accused: {fork}"),
        Ok((proved, record)) => {
            for tile in &proved.tiles {
                assert_eq!(
                    Some(tile.data()),
                    case.log.tile(tile.tile()).as_deref(),
                    "kept a false {}",
                    tile.tile()
                );
            }
            assert_eq!(
                proved.head.tree(),
                case.log.tree_at(proved.head.tree().size),
                "believed a false head"
            );
            let Some(sum) = record else { return Lie::Told };
            let truth = truth.record.unwrap().unwrap();
            assert_eq!(Some(sum.as_str()), truth.record().checksum(&module(case.id), "v1.0.0"));
            if unchanged { Lie::ChangedNothing } else { Lie::Told }
        }
    }
}

fn change_reply(dice: &mut Dice, case: &Case<'_>) -> Vec<u8> {
    let text = String::from_utf8(case.reply.clone()).unwrap();
    let (record, note) = text.split_once("\n\n").unwrap();
    let (id, lines) = record.split_once('\n').unwrap();
    let size = case.log.size();
    let changed = match dice.below(12) {
        // Another number, within the log or beyond it.
        0 => format!("{}\n{lines}\n\n{note}", dice.below(2 * size as usize + 2)),
        // Another checksum.
        1 => text.replacen("h1:", "h1:A", 1),
        // The record of another module.
        2 => String::from_utf8(lookup(case.log, dice.below(size as usize) as u64)).unwrap(),
        // More lines in the record.
        3 => format!("{id}\n{} v1.0.0 h1:evil=\n{lines}\n\n{note}", module(case.id)),
        // Lines after the record, which nobody logged and nobody signed.
        4 => format!("{id}\n{lines}\n\n{} v1.0.0 h1:evil=\n{note}", module(case.id)),
        // No head.
        5 => format!("{id}\n{lines}\n\n"),
        // A head of another key under the same name.
        6 => {
            let stranger = Signer::from_seed(NAME, [9; 32]).unwrap();
            let head = case.log.tree_at(size).sign(&stranger);
            format!("{id}\n{lines}\n\n{}", head.note())
        }
        // The signatures of another key beside a changed text.
        7 => format!("{id}\n{lines}\n\n{}", note.replacen(&size.to_string(), &(size + 1).to_string(), 1)),
        // The same signature twice.
        8 => format!("{text}{}\n", text.lines().last().unwrap()),
        // Cut short.
        9 => return case.reply[..dice.below(case.reply.len())].to_vec(),
        // An older head, which is honest, but may end before the record.
        10 => format!("{id}\n{lines}\n\n{}", case.log.head_at(dice.below(size as usize + 1) as u64).note()),
        _ => {
            let mut bytes = case.reply.clone();
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            return bytes;
        }
    };
    changed.into_bytes()
}

fn change_tiles(dice: &mut Dice, check: &Check, tiles: &mut Vec<Vec<u8>>) {
    let at = dice.below(tiles.len());
    match dice.below(8) {
        0 => tiles[at].truncate(32 * dice.below(check.tiles()[at].width().into())),
        1 => tiles[at].extend([7; 32]),
        2 => tiles[at].clear(),
        3 => {
            let other = dice.below(tiles.len());
            tiles.swap(at, other);
        }
        4 => {
            let from = 32 * dice.below(tiles[at].len() / 32);
            tiles[at][from..from + 32].copy_from_slice(&Hash::of_record(b"forged").0);
        }
        5 => {
            // The forger also mends the parent, all the way up where there is one.
            forge_upwards(check.tiles(), tiles, at);
        }
        6 => drop(tiles.remove(at)),
        _ => {
            let byte = dice.below(tiles[at].len());
            tiles[at][byte] ^= 1 << dice.below(8);
        }
    }
}

/// Changes a hash in a tile and makes the parents agree, as far as the fetched tiles reach.
pub(crate) fn forge_upwards(coordinates: &[Tile], tiles: &mut [Vec<u8>], at: usize) {
    tiles[at][..32].copy_from_slice(&Hash::of_record(b"forged").0);
    let tile = coordinates[at];
    if !tile.is_full() {
        return;
    }
    let parent = |other: &Tile| other.level() == tile.level() + 1 && other.index() == tile.index() >> 8;
    if let Some(above) = coordinates.iter().position(parent) {
        let root = tiles[at].chunks(32).map(|hash| Hash(hash.try_into().unwrap())).collect::<Vec<_>>();
        let root = halve(&root);
        let from = 32 * (tile.index() % 256) as usize;
        if let Some(place) = tiles[above].get_mut(from..from + 32) {
            place.copy_from_slice(&root.0);
        }
    }
}

fn halve(hashes: &[Hash]) -> Hash {
    match hashes {
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Hash::of_node(halve(left), halve(right))
        }
    }
}
