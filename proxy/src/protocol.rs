//! The GOPROXY protocol in HTTP: a path becomes a [`Resource`], an answer becomes a reply.
//!
//! Policy speaks here, once for every kind of resource and before anything is looked up: a private name stays inside.

pub(crate) mod caching;
mod range;
mod warm;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headers::{ETag, Header, IfNoneMatch};
use http::response::Builder;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use modkeep_fetch::private::Private;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::{Resource, SumdbRequest, SumdbResource};
use modkeep_module::version::ModuleVersion;

use crate::body::{Body, Broken, Piece};
use crate::error::Problem;
use crate::forwarded::Client;
use crate::metrics::Metrics;
use crate::mirror::{Age, Answer, File, Mirror, Wish, subject};
use crate::protocol::range::Wanted;
use crate::protocol::warm::{Ready, Warm};
use crate::sumdb::Databases;

/// The prefix below which nothing is fetched, as the public proxy has it.
const CACHED_ONLY: &str = "/cached-only";
/// The header that asks for the same.
const DISABLE_FETCH: &str = "disable-module-fetch";

/// Larger ones are not held ready, in bytes.
const WARM_BYTES: usize = 64 * 1024;

/// Names that stay inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Names that no upstream or no checksum database may hear (GOPRIVATE, GONOPROXY, GONOSUMDB).
    pub private: Private,
    /// Whether a private name that is not kept here is answered with 404 in the place of 403.
    pub private_is_absent: bool,
}

/// Answers for modules.
pub(crate) struct Protocol {
    mirror: Mirror,
    databases: Databases,
    policy: Policy,
    metrics: Arc<Metrics>,
    /// How long others may keep the 404 of a path that names nothing.
    malformed: Duration,
    warm: Warm,
}

impl Protocol {
    pub(crate) fn new(mirror: Mirror, databases: Databases, policy: Policy, metrics: Arc<Metrics>) -> Self {
        let malformed = databases.freshness.malformed;
        Self { mirror, databases, policy, metrics, malformed, warm: Warm::new() }
    }

    /// The kind of what was asked for, and the reply. `path` is below the base path and begins with `/`.
    pub(crate) async fn answer<B>(
        &self,
        request: &Request<B>,
        path: &str,
        now: Instant,
    ) -> (&'static str, Response<Body>) {
        let head = request.method() == Method::HEAD;
        let (path, prefixed) = match path.strip_prefix(CACHED_ONLY) {
            Some(rest) if rest.starts_with('/') => (rest, true),
            _ => (path, false),
        };
        let headers = request.headers();
        let is_plain = !headers.contains_key(header::RANGE) && !headers.contains_key(header::IF_NONE_MATCH);
        if is_plain && let Some(ready) = self.warm.get(path, now) {
            return (ready.kind, ready.reply(head));
        }
        let resource = match Resource::parse(path) {
            Ok(resource) => resource,
            Err(error) => {
                let text = format!("not found: {error}");
                return ("malformed", Problem::Malformed { text, max_age: self.malformed }.reply(head));
            }
        };
        let wish = Wish {
            cached_only: prefixed || headers.get(DISABLE_FETCH).is_some_and(|value| value == "true"),
            streams: !head && is_plain,
        };
        let answer = self.find(&resource, wish).await;
        let content = is_plain.then(|| lasting(&answer)).flatten();
        let reply = reply(&resource, headers, head, answer);
        if let Some(content) = content {
            let ready = Ready { kind: resource.kind(), headers: reply.headers().clone(), content };
            self.warm.put(path, now, ready);
        }
        (resource.kind(), reply)
    }

    async fn find(&self, resource: &Resource, wish: Wish) -> Answer {
        match (self.stays_inside(resource), resource) {
            (Some(problem), _) => Answer { what: Err(problem), age: Age::Forever },
            (None, Resource::Sumdb(asked)) => self.databases.find(asked).await,
            (None, _) => self.mirror.find(resource, wish).await,
        }
    }

    /// A file that is no zip, or an answer, as a client gets it.
    pub(crate) async fn small(&self, resource: &Resource) -> Result<Bytes, Problem> {
        match self.find(resource, Wish { cached_only: false, streams: false }).await.what? {
            File::Bytes { bytes, .. } => Ok(bytes),
            File::Blob(_) | File::Arriving { .. } => Err(Problem::Internal),
        }
    }

    /// The hash in a version's line of go.sum, or in the one of its go.mod; `None` where no database vouches for it and
    /// it was not fetched yet.
    pub(crate) async fn sum(
        &self,
        module: &ModuleVersion,
        is_go_mod: bool,
    ) -> Result<Option<String>, Problem> {
        let resource = if is_go_mod { Resource::Mod(module.clone()) } else { Resource::Zip(module.clone()) };
        match self.stays_inside(&resource) {
            Some(problem) => Err(problem),
            None => self.mirror.sum(&resource, module).await,
        }
    }

    /// The refusal of a private name; what is kept of it is given to nobody by the mirror of public modules.
    fn stays_inside(&self, resource: &Resource) -> Option<Problem> {
        let module = resource.module()?;
        if !self.policy.private.hides(module) {
            return None;
        }
        let text =
            format!("{}: {module} is private here, and no upstream is asked for it", subject(resource));
        Some(if self.policy.private_is_absent {
            Problem::absent(format!("not found: {text}"))
        } else {
            Problem::Refused { text }
        })
    }

    /// `POST /-/refresh/MODULE`: the answers about a module are old from now on, and no file is given any more that
    /// the store has not.
    pub(crate) async fn refresh(&self, method: &Method, module: &str, client: Client) -> Response<Body> {
        if method != Method::POST {
            return Problem::Method.reply(false);
        }
        if client.is_veiled || !client.address.to_canonical().is_loopback() {
            return Problem::Refused { text: "only this machine may refresh".to_owned() }.reply(false);
        }
        let module = match Resource::parse(&format!("/{module}/@latest")) {
            Ok(Resource::Latest(module)) => module,
            _ => {
                return Problem::absent(format!("not found: `{module}` is no escaped module path"))
                    .reply(false);
            }
        };
        match self.refresh_module(&module).await {
            Ok(text) => Response::builder()
                .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
                .header(header::CONTENT_LENGTH, text.len())
                .header(header::CACHE_CONTROL, "no-store")
                .body(Body::full(text))
                .expect("headers are ours"),
            Err(problem) => problem.reply(false),
        }
    }

    async fn refresh_module(&self, module: &ModulePath) -> Result<String, Problem> {
        // First, so that it holds even where the answers can't be listed.
        self.warm.clear();
        let refreshed = self.mirror.refresh(module).await.map_err(crate::mirror::unreadable)?;
        Ok(format!("{module}: {refreshed} answers will be asked again\n"))
    }

    pub(crate) async fn metrics_text(&self) -> String {
        self.metrics.flights.set(self.mirror.flights() as i64);
        for (database, status) in self.databases.status().await {
            self.metrics.note_database(database, &status);
        }
        self.metrics.text()
    }
}

/// The content of an answer that never changes and costs little to hold.
fn lasting(answer: &Answer) -> Option<Piece> {
    match (&answer.what, answer.age) {
        (Ok(File::Bytes { bytes, .. }), Age::Forever) if bytes.len() <= WARM_BYTES => {
            Some(Piece::Bytes(bytes.clone()))
        }
        (Ok(File::Blob(blob)), Age::Forever) => {
            let file = Arc::clone(blob.file()?);
            Some(Piece::File { file, start: 0, end: blob.len() })
        }
        _ => None,
    }
}

fn reply(resource: &Resource, headers: &HeaderMap, head: bool, answer: Answer) -> Response<Body> {
    let mut reply = match answer.what {
        Ok(file) => file_reply(resource, headers, head, file, answer.age),
        Err(problem) => problem.reply(head),
    };
    mark_age(reply.headers_mut(), answer.age);
    reply
}

/// `Age`, and what a cache did (RFC 9211); files that never change carry neither.
fn mark_age(headers: &mut HeaderMap, age: Age) {
    let (age, status) = match age {
        Age::Forever => return,
        Age::Fresh { age, left } => (age, format!("modkeep; hit; ttl={}", left.as_secs())),
        Age::Stale { age, over } => (age, format!("modkeep; hit; ttl=-{}; detail=stale", over.as_secs())),
    };
    let value = |text: String| HeaderValue::try_from(text).expect("digits and ASCII words");
    headers.insert(header::AGE, value(age.as_secs().to_string()));
    headers.insert("cache-status", value(status));
}

fn file_reply(resource: &Resource, headers: &HeaderMap, head: bool, file: File, age: Age) -> Response<Body> {
    let mut reply = Response::builder()
        .header(header::CONTENT_TYPE, content_type(resource))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CACHE_CONTROL, cache_control(age));
    let (digest, length) = match &file {
        File::Bytes { digest, bytes } => (digest.to_string(), bytes.len() as u64),
        File::Blob(blob) => (blob.digest().to_string(), blob.len()),
        File::Arriving { .. } => return arriving_reply(reply, file),
    };
    let etag = format!("\"{digest}\"");
    reply = reply.header(header::ETAG, &etag).header(header::ACCEPT_RANGES, "bytes");
    if is_known_to_client(headers, &etag) {
        return finish(reply.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    let range = headers.get(header::RANGE).filter(|_| !head && range_is_of_this(headers, &etag));
    match range::wanted(range, length) {
        Wanted::Nothing => Problem::Range { length }.reply(head),
        Wanted::Whole => {
            reply = reply.header(header::CONTENT_LENGTH, length);
            finish(reply, if head { Body::empty() } else { part(file, 0, length) })
        }
        Wanted::Part { start, end } => {
            reply = reply
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_LENGTH, end - start)
                .header(header::CONTENT_RANGE, format!("bytes {start}-{}/{length}", end - 1));
            finish(reply, part(file, start, end))
        }
    }
}

fn arriving_reply(reply: Builder, file: File) -> Response<Body> {
    let File::Arriving { pieces, length } = file else { return Problem::Internal.reply(false) };
    let reply = match length {
        Some(length) => reply.header(header::CONTENT_LENGTH, length),
        None => reply,
    };
    finish(reply, Body::stream(pieces, length))
}

fn part(file: File, start: u64, end: u64) -> Body {
    use futures_util::StreamExt;
    match file {
        File::Bytes { bytes, .. } => {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            Body::full(bytes.slice(index(start)..index(end)))
        }
        File::Blob(blob) => match blob.file() {
            Some(file) => Body::file(Arc::clone(file), start, end),
            None => {
                let pieces = blob.read_range(start..end);
                let pieces =
                    pieces.map(|read| read.map(Piece::Bytes).map_err(|e| Broken::Store(e.to_string())));
                Body::stream(Box::pin(pieces), Some(end - start))
            }
        },
        File::Arriving { pieces, length } => Body::stream(pieces, length),
    }
}

fn finish(reply: Builder, body: Body) -> Response<Body> {
    reply.body(body).expect("headers are ours")
}

fn content_type(resource: &Resource) -> &'static str {
    match resource {
        Resource::Sumdb(SumdbResource { request: SumdbRequest::Tile(_), .. }) => "application/octet-stream",
        Resource::List(_) | Resource::Mod(_) | Resource::Sumdb(_) => "text/plain; charset=utf-8",
        Resource::Latest(_) | Resource::Query(_) | Resource::Info(_) => "application/json",
        Resource::Zip(_) => "application/zip",
    }
}

fn cache_control(age: Age) -> HeaderValue {
    match age {
        Age::Forever => caching::immutable(),
        Age::Fresh { left, .. } => caching::mutable(left.as_secs()),
        Age::Stale { .. } => caching::mutable(Duration::ZERO.as_secs()),
    }
}

fn is_known_to_client(headers: &HeaderMap, etag: &str) -> bool {
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    let known = IfNoneMatch::decode(&mut headers.get_all(header::IF_NONE_MATCH).iter());
    match (known, etag.parse::<ETag>()) {
        (Ok(known), Ok(etag)) => !known.precondition_passes(&etag),
        _ => false,
    }
}

/// Whether `If-Range`, if it is there, names the file that we have; a date names none.
fn range_is_of_this(headers: &HeaderMap, etag: &str) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|value| value == etag)
}
