//! Requests that no proper client makes: each is refused with a 4xx, nothing of the machine leaks, the server stays.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::SocketAddr;
use std::path::Path;

use modkeep_harness::http::{self, Answer};
use modkeep_harness::modkeep::Modkeep;

/// Targets of a GET.
const TARGETS: &[&str] = &[
    "/",
    "//",
    "/@v/list",
    "/@latest",
    "/example.com",
    "/example.com/m",
    "/example.com/m/",
    "/example.com/m/@v",
    "/example.com/m/@v/",
    "/example.com/m/@v/v1.0.0",
    "/example.com/m/@v/.info",
    "/example.com/m/@v/v1.0.0.exe",
    "/example.com/m/@v/v1.0.0.zip.zip",
    "/example.com/m/@v/v1.0.0.zip/",
    "/example.com/m/@v//v1.0.0.zip",
    "/example.com//m/@v/v1.0.0.zip",
    "/example.com/m/@v/list/",
    "/example.com/m/@v/list/list",
    "/example.com/m/@latest/",
    "/example.com/m/@v/latest.info",
    "/example.com/m/@v/v1.mod",
    "/example.com/m/@v/v1.0.zip",
    "/example.com/m/@v/master.zip",
    "/example.com/m/@v/v01.0.0.mod",
    "/example.com/m/@v/v1.0.0+meta.zip",
    "/example.com/m/@v/v2.0.0.zip",
    "/example.com/m/v1/@v/v1.0.0.zip",
    "/example.com/M/@v/list",
    "/example.com/!M/@v/list",
    "/example.com/!!m/@v/list",
    "/example.com/m!/@v/list",
    "/example.com/m/@v/v1.0.0-RC1.mod",
    "/example.com/../../etc/passwd",
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/example.com/%2e%2e/m/@v/list",
    "/example.com/m/@v/..%2f..%2flist",
    "/example.com/m/@v/%00.zip",
    "/example.com/m%00/@v/list",
    "/example.com/m%0d%0aSet-Cookie:%20a=b/@v/list",
    "/example.com/%zz/@v/list",
    "/example.com/%/@v/list",
    "/example.com/%c3%28/@v/list",
    "/example.com/%e2%80%ae/@v/list",
    "/example.com/%2521/@v/list",
    "/example.com/m;a=b/@v/list",
    "/example.com/m\\..\\x/@v/list",
    "/C:/windows/@v/list",
    "/example.com/con/@v/list",
    "/example.com/m~1/@v/list",
    "/.git/config",
    "/example.com/.git/@v/list",
    "/localhost/@v/list",
    "/-/refresh/",
    "/-/admin",
    "/sumdb",
    "/sumdb/",
    "/sumdb/supported",
    "/sumdb/127.0.0.1:22/supported",
    "/sumdb/127.0.0.1:22/latest",
    "/sumdb/example.com/lookup/example.com/m@v1.0.0",
    "/sumdb/example.com/tile/8/0/x000/../000",
    "/sumdb/../../etc/passwd",
    "/cached-only",
    "/cached-only/",
    "/cached-only/cached-only/example.com/m/@v/list",
    "http://example.com/m/@v/list",
    "http://user:password@example.com/m/@v/list",
];

/// Whole requests; `HOST` stands for the server's own address.
const REQUESTS: &[&str] = &[
    "POST /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n",
    "PUT /example.com/m/@v/v1.0.0.zip HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nzip",
    "DELETE /example.com/m/@v/v1.0.0.zip HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "PATCH /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "CONNECT example.com:443 HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "BREW /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "get /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/9.9\r\nHost: HOST\r\n\r\n",
    "GET /example.com/m/@v/list\r\n\r\n",
    "GET  /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nBad Header: x\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n",
    "GET /example.com/m/@v/list HTTP/1.1\r\nHost: HOST\r\n folded: x\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
    "\0\0\0\0\r\n\r\n",
];

fn offline_server(home: &Path) -> Modkeep {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--offline", "--sumdb", "sum.golang.org"]);
    command.args(["--upstream", "http://127.0.0.1:9"]);
    Modkeep::start(command)
}

fn check(address: SocketAddr, home: &Path, what: &str, request: &[u8]) {
    let answer = http::raw(address, request).unwrap_or_else(|error| panic!("{what:?}: {error}"));
    assert!((400..500).contains(&answer.status), "{what:?}: {answer:?}");
    assert!(!leaks(&answer, home), "{what:?}: {}", answer.text());
    assert!(answer.body.len() <= 600, "{what:?}: {}", answer.text());
}

/// Whether the answer tells of the machine: a file of it, the home folder, our source; or has a header of the client's.
fn leaks(answer: &Answer, home: &Path) -> bool {
    let body = answer.text();
    let secrets = ["root:", home.to_str().unwrap(), ".rs:", "panicked"];
    secrets.iter().any(|secret| body.contains(secret)) || answer.header("set-cookie").is_some()
}

#[test]
fn every_hostile_request_is_the_clients_fault_and_leaks_nothing() {
    let home = tempfile::tempdir().unwrap();
    let modkeep = offline_server(home.path());
    let (address, _) = http::split(modkeep.url());
    for target in TARGETS {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        check(address, home.path(), target, request.as_bytes());
    }
    for request in REQUESTS {
        let request = request.replace("HOST", &format!("{address}\r\nConnection: close"));
        check(address, home.path(), &request, request.as_bytes());
    }
    let huge = [
        ("path", format!("GET /{} HTTP/1.1\r\n\r\n", "a/".repeat(40_000))),
        ("header", { format!("GET /x HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(200_000)) }),
    ];
    for (what, request) in huge {
        check(address, home.path(), what, request.as_bytes());
    }
    assert_eq!(http::get(&format!("{}/healthz", modkeep.url())).unwrap().status, 200);
    let (status, log) = modkeep.stop();
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("panic"), "{log}");
}
