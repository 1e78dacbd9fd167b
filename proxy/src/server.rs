//! Sockets: who may connect, how long a head may take, and how the end goes.
//!
//! Each connection is a task owned by a tracker; at the end connections finish what they are sending, within a bound.
//! What a request means is the service's business.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::Service;
use crate::wire::pace::Pace;
use crate::wire::{Line, Wire};

/// What a connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; further ones wait to be accepted.
    pub connections: usize,
    /// From one reply to the next request.
    pub idle: Duration,
    /// For the head of a request, from its first byte.
    pub head: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Without taking a byte of a reply.
    pub stall: Duration,
    /// For replies on their way when the service stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16 * 1024,
            idle: Duration::from_secs(75),
            head: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(60),
        }
    }
}

/// How long nothing is accepted after the system refused to give another descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a client that has connected and not yet asked is waited for when the service stops.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Descriptors that files, the store and the upstream need at one time.
const OTHER_DESCRIPTORS: u64 = 256;

/// Takes all descriptors that the system gives this process, and says how many connections fit.
fn places(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "raising the number of descriptors");
    }
    // A reply from a file holds a second one.
    let room = getrlimit(Resource::Nofile).current.map(|all| all.saturating_sub(OTHER_DESCRIPTORS) / 2);
    let places = room.map_or(wanted, |room| wanted.min(usize::try_from(room).unwrap_or(wanted)).max(1));
    if places < wanted {
        tracing::warn!(places, wanted, "the limit of descriptors allows fewer connections");
    }
    places
}

/// Accepts and serves until `shutdown` ends, then lets the replies on their way finish, for `limits.drain` at most.
pub(crate) async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let stop = CancellationToken::new();
    let places = Arc::new(Semaphore::new(places(limits.connections)));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            both = async { (place.await, listener.accept().await) } => both,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, Arc::clone(&service), limits, stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Those who connected before the end are served, too.
    let waiting = listener.into_std()?;
    while let Ok((stream, peer)) = waiting.accept() {
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream)?;
        connections.spawn(connection(stream, peer, Arc::clone(&service), limits, stop.clone()));
    }
    drop(waiting);
    connections.close();
    stop.cancel();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "replies cut off at the end of the time for stopping"
        );
    }
    Ok(())
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<Service>,
    limits: Limits,
    stop: CancellationToken,
) {
    let _open = service.connection_opened();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "setting TCP_NODELAY");
    }
    let line = Arc::new(Line::default());
    let answer = service_fn(|request| {
        let (service, line) = (Arc::clone(&service), Arc::clone(&line));
        line.requested();
        async move {
            let reply = service.answer(request, peer.ip()).await;
            Ok::<_, Infallible>(reply.map(|body| body.over(line)))
        }
    });
    let pace = Pace { idle: limits.idle, head: limits.head, stall: limits.stall };
    let wire = Wire::new(stream, Arc::clone(&line), pace);
    let mut http = http1::Builder::new();
    // The wire keeps the time.
    http.header_read_timeout(None).max_buf_size(limits.head_bytes).half_close(false);
    let connection = http.serve_connection(TokioIo::new(wire), answer);
    let mut connection = std::pin::pin!(connection);
    let end = tokio::select! {
        end = connection.as_mut() => end,
        () = last_call(&stop, &line) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = end {
        tracing::debug!(%peer, error = %chain(&error), "connection ended");
    }
}

/// The end of the service, or a little later for who has not asked for anything yet.
async fn last_call(stop: &CancellationToken, line: &Line) {
    stop.cancelled().await;
    if line.requests() == 0 {
        tokio::time::sleep(LAST_CALL).await;
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
