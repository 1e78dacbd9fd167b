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
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::Service;
use crate::wire::{Files, Wire};

/// What a connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; further ones wait to be accepted.
    pub connections: usize,
    /// Time for the head of a request, and for the pause before the next one.
    pub head: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// How long a client may take nothing of its reply.
    pub stall: Duration,
    /// Time for replies on their way when the service stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16 * 1024,
            head: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(60),
        }
    }
}

/// How long nothing is accepted after the system refused to give another descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts and serves until `shutdown` ends, then lets the replies on their way finish, for `limits.drain` at most.
pub(crate) async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let stop = CancellationToken::new();
    let places = Arc::new(Semaphore::new(limits.connections));
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
    drop(listener);
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
    let files = Arc::new(Files::default());
    let answer = service_fn(|request| {
        let (service, files) = (Arc::clone(&service), Arc::clone(&files));
        async move {
            let reply = service.answer(request, peer.ip()).await;
            Ok::<_, Infallible>(reply.map(|body| body.over(files)))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .half_close(false);
    let wire = Wire::new(stream, Arc::clone(&files), limits.stall);
    let connection = http.serve_connection(TokioIo::new(wire), answer);
    let mut connection = std::pin::pin!(connection);
    let end = tokio::select! {
        end = connection.as_mut() => end,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = end {
        tracing::debug!(%peer, error = %chain(&error), "connection ended");
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
