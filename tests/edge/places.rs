//! More connections than there are places: who asks and takes is served, who only sits there leaves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use modkeep_harness::http;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::{BIG, GO_MOD, Over, SMALL, Server, get, run};

/// Heads that never come to their end.
const SLOW_HEADS: usize = 600;
/// Connections that never ask.
const IDLE: usize = 10_000;

#[test]
fn six_hundred_slow_heads_keep_nobody_from_being_served() {
    let server = Server::start(false, &["--max-connections", "200"]);
    let (address, _) = http::split(server.modkeep.url());
    let mut slow: Vec<_> = (0..SLOW_HEADS).map(|_| connect(address)).collect();
    for client in &mut slow {
        // It may have lost its place by now.
        let _ = client.write_all(b"GET /example.com/m/@v/list HTTP/1.1\r\nHost: h\r\n");
    }
    run(async {
        for over in [Over::Plain, Over::PlainHttp2] {
            let keeps = server.client(over);
            for round in 0..40 {
                let fresh = server.client(over);
                assert_eq!(get(&fresh, &server.url(SMALL)).await.unwrap(), GO_MOD, "{over:?} {round}");
                assert_eq!(get(&keeps, &server.url(SMALL)).await.unwrap(), GO_MOD, "{over:?} {round}");
                // The others insist.
                for client in slow.iter_mut().skip(round).step_by(40) {
                    if client.write_all(b"X: y\r\n").is_err() || is_gone(client) {
                        *client = connect(address);
                        let _ = client.write_all(b"GET /example.com/m/@v/list HTTP/1.1\r\n");
                    }
                }
            }
        }
        let client = server.client(Over::Plain);
        assert!(server.metric(&client, "modkeep_evictions_total{reason=\"quiet\"}").await > 300.0);
        assert!(server.metric(&client, "modkeep_connections").await <= 201.0);
    });
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_from_being_served() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let room = limit.maximum.unwrap_or(u64::MAX).saturating_sub(1000);
    let idle = IDLE.min(usize::try_from(room).unwrap());
    if idle < IDLE {
        let why = format!("the limit of descriptors allows {idle} connections");
        modkeep_harness::place::skip("ten thousand idle connections", &why);
    }
    let server = Server::start(false, &[]);
    let (address, _) = http::split(server.modkeep.url());
    let before = server.resident();
    let all: Vec<_> = (0..idle).map(|_| connect(address)).collect();
    run(async {
        for over in [Over::Plain, Over::PlainHttp2] {
            for _ in 0..20 {
                let client = server.client(over);
                assert_eq!(get(&client, &server.url(SMALL)).await.unwrap(), GO_MOD, "{over:?}");
                assert!(get(&client, &server.url(BIG)).await.unwrap() == server.big, "{over:?}");
            }
        }
    });
    let each = server.resident().saturating_sub(before) / idle as u64;
    assert!(each < 16 << 10, "{each} bytes for a connection that only sits there");
    drop(all);
}

#[test]
fn a_download_longer_than_the_idle_time_keeps_its_place() {
    let server = Server::start(false, &["--max-connections", "4"]);
    let (address, _) = http::split(server.modkeep.url());
    let mut slow = connect(address);
    write!(slow, "GET {BIG} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut got = vec![0; 1000];
    slow.read_exact(&mut got).unwrap();
    // Others come and go, and sit there.
    let sitting: Vec<_> = (0..20).map(|_| connect(address)).collect();
    run(async {
        for _ in 0..20 {
            get(&server.client(Over::Plain), &server.url(SMALL)).await.unwrap();
        }
    });
    slow.read_to_end(&mut got).unwrap();
    assert!(got.ends_with(&server.big));
    drop(sitting);
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(60)).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Whether the server has hung up.
fn is_gone(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    match read {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}
