//! A line between client and server on which every byte towards the server takes its time, as on a long way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The client's end of the line.
pub(crate) struct Line {
    url: String,
}

impl Line {
    /// A line to a server, given as `http://ADDRESS…`. It stays until the program ends.
    pub(crate) fn to(server: &str, delay: Duration) -> Self {
        let rest = server.strip_prefix("http://").expect("the server speaks plain HTTP");
        let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}{path}", listener.local_addr().expect("it is bound"));
        let address = address.to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&address).expect("the server accepts");
                carry(client, server, delay);
            }
        });
        Self { url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Carries bytes both ways; an end that is gone takes the other with it.
fn carry(client: TcpStream, server: TcpStream, delay: Duration) {
    let clones = (client.try_clone(), server.try_clone());
    let (Ok(mut back), Ok(mut answers)) = clones else { return };
    for end in [&client, &server] {
        end.set_nodelay(true).ok();
    }
    let (asked, asks) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let (mut client, mut buffer) = (client, [0; 64 * 1024]);
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            if asked.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        let mut server = server;
        for (due, bytes) in asks {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if server.write_all(&bytes).is_err() {
                break;
            }
        }
        server.shutdown(Shutdown::Both).ok();
    });
    thread::spawn(move || {
        std::io::copy(&mut answers, &mut back).ok();
        back.shutdown(Shutdown::Both).ok();
    });
}
