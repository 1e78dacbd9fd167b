//! A distance: bytes are passed on a while after they came.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// One way.
const DELAY: Duration = Duration::from_millis(10);

/// An address that leads to another one, 20 ms away and back.
pub(crate) fn relay(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || connect(&client, to));
        }
    });
    address
}

fn connect(client: &TcpStream, to: SocketAddr) {
    // A connection takes a round trip to come about too.
    thread::sleep(2 * DELAY);
    let Ok(server) = TcpStream::connect(to) else { return };
    for (from, to) in [(client, &server), (&server, client)] {
        // Without it small pieces come later, no more.
        let _ = from.set_nodelay(true);
        let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
        pass_on(from, to);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut piece = vec![0; 256 << 10];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if sender.send((Instant::now() + DELAY, piece[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (when, piece) in receiver {
            thread::sleep(when.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        // The other end is gone already when this fails.
        let _ = to.shutdown(Shutdown::Write);
    });
}
