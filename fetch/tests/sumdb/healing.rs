//! Kept things that rotted, or that another hand wrote: found, fetched again, and never the reason to accuse anybody.

use bytes::Bytes;
use modkeep_fetch::SumdbError;
use modkeep_harness::checksumdb::Reply;
use modkeep_module::sumdb::Hash;
use modkeep_store::{Put, Store, Swap};

use crate::{World, module};

/// Overwrites a value or cell, sealed as the real thing is.
async fn plant(world: &World, name: &str, content: &[u8]) {
    let sealed: Bytes = [&Hash::of_record(content).0, content].concat().into();
    plant_raw(world, name, sealed).await;
}

async fn plant_raw(world: &World, name: &str, value: Bytes) {
    let key = world.key(name);
    if let Some(cell) = world.store.cell(&key).await.unwrap() {
        let swap = world.store.swap(&key, Some(&cell.revision), value).await.unwrap();
        assert!(matches!(swap, Swap::Done(_)));
        return;
    }
    world.store.remove(&key).await.unwrap();
    assert_eq!(world.store.put_if_absent(&key, value).await.unwrap(), Put::Created);
}

async fn plant_all_tiles(world: &World, change: impl Fn(Vec<u8>) -> Vec<u8>) -> usize {
    let mut planted = 0;
    for (name, value) in world.kept().await {
        if name.starts_with("tile/") || name.starts_with("edge/") {
            plant(world, &name, &change(value[Hash::SIZE..].to_vec())).await;
            planted += 1;
        }
    }
    planted
}

#[tokio::test]
async fn rotten_tiles_are_fetched_again_and_mended() {
    let world = World::of_modules(70_000);
    let log = world.server.log(|log| log.clone());
    for seed in 0..6_usize {
        world.database().lookup(&module(7)).await.unwrap();
        let planted = plant_all_tiles(&world, |mut data| {
            let at = (seed * 7919) % data.len();
            data[at] ^= 1;
            data
        })
        .await;
        assert!(planted >= 4);
        world.database().lookup(&module(8 + seed as u64)).await.unwrap();
        world.check_that_only_truth_is_kept(&log).await;
    }
}

#[tokio::test]
async fn damaged_seals_count_as_absence() {
    let world = World::of_modules(1000);
    let log = world.server.log(|log| log.clone());
    world.database().lookup(&module(7)).await.unwrap();
    for (name, value) in world.kept().await {
        if !name.starts_with("head") {
            let mut value = value;
            let last = value.len() - 1;
            value[last] ^= 0x80;
            plant_raw(&world, &name, value.into()).await;
        }
    }
    assert!(matches!(world.offline().lookup(&module(7)).await, Err(SumdbError::Offline)));
    world.database().lookup(&module(7)).await.unwrap();
    world.check_that_only_truth_is_kept(&log).await;
}

#[tokio::test]
async fn good_tiles_are_not_given_up_for_bad_ones_from_a_liar() {
    let world = World::of_modules(70_000);
    let log = world.server.log(|log| log.clone());
    world.database().lookup(&module(7)).await.unwrap();
    let before = world.kept().await;
    world.server.log(|log| log.add("example.com/m70000", "v1.0.0"));
    world.server.tamper(|request, reply| match reply {
        Reply::Content(content) if request.starts_with("tile/") => Reply::Content(vec![7; content.len()]),
        reply => reply,
    });
    for number in [7, 8, 300, 69_999] {
        let answer = world.database().lookup(&module(number)).await;
        assert_eq!(answer.is_ok(), number == 7, "{number}");
    }
    let now: Vec<_> = world.kept().await.into_iter().filter(|(name, _)| !name.starts_with("doubt")).collect();
    assert_eq!(now, before);
    world.check_that_only_truth_is_kept(&log).await;
}

#[tokio::test]
async fn a_head_that_rotted_is_said_and_not_replaced() {
    let world = World::of_modules(300);
    world.database().lookup(&module(7)).await.unwrap();
    plant_raw(&world, "head", Bytes::from_static(b"0\nnothing")).await;
    let error = world.database().lookup(&module(8)).await.unwrap_err();
    assert_eq!(error.to_string(), "reading tree note: malformed note\nnote:\nnothing");
    assert!(matches!(error, SumdbError::Head(_)));
}
