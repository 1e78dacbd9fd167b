//! A small S3 server in memory, for what a real one will not do on request: lose replies, refuse, be slow, break its promises.
//!
//! It knows the requests that a store makes and nothing of signatures. Entity tags say what the content is, as real ones do, so
//! an object that is changed and changed back has its old tag.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH, RANGE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Between checking a condition and writing, for a server that does one after the other.
const TWO_STEPS: Duration = Duration::from_millis(5);

/// What a server of this kind does wrong all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sin {
    /// Nothing.
    None,
    /// Conditions on writes have no effect.
    IgnoresConditions,
    /// Conditions are checked first and the object is written later.
    ChecksThenWrites,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This status instead of doing it.
    Refused(u16),
    /// It is done, and the connection ends without an answer.
    ReplyLost,
    /// It is done, and the answer is this status.
    DoneBut(u16),
}

type Plan = Box<dyn Fn(u64, &Method, &str) -> Option<Trouble> + Send>;

/// A running server.
pub struct Bucket {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    sin: Sin,
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    requests: u64,
    /// Methods and targets of those requests.
    log: Vec<(Method, String)>,
    plan: Plan,
}

impl Bucket {
    /// Starts an empty server.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    pub fn start(sin: Sin) -> Self {
        Self::start_with(sin, BTreeMap::new())
    }

    /// Starts another server with the objects that this one has now. Nobody who knows this one asks the other.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    #[must_use]
    pub fn twin(&self) -> Self {
        let (sin, objects) = {
            let state = lock(&self.state);
            (state.sin, state.objects.clone())
        };
        Self::start_with(sin, objects)
    }

    fn start_with(sin: Sin, objects: BTreeMap<String, Bytes>) -> Self {
        let plan: Plan = Box::new(|_, _, _| None);
        let state = State { sin, objects, uploads: BTreeMap::new(), requests: 0, log: Vec::new(), plan };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("a listener has an address");
        listener.set_nonblocking(true).expect("a socket can be made not to block");
        let serving = state.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async {
                let listener = TcpListener::from_std(listener).expect("the listener is ready");
                tokio::select! { () = accept(listener, serving) => {}, _ = stopped => {} }
            });
        });
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has `plan` say what happens to each request from now on: its number, method, and path with query.
    pub fn trouble(&self, plan: impl Fn(u64, &Method, &str) -> Option<Trouble> + Send + 'static) {
        let mut state = lock(&self.state);
        state.requests = 0;
        state.log.clear();
        state.plan = Box::new(plan);
    }

    /// Requests since the plan was made.
    pub fn requests(&self) -> u64 {
        lock(&self.state).requests
    }

    /// How many of them read objects whose names contain `part`.
    pub fn reads(&self, part: &str) -> usize {
        let is_read = |(method, target): &&(Method, String)| method == Method::GET && target.contains(part);
        lock(&self.state).log.iter().filter(is_read).count()
    }

    /// How many of them were listings.
    pub fn listings(&self) -> usize {
        lock(&self.state).log.iter().filter(|(_, target)| target.contains("list-type")).count()
    }

    /// Changes what is kept under names that contain `part`, as rot does.
    pub fn rot(&self, part: &str, change: impl Fn(&mut Vec<u8>)) {
        for (name, content) in &mut lock(&self.state).objects {
            if name.contains(part) {
                let mut bytes = content.to_vec();
                change(&mut bytes);
                *content = bytes.into();
            }
        }
    }

    /// The names of all objects.
    pub fn names(&self) -> Vec<String> {
        lock(&self.state).objects.keys().cloned().collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request panics while it holds the state")
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |request| answer(state.clone(), request));
        tokio::spawn(async move {
            // a lost reply is an error of the connection
            drop(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the reply is lost")]
struct Lost;

type Reply = Response<Full<Bytes>>;

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Reply, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let trouble = {
        let mut state = lock(&state);
        let number = state.requests;
        state.requests += 1;
        state.log.push((head.method.clone(), target.clone()));
        (state.plan)(number, &head.method, &target)
    };
    if let Some(Trouble::Refused(status)) = trouble {
        return Ok(failure(status));
    }
    let reply = act(&state, &head.method, &target, &head.headers, body).await;
    match trouble {
        Some(Trouble::ReplyLost) => Err(Lost),
        Some(Trouble::DoneBut(status)) => Ok(failure(status)),
        _ => Ok(reply),
    }
}

async fn act(state: &Mutex<State>, method: &Method, target: &str, headers: &HeaderMap, body: Bytes) -> Reply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decode(path.trim_start_matches('/'));
    let (bucket, name) = path.split_once('/').unwrap_or((&path, ""));
    let query = |key: &str| parameter(query, key);
    match (method.as_str(), query("uploadId"), query("partNumber")) {
        ("PUT", Some(id), Some(number)) => lock(state).part(&id, number.parse().unwrap_or(0), body),
        ("POST", Some(id), None) => lock(state).complete(&id, name),
        ("POST", None, None) => lock(state).begin_upload(name),
        ("DELETE", Some(id), None) => {
            lock(state).uploads.remove(&id);
            empty(204, None)
        }
        ("GET", None, None) if name.is_empty() => lock(state).list(&query),
        ("GET" | "HEAD", None, None) => lock(state).get(name, method, headers),
        ("PUT", None, None) => put(state, bucket, name, headers, body).await,
        ("DELETE", None, None) => {
            lock(state).objects.remove(name);
            empty(204, None)
        }
        _ => failure(501),
    }
}

async fn put(state: &Mutex<State>, bucket: &str, name: &str, headers: &HeaderMap, body: Bytes) -> Reply {
    let sin = lock(state).sin;
    let allowed =
        |state: &State| sin == Sin::IgnoresConditions || condition_holds(state.objects.get(name), headers);
    if !allowed(&lock(state)) {
        return failure(412);
    }
    if sin == Sin::ChecksThenWrites {
        tokio::time::sleep(TWO_STEPS).await;
    }
    let mut state = lock(state);
    if sin == Sin::None && !allowed(&state) {
        return failure(412);
    }
    let source = headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok()).map(decode);
    let content = match source.as_deref().map(|source| source.trim_start_matches('/')) {
        None => body,
        Some(source) => {
            match source.strip_prefix(bucket).and_then(|name| state.objects.get(name.trim_start_matches('/')))
            {
                Some(content) => content.clone(),
                None => return failure(404),
            }
        }
    };
    let tag = tag(&content);
    state.objects.insert(name.to_owned(), content);
    match source {
        None => empty(200, Some(&tag)),
        Some(_) => xml(&format!("<CopyObjectResult><ETag>{}</ETag></CopyObjectResult>", escape(&tag))),
    }
}

fn condition_holds(object: Option<&Bytes>, headers: &HeaderMap) -> bool {
    let absent = headers.get(IF_NONE_MATCH).is_none_or(|wanted| wanted != "*" || object.is_none());
    let matching =
        headers.get(IF_MATCH).is_none_or(|wanted| object.is_some_and(|object| *wanted == tag(object)));
    absent && matching
}

impl State {
    fn get(&self, name: &str, method: &Method, headers: &HeaderMap) -> Reply {
        let Some(content) = self.objects.get(name) else { return failure(404) };
        let tag = tag(content);
        if headers.get(IF_NONE_MATCH).is_some_and(|wanted| *wanted == tag) {
            return empty(304, Some(&tag));
        }
        let range = headers
            .get(RANGE)
            .and_then(|range| range.to_str().ok())
            .and_then(|range| range.strip_prefix("bytes="));
        let (status, part) = match range.and_then(|range| range.split_once('-')) {
            None => (200, content.clone()),
            Some((first, last)) => {
                let last = last.parse().unwrap_or(usize::MAX).min(content.len().saturating_sub(1));
                match first.parse::<usize>() {
                    Ok(first) if first < content.len() => (206, content.slice(first..=last)),
                    _ => return failure(416),
                }
            }
        };
        let len = part.len();
        let body = if method == Method::HEAD { Bytes::new() } else { part };
        let reply = Response::builder().status(status).header(ETAG, tag).header("content-length", len);
        reply.body(Full::new(body)).expect("a reply of fixed headers")
    }

    fn list(&self, query: &dyn Fn(&str) -> Option<String>) -> Reply {
        let prefix = query("prefix").unwrap_or_default();
        let after = query("start-after").unwrap_or_default();
        let limit = query("max-keys").and_then(|limit| limit.parse().ok()).unwrap_or(1000);
        let mut listing = String::from("<ListBucketResult>");
        let objects = self.objects.iter().filter(|(name, _)| name.starts_with(&prefix) && **name > after);
        for (name, content) in objects.take(limit) {
            let (name, tag, size) = (escape(name), escape(&tag(content)), content.len());
            write!(listing, "<Contents><Key>{name}</Key><ETag>{tag}</ETag><Size>{size}</Size></Contents>")
                .expect("a string takes all that is written");
        }
        xml(&(listing + "</ListBucketResult>"))
    }

    fn begin_upload(&mut self, name: &str) -> Reply {
        let id = format!("upload-{}", self.requests);
        self.uploads.insert(id.clone(), BTreeMap::new());
        let name = escape(name);
        xml(&format!(
            "<InitiateMultipartUploadResult><Key>{name}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        ))
    }

    fn part(&mut self, id: &str, number: u32, body: Bytes) -> Reply {
        let tag = tag(&body);
        match self.uploads.get_mut(id) {
            Some(parts) => {
                parts.insert(number, body);
                empty(200, Some(&tag))
            }
            None => failure(404),
        }
    }

    fn complete(&mut self, id: &str, name: &str) -> Reply {
        let Some(parts) = self.uploads.remove(id) else { return failure(404) };
        let content: Vec<u8> = parts.into_values().flatten().collect();
        let tag = escape(&tag(&content));
        self.objects.insert(name.to_owned(), content.into());
        let name = escape(name);
        xml(&format!(
            "<CompleteMultipartUploadResult><Key>{name}</Key><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        ))
    }
}

fn tag(content: &[u8]) -> String {
    format!("\"{:08x}-{}\"", crc32fast::hash(content), content.len())
}

fn empty(status: u16, tag: Option<&str>) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::from_u16(status).expect("a status of three digits");
    if let Some(tag) = tag {
        reply.headers_mut().insert(ETAG, tag.parse().expect("a tag is hexadecimal"));
    }
    reply
}

fn xml(body: &str) -> Reply {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}");
    Response::builder()
        .header("content-type", "application/xml")
        .body(Full::from(text))
        .expect("a reply of fixed headers")
}

fn failure(status: u16) -> Reply {
    let code = match status {
        404 => "NoSuchKey",
        409 => "ConditionalRequestConflict",
        412 => "PreconditionFailed",
        500 => "InternalError",
        503 => "SlowDown",
        _ => "Trouble",
    };
    let mut reply = xml(&format!("<Error><Code>{code}</Code><Message>planned</Message></Error>"));
    *reply.status_mut() = StatusCode::from_u16(status).expect("a status of three digits");
    reply
}

fn parameter(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| decode(value))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], escaped) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
