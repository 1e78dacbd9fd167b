//! Connections, and answers with their faults put on the wire.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::reply::{Content, Fault, Reply};
use super::{Request, Shared, tls};

const CHUNK: u64 = 64 * 1024;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves until told to stop; then every connection ends.
pub(super) fn until(
    stopped: tokio::sync::oneshot::Receiver<()>,
    listener: TcpListener,
    identity: Option<tls::Identity>,
    shared: &Arc<Shared>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener for the runtime");
        let acceptor = identity.map(|identity| identity.acceptor());
        let mut connections = JoinSet::new();
        let accept = async {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                connections.spawn(connection(stream, acceptor.clone(), Arc::clone(shared)));
                while connections.try_join_next().is_some() {}
            }
        };
        tokio::select! { () = accept => {} _ = stopped => {} }
    });
}

async fn connection(stream: TcpStream, acceptor: Option<tokio_rustls::TlsAcceptor>, shared: Arc<Shared>) {
    // A handshake or connection that fails is the client's affair.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else { return serve(TokioIo::new(stream), shared).await };
    if let Ok(stream) = acceptor.accept(stream).await {
        serve(TokioIo::new(stream), shared).await;
    }
}

async fn serve<S>(stream: S, shared: Arc<Shared>)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let _ = Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
}

async fn answer(request: hyper::Request<Incoming>, shared: Arc<Shared>) -> io::Result<hyper::Response<Body>> {
    let is_head = request.method() == hyper::Method::HEAD;
    let request = logged(&request);
    let (range, if_range) =
        (request.header("range").map(str::to_owned), request.header("if-range").map(str::to_owned));
    let reply = shared.answer(request).part(range.as_deref(), if_range.as_deref());
    tokio::time::sleep(reply.delay).await;
    if let Some(gate) = &reply.held {
        gate.passed().await;
    }
    match reply.fault {
        Some(Fault::Stall) => std::future::pending::<()>().await,
        Some(Fault::Close) => return Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {}
    }
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let length = reply.length();
    match reply.announced {
        Some(u64::MAX) => {}
        Some(announced) => response = response.header("Content-Length", announced),
        None if !matches!(reply.status, 204 | 304) => response = response.header("Content-Length", length),
        None => {}
    }
    let body = if is_head {
        StreamBody::new(stream::empty().boxed())
    } else {
        StreamBody::new(frames(reply).boxed())
    };
    response.body(Body::new(body)).map_err(io::Error::other)
}

fn logged(request: &hyper::Request<Incoming>) -> Request {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        protocol: format!("{:?}", request.version()),
        at: Instant::now(),
    }
}

/// The body in pieces, up to where it goes wrong.
fn frames(reply: Reply) -> impl Stream<Item = io::Result<Frame<Bytes>>> {
    stream::try_unfold((reply, 0), |(reply, sent)| async move {
        let mut end = reply.length();
        let is_short = reply.announced.is_some_and(|announced| announced > end && announced < u64::MAX);
        match &reply.fault {
            Some(Fault::CutAfter(at)) if sent >= *at => return Err(end_of_connection().await),
            None if is_short && sent >= end => return Err(end_of_connection().await),
            Some(Fault::StallAfter(at)) if sent >= *at => std::future::pending::<()>().await,
            Some(Fault::HeldAfter(at, gate)) if sent >= *at => gate.passed().await,
            Some(Fault::CutAfter(at) | Fault::StallAfter(at) | Fault::HeldAfter(at, _)) => end = end.min(*at),
            _ => {}
        }
        if sent >= end {
            return Ok(None);
        }
        let mut next = end.min(sent + CHUNK);
        if let Some(Fault::Drip(pause)) = reply.fault {
            tokio::time::sleep(pause).await;
            next = sent + 1;
        }
        let piece = match &reply.content {
            Content::Bytes(bytes) => bytes.slice(sent as usize..next as usize),
            Content::Zeros(_) => Bytes::from(vec![0; (next - sent) as usize]),
        };
        Ok(Some((Frame::data(piece), (reply, next))))
    })
}

/// The error that ends the connection, after what was written before is on its way: a body that isn't ready lets
/// it be sent.
async fn end_of_connection() -> io::Error {
    tokio::task::yield_now().await;
    io::ErrorKind::ConnectionAborted.into()
}
