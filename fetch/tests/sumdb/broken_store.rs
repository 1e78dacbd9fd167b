//! A store that breaks, and callers that give up, at every point of a lookup: nothing false is kept, nothing is said to be kept
//! that is not, the head never moves back, and the next attempt succeeds.

use std::time::Duration;

use modkeep_fetch::{Database, SumdbError};
use modkeep_module::sumdb::Lines;
use modkeep_module::sumdb::check::Check;
use modkeep_store::{Fault, Plan};

use crate::{World, empty_store, module};

/// Without a step of the store for so long, a caller gives up. Being wrong about it is giving up too early, which must
/// be as harmless.
const PATIENCE: Duration = Duration::from_millis(40);

/// Breaks each point of a lookup in turn, in a store with and without a history.
async fn break_each_point(fault: Fault) {
    let mut world = World::of_modules(700);
    let log = world.server.log(|log| log.clone());
    let mut struck = 0;
    for known in [None, Some(300), Some(699)] {
        for point in 0.. {
            world.store = empty_store();
            let mut head = 0;
            if let Some(known) = known {
                world.server.log(|log| log.show(Some(known)));
                world.database().lookup(&module(7)).await.unwrap();
                world.server.log(|log| log.show(None));
                head = known;
            }
            let database = world.database();
            let first = world.store.points();
            world.store.set_plan(Plan::Once(first + point, fault));
            let wanted = module(511);
            let answer = tokio::select! {
                answer = database.lookup(&wanted) => Some(answer),
                () = stalled(&world, first + point) => None,
            };
            let was_reached = world.store.points() > first + point;
            world.store.set_plan(Plan::Whole);
            if !was_reached {
                answer.unwrap().unwrap();
                break;
            }
            struck += 1;
            check_afterwards(&world, &database, head, answer).await;
            world.check_that_only_truth_is_kept(&log).await;
        }
    }
    assert!(struck > 20, "{struck} points of {fault:?}");
}

/// Returns when the store passed a point and nothing more happens.
async fn stalled(world: &World, point: u64) {
    let mut before = 0;
    loop {
        let points = world.store.points();
        if points > point && points == before {
            return;
        }
        before = points;
        tokio::time::sleep(PATIENCE).await;
    }
}

async fn check_afterwards(
    world: &World,
    database: &Database,
    head: u64,
    answer: Option<Result<Lines, SumdbError>>,
) {
    let size = world.head().await.map_or(0, |head| head.tree().size);
    assert!(size >= head, "the head moved back");
    // Whatever is kept can be proved with nobody to ask, under whatever head is kept.
    prove_offline(world, 7, head > 0).await;
    prove_offline(world, 511, matches!(answer, Some(Ok(_)))).await;
    // The process that met the fault goes on, and so does the next.
    database.lookup(&module(511)).await.unwrap();
    world.database().lookup(&module(512)).await.unwrap();
    prove_offline(world, 511, true).await;
}

async fn prove_offline(world: &World, number: u64, is_promised: bool) {
    let database = world.offline();
    let reply = match database.served_lookup(&module(number)).await {
        Err(SumdbError::Offline) if !is_promised => return,
        reply => reply.unwrap(),
    };
    let check = Check::lookup(&reply, &world.verifier, None).unwrap();
    let mut tiles = Vec::new();
    for &tile in check.tiles() {
        tiles.push(database.tile(tile).await.unwrap().to_vec());
    }
    check.finish(tiles).unwrap().record.unwrap().unwrap();
}

#[tokio::test]
async fn a_store_that_fails_before_it_writes() {
    break_each_point(Fault::Before).await;
}

#[tokio::test]
async fn a_store_that_writes_and_says_that_it_does_not_know() {
    break_each_point(Fault::After).await;
}

#[tokio::test]
async fn a_store_that_turns_a_bit_when_read() {
    break_each_point(Fault::Flip).await;
}

#[tokio::test]
async fn a_store_that_reads_short() {
    break_each_point(Fault::Short).await;
}

#[tokio::test]
async fn a_caller_who_gives_up_while_the_store_stalls() {
    break_each_point(Fault::Stall).await;
}
