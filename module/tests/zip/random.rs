//! Random zips with random lies and random damage: the same verdict as Go's on each.

use data_encoding::BASE64;
use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_harness::raw_zip::{End64, Part, RawZip, UTF8, extra, extra64};
use modkeep_module::ModuleVersion;

use crate::verdict::{Verdict, arguments};

const PATH: &str = "example.com/m";
const VERSION: &str = "v1.2.3";

#[test]
fn random_zips_get_the_verdict_that_go_gives() {
    let Some(mut judge) = Judge::start_or_skip("random_zips_get_the_verdict_that_go_gives") else { return };
    let mut dice = Dice::of("random_zips_get_the_verdict_that_go_gives");
    let module = ModuleVersion::parse(PATH, VERSION).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (mut accepted, mut stricter) = (0, 0);
    for bulk in 0..cases() / 100 {
        let zips: Vec<_> = (0..100).map(|_| random_zip(&mut dice)).collect();
        let questions: Vec<_> =
            zips.iter().map(|zip| ("zip.Judge", arguments(&module, &BASE64.encode(zip)))).collect();
        for (at, (answer, zip)) in judge.ask_all(&questions).into_iter().zip(&zips).enumerate() {
            let go = Verdict::of_go(&answer.unwrap());
            let file = place.path().join("random.zip");
            #[allow(clippy::disallowed_methods, reason = "files of a test need not outlive it")]
            std::fs::write(&file, zip).unwrap();
            let ours = Verdict::ours(&file, &module, &place.path().join(format!("{bulk}-{at}")));
            accepted += usize::from(ours.accepted().is_some());
            // Entries that use bytes twice are the one thing that can be refused here although Go does not.
            if ours.unzip == Err("zip: entries overlap".to_owned()) {
                stricter += 1;
                assert_eq!(ours.check, go.check);
                assert!(ours.hash_agrees_with(&go), "{ours:?} is ours, Go's is {go:?}");
                continue;
            }
            assert!(
                ours.agrees_with(&go),
                "zip {at} of bulk {bulk}:\n{ours:#?} is ours, Go's is {go:#?}\n{}",
                BASE64.encode(zip)
            );
        }
    }
    // Chance must make zips of all kinds, or it shows nothing.
    assert!(accepted > cases() / 10 && accepted < cases() * 9 / 10, "{accepted} accepted");
    assert!(stricter < cases() / 20, "{stricter} refused for overlaps");
}

/// Names that go together, that clash, and that are not allowed.
const NAMES: &[&str] = &[
    "go.mod",
    "go.mod",
    "a.go",
    "a.go",
    "A.go",
    "b.go",
    "d/a.go",
    "d/b.go",
    "D/c.go",
    "d",
    "d/",
    "d/e/",
    "d/e/f.go",
    "LICENSE",
    "license",
    "README.md",
    "s/go.mod",
    "GO.MOD",
    "aux",
    "x..",
    "d/../y",
    "é.go",
    "É.go",
    "ſ.go",
    "S.go",
    "",
];

fn random_zip(dice: &mut Dice) -> Vec<u8> {
    let mut zip = RawZip::new((0..dice.below(6)).map(|_| random_part(dice)));
    if dice.once_in(3) {
        spoil_zip(&mut zip, dice);
    }
    let mut bytes = zip.bytes();
    if dice.once_in(3) {
        (0..=dice.below(3)).for_each(|_| damage(&mut bytes, dice));
    }
    bytes
}

fn random_part(dice: &mut Dice) -> Part {
    let prefix = match dice.below(40) {
        0 => "",
        1 => "example.com/m@v1.2.4/",
        2 => "Example.com/m@v1.2.3/",
        _ => "example.com/m@v1.2.3/",
    };
    let name = prefix.to_owned() + dice.pick(NAMES);
    let mut name = name.into_bytes();
    if dice.once_in(60) {
        name.push(dice.bits() as u8);
    }
    let content = match dice.below(10) {
        0 => Vec::new(),
        1 => dice.text(&["line\n", "\0", "x"], 40_000).into_bytes(),
        2 => (0..dice.below(3000)).map(|_| dice.bits() as u8).collect(),
        _ => dice.text(&["package a\n", "// ", "func", "\n"], 30).into_bytes(),
    };
    let content = if name.ends_with(b"/") && !dice.once_in(10) { Vec::new() } else { content };
    let part = if dice.once_in(2) { Part::new(&name, content) } else { Part::deflated(&name, content) };
    let mut part = if dice.once_in(2) { part.with_descriptor() } else { part };
    if dice.once_in(8) {
        spoil_part(&mut part, dice);
    }
    part
}

/// A number near one that means something.
fn odd_number(dice: &mut Dice, near: u64) -> u64 {
    let base = match dice.below(8) {
        0 => 0,
        1 => 0xffff,
        2 => u64::from(u32::MAX),
        3 => 1 << 63,
        4 => u64::MAX,
        _ => near,
    };
    base.wrapping_add(dice.below(5) as u64).wrapping_sub(2)
}

fn spoil_part(part: &mut Part, dice: &mut Dice) {
    let (size, compressed_size) = (u64::from(part.size), u64::from(part.compressed_size));
    match dice.below(22) {
        0 => part.size = odd_number(dice, size) as u32,
        1 => part.compressed_size = odd_number(dice, compressed_size) as u32,
        2 => part.crc = 0,
        3 => part.crc ^= 1 << dice.below(32),
        4 => part.method = dice.below(14) as u16,
        5 => part.flags ^= 1 << dice.below(16),
        6 => part.local_name = Some(b"other".to_vec()),
        7 => part.local_extra = vec![0; dice.below(300)],
        8 => part.external = dice.bits() as u32,
        9 => part.creator = dice.bits() as u16,
        10 => part.at = Some(odd_number(dice, 0) as u32),
        11 => part.times = dice.below(4),
        12 => part.is_there = false,
        13 => part.signature ^= 1,
        14 => part.local_signature ^= 1,
        15 => part.descriptor.truncate(dice.below(17)),
        16 => part.comment = RawZip::default().bytes(),
        17 => part.flags ^= UTF8,
        18 => {
            let values = [odd_number(dice, size), odd_number(dice, compressed_size), odd_number(dice, 0)];
            part.extra = extra64(&values[..dice.below(4)]);
            part.size = u32::MAX;
        }
        19 => {
            part.extra = extra64(&[size, compressed_size, odd_number(dice, 0)]);
            (part.size, part.compressed_size) = (u32::MAX, u32::MAX);
            part.at = dice.once_in(2).then_some(u32::MAX);
        }
        20 => part.extra = extra(dice.below(3) as u16, &vec![0; dice.below(30)]),
        _ => {
            let at = dice.below(part.body.len().max(1));
            part.body.truncate(at);
        }
    }
}

fn spoil_zip(zip: &mut RawZip, dice: &mut Dice) {
    let size: usize = zip.parts.iter().map(|part| 46 + part.name.len()).sum();
    match dice.below(14) {
        0 => zip.before = vec![b'x'; dice.below(200)],
        1 => zip.between = RawZip::default().bytes(),
        2 => zip.behind_directory = vec![0; dice.below(100)],
        3 => zip.count = Some(odd_number(dice, zip.parts.len() as u64) as u16),
        4 => zip.size = Some(odd_number(dice, size as u64) as u32),
        5 => zip.offset = Some(odd_number(dice, 0) as u32),
        6 => zip.comment = dice.text(&["PK\x05\x06", "\0\0\0\0", "x"], 30).into_bytes(),
        7 => zip.comment_length = Some(dice.below(30) as u16),
        8 => zip.after = vec![b'x'; dice.below(2000)],
        9 => zip.comment = vec![b'c'; 900 + dice.below(200)],
        10 => zip.before = zip.bytes(),
        kind => {
            (zip.count, zip.offset) = (Some(0xffff), Some(u32::MAX));
            let mut end = End64::default();
            match (kind, dice.below(6)) {
                (11, 0) => end.count = Some(odd_number(dice, zip.parts.len() as u64)),
                (11, 1) => end.size = Some(odd_number(dice, size as u64)),
                (11, 2) => end.offset = Some(odd_number(dice, 0)),
                (11, 3) => end.at = Some(odd_number(dice, 0)),
                (11, 4) => end.disk = 1,
                (11, 5) => end.has_bad_signature = true,
                _ => {}
            }
            zip.end64 = Some(end);
        }
    }
}

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    // Headers and records are near the end; damage there is worth more.
    let reach = if dice.once_in(2) { bytes.len().min(150) } else { bytes.len() };
    let at = bytes.len() - 1 - dice.below(reach);
    match dice.below(8) {
        0 => bytes[at] = dice.bits() as u8,
        1 => bytes[at] ^= 1 << dice.below(8),
        2 => bytes[at] = [0, 1, 0xff, 0x7f, 0x80][dice.below(5)],
        3 => bytes.truncate(at),
        4 => drop(bytes.remove(at)),
        5 => bytes.insert(at, dice.bits() as u8),
        6 => {
            let from = dice.below(bytes.len());
            let piece = bytes[from..(from + dice.below(60)).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            let end = (at + 4).min(bytes.len());
            let value = odd_number(dice, at as u64).to_le_bytes();
            bytes[at..end].copy_from_slice(&value[..end - at]);
        }
    }
}
