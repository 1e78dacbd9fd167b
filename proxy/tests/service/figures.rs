//! Figures of the service, printed and not judged: machines differ, and a busy one is no defect of ours.
//!
//! `cargo test -p modkeep-proxy --test service figures -- --nocapture`

use std::time::{Duration, Instant};

use modkeep_harness::checksumdb::Server;
use modkeep_harness::place::full_run;
use modkeep_harness::upstream::{Module, Reply, Tree};

use crate::verdicts::{honest, module};
use crate::world::{Wishes, World};

const FAR: Duration = Duration::from_millis(300);
const FILES: [&str; 4] = ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "list"];

/// How long the slowest of twenty clients of one cold file takes, in round trips to an upstream that is far.
fn slowest_of_twenty(world: &World, path: &str) -> f64 {
    world.upstream.change_all(|reply| reply.delayed(FAR));
    let times = std::thread::scope(|scope| {
        let ask = || {
            let begun = Instant::now();
            assert_eq!(world.get(path).status, 200);
            begun.elapsed()
        };
        let clients: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    world.upstream.heal();
    times.into_iter().max().unwrap().as_secs_f64() / FAR.as_secs_f64()
}

fn median_of(times: usize, mut act: impl FnMut()) -> Duration {
    let mut all: Vec<_> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            act();
            begun.elapsed()
        })
        .collect();
    all.sort();
    all[times / 2]
}

#[test]
fn twenty_clients_of_a_cold_file() {
    for file in FILES {
        let path = format!("/example.com/m/@v/{file}");
        let alone = World::new(Tree::default().with(module()));
        let trips = slowest_of_twenty(&alone, &path);
        assert_eq!(alone.upstream.count(""), 1, "requests for {file}");

        let database = Server::start(honest());
        let key = database.log(|log| log.verifier().to_string());
        let databases = vec![format!("{key} {}", database.url())];
        let world = World::with(Tree::default().with(module()), Wishes { databases, ..Wishes::default() });
        // A first lookup fetches the tiles that later ones need, too.
        world.get("/sumdb/sum.corp.example/go/lookup/example.com/m299@v1.0.0");
        database.delay(FAR);
        let proved = slowest_of_twenty(&world, &path);
        assert_eq!(world.upstream.count(""), 1, "requests for {file}");
        println!(
            "{file}: slowest of 20 cold clients {trips:.2} round trips, {proved:.2} with a database as far away"
        );
    }
}

#[test]
fn repeats_of_an_absence_cost_one_request() {
    let world = World::new(Tree::default());
    let repeats = if full_run() { 10_000 } else { 500 };
    let median = median_of(repeats, || assert_eq!(world.get("/example.com/none/@v/list").status, 404));
    assert_eq!(world.upstream.count(""), 1);
    println!(
        "{repeats} repeats of a 404: 1 upstream request, median {median:?} a request on a connection of its own"
    );
}

#[test]
fn a_known_list_of_an_upstream_that_is_gone() {
    for (name, failing) in [
        ("closes every connection", Reply::new(200).closed()),
        ("accepts and never answers", Reply::new(200).stalled()),
    ] {
        let world = World::with(Tree::default().with(module()), Wishes::default());
        let path = "/example.com/m/@v/list";
        let whole = world.get(path).body;
        world.upstream.reply_all(failing);
        world.clock.advance(Duration::from_secs(3600));
        let begun = Instant::now();
        let first = world.get(path);
        let first_took = begun.elapsed();
        let median = median_of(200, || {
            let answer = world.get(path);
            assert_eq!((answer.status, &answer.body), (200, &whole));
            assert!(answer.header("cache-status").unwrap().ends_with("detail=stale"));
        });
        assert_eq!(first.body, whole);
        println!(
            "upstream {name}: known list complete and stale, first {first_took:?}, then median {median:?}"
        );
    }
}

#[test]
fn the_first_byte_of_a_cold_zip() {
    let mut noise = vec![0; 8 << 20];
    let mut state = 1_u64;
    for byte in &mut noise {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (state >> 33) as u8;
    }
    let module = Module::new("example.com/big", "v1.0.0").file("noise.bin", noise);
    let world = World::new(Tree::default().with(module));
    let path = "/example.com/big/@v/v1.0.0.zip";
    world.upstream.change_all(|reply| reply.delayed(FAR));
    let begun = Instant::now();
    drop(world.begin(path, 1));
    let took = begun.elapsed();
    println!("first byte of a cold zip: {:?} after the upstream's", took.saturating_sub(FAR));
}
