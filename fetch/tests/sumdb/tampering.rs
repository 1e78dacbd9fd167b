//! A liar between us and the database: 2 000 lies, 50 000 in a full run, and nothing false is believed or kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use modkeep_fetch::{Database, SumdbError};
use modkeep_harness::checksumdb::{Log, Reply};
use modkeep_harness::dice::Dice;
use modkeep_harness::place::full_run;
use modkeep_module::hash::H1;
use modkeep_module::sumdb::note::Signer;
use modkeep_module::sumdb::{Hash, SignedHead, Tile};

use crate::{NAME, World, empty_store, module};

const SIZES: [u64; 23] = [
    1, 2, 255, 256, 257, 300, 511, 512, 513, 700, 768, 1000, 1023, 1024, 3000, 4095, 4096, 10_000, 65_535,
    65_536, 65_537, 66_000, 70_000,
];

#[tokio::test]
async fn nothing_that_was_changed_on_its_way_is_believed_or_kept() {
    let mut dice = Dice::of("nothing_that_was_changed_on_its_way_is_believed_or_kept");
    let wanted = if full_run() { 50_000 } else { 2_000 };
    let (mut told, mut refused, mut healed) = (0, 0, 0);
    for size in SIZES {
        let mut world = World::of_modules(size);
        let log = Arc::new(world.server.log(|log| log.clone()));
        let enough = told + wanted / SIZES.len() + 1;
        for _ in 0..10 * wanted {
            if told == enough {
                break;
            }
            world.store = empty_store();
            let outcome = one_lie(&world, &log, &mut dice).await;
            world.check_that_only_truth_is_kept(&log).await;
            told += usize::from(outcome.lies > 0);
            refused += usize::from(outcome.lies > 0 && outcome.error.is_some());
            healed += usize::from(outcome.lies > 0 && outcome.error.is_none());
        }
        assert_eq!(told, enough, "{size} records");
    }
    println!("{told} scenarios with lies: {refused} refused, {healed} answered with the truth, 0 believed");
}

struct Outcome {
    lies: usize,
    error: Option<SumdbError>,
}

/// Perhaps a history, then a lookup through a liar.
async fn one_lie(world: &World, log: &Arc<Log>, dice: &mut Dice) -> Outcome {
    let size = log.size();
    world.server.repent();
    if dice.once_in(2) {
        world.server.log(|log| log.show(Some(1 + dice.below(size as usize) as u64)));
        let shown = world.server.log(|log| log.head().tree().size);
        world.database().lookup(&module(dice.below(shown as usize) as u64)).await.unwrap();
        world.server.log(|log| log.show(None));
    }
    let lies = Arc::new(AtomicUsize::new(0));
    world.server.tamper(liar(dice.clone(), Arc::clone(log), Arc::clone(&lies)));
    dice.bits();
    let database = world.database();
    let number = dice.below(size as usize) as u64;
    let answer = database.lookup(&module(number)).await;
    if let Ok(lines) = &answer {
        let text = log.record(number);
        let sum =
            |line: usize| H1::parse(text.lines().nth(line).unwrap().rsplit(' ').next().unwrap()).unwrap();
        assert_eq!((lines.zip, lines.go_mod), (sum(0), sum(1)), "believed a lie about {}", module(number));
    }
    check_error(&answer.as_ref().err());
    hand_on(&database, log, dice).await;
    Outcome { lies: lies.load(Ordering::SeqCst), error: answer.err() }
}

/// An honest database is never accused, whoever lies about it.
fn check_error(error: &Option<&SumdbError>) {
    if let Some(SumdbError::Misbehaving { evidence, .. }) = error {
        panic!("an honest database accused: {evidence}");
    }
}

/// A tile and the latest head, asked for through the same liar.
async fn hand_on(database: &Database, log: &Log, dice: &mut Dice) {
    let index = dice.below(1 + log.size() as usize / 256) as u64;
    if let Some(tile) = Tile::in_tree(0, index, log.size()) {
        match database.tile(tile).await {
            Ok(data) => assert_eq!(Some(data.to_vec()), log.tile(tile)),
            error => check_error(&error.as_ref().err()),
        }
    }
    if let Ok(note) = database.latest().await {
        // Not the bytes: of the last character of a signature, a few bits mean nothing.
        let head = SignedHead::open(&note, &log.verifier()).unwrap().tree();
        assert_eq!(head, log.tree_at(head.size));
    }
}

/// Changes every reply of a kind, or one in a few.
fn liar(
    mut dice: Dice,
    log: Arc<Log>,
    lies: Arc<AtomicUsize>,
) -> impl FnMut(&str, Reply) -> Reply + Send + 'static {
    let about =
        dice.pick(&["lookup/", "lookup/", "tile/8/0", "tile/8/", "tile/8/1", "latest", ""]).to_owned();
    let one_in = 1 + dice.below(2);
    move |request, honest| {
        let is_chosen = request != "supported" && request.starts_with(&about) && dice.once_in(one_in);
        let Reply::Content(content) = &honest else { return honest };
        if !is_chosen {
            return honest;
        }
        let lie = if request.starts_with("tile/") {
            false_tile(&mut dice, content.clone(), request, &log)
        } else {
            false_text(&mut dice, content, request, &log)
        };
        if lie != honest {
            lies.fetch_add(1, Ordering::SeqCst);
        }
        lie
    }
}

fn false_tile(dice: &mut Dice, mut data: Vec<u8>, request: &str, log: &Log) -> Reply {
    let at = dice.below(data.len());
    match dice.below(9) {
        0 => data.truncate(at),
        1 => data.extend([7; 32]),
        2 => data.clear(),
        3 => data[at / 32 * 32..at / 32 * 32 + 32].copy_from_slice(&Hash::of_record(b"forged").0),
        4 => return Reply::Refusal(404, "no such tile\n".to_owned()),
        5 => return Reply::CutShort(data),
        6 => data.rotate_left(32),
        7 => {
            // Another tile of the same log.
            let other = request.replacen("tile/8/0/000", "tile/8/0/001", 1);
            return log.answer(&other);
        }
        _ => data[at] ^= 1 << dice.below(8),
    }
    Reply::Content(data)
}

fn false_text(dice: &mut Dice, content: &[u8], request: &str, log: &Log) -> Reply {
    let text = String::from_utf8(content.to_vec()).unwrap();
    let (record, note) = text.split_once("\n\n").unwrap();
    let size = log.size();
    let stranger = Signer::from_seed(NAME, [9; 32]).unwrap();
    let changed = match (dice.below(10), record.split_once('\n')) {
        (0, _) => text.replacen("h1:", "h1:A", 1),
        (1, Some((_, lines))) => format!("{}\n{lines}\n\n{note}", dice.below(2 * size as usize + 2)),
        (2, _) if request.starts_with("lookup") => {
            return log.answer(&format!("lookup/example.com/m{}@v1.0.0", dice.below(size as usize)));
        }
        (3, _) => format!("{record}\n\nexample.com/m0 v1.0.0 h1:evil=\n{note}"),
        (4, _) => format!("{record}\n\n"),
        (5, _) => format!("{record}\n\n{}", log.tree_at(size).sign(&stranger).note()),
        (6, _) => text.replacen(&size.to_string(), &(size + 1).to_string(), 1),
        (7, _) => return Reply::Content(content[..dice.below(content.len())].to_vec()),
        (8, _) => return Reply::Content([content, &vec![b'a'; 70_000]].concat()),
        _ => {
            let mut bytes = content.to_vec();
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            return Reply::Content(bytes);
        }
    };
    Reply::Content(changed.into_bytes())
}

/// CVE-2026-56865: the 56 forgeries, by way of a proxy. Nothing is believed, nothing forged is kept.
#[tokio::test]
async fn cve_2026_56865_no_forged_tile_is_believed_or_kept() {
    let mut forged = 0;
    for size in [257, 300, 511, 512, 513, 700, 768, 1000, 1023, 1024, 3000, 65_535, 65_537, 70_000] {
        let mut world = World::of_modules(size);
        let log = world.server.log(|log| log.clone());
        for id in [0, 255, 256, size / 2] {
            world.store = empty_store();
            let evil = "example.com/evil v1.0.0 h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n\
                        example.com/evil v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n";
            let head = log.head();
            world.server.tamper(move |request, honest| {
                let leaf = format!("tile/8/0/{:03}", id / 256);
                match honest {
                    Reply::Refusal(..) if request.starts_with("lookup") => {
                        Reply::Content(format!("{id}\n{evil}\n{}", head.note()).into_bytes())
                    }
                    Reply::Content(mut data) if request.starts_with(&leaf) => {
                        let from = 32 * (id % 256) as usize;
                        data[from..from + 32].copy_from_slice(&Hash::of_record(evil.as_bytes()).0);
                        Reply::Content(data)
                    }
                    honest => honest,
                }
            });
            let module = modkeep_module::version::ModuleVersion::parse("example.com/evil", "v1.0.0").unwrap();
            let error = world.database().lookup(&module).await.unwrap_err();
            assert!(error.to_string().contains("downloaded inconsistent tile"), "{error}");
            world.check_that_only_truth_is_kept(&log).await;
            forged += 1;
        }
    }
    assert_eq!(forged, 56);
}

/// CVE-2026-42501: an authentic record about something else is no answer, and is not kept as one.
#[tokio::test]
async fn cve_2026_42501_an_answer_about_another_module_is_missing_the_checksum() {
    let world = World::of_modules(300);
    let log = world.server.log(|log| log.clone());
    world.server.tamper(move |request, honest| match request.starts_with("lookup/") {
        true => log.answer("lookup/example.com/m7@v1.0.0"),
        false => honest,
    });
    let error = world.database().lookup(&module(8)).await.unwrap_err();
    assert!(
        error.to_string().starts_with("checksum missing from sumdb response\n\nSECURITY ERROR\n"),
        "{error}"
    );
    assert!(matches!(error, SumdbError::Lines(_)) && !error.is_temporary());
    assert!(world.kept().await.iter().all(|(name, _)| !name.starts_with("record")));
}
