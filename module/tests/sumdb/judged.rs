//! Keys, notes, heads, records and tile paths: read as golang.org/x/mod reads them, for honest and for spoiled ones.
//!
//! Stricter than Go, on purpose: a record's number is written in decimal digits without sign or leading zeros;
//! tiles have height 8 and a level of at most 7.

use std::collections::HashMap;

use data_encoding::BASE64;
use modkeep_harness::checksumdb::Log;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_harness::place::full_run;
use modkeep_module::sumdb::authenticate::Plan;
use modkeep_module::sumdb::note::{Note, Signature, Signer, Verifier, open};
use modkeep_module::sumdb::record::Record;
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::sumdb::tlog::Node;
use modkeep_module::sumdb::{Hash, Tile, TreeHead};
use serde_json::{Value, json};

use crate::tampering::forge_upwards;
use crate::{NAME, plan};

/// What spoils a note, a key or a record in interesting ways.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\u{2014} ",
    "\u{2014}",
    " ",
    "+",
    "=",
    "==",
    "A",
    "/",
    "0",
    "1",
    "9",
    "\t",
    "\r",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{3000}",
    "\u{fffd}",
    "name",
    "h1:",
];

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64.encode(bytes.as_ref())
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, [seed; 32]).unwrap()
}

fn signers() -> Vec<Signer> {
    vec![
        signer("sum.corp.example/go", 1),
        signer("sum.corp.example/go", 2),
        signer("other", 3),
        signer("ünïcode", 4),
    ]
}

/// Now and then a byte that is no UTF-8.
fn bytes(dice: &mut Dice, text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if dice.once_in(20) && !bytes.is_empty() {
        let at = dice.below(bytes.len());
        bytes[at] = dice.bits() as u8;
    }
    bytes
}

fn note_text(dice: &mut Dice) -> String {
    let mut text = dice.text(&["go.sum database tree\n", "300\n", "\n", "text ", "ü", "\u{2014} a b\n"], 6);
    text.push('\n');
    text
}

fn note_message(dice: &mut Dice) -> Vec<u8> {
    let all = signers();
    let by: Vec<&Signer> = (0..dice.below(4)).map(|_| &all[dice.below(all.len())]).collect();
    let message = Note::unsigned(note_text(dice)).sign(&by).unwrap();
    let message = if dice.once_in(2) { dice.spoil(&message, PIECES) } else { message };
    let last_line = message.lines().last().unwrap_or_default().to_owned() + "\n";
    let message = match dice.below(40) {
        0 => message + &last_line,
        1 => message + &last_line.repeat(101),
        _ => message,
    };
    bytes(dice, message)
}

fn signatures(list: &[Signature]) -> Value {
    json!(list.iter().map(|s| json!([s.name, s.hash, s.base64])).collect::<Vec<_>>())
}

#[test]
fn notes_open_as_they_do_in_go() {
    let Some(mut judge) = Judge::start_or_skip("notes_open_as_they_do_in_go") else { return };
    let mut dice = Dice::of("notes_open_as_they_do_in_go");
    let all = signers();
    let messages: Vec<(Vec<u8>, Vec<Verifier>)> = (0..cases())
        .map(|_| {
            let known = (0..dice.below(4)).map(|_| all[dice.below(all.len())].verifier()).collect();
            (note_message(&mut dice), known)
        })
        .collect();
    let keys = |known: &[Verifier]| known.iter().map(Verifier::to_string).collect::<Vec<_>>();
    judge.check("note.Open", &messages, |(message, known)| {
        let ours = open(message, known)
            .map(|note| json!([note.text, signatures(&note.signatures), signatures(&note.unverified)]))
            .map_err(|error| error.to_string());
        (json!([encode(message), keys(known)]), ours)
    });
    let resign = [&all[0], &all[2]];
    judge.check("note.Sign", &messages, |(message, known)| {
        let ours = open(message, known)
            .and_then(|note| note.sign(&resign))
            .map(|message| json!(message))
            .map_err(|error| error.to_string());
        (json!([encode(message), keys(known), resign.map(Signer::secret_text)]), ours)
    });
}

#[test]
fn keys_are_read_as_go_reads_them() {
    let Some(mut judge) = Judge::start_or_skip("keys_are_read_as_go_reads_them") else { return };
    let mut dice = Dice::of("keys_are_read_as_go_reads_them");
    let all = signers();
    let keys: Vec<(String, String)> = (0..cases())
        .map(|_| {
            let signer = &all[dice.below(all.len())];
            let (public, secret) = (signer.verifier().to_string(), signer.secret_text());
            match dice.below(3) {
                0 => (public, secret),
                1 => (public.to_uppercase(), secret.to_lowercase()),
                _ => (dice.spoil(&public, PIECES), dice.spoil(&secret, PIECES)),
            }
        })
        .collect();
    judge.check("note.NewVerifier", &keys, |(key, _)| {
        let ours = Verifier::parse(key).map(|v| json!([v.name(), v.key_hash()]));
        (json!([key]), ours.map_err(|error| error.to_string()))
    });
    judge.check("note.NewSigner", &keys, |(_, key)| {
        let ours = Signer::parse(key).map(|s| json!([s.name(), s.key_hash()]));
        (json!([key]), ours.map_err(|error| error.to_string()))
    });
}

#[test]
fn signatures_verify_as_they_do_in_go() {
    let Some(mut judge) = Judge::start_or_skip("signatures_verify_as_they_do_in_go") else { return };
    let mut dice = Dice::of("signatures_verify_as_they_do_in_go");
    let signatures: Vec<([u8; 32], Vec<u8>, Vec<u8>)> =
        (0..cases() / 5).map(|_| signature_case(&mut dice)).collect();
    judge.check("ed25519.Verify", &signatures, |(key, message, signature)| {
        let ours = Verifier::new("name", *key).unwrap().verify(message, signature);
        (json!([encode(key), encode(message), encode(signature)]), Ok(json!(ours)))
    });
}

/// A signature that is right, or wrong in a way that implementations have disagreed about.
fn signature_case(dice: &mut Dice) -> ([u8; 32], Vec<u8>, Vec<u8>) {
    /// The order of the group, in little-endian bytes.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    /// Points of small order, two of them in encodings that are not canonical.
    const SMALL: [[u8; 2]; 4] = [[0x01, 0x00], [0x00, 0x00], [0xed, 0x7f], [0xee, 0x7f]];
    let signer = signer("name", dice.bits() as u8);
    let mut key: [u8; 32] = public_bytes(&signer);
    let message = dice.bits().to_le_bytes().to_vec();
    let mut signature = signer.sign(&message).to_vec();
    match dice.below(6) {
        0 => {}
        1 => {
            // S + order is the same number modulo the order.
            let mut carry = 0_u16;
            for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
                carry += u16::from(*byte) + u16::from(add);
                *byte = carry as u8;
                carry >>= 8;
            }
        }
        2 => {
            let at = dice.below(64);
            signature[at] ^= 1 << dice.below(8);
        }
        3 => signature.truncate(dice.below(64)),
        4 => {
            let [first, last] = SMALL[dice.below(4)];
            let middle = if last == 0x7f { 0xff } else { 0 };
            key = [middle; 32];
            (key[0], key[31]) = (first, last);
            let point =
                if dice.once_in(2) { key } else { [[1].as_slice(), &[0; 31]].concat().try_into().unwrap() };
            signature = [point, [0; 32]].concat();
        }
        _ => key = std::array::from_fn(|_| dice.bits() as u8),
    }
    (key, message, signature)
}

fn public_bytes(signer: &Signer) -> [u8; 32] {
    let text = signer.verifier().to_string();
    let base64 = text.splitn(3, '+').nth(2).unwrap();
    BASE64.decode(base64.as_bytes()).unwrap()[1..].try_into().unwrap()
}

#[test]
fn heads_are_read_as_go_reads_them() {
    let Some(mut judge) = Judge::start_or_skip("heads_are_read_as_go_reads_them") else { return };
    let mut dice = Dice::of("heads_are_read_as_go_reads_them");
    // The text of a note is UTF-8 before it is read as a head.
    let texts: Vec<String> = (0..cases())
        .map(|_| {
            let size = dice.bits() >> dice.below(64);
            let text = format!("go.sum database tree\n{size}\n{}\n", Hash([dice.bits() as u8; 32]));
            if dice.once_in(3) { text } else { dice.spoil(&text, PIECES) }
        })
        .collect();
    judge.check("tlog.ParseTree", &texts, |text| {
        let ours = TreeHead::parse(text).map(|head| json!([head.size, head.root.to_string()]));
        (json!([encode(text)]), ours.ok_or_else(|| "malformed tree note".to_owned()))
    });
}

#[test]
fn records_are_read_as_go_reads_them() {
    let Some(mut judge) = Judge::start_or_skip("records_are_read_as_go_reads_them") else { return };
    let mut dice = Dice::of("records_are_read_as_go_reads_them");
    let replies: Vec<Vec<u8>> = (0..cases()).map(|_| record_reply(&mut dice)).collect();
    let questions: Vec<_> =
        replies.iter().map(|reply| ("tlog.ParseRecord", json!([encode(reply)]))).collect();
    let mut stricter = 0;
    for (reply, theirs) in replies.iter().zip(judge.ask_all(&questions)) {
        let ours = Record::parse(reply)
            .map(|(record, rest)| json!([record.id, encode(&record.text), encode(rest)]))
            .map_err(|error| error.to_string());
        match (&ours, &theirs) {
            (Err(_), Ok(read)) => {
                let number = reply.split(|&byte| byte == b'\n').next().unwrap();
                let canonical = read[0].as_i64().unwrap().to_string();
                let is_canonical = number == canonical.as_bytes() && number[0] != b'-';
                assert!(!is_canonical, "{:?}", String::from_utf8_lossy(reply));
                stricter += 1;
            }
            _ => assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(reply)),
        }
    }
    println!("stricter than Go about numbers: {stricter} of {}", replies.len());

    let records: Vec<(i64, String)> =
        replies.iter().map(|reply| (7, String::from_utf8_lossy(reply).into_owned())).collect();
    judge.check("tlog.FormatRecord", &records, |(id, text)| {
        let ours = Record { id: *id as u64, text: text.clone() }.format();
        (json!([id, encode(text)]), ours.map(|text| json!(encode(text))).map_err(|error| error.to_string()))
    });
}

fn record_reply(dice: &mut Dice) -> Vec<u8> {
    let sign = dice.pick(&["", "", "", "", "", "+", "-", "0"]).to_owned();
    let number = dice.bits() >> (1 + dice.below(63));
    let lines = "example.com/a v1.0.0 h1:zip=\nexample.com/a v1.0.0/go.mod h1:mod=\n";
    let reply = format!("{sign}{number}\n{lines}\n{}", dice.text(&["note", "\n", "\n\n", " "], 3));
    let reply = if dice.once_in(2) { dice.spoil(&reply, PIECES) } else { reply };
    bytes(dice, reply)
}

#[test]
fn tile_paths_are_read_as_go_reads_them() {
    let Some(mut judge) = Judge::start_or_skip("tile_paths_are_read_as_go_reads_them") else { return };
    let mut dice = Dice::of("tile_paths_are_read_as_go_reads_them");
    let pieces = ["x", "0", "1", "00", "/", ".p/", ".p", "data", "8", "tile", "-", "+", "256", "255", "x001"];
    let paths: Vec<String> = (0..cases())
        .map(|_| {
            let height = dice.pick(&["8", "8", "8", "8", "9", "08", "30", "31"]).to_owned();
            let level = dice.pick(&["0", "1", "7", "8", "63", "64", "data", "-1"]).to_owned();
            let marked = dice.text(&["x001/", "x234/", "x999/", "x000/"], 4);
            let last = dice.pick(&["000", "001", "067", "999", "7"]).to_owned();
            let width = dice.pick(&["", "", ".p/1", ".p/255", ".p/256", ".p/0", ".p/007"]).to_owned();
            let path = format!("tile/{height}/{level}/{marked}{last}{width}");
            if dice.once_in(3) { dice.spoil(&path, &pieces) } else { path }
        })
        .collect();
    let questions: Vec<_> = paths.iter().map(|path| ("tlog.ParseTilePath", json!([path]))).collect();
    for (path, theirs) in paths.iter().zip(judge.ask_all(&questions)) {
        // Heights and levels that no database has are stricter than Go.
        let theirs = theirs.ok().filter(|tile| tile[0] == 8 && tile[1].as_i64().unwrap() <= 7);
        let ours = TilePath::parse(path).ok().map(|tile| match tile {
            TilePath::Hashes(tile) => json!([8, tile.level(), tile.index(), tile.width()]),
            TilePath::Records { index, width } => json!([8, -1, index, width]),
        });
        assert_eq!(ours, theirs, "{path}");
    }
}

#[test]
fn go_reads_the_same_hashes_from_the_same_tiles() {
    let Some(mut judge) = Judge::start_or_skip("go_reads_the_same_hashes_from_the_same_tiles") else {
        return;
    };
    let mut dice = Dice::of("go_reads_the_same_hashes_from_the_same_tiles");
    let rounds = if full_run() { 300 } else { 20 };
    for size in [257, 300, 512, 1000, 3000, 65537, 70000] {
        let log = Log::of_modules(NAME, 1, size);
        let cases: Vec<(Vec<Node>, Plan, Vec<Vec<u8>>)> = (0..rounds)
            .map(|_| {
                let nodes: Vec<Node> =
                    (0..1 + dice.below(3)).map(|_| Node::record(dice.below(size as usize) as u64)).collect();
                let plan = plan(&log, &nodes);
                let mut tiles: Vec<Vec<u8>> =
                    plan.tiles().iter().map(|&tile| log.tile(tile).unwrap()).collect();
                if !dice.once_in(3) {
                    spoil_tiles(&mut dice, plan.tiles(), &mut tiles);
                }
                (nodes, plan, tiles)
            })
            .collect();
        judge.check("tlog.TileHashReader", &cases, |(nodes, plan, tiles)| {
            let ids: Vec<u64> = nodes.iter().map(|node| node.index).collect();
            let paths: Vec<String> = plan.tiles().iter().map(|tile| tile.path()).collect();
            let given: HashMap<&String, String> = paths.iter().zip(tiles.iter().map(encode)).collect();
            let ours = plan.check(tiles.clone()).map_err(|error| error.to_string()).map(|proved| {
                let hash = |&node| proved.node(node).unwrap().to_string();
                json!([nodes.iter().map(hash).collect::<Vec<_>>(), paths])
            });
            (json!([size, log.tree_at(size).root.to_string(), ids, given]), ours)
        });
    }
}

fn spoil_tiles(dice: &mut Dice, coordinates: &[Tile], tiles: &mut [Vec<u8>]) {
    let at = dice.below(tiles.len());
    match dice.below(3) {
        0 => forge_upwards(coordinates, tiles, at),
        _ => {
            let byte = dice.below(tiles[at].len());
            tiles[at][byte] ^= 1;
        }
    }
}
