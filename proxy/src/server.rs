//! Sockets: who may connect, whose place is given to whom when all are taken, and how the end goes.
//!
//! Each connection is a task owned by a tracker; at the end connections finish what they are sending, within a bound.
//! What a request means is the service's business.

mod connection;
mod limits;
mod seats;
pub(crate) mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use limits::Limits;

use crate::server::connection::Host;
use crate::server::seats::{Seat, Seats};
use crate::server::tls::Certificates;
use crate::service::Service;
use crate::wire::room::Room;

/// How long nothing is accepted after the system refused to give another descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts and serves until `shutdown` ends, then lets the replies on their way finish, for `limits.drain` at most.
pub(crate) async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    certificates: Option<Arc<Certificates>>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let stop = CancellationToken::new();
    let places = limits::places(limits.connections);
    service.metrics().connection_limit.set(i64::try_from(places).unwrap_or(i64::MAX));
    let seats = Arc::new(Seats::new(places));
    let host = Arc::new(Host {
        service,
        acceptor: certificates.as_ref().map(|certificates| certificates.acceptor()),
        limits,
        room: Room::of(limits.pieces),
        streams: connections.clone(),
        stop: stop.clone(),
    });
    let seat = |stream: TcpStream, peer: SocketAddr, seat: Seat| {
        connections.spawn(connection::serve(Arc::clone(&host), stream, peer, seat));
    };
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => tokio::select! {
                biased;
                taken = seats.take() => seat(stream, peer, taken),
                () = &mut shutdown => {
                    // It connected before the end.
                    seat(stream, peer, seats.squeeze());
                    break;
                }
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                seats.make_room();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Those who connected before the end are served, too.
    let waiting = listener.into_std()?;
    while let Ok((stream, peer)) = waiting.accept() {
        stream.set_nonblocking(true)?;
        seat(TcpStream::from_std(stream)?, peer, seats.squeeze());
    }
    drop(waiting);
    connections.close();
    stop.cancel();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(tasks = connections.len(), "replies cut off at the end of the time for stopping");
    }
    Ok(())
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
