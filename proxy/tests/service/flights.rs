//! Many clients, one cold file.

use std::io::Read;
use std::time::Duration;

use modkeep_harness::upstream::{Gate, Module, Tree};

use crate::world::World;

const ZIP: &str = "/example.com/big/@v/v1.0.0.zip";
/// Larger than what is held back, and than what sockets buffer.
const SIZE: usize = 24 << 20;

/// Content that doesn't compress.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(size);
    while noise.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(size);
    noise
}

fn big() -> Module {
    Module::new("example.com/big", "v1.0.0").file("noise.bin", noise(SIZE))
}

fn zip_of(world: &World) -> Vec<u8> {
    modkeep_harness::http::get(&format!("{}{ZIP}", world.upstream.url())).unwrap().body
}

#[test]
fn twenty_cold_clients_cost_one_request_a_file() {
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let world = World::new(Tree::default().with(module));
    for file in ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "list"] {
        let path = format!("/example.com/m/@v/{file}");
        let gate = Gate::default();
        let hold = gate.clone();
        world.upstream.change(&path, move |reply| reply.held(&hold));
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..20).map(|_| scope.spawn(|| world.get(&path).status)).collect();
            world.upstream.wait_for(|request| request.path == path);
            gate.open();
            for client in clients {
                assert_eq!(client.join().unwrap(), 200);
            }
        });
        assert_eq!(world.upstream.count(file), 1, "{file}");
    }
}

#[test]
fn a_cold_zip_streams_and_its_end_waits_for_the_verdict() {
    let world = World::new(Tree::default().with(big()));
    let whole = zip_of(&world);
    let gate = Gate::default();
    let hold = gate.clone();
    let held_after = whole.len() as u64 - 10;
    world.upstream.change(ZIP, move |reply| reply.held_after(held_after, &hold));
    let (mut stream, begun) = world.begin(ZIP, whole.len() - 256 * 1024);
    assert!(begun.starts_with(b"HTTP/1.1 200 OK\r\n"));
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut rest = Vec::new();
    let stalled = stream.read_to_end(&mut rest);
    assert!(stalled.is_err(), "the end came before the verdict could be there");
    gate.open();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.read_to_end(&mut rest).unwrap();
    let answer = [begun, rest].concat();
    assert!(answer.ends_with(&whole), "{} bytes of {}", answer.len(), whole.len());
}

#[test]
fn the_first_client_may_hang_up() {
    let world = World::new(Tree::default().with(big()));
    let whole = zip_of(&world);
    world.upstream.forget();
    let gate = Gate::default();
    let hold = gate.clone();
    world.upstream.change(ZIP, move |reply| reply.held_after(1 << 20, &hold));
    let (first, _) = world.begin(ZIP, 1000);
    let (mut second, begun) = world.begin(ZIP, 1000);
    drop(first);
    gate.open();
    let mut rest = Vec::new();
    second.read_to_end(&mut rest).unwrap();
    assert!([begun, rest].concat().ends_with(&whole));
    assert_eq!(world.get(ZIP).body.len(), whole.len());
    assert_eq!(world.upstream.count(".zip"), 1);
}

#[test]
fn a_flight_goes_on_when_all_have_hung_up() {
    let world = World::new(Tree::default().with(big()));
    let whole = zip_of(&world);
    world.upstream.forget();
    let gate = Gate::default();
    let hold = gate.clone();
    world.upstream.change(ZIP, move |reply| reply.held_after(1 << 20, &hold));
    drop(world.begin(ZIP, 1000));
    gate.open();
    assert_eq!(world.get(ZIP).body, whole);
    assert_eq!(world.upstream.count(".zip"), 1);
}

#[test]
fn a_refused_zip_ends_short_for_those_who_began_to_read_it() {
    let world = World::new(Tree::default());
    // Right in length and form until the last entry.
    world.upstream.put(ZIP, Module::new("example.com/big", "v1.0.0").file("noise?.bin", noise(SIZE)).zip());
    let whole = zip_of(&world);
    let (mut stream, begun) = world.begin(ZIP, 1000);
    assert!(begun.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let mut rest = Vec::new();
    // The end of a broken stream is an end or a reset, as the sockets have it.
    let _ = stream.read_to_end(&mut rest);
    assert!(begun.len() + rest.len() < whole.len() - 22, "the end of a refused zip came through");
    let answer = world.get(ZIP);
    assert_eq!(answer.status, 403);
    assert_eq!(world.metric("modkeep_broken_streams_total"), Some(1.0));
    assert_eq!(world.metric("modkeep_verdicts_total{kind=\"zip\",verdict=\"refused\"}"), Some(1.0));
}

#[test]
fn an_upstream_that_breaks_off_leaves_nothing() {
    let world = World::new(Tree::default().with(big()));
    let whole = zip_of(&world);
    world.upstream.change(ZIP, move |reply| reply.cut_after(2 << 20));
    let (mut stream, begun) = world.begin(ZIP, 1000);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(begun.len() + rest.len() < whole.len());
    world.upstream.heal();
    assert_eq!(world.get(ZIP).body, whole);
}

#[test]
fn a_graceful_stop_finishes_what_is_in_flight() {
    let mut world = World::new(Tree::default().with(big()));
    let whole = zip_of(&world);
    let gate = Gate::default();
    let hold = gate.clone();
    world.upstream.change(ZIP, move |reply| reply.held_after(1 << 20, &hold));
    let (mut stream, begun) = world.begin(ZIP, 1000);
    let client = std::thread::spawn(move || {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    let opener = std::thread::spawn(move || gate.open());
    world.stop();
    opener.join().unwrap();
    assert!([begun, client.join().unwrap()].concat().ends_with(&whole));
}
