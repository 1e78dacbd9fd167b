//! One request, from its head to its reply: what is refused at once, the pages of the service itself, and the hand-over
//! to the protocol. A fault of our own ends here and reaches one client only.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use hyper::body::Incoming;
use modkeep_fetch::via::Identity;
use modkeep_store::remote::ROUTE;

use crate::access::{Entry, Tally};
use crate::body::Body;
use crate::builds::Builds;
use crate::error::Problem;
use crate::forwarded::{Client, Trusted};
use crate::metrics::{self, Answered, Metrics};
use crate::protocol::Protocol;
use crate::resolve::{self, Resolving};

/// Answers requests.
pub(crate) struct Service {
    protocol: Protocol,
    builds: Option<Arc<Builds>>,
    metrics: Arc<Metrics>,
    /// `/` or `/path`, without a slash at its end.
    base_path: String,
    identity: Identity,
    trusted: Trusted,
    access_log: bool,
    resolving: Resolving,
    requests: AtomicU64,
}

/// Marks a request whose body was taken off the wire before it is answered.
#[derive(Clone, Copy)]
pub(crate) struct HadBody;

/// Counts a connection as open while it is held.
pub(crate) struct OpenConnection(Arc<Metrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// A page of the service itself.
#[derive(Clone, Copy)]
enum Page {
    Health,
    Readiness,
    Metrics,
    Description,
}

impl Page {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Readiness),
            "/metrics" => Some(Self::Metrics),
            resolve::DESCRIPTION_PATH => Some(Self::Description),
            _ => None,
        }
    }
}

/// What a request came to.
struct Answer {
    kind: &'static str,
    reply: Response<Body>,
}

impl Service {
    pub(crate) fn new(
        protocol: Protocol,
        builds: Option<Arc<Builds>>,
        metrics: Arc<Metrics>,
        base_path: &str,
        identity: Identity,
        trusted: Trusted,
        access_log: bool,
    ) -> Self {
        let base_path = base_path.trim_matches('/');
        let base_path = if base_path.is_empty() { String::new() } else { format!("/{base_path}") };
        let (resolving, requests) = (Resolving::new(), AtomicU64::new(0));
        Self { protocol, builds, metrics, base_path, identity, trusted, access_log, resolving, requests }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn connection_opened(&self) -> OpenConnection {
        self.metrics.connections.inc();
        OpenConnection(Arc::clone(&self.metrics))
    }

    /// Whether the reply to a request depends on its body, to the end of which it is read then.
    pub(crate) fn reads_body<B>(&self, request: &Request<B>) -> bool {
        let inside = request.uri().path().strip_prefix(self.base_path.as_str());
        request.method() == Method::POST && inside == Some(resolve::PATH)
    }

    /// Never fails: whatever happens is a reply.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let began = Instant::now();
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let head = request.method() == Method::HEAD;
        let client = self.trusted.client(peer, request.headers());
        let (request, body) = request.into_parts();
        let request = Request::from_parts(request, ());
        let dispatched = self.dispatch(&request, body, client, number, began);
        let answered = AssertUnwindSafe(dispatched).catch_unwind().await;
        let Answer { kind, mut reply } = answered.unwrap_or_else(|_| {
            self.metrics.panics.inc();
            tracing::error!(id = %self.name(number), path = request.uri().path(), "a request ended in a panic");
            Answer { kind: "fault", reply: Problem::Internal.reply(head) }
        });
        let status = reply.status();
        self.metrics.requests.get_or_create(&Answered { kind, status: status.as_u16() }).inc();
        if status.is_client_error() || status.is_server_error() {
            let id = HeaderValue::try_from(self.name(number)).expect("letters, digits and a hyphen");
            reply.headers_mut().insert("x-request-id", id);
        }
        let entry = self.access_log.then(|| Entry {
            id: self.name(number),
            client: client.address,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            kind,
            status,
            began,
        });
        let expected = reply.body().length();
        let tally = Tally::new(Arc::clone(&self.metrics), entry, expected);
        reply.map(|body| body.counted(tally))
    }

    async fn dispatch(
        &self,
        request: &Request<()>,
        body: Incoming,
        client: Client,
        number: u64,
        now: Instant,
    ) -> Answer {
        let head = request.method() == Method::HEAD;
        let refuse = |kind, problem: Problem| Answer { kind, reply: problem.reply(head) };
        let path = request.uri().path();
        let inside = path.strip_prefix(self.base_path.as_str()).filter(|rest| rest.starts_with('/'));
        if let Some(module) = inside.and_then(|path| path.strip_prefix("/-/refresh/")) {
            return Answer {
                kind: "refresh",
                reply: self.protocol.refresh(request.method(), module, client).await,
            };
        }
        if inside == Some(resolve::PATH) {
            let reply = self.resolving.answer(&self.protocol, request.method(), body).await;
            return Answer { kind: "resolve", reply };
        }
        if let Some((builds, name)) =
            self.builds.as_ref().zip(inside.and_then(|path| path.strip_prefix(ROUTE)))
        {
            return Answer { kind: "cache", reply: builds.answer(request, body, name).await };
        }
        if request.method() != Method::GET && !head {
            return refuse("method", Problem::Method);
        }
        if !body.is_end_stream() || request.extensions().get::<HadBody>().is_some() {
            return refuse("body", Problem::BadRequest { text: "a GET has no body here".to_owned() });
        }
        if let Some(page) = inside.and_then(Page::of).or_else(|| Page::of(path)) {
            return self.page(page, head).await;
        }
        let Some(inside) = inside else {
            return refuse(
                "outside",
                Problem::absent(format!("404 page not found: modules are below {}/", self.base_path)),
            );
        };
        if self.identity.is_in(request.headers()) {
            tracing::warn!(id = %self.name(number), path, "the upstream leads back to this server");
            let mut answer = refuse("loop", Problem::Loop);
            answer.reply.headers_mut().insert(header::VIA, self.identity.via().clone());
            return answer;
        }
        let (kind, reply) = self.protocol.answer(request, inside, now).await;
        Answer { kind, reply }
    }

    async fn page(&self, page: Page, head: bool) -> Answer {
        const TEXT: &str = "text/plain; charset=utf-8";
        let (kind, content_type, text) = match page {
            Page::Health => ("healthz", TEXT, "alive\n".to_owned()),
            // Ready as long as it runs: the upstream may come and go.
            Page::Readiness => ("readyz", TEXT, "ready\n".to_owned()),
            Page::Description => ("openapi", "application/json", resolve::DESCRIPTION.to_owned()),
            Page::Metrics => ("metrics", metrics::CONTENT_TYPE, self.protocol.metrics_text().await),
        };
        let reply = Response::builder()
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CONTENT_LENGTH, text.len())
            .header(header::CACHE_CONTROL, "no-store")
            .body(if head { Body::empty() } else { Body::full(text) });
        Answer { kind, reply: reply.expect("headers are ours") }
    }

    fn name(&self, number: u64) -> String {
        let via = self.identity.via().to_str().unwrap_or_default();
        format!("{}-{number:x}", via.trim_start_matches("1.1 "))
    }
}
