//! One connection, from its first byte to its last: which protocol it speaks, and how it is made to end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::Body;
use crate::metrics::Eviction;
use crate::resolve::MAX_REQUEST;
use crate::server::limits::Limits;
use crate::server::seats::{SCANT_STALL, Seat};
use crate::server::tls::HTTP2;
use crate::service::{HadBody, Service};
use crate::wire::Wire;
use crate::wire::line::{Line, Way};
use crate::wire::opening::Opening;
use crate::wire::pace::Pace;
use crate::wire::room::Room;

/// How long a client that has connected and not yet asked is waited for when the service stops.
const LAST_CALL: Duration = Duration::from_millis(500);
/// Streams that a client of HTTP/2 reset before we saw them (CVE-2023-44487), and those that it made us reset
/// (CVE-2025-8671), until its connection ends.
const RESETS: usize = 20;
/// Bytes of one stream or connection of HTTP/2 that may arrive unread: nobody sends us bodies.
const WINDOW: u32 = 64 * 1024;
/// Bytes of the headers of one request of HTTP/2, by RFC 9113's count.
const HEADER_LIST: u32 = 16 * 1024;
/// A further piece of a reply is made when HTTP/2 has fewer bytes of it waiting for the client.
const SEND_BUFFER: usize = 16 * 1024;
/// A client of HTTP/2 that sends nothing is asked whether it is there, and answers within the same time.
const PING: Duration = Duration::from_secs(20);
/// How often a connection whose replies pass through memory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// After the notice that a quiet connection of HTTP/2 ends.
const NOTICE: Duration = Duration::from_secs(5);

/// What all connections share.
pub(super) struct Host {
    pub(super) service: Arc<Service>,
    /// Where TLS is spoken.
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) room: Room,
    /// Owns the requests of HTTP/2.
    pub(super) streams: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Serves a connection to its end.
pub(super) async fn serve(host: Arc<Host>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
    let _open = host.service.connection_opened();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "setting TCP_NODELAY");
    }
    let line = Arc::clone(seat.line());
    let talk = Talk { host: &host, line: &line, peer };
    let end = tokio::select! {
        end = talk.hold(stream) => end,
        reason = unwanted(&line) => {
            host.service.metrics().evictions.get_or_create(&reason).inc();
            Err(reason.complaint().into())
        }
    };
    if let Err(error) = end {
        tracing::debug!(%peer, error = %chain(error.as_ref()), "connection ended");
    }
}

/// Waits until the connection costs more than it is for.
async fn unwanted(line: &Line) -> Eviction {
    loop {
        line.evicted().await;
        // It may have begun to work since it was looked at.
        if line.is_fickle() {
            return Eviction::FICKLE;
        }
        if line.quiet().is_some() {
            return Eviction::QUIET;
        }
        if line.stuck().is_some_and(|since| since >= SCANT_STALL) {
            return Eviction::STUCK;
        }
    }
}

type End = Result<(), Box<dyn std::error::Error + Send + Sync>>;

struct Talk<'a> {
    host: &'a Host,
    line: &'a Arc<Line>,
    peer: SocketAddr,
}

impl Talk<'_> {
    async fn hold(&self, stream: TcpStream) -> End {
        let limits = &self.host.limits;
        let pace = Pace { idle: limits.idle, head: limits.head, stall: limits.stall };
        let Some(acceptor) = &self.host.acceptor else {
            let opening = Opening::of(&stream, pace).await?;
            let is_http2 = opening.is_http2();
            let wire = Wire::new(stream, Arc::clone(self.line), pace, opening);
            return match is_http2 {
                true => self.http2(wire).await,
                false => self.http1(wire, Way::Kernel).await,
            };
        };
        let wire = Wire::new(stream, Arc::clone(self.line), pace, Opening::default());
        let stream = acceptor.accept(wire).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        match is_http2 {
            true => self.http2(stream).await,
            false => self.http1(stream, Way::Memory(self.host.room.clone())).await,
        }
    }

    async fn http1(&self, io: impl AsyncRead + AsyncWrite + Unpin, way: Way) -> End {
        let passes_memory = matches!(way, Way::Memory(_));
        let mut http = http1::Builder::new();
        // The wire keeps the time.
        http.header_read_timeout(None).max_buf_size(self.host.limits.head_bytes).half_close(false);
        let answer = service_fn(|request| self.answer(request, way.clone()));
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(io), answer));
        tokio::select! {
            end = connection.as_mut() => return Ok(end?),
            () = self.last_call() => connection.as_mut().graceful_shutdown(),
            () = self.stuck(), if passes_memory => return Err(Eviction::STUCK.complaint().into()),
        }
        Ok(connection.await?)
    }

    async fn http2(&self, io: impl AsyncRead + AsyncWrite + Unpin) -> End {
        self.line.multiplex();
        let limits = &self.host.limits;
        let mut http = http2::Builder::new(Streams(self.host.streams.clone()));
        http.timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(HEADER_LIST)
            .max_send_buf_size(SEND_BUFFER);
        let way = Way::Memory(self.host.room.clone());
        let (service, line, peer) = (Arc::clone(&self.host.service), Arc::clone(self.line), self.peer);
        let patience = limits.head;
        let answer = service_fn(move |request: Request<Incoming>| {
            let (service, line, way) = (Arc::clone(&service), Arc::clone(&line), way.clone());
            // Counted as asked once it is whole: until then the connection may lose its place.
            let is_read = service.reads_body(&request);
            if is_read {
                line.expect(MAX_REQUEST as u64);
            }
            let is_whole = request.body().is_end_stream() || is_read;
            let turn = is_whole.then(|| line.requested(way.clone()));
            async move {
                let (request, turn) = match turn {
                    Some(turn) => (request, turn),
                    None => (heard_out(request, patience).await, line.requested(way)),
                };
                let reply = service.answer(request, peer.ip()).await;
                Ok::<_, Infallible>(reply.map(|body| body.over(turn)))
            }
        });
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(io), answer));
        let mut is_told = false;
        loop {
            tokio::select! {
                end = connection.as_mut() => return Ok(end?),
                () = self.last_call(), if !is_told => {
                    is_told = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.idle(limits.idle), if !is_told => {
                    is_told = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.idle(limits.idle + NOTICE), if is_told => return Ok(()),
                () = self.stuck() => return Err(Eviction::STUCK.complaint().into()),
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>, way: Way) -> Result<Response<Body>, Infallible> {
        let turn = self.line.requested(way);
        let reply = self.host.service.answer(request, self.peer.ip()).await;
        Ok(reply.map(|body| body.over(turn)))
    }

    /// Waits for the end of the service, or a little longer for who has not asked for anything yet.
    async fn last_call(&self) {
        self.host.stop.cancelled().await;
        if self.line.requests() == 0 {
            tokio::time::sleep(LAST_CALL).await;
        }
    }

    /// Waits until nothing was asked for so long.
    async fn idle(&self, limit: Duration) {
        while self.line.quiet().is_none_or(|since| since < limit) {
            tokio::time::sleep(LOOK.min(limit)).await;
        }
    }

    /// Waits until the client has taken nothing for too long.
    async fn stuck(&self) {
        loop {
            let stall = self.host.limits.stall;
            let limit = if self.host.room.is_full() { SCANT_STALL.min(stall) } else { stall };
            if self.line.stuck().is_some_and(|since| since >= limit) {
                return;
            }
            tokio::time::sleep(LOOK.min(stall)).await;
        }
    }
}

/// Takes what belongs to a request besides its head, within bounds, so that HTTP/2 has seen whether it was well-formed before
/// the reply leaves (RFC 9113, section 8.1.1); nobody reads it.
async fn heard_out(mut request: Request<Incoming>, patience: Duration) -> Request<Incoming> {
    request.extensions_mut().insert(HadBody);
    let body = request.body_mut();
    let hear = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > WINDOW as usize {
                break;
            }
        }
    };
    // One that takes longer is answered all the same: what it was told does not depend on its body.
    if tokio::time::timeout(patience, hear).await.is_err() {
        tracing::debug!("the body of a request does not end");
    }
    request
}

/// Runs the requests of HTTP/2 as tasks that are waited for at the end.
#[derive(Clone)]
struct Streams(TaskTracker);

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
