//! Clients that keep their connections, and what they cost the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::contender::Contender;

/// Connections at one time.
pub(crate) const CONNECTIONS: usize = 64;
/// How long a round takes.
const ROUND: Duration = Duration::from_secs(1);

/// What one request cost in a round.
pub(crate) struct Cost {
    /// CPU time of the server, in microseconds a request.
    pub(crate) micros: f64,
    /// Requests a second.
    pub(crate) rate: f64,
}

/// One round against one server.
pub(crate) fn round(contender: &Contender, paths: &[String]) -> Cost {
    let done = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let before = contender.cpu();
    let spent = std::thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (done, over) = (&done, &over);
            scope.spawn(move || ask_on(contender.address, paths, number, over, done));
        }
        std::thread::sleep(ROUND);
        over.store(true, Ordering::Relaxed);
        begun.elapsed()
    });
    let cpu = contender.cpu() - before;
    let requests = done.load(Ordering::Relaxed) as f64;
    Cost { micros: cpu.as_secs_f64() * 1e6 / requests, rate: requests / spent.as_secs_f64() }
}

fn ask_on(address: SocketAddr, paths: &[String], offset: usize, over: &AtomicBool, done: &AtomicU64) {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_nodelay(true).expect("a connected socket has options");
    let mut buffer = vec![0; 256 * 1024];
    for path in paths.iter().cycle().skip(offset * 7 % paths.len()) {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let (status, _) = ask(&mut stream, path, &mut buffer);
        assert_eq!(status, 200, "{path}");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends one request and reads its reply to the end; gives the status and the length.
pub(crate) fn ask(stream: &mut TcpStream, path: &str, buffer: &mut [u8]) -> (u16, u64) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: GoCommand/1\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut have = 0;
    let end = loop {
        let read = stream.read(&mut buffer[have..]).expect("the server answers");
        assert!(read > 0, "the server hung up in the head of {path}");
        have += read;
        if let Some(end) = buffer[..have].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length: u64 = length.expect("a length");
    let mut left = length - (have - end) as u64;
    while left > 0 {
        let read = stream.read(buffer).expect("the server answers");
        assert!(read > 0, "the server hung up in {path}");
        left -= read as u64;
    }
    (status, length)
}
