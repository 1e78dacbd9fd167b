//! The shelf of builds: results that clients share, below `/cache/v1/`.
//!
//! `GET`, `HEAD` and `PUT` of `blob/SHA256` and `manifest/KEY`, for who has a token. A blob is what its name says, whoever put it; a
//! manifest is the word of its last writer, so whoever may write is trusted by those who read. Nothing here is precious: when
//! there is too much, what was not used for longest goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use modkeep_store::remote::{Arriving, FolderShelf, Kind, MAX_BLOB, MAX_MANIFEST, Name};
use modkeep_store::{Digest, ErrorKind, StoreError};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::body::Body;
use crate::error::shown;

/// How long a client that writes may send nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// What builds share, and who may.
#[derive(Debug)]
pub struct Builds {
    shelf: FolderShelf,
    rules: BuildRules,
    /// Bytes on the shelf, as far as is known.
    held: AtomicU64,
    too_much: Notify,
}

/// What may be put on the shelf, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRules {
    /// The digests of tokens that may read. Without any, everybody may who reaches the server.
    pub readers: Vec<Digest>,
    /// The digests of tokens that may read and write. Without any, nobody writes.
    pub writers: Vec<Digest>,
    /// Bytes that may lie there.
    pub size: u64,
    /// Bytes of one blob.
    pub max_blob: u64,
}

impl Default for BuildRules {
    fn default() -> Self {
        Self { readers: Vec::new(), writers: Vec::new(), size: 20 << 30, max_blob: MAX_BLOB }
    }
}

/// What is told instead of a thing.
struct Refusal(StatusCode, String);

impl Builds {
    /// A shelf under these rules.
    pub fn new(shelf: FolderShelf, rules: BuildRules) -> Self {
        Self { shelf, rules, held: AtomicU64::new(0), too_much: Notify::new() }
    }

    /// Keeps the shelf within its bounds, as long as it is polled.
    pub(crate) async fn tend(self: Arc<Self>) {
        loop {
            let (shelf, size) = (self.shelf.clone(), self.rules.size);
            let before = self.held.load(Ordering::Relaxed);
            match spawn_blocking(move || shelf.trim(size)).await {
                Ok(Ok(trimmed)) => {
                    // What came meanwhile may be counted twice until the next time, never not at all.
                    let count = |held: u64| Some(trimmed.left + held.saturating_sub(before));
                    let _ = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
                    if trimmed.files > 0 {
                        tracing::info!(
                            files = trimmed.files,
                            bytes = trimmed.bytes,
                            "trimmed the cache of builds"
                        );
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "trimming the cache of builds"),
                Err(error) => tracing::error!(%error, "trimming the cache of builds"),
            }
            self.too_much.notified().await;
        }
    }

    /// Answers for what stands behind `/cache/v1/`.
    pub(crate) async fn answer(&self, request: &Request<()>, body: Incoming, path: &str) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let name = match Name::parse(path) {
            Some(Ok(name)) => name,
            Some(Err(error)) => return reply(StatusCode::NOT_FOUND, &error.to_string(), is_head),
            None => return reply(StatusCode::NOT_FOUND, "there are blobs and manifests", is_head),
        };
        let answered = match *request.method() {
            Method::GET | Method::HEAD => self.read(request.headers(), &name, is_head).await,
            Method::PUT => self.write(request, body, &name).await,
            _ => Err(Refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET, HEAD and PUT are answered here".to_owned(),
            )),
        };
        answered.unwrap_or_else(|Refusal(status, text)| reply(status, &text, is_head))
    }

    async fn read(&self, headers: &HeaderMap, name: &Name, is_head: bool) -> Result<Response<Body>, Refusal> {
        let rules = &self.rules;
        if !rules.readers.is_empty() && !is_in(headers, &[&rules.readers, &rules.writers]) {
            return Err(unknown());
        }
        let (shelf, asked) = (self.shelf.clone(), *name);
        let found = blocking(move || shelf.open_file(&asked)).await?;
        let (file, length) =
            found.ok_or_else(|| Refusal(StatusCode::NOT_FOUND, format!("there is no {name}")))?;
        let body = if is_head { Body::empty() } else { Body::file(Arc::new(file), 0, length) };
        let reply = Response::builder()
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, length)
            .header(header::CACHE_CONTROL, "private, no-store")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(body);
        Ok(reply.expect("headers are ours"))
    }

    async fn write(
        &self,
        request: &Request<()>,
        body: Incoming,
        name: &Name,
    ) -> Result<Response<Body>, Refusal> {
        let headers = request.headers();
        if !is_in(headers, &[&self.rules.writers]) {
            let is_reader = is_in(headers, &[&self.rules.readers]);
            let refused = || Refusal(StatusCode::FORBIDDEN, "the token may only read".to_owned());
            return Err(if is_reader { refused() } else { unknown() });
        }
        if request.version() == Version::HTTP_2 {
            let text = "things are put over HTTP/1.1".to_owned();
            return Err(Refusal(StatusCode::HTTP_VERSION_NOT_SUPPORTED, text));
        }
        let limit = match name.kind {
            Kind::Blob => self.rules.max_blob,
            Kind::Manifest => MAX_MANIFEST,
        };
        let too_long =
            || Refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("{name} is longer than {limit} bytes"));
        if http_body::Body::size_hint(&body).lower() > limit {
            return Err(too_long());
        }
        let arriving = self.receive(body, limit).await?.ok_or_else(too_long)?;
        let (shelf, length, name) = (self.shelf.clone(), arriving.len(), *name);
        blocking(move || shelf.keep(arriving, &name)).await?;
        if self.held.fetch_add(length, Ordering::Relaxed) + length > self.rules.size {
            self.too_much.notify_one();
        }
        Ok(reply(StatusCode::NO_CONTENT, "", false))
    }

    /// The whole body in a file without a name; nothing when it is longer than `limit`.
    async fn receive(&self, mut body: Incoming, limit: u64) -> Result<Option<Arriving>, Refusal> {
        let shelf = self.shelf.clone();
        let mut arriving = blocking(move || shelf.begin()).await?;
        let lost = |text: &str| Refusal(StatusCode::BAD_REQUEST, text.to_owned());
        loop {
            let frame = timeout(PATIENCE, body.frame()).await;
            let frame = frame.map_err(|_| lost("the body did not come to its end"))?;
            let Some(frame) = frame else { return Ok(Some(arriving)) };
            let frame = frame.map_err(|_| lost("the body broke off"))?;
            // Trailers say nothing here.
            let Ok(piece) = frame.into_data() else { continue };
            if arriving.len() + piece.len() as u64 > limit {
                return Ok(None);
            }
            arriving = blocking(move || arriving.write(&piece).map(|()| arriving)).await?;
        }
    }
}

/// Whether the request carries one of the tokens.
fn is_in(headers: &HeaderMap, tokens: &[&Vec<Digest>]) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, token)) = value.split_once(' ') else {
        return false;
    };
    // Digests are compared, so the time that it takes says nothing about the token.
    let digest = Digest::of(token.trim().as_bytes());
    scheme.eq_ignore_ascii_case("bearer") && tokens.iter().any(|list| list.contains(&digest))
}

fn unknown() -> Refusal {
    Refusal(StatusCode::UNAUTHORIZED, "a token is wanted: Authorization: Bearer".to_owned())
}

/// Does `act` on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Refusal> {
    let error = match spawn_blocking(act).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => error,
        Err(crash) => StoreError::new(ErrorKind::Io, "using the cache of builds").because(crash),
    };
    let status = match error.kind() {
        ErrorKind::Damaged => {
            return Err(Refusal(StatusCode::BAD_REQUEST, "the content is not what the name says".to_owned()));
        }
        ErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    tracing::error!(%error, "cache of builds");
    Err(Refusal(status, "the cache can't do that now, see the server's log".to_owned()))
}

fn reply(status: StatusCode, text: &str, is_head: bool) -> Response<Body> {
    let text = shown(text);
    let mut reply = Response::builder().status(status).header(header::CACHE_CONTROL, "no-store");
    if status == StatusCode::UNAUTHORIZED {
        reply = reply.header(header::WWW_AUTHENTICATE, "Bearer");
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply = reply.header(header::ALLOW, "GET, HEAD, PUT");
    }
    if status != StatusCode::NO_CONTENT {
        reply = reply
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(header::CONTENT_LENGTH, text.len());
    }
    let body = if is_head || text.is_empty() { Body::empty() } else { Body::full(text) };
    reply.body(body).expect("headers are ours")
}
