//! Requests that no proper client makes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use modkeep_harness::http::raw;
use modkeep_harness::upstream::{Module, Tree};
use modkeep_proxy::Limits;

use crate::world::{Wishes, World};

fn world() -> World {
    World::new(Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n")))
}

#[test]
fn a_hostile_path_is_a_404_with_a_text_and_reaches_nobody() {
    let world = world();
    for path in [
        "/",
        "/favicon.ico",
        "/example.com/m",
        "/example.com/m/@v/",
        "/example.com/m/@v/list/",
        "/example.com/m//@v/list",
        "/example.com/../m/@v/list",
        "/example.com/%2e%2e/m/@v/list",
        "/example.com%2Fm/@v/list",
        "/example.com/m/@v/..%2f..%2fetc%2fpasswd",
        "/example.com/M/@v/list",
        "/example.com/!/@v/list",
        "/example.com/!!m/@v/list",
        "/example.com/m%00/@v/list",
        "/example.com/m%/@v/list",
        "/example.com/m%zz/@v/list",
        "/example.com/m;x/@v/list",
        "/example.com/m/@v/master.zip",
        "/example.com/m/@v/v1.mod",
        "/example.com/m/@v/latest.info",
        "/example.com/m/@v/v1.0.0.exe",
        "/example.com/m/@v/v1.0.0",
        "/sumdb//supported",
        "/sumdb/sum.golang.org",
        "/sumdb/sum.golang.org/lookup/x",
        "/sumdb/sum.golang.org/tile/8/0/x",
        "/cached-only",
        "/cached-only/",
        "/-/refresh",
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
        assert!(!answer.body.is_empty() && answer.body.len() <= 600, "{path}: {}", answer.text());
    }
    let long = format!("/example.com/{}/@v/list", "x".repeat(4000));
    assert_eq!(world.get(&long).status, 404);
    assert_eq!(world.upstream.log().len(), 0);
}

#[test]
fn a_request_that_is_no_proper_http_is_a_4xx_and_the_end_of_the_connection() {
    let world = world();
    let head = "GET /example.com/m/@v/list HTTP/1.1\r\nHost: x\r\n";
    for request in [
        format!("{head}Content-Length: 5\r\n\r\nhello"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        format!("{head}Transfer-Encoding: gzip\r\n\r\n"),
        format!("{head}Folded: a\r\n b\r\n\r\n"),
        format!("{head}Bad Name: a\r\n\r\n"),
        format!("{head}Nul: a\0b\r\n\r\n"),
        format!("{head}Long: {}\r\n\r\n", "x".repeat(64 * 1024)),
        "GET  /x HTTP/1.1\r\n\r\n".to_owned(),
        "GET /x HTTP/9.9\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(),
    ] {
        let answer = raw(world.address, request.as_bytes());
        let shown = &request[..request.len().min(120)];
        match answer {
            Ok(answer) => assert!((400..500).contains(&answer.status), "{shown:?}: {answer:?}"),
            // Ended without a word, as is right for what isn't HTTP.
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{shown:?}: {error}"),
        }
    }
    assert_eq!(world.get("/example.com/m/@v/list").status, 200);
}

#[test]
fn only_get_and_head_are_answered() {
    let world = world();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let answer = world.ask(method, "/example.com/m/@v/list", "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn our_own_shadow_is_508() {
    let world = world();
    let answer = world.ask("GET", "/example.com/m/@v/list", "Via: 1.1 modkeep-under-test\r\n");
    assert_eq!((answer.status, answer.header("via")), (508, Some("1.1 modkeep-under-test")));
    let other = world.ask("GET", "/example.com/m/@v/list", "Via: 1.1 modkeep-another\r\n");
    assert_eq!(other.status, 200);
}

#[test]
fn modules_are_below_the_base_path() {
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let wishes = Wishes { base_path: "/go/mod/".to_owned(), ..Wishes::default() };
    let world = World::with(Tree::default().with(module), wishes);
    assert_eq!(world.get("/go/mod/example.com/m/@v/list").status, 200);
    assert_eq!(world.get("/go/mod/healthz").status, 200);
    assert_eq!(world.get("/healthz").status, 200);
    for outside in ["/example.com/m/@v/list", "/go/modexample.com/m/@v/list", "/go/mod"] {
        assert_eq!(world.get(outside).status, 404, "{outside}");
    }
}

#[test]
fn slow_heads_end_and_idle_connections_harm_nobody() {
    let limits =
        Limits { head: Duration::from_millis(300), idle: Duration::from_secs(60), ..Limits::default() };
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let world = World::with(Tree::default().with(module), Wishes { limits, ..Wishes::default() });
    let idle: Vec<_> = (0..200).map(|_| TcpStream::connect(world.address).unwrap()).collect();
    let mut slow: Vec<_> = (0..100).map(|_| TcpStream::connect(world.address).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /example.com/m/@v/list HTTP/1.1\r\nHost:").unwrap();
    }
    assert_eq!(world.get("/example.com/m/@v/list").status, 200);
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // An end or a reset: the connection is gone, and nothing was said.
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said));
    }
    for mut stream in idle {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    }
}

#[test]
fn a_client_that_waits_long_for_its_reply_is_not_idle() {
    let limits =
        Limits { head: Duration::from_millis(50), idle: Duration::from_millis(50), ..Limits::default() };
    let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
    let world = World::with(Tree::default().with(module), Wishes { limits, ..Wishes::default() });
    world.upstream.change("/example.com/m/@v/list", |reply| reply.delayed(Duration::from_millis(400)));
    assert_eq!(world.get("/example.com/m/@v/list").status, 200);
}

#[test]
fn who_has_connected_before_the_end_is_served() {
    let mut world = world();
    let mut streams: Vec<_> = (0..20).map(|_| TcpStream::connect(world.address).unwrap()).collect();
    for stream in &mut streams {
        stream
            .write_all(b"GET /example.com/m/@v/list HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
    }
    let clients = std::thread::spawn(move || {
        let said = streams.iter_mut().map(|stream| {
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            said
        });
        said.filter(|said| said.starts_with("HTTP/1.1 200 OK")).count()
    });
    world.stop();
    assert_eq!(clients.join().unwrap(), 20);
}
