//! Databases that tell two stories: found at the first contact, with the proof kept, and no story but the first goes on.
//!
//! Random histories with restarts in between, each ended by an attack: 200, 2 000 in a full run.

use modkeep_fetch::SumdbError;
use modkeep_harness::checksumdb::{Log, Reply};
use modkeep_harness::dice::Dice;
use modkeep_harness::place::full_run;
use modkeep_module::sumdb::note::{Signer, Verifier};
use modkeep_module::sumdb::tlog::proof::check_tree;
use modkeep_module::sumdb::{Hash, SignedHead, Tile};
use modkeep_module::version::ModuleVersion;
use modkeep_store::{Store, Swap};

use crate::{NAME, World, empty_store, module};

fn grow(log: &mut Log, by: u64, prefix: &str) {
    for _ in 0..by {
        let path = format!("example.com/{prefix}{}", log.size());
        log.add(&path, "v1.0.0");
    }
}

/// Reads the evidence as somebody who trusts nobody would: both heads are signed, the proof ties the root it names to
/// the newer head, and the older head has another.
fn check_evidence(evidence: &str, verifier: &Verifier) {
    let rest =
        evidence.strip_prefix("SECURITY ERROR\ngo.sum database server misbehavior detected!\n\n").unwrap();
    let (old, rest) =
        rest.strip_prefix("old database:\n\t").unwrap().split_once("\nnew database:\n\t").unwrap();
    let (new, proof) = rest.split_once("\nproof of misbehavior:\n\t").unwrap();
    let head = |text: &str| SignedHead::open(text.replace("\n\t", "\n").as_bytes(), verifier).unwrap().tree();
    let (older, newer) = (head(old), head(new));
    let hashes: Vec<Hash> = proof.split("\n\t").map(|line| Hash::parse(line).unwrap()).collect();
    assert_ne!(hashes[0], older.root);
    assert_eq!(check_tree(&hashes[1..], newer.size, newer.root, older.size, hashes[0]), Ok(()));
}

/// How an attack ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
enum Found {
    /// The evidence is kept, the head frozen.
    Convicted,
    /// The database could not show that its older head is of our history. Both heads are kept, nothing is believed.
    Doubted,
    /// The head is not signed by its key.
    Unsigned,
}

#[tokio::test]
async fn every_attack_on_history_is_found_at_first_contact() {
    let mut dice = Dice::of("every_attack_on_history_is_found_at_first_contact");
    let scenarios = if full_run() { 2_000 } else { 200 };
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..scenarios {
        *counts.entry(one_scenario(&mut dice).await).or_insert(0) += 1;
    }
    println!("{scenarios} attacks: {counts:?}");
    assert!(counts[&Found::Convicted] * 2 > scenarios, "{counts:?}");
}

async fn one_scenario(dice: &mut Dice) -> Found {
    let world = World::of_modules(1 + dice.below(300) as u64);
    let looked_up = live_honestly(&world, dice).await;
    let known = world.head().await.unwrap();
    match dice.below(8) {
        0 => swap_key(&world, &known).await,
        attack => fork(&world, dice, &known, attack, looked_up).await,
    }
}

/// A few lookups, new records, stale heads and restarts, all in order. Answers with a module that was looked up.
async fn live_honestly(world: &World, dice: &mut Dice) -> u64 {
    let mut database = world.database();
    let mut largest = 0;
    let mut looked_up = 0;
    for _ in 0..1 + dice.below(6) {
        let size = world.server.log(|log| log.size());
        match dice.below(4) {
            0 => world.server.log(|log| grow(log, 1 + dice.below(300) as u64, "m")),
            1 => world.server.log(|log| log.show(Some(1 + dice.below(size as usize) as u64))),
            2 => database = world.database(),
            _ => world.pass(dice.below(7200) as u64),
        }
        let shown = world.server.log(|log| log.head().tree().size);
        looked_up = dice.below(shown as usize) as u64;
        database.lookup(&module(looked_up)).await.unwrap();
        world.server.log(|log| log.show(None));
        let kept = world.head().await.unwrap().tree().size;
        largest = largest.max(shown);
        // A record that was kept before needs no contact, so the head may lag behind what is shown.
        assert!(kept <= largest);
    }
    looked_up
}

/// Another key under the same name signs.
async fn swap_key(world: &World, known: &SignedHead) -> Found {
    world.server.log(|log| {
        grow(log, 1, "m");
        log.sign_with(Signer::from_seed(NAME, [2; 32]).unwrap());
    });
    let newest = world.server.log(|log| log.size()) - 1;
    for _ in 0..2 {
        let error = world.database().lookup(&module(newest)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("reading tree note: note has no verifiable signatures\nnote:\n"), "{text}");
        assert_eq!(world.head().await.as_ref(), Some(known));
        assert_eq!(world.evidence().await, None);
    }
    Found::Unsigned
}

/// The log as it was at some size goes on otherwise, to a size below, at or above the known one; tiles are of the new
/// story.
async fn fork(world: &World, dice: &mut Dice, known: &SignedHead, attack: usize, looked_up: u64) -> Found {
    let size = known.tree().size;
    let common = dice.below(size.min(513) as usize) as u64;
    let shown = match attack {
        1 => size,
        2 => common + 1 + dice.below((size - common) as usize) as u64,
        3 => size + 1,
        _ => size + 1 + dice.below(400) as u64,
    };
    let honest = world.server.log(|log| {
        let honest = log.clone();
        *log = honest.at(common);
        grow(log, shown - common, "other");
        honest
    });
    let error = world.database().lookup(&other(common)).await.unwrap_err();
    assert_eq!(world.head().await.as_ref(), Some(known), "the head moved");
    let found = match &error {
        SumdbError::Misbehaving { evidence, .. } => {
            check_evidence(evidence, &world.verifier);
            assert_eq!(world.evidence().await.as_deref(), Some(&**evidence));
            Found::Convicted
        }
        SumdbError::Inconsistent(_) => {
            assert!(shown < size, "{error}: {common} common, {shown} shown, {size} known");
            let doubts = world.kept().await;
            let doubt = doubts.iter().find(|(name, _)| name.starts_with("doubt/")).unwrap();
            let text = String::from_utf8(doubt.1.clone()).unwrap();
            assert!(text.contains(known.note()) && text.contains(world.server.log(|log| log.head()).note()));
            Found::Doubted
        }
        error => panic!("{error}"),
    };
    after_the_attack(world, found, known, honest, looked_up).await;
    found
}

/// What was proved is still served; nothing new is believed, by this process or the next, until the evidence is looked at.
async fn after_the_attack(world: &World, found: Found, known: &SignedHead, honest: Log, looked_up: u64) {
    let database = world.database();
    database.lookup(&module(looked_up)).await.unwrap();
    database.served_lookup(&module(looked_up)).await.unwrap();
    assert_eq!(database.latest().await.unwrap(), known.note());
    world.server.log(|log| *log = honest);
    world.server.log(|log| grow(log, 1, "m"));
    let newest = world.server.log(|log| log.size()) - 1;
    let answer = database.lookup(&module(newest)).await;
    let status = database.status().await.unwrap();
    match found {
        Found::Convicted => {
            assert!(matches!(answer, Err(SumdbError::Misbehaving { .. })), "{answer:?}");
            assert!(status.is_frozen);
            assert_eq!(world.head().await.as_ref(), Some(known));
        }
        _ => {
            answer.unwrap();
            assert!(!status.is_frozen);
        }
    }
}

fn other(number: u64) -> ModuleVersion {
    ModuleVersion::parse(&format!("example.com/other{number}"), "v1.0.0").unwrap()
}

#[tokio::test]
async fn two_replicas_that_are_told_two_stories_find_out_through_their_store() {
    let world = World::of_modules(300);
    let (first, second) = (world.database(), world.database());
    first.lookup(&module(7)).await.unwrap();
    second.lookup(&module(8)).await.unwrap();
    world.server.log(|log| grow(log, 50, "m"));
    first.lookup(&module(349)).await.unwrap();
    world.server.log(|log| {
        *log = log.at(310);
        grow(log, 30, "other");
    });
    // The second has seen the head of 300 records only, which both stories extend.
    let error = second.lookup(&other(320)).await.unwrap_err();
    check_evidence(error.evidence().unwrap(), &world.verifier);
    assert_eq!(world.head().await.unwrap().tree().size, 350);
    // What one replica found out stops the other before it asks anybody.
    world.server.take_requests();
    assert!(first.lookup(&module(9)).await.unwrap_err().evidence().is_some());
    assert!(!world.server.take_requests().iter().any(|request| request.starts_with("tile")));
}

/// The head moves while a reply of the other story is on its way: what that reply proves must not displace what convicts
/// it.
#[tokio::test]
async fn a_story_that_loses_the_race_for_the_head_is_convicted() {
    let mut world = World::of_modules(300);
    let database = world.database();
    database.lookup(&module(8)).await.unwrap();
    world.server.log(|log| grow(log, 50, "m"));
    let honest = world.server.log(|log| log.clone());

    // What another replica is going to write, made in a store of its own.
    let shared = std::mem::replace(&mut world.store, empty_store());
    world.database().lookup(&module(349)).await.unwrap();
    let written = world.kept().await;
    world.store = shared;

    world.server.log(|log| {
        *log = log.at(310);
        grow(log, 30, "other");
    });
    let (asked, is_asked) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    world.server.tamper(move |request, honest| {
        if request.starts_with("lookup") {
            asked.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
        honest
    });
    let answer = tokio::spawn(async move { database.lookup(&other(320)).await });
    tokio::task::spawn_blocking(move || is_asked.recv().unwrap()).await.unwrap();
    for (name, value) in written {
        write_as_replica(&world, &name, value).await;
    }
    go_on.send(()).unwrap();

    let error = answer.await.unwrap().unwrap_err();
    check_evidence(error.evidence().unwrap(), &world.verifier);
    assert_eq!(world.head().await.unwrap().tree().size, 350);
    for (name, value) in world.kept().await {
        assert!(!name.contains("other"), "{name}");
        if name.starts_with("edge/8/0/001") {
            assert_eq!(value[Hash::SIZE..], honest.tile(Tile::in_tree(0, 1, 350).unwrap()).unwrap());
        }
    }
}

async fn write_as_replica(world: &World, name: &str, value: Vec<u8>) {
    let key = world.key(name);
    if name == "head" || name.starts_with("edge/") {
        let cell = world.store.cell(&key).await.unwrap();
        let revision = cell.as_ref().map(|cell| &cell.revision);
        assert!(matches!(world.store.swap(&key, revision, value.into()).await.unwrap(), Swap::Done(_)));
    } else {
        world.store.put_if_absent(&key, value.into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_frozen_database_is_trusted_again_when_the_evidence_is_removed() {
    let world = World::of_modules(300);
    world.database().lookup(&module(7)).await.unwrap();
    let honest = world.server.log(|log| log.clone());
    world.server.log(|log| {
        *log = log.at(100);
        grow(log, 300, "other");
    });
    assert!(world.database().lookup(&module(8)).await.unwrap_err().evidence().is_some());
    world.server.log(|log| *log = honest);
    assert!(world.database().lookup(&module(8)).await.unwrap_err().evidence().is_some());
    world.store.remove(&world.key("fork")).await.unwrap();
    world.database().lookup(&module(8)).await.unwrap();
}

#[tokio::test]
async fn the_history_of_heads_is_kept_by_the_hour() {
    let world = World::of_modules(10);
    for hour in 0..5 {
        for _ in 0..3 {
            world.server.log(|log| grow(log, 1, "m"));
            let newest = world.server.log(|log| log.size()) - 1;
            world.database().lookup(&module(newest)).await.unwrap();
        }
        let heads = world.kept().await.into_iter().filter(|(name, _)| name.starts_with("heads/")).count();
        assert_eq!(heads, hour + 1);
        world.pass(3600);
    }
    let log = world.server.log(|log| log.clone());
    world.check_that_only_truth_is_kept(&log).await;
}

#[tokio::test]
async fn a_database_that_shows_a_newer_head_and_no_tiles_is_not_believed() {
    let world = World::of_modules(300);
    world.database().lookup(&module(7)).await.unwrap();
    let known = world.head().await.unwrap();
    world.server.log(|log| grow(log, 300, "m"));
    world.server.tamper(|request, honest| match request.starts_with("tile/") {
        true => Reply::Refusal(404, "no tiles\n".to_owned()),
        false => honest,
    });
    let error = world.database().lookup(&module(8)).await.unwrap_err();
    assert!(matches!(error, SumdbError::Inconsistent(_)), "{error}");
    assert_eq!(world.head().await, Some(known));
}

/// With nothing kept of what lies between, nobody can prove or disprove an older head but the database itself. Not doing so is
/// no proof against it, and enough not to believe it.
#[tokio::test]
async fn an_older_head_that_the_database_does_not_reconcile_is_doubted() {
    let world = World::of_modules(10_000);
    world.database().lookup(&module(9_999)).await.unwrap();
    let known = world.head().await.unwrap();
    let honest = world.server.log(|log| log.clone());
    world.server.log(|log| {
        *log = log.at(3_000);
        grow(log, 2_000, "other");
    });
    for number in [0, 1, 2] {
        let error = world.database().lookup(&module(number)).await.unwrap_err();
        assert!(matches!(error, SumdbError::Inconsistent(_)), "{error}");
        assert_eq!(world.head().await.as_ref(), Some(&known));
    }
    let doubts: Vec<_> =
        world.kept().await.into_iter().filter(|(name, _)| name.starts_with("doubt/")).collect();
    assert_eq!(doubts.len(), 1, "one is kept an hour");
    let text = String::from_utf8(doubts[0].1.clone()).unwrap();
    assert!(
        text.contains(known.note()) && text.contains(world.server.log(|log| log.head()).note()),
        "{text}"
    );
    world.server.log(|log| *log = honest);
    world.database().lookup(&module(1)).await.unwrap();
}
