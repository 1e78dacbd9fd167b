//! What a go command is given, which proves all of it again: here by a client of our own that keeps nothing but a head.

use modkeep_fetch::{Database, SumdbError};
use modkeep_harness::checksumdb::Reply;
use modkeep_module::sumdb::check::{Check, Proved};
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::sumdb::{SignedHead, Tile};
use modkeep_module::version::ModuleVersion;

use crate::{World, module};

/// What a go command does with a proxy: looks up, fetches the tiles, proves, remembers the head.
async fn prove_as_client(
    world: &World,
    database: &Database,
    module: &ModuleVersion,
    known: Option<&SignedHead>,
) -> Result<Proved, SumdbError> {
    let reply = database.served_lookup(module).await?;
    let check = Check::lookup(&reply, &world.verifier, known).map_err(SumdbError::Reply)?;
    let mut tiles = Vec::new();
    for &tile in check.tiles() {
        tiles.push(database.tile(tile).await?.to_vec());
    }
    let proved = check.finish(tiles).unwrap();
    let record = proved.record.clone().unwrap().unwrap();
    assert!(record.record().checksum(module.path.as_str(), module.version.as_str()).is_some());
    Ok(proved)
}

fn tile(path: &str) -> Tile {
    match TilePath::parse(path).unwrap() {
        TilePath::Hashes(tile) => tile,
        TilePath::Records { .. } => panic!("{path}"),
    }
}

/// Every record that was ever looked up can be proved with nobody to ask, however the log grew in between, by clients
/// that know nothing and by clients that know any head that was ever served.
#[tokio::test]
async fn all_kept_records_are_proved_offline_under_the_newest_head_for_clients_of_any_age() {
    let world = World::of_modules(1);
    let mut heads = Vec::new();
    let mut looked_up = Vec::new();
    let mut known = None;
    for size in
        [1, 2, 100, 255, 256, 257, 300, 511, 512, 600, 1000, 3000, 65_000, 65_536, 65_537, 70_000, 200_000]
    {
        world.server.log(|log| {
            for number in log.size()..size {
                log.add(&format!("example.com/m{number}"), "v1.0.0");
            }
        });
        for number in [size - 1, size / 2, size / 3] {
            let proved =
                prove_as_client(&world, &world.database(), &module(number), known.as_ref()).await.unwrap();
            known = Some(proved.head.clone());
            looked_up.push(number);
        }
        heads.push(known.clone());
    }
    let database = world.offline();
    world.server.tamper(|request, _| panic!("asked for {request} while offline"));
    let before = world.kept().await.len();
    for known in std::iter::once(&None).chain(&heads) {
        for &number in &looked_up {
            let proved = prove_as_client(&world, &database, &module(number), known.as_ref()).await.unwrap();
            assert_eq!(proved.head.tree().size, 200_000);
        }
    }
    assert_eq!(world.kept().await.len(), before);
}

#[tokio::test]
async fn offline_the_unknown_is_refused_and_the_known_head_stays() {
    let world = World::of_modules(300);
    let error = world.offline().latest().await.unwrap_err();
    assert!(matches!(error, SumdbError::Offline));
    world.database().lookup(&module(7)).await.unwrap();
    let database = world.offline();
    assert!(matches!(database.lookup(&module(8)).await, Err(SumdbError::Offline)));
    assert!(matches!(database.served_lookup(&module(8)).await, Err(SumdbError::Offline)));
    let error = database.tile(tile("tile/8/0/001.p/45")).await.unwrap_err();
    assert!(matches!(error, SumdbError::Offline), "{error}");
    world.pass(1_000_000);
    assert_eq!(database.latest().await.unwrap(), world.head().await.unwrap().note());
    assert_eq!(database.tile(tile("tile/8/0/001.p/44")).await.unwrap().len(), 44 * 32);
}

#[tokio::test]
async fn a_tile_is_served_in_every_width_up_to_the_newest_tree() {
    let world = World::of_modules(300);
    let database = world.database();
    database.lookup(&module(7)).await.unwrap();
    world.server.take_requests();
    for width in 1..=43 {
        let tile = tile(&format!("tile/8/0/001.p/{width}"));
        let data = database.tile(tile).await.unwrap();
        assert_eq!(Some(data.to_vec()), world.server.log(|log| log.tile(tile)));
    }
    assert_eq!(world.server.take_requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_tile_that_was_never_needed_is_fetched_proved_and_kept() {
    let world = World::of_modules(70_000);
    let database = world.database();
    database.lookup(&module(7)).await.unwrap();
    for path in ["tile/8/0/100", "tile/8/0/200.p/17", "tile/8/1/001.p/3"] {
        let data = database.tile(tile(path)).await.unwrap();
        assert_eq!(Some(data.to_vec()), world.server.log(|log| log.tile(tile(path))));
    }
    world.server.take_requests();
    assert_eq!(world.offline().tile(tile("tile/8/0/200")).await.unwrap().len(), 8192);
    let log = world.server.log(|log| log.clone());
    world.check_that_only_truth_is_kept(&log).await;

    world.server.tamper(|request, reply| match reply {
        Reply::Content(mut content) if request == "tile/8/0/150" => {
            content[77] ^= 1;
            Reply::Content(content)
        }
        reply => reply,
    });
    let error = database.tile(tile("tile/8/0/150")).await.unwrap_err();
    assert_eq!(error.to_string(), "downloaded inconsistent tile");
    assert!(matches!(world.offline().tile(tile("tile/8/0/150")).await, Err(SumdbError::Offline)));
}

#[tokio::test]
async fn a_tile_beyond_our_head_makes_us_look_for_a_newer_one() {
    let world = World::of_modules(300);
    let database = world.database();
    database.lookup(&module(7)).await.unwrap();
    world.server.log(|log| {
        for number in 300..400 {
            log.add(&format!("example.com/m{number}"), "v1.0.0");
        }
    });
    let data = database.tile(tile("tile/8/0/001.p/144")).await.unwrap();
    assert_eq!(data.len(), 144 * 32);
    assert_eq!(world.head().await.unwrap().tree().size, 400);
    let error = database.tile(tile("tile/8/0/001.p/145")).await.unwrap_err();
    assert_eq!(error.to_string(), "tile/8/0/001.p/145 is not in the tree of 400 records");
    assert!(matches!(error, SumdbError::Beyond { .. }));
}

#[tokio::test]
async fn the_latest_head_is_asked_for_once_a_minute_and_served_when_nobody_answers() {
    let world = World::of_modules(300);
    let database = world.database();
    let note = |size| world.server.log(|log| log.head_at(size).note().to_owned());
    assert_eq!(database.latest().await.unwrap(), note(300));
    world.server.log(|log| log.add("example.com/m300", "v1.0.0"));
    world.pass(59);
    assert_eq!(database.latest().await.unwrap(), note(300));
    world.pass(1);
    assert_eq!(database.latest().await.unwrap(), note(301));
    world.pass(100);
    world.server.tamper(|_, _| Reply::Refusal(500, String::new()));
    assert_eq!(database.latest().await.unwrap(), note(301));
}

#[tokio::test]
async fn a_narrow_tile_that_is_full_by_now_is_read_from_the_full_one() {
    let world = World::of_modules(300);
    world.server.tamper(|request, reply| match request {
        "tile/8/0/001.p/44" => Reply::Refusal(404, "only full tiles\n".to_owned()),
        _ => reply,
    });
    world.server.log(|log| {
        for number in 300..512 {
            log.add(&format!("example.com/m{number}"), "v1.0.0");
        }
        log.show(Some(300));
    });
    world.database().lookup(&module(7)).await.unwrap();
    assert!(world.server.take_requests().contains(&"tile/8/0/001".to_owned()));
}

#[tokio::test]
async fn another_replica_s_head_is_seen_before_anybody_is_asked() {
    let world = World::of_modules(300);
    let (first, second) = (world.database(), world.database());
    first.lookup(&module(7)).await.unwrap();
    second.lookup(&module(8)).await.unwrap();
    world.server.log(|log| {
        for number in 300..400 {
            log.add(&format!("example.com/m{number}"), "v1.0.0");
        }
    });
    second.lookup(&module(9)).await.unwrap();
    world.server.take_requests();
    first.tile(tile("tile/8/0/001.p/144")).await.unwrap();
    assert_eq!(world.server.take_requests(), Vec::<String>::new());
    // Its own idea of the head was behind the store's, and is proved again against that.
    world.server.log(|log| log.add("example.com/m400", "v1.0.0"));
    let (third, fourth) = (world.database(), world.database());
    third.lookup(&module(10)).await.unwrap();
    fourth.lookup(&module(11)).await.unwrap();
    first.lookup(&module(12)).await.unwrap();
    assert_eq!(world.head().await.unwrap().tree().size, 401);
}
