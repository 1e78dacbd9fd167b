//! Clients of HTTP/2 that send much and ask for little: their connections end, memory stays, others are served.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use modkeep_harness::http;
use modkeep_harness::place::full_run;

use crate::frames;
use crate::server::{Over, SMALL, Server, get, run};

/// Growth of the server's memory that an allocator may keep, in bytes.
const SLACK: u64 = 24 << 20;

/// Bytes that one connection tries to send; more than the system's buffers hold.
const FLOOD: usize = 32 << 20;

/// How a flood ended.
struct End {
    /// Bytes that were sent until the server hung up.
    sent: usize,
}

/// Opens a connection of HTTP/2 and sends what `next` gives, until the server ends it or all is sent. What the server
/// says is read and forgotten.
fn flood(server: &Server, mut next: impl FnMut() -> Vec<u8>) -> End {
    let (address, _) = http::split(server.modkeep.url());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut heard = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || drop(io::copy(&mut heard, &mut io::sink())));
    let mut sent = 0;
    let mut batch = [frames::PREFACE, &frames::settings(), &frames::settings_ack()].concat();
    while sent < FLOOD && stream.write_all(&batch).is_ok() {
        sent += batch.len();
        batch.clear();
        while batch.len() < 16 << 10 {
            batch.extend(next());
        }
    }
    // It fails where the server has hung up.
    let _ = stream.shutdown(Shutdown::Both);
    reader.join().unwrap();
    End { sent }
}

#[test]
fn a_flood_ends_with_its_connection_and_leaves_memory_flat() {
    let server = Server::start(false, &[]);
    let rounds = if full_run() { 40 } else { 4 };
    run(get(&server.client(Over::PlainHttp2), &server.url(SMALL))).unwrap();
    let mut streams = (1..).step_by(2);
    let mut rapid_reset = || {
        let stream = streams.next().unwrap();
        [frames::get(stream, SMALL), frames::reset(stream)].concat()
    };
    let mut is_begun = false;
    let mut continuation = || {
        let frame = if is_begun { frames::continuation(1) } else { frames::begin(1, SMALL) };
        is_begun = true;
        frame
    };
    let before = server.resident();
    for round in 0..rounds {
        let end = flood(&server, &mut rapid_reset);
        assert!(end.sent < FLOOD, "resets, round {round}: {} bytes were taken", end.sent);
        for (name, frame) in [("pings", frames::ping()), ("settings", frames::settings())] {
            let end = flood(&server, || frame.clone());
            assert!(end.sent < FLOOD, "{name}, round {round}: {} bytes were taken", end.sent);
        }
    }
    let end = flood(&server, &mut continuation);
    assert!(end.sent < FLOOD, "continuations: {} bytes were taken", end.sent);
    let after = server.resident();
    assert!(after < before + SLACK, "from {before} to {after} bytes");
    run(get(&server.client(Over::PlainHttp2), &server.url(SMALL))).unwrap();
    let (status, log) = server.modkeep.stop();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn clients_that_take_nothing_cost_bounded_memory() {
    let server = Server::start(false, &[]);
    run(get(&server.client(Over::PlainHttp2), &server.url(crate::server::BIG))).unwrap();
    let before = server.resident();
    let (address, _) = http::split(server.modkeep.url());
    // Windows as wide as can be, so that the server may send all of it; but nobody reads.
    let wide = frames::wide_settings();
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            let gets = (0..50).flat_map(|number| frames::get(2 * number + 1, crate::server::BIG));
            let all: Vec<u8> = frames::PREFACE.iter().copied().chain(wide.clone()).chain(gets).collect();
            stream.write_all(&all).unwrap();
            stream
        })
        .collect();
    // Each has begun to be answered.
    for mut client in &clients {
        client.read_exact(&mut [0; 9]).unwrap();
    }
    // A well-behaved client is served all the same, and its whole reply passes through the same memory.
    let whole = run(get(&server.client(Over::PlainHttp2), &server.url(crate::server::BIG))).unwrap();
    assert!(whole == server.big);
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 96 << 20, "{grown} bytes for 1000 replies that nobody takes");
}
