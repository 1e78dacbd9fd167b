//! `POST /api/v1/resolve`: what the go command would select for a go.mod, why, and the lines of its go.sum.
//!
//! What the resolver wants to know comes from the mirror, as a client would get it: kept or fetched, proved, never of
//! a private name. `openapi.json` beside this file describes requests and replies.

mod document;
mod facts;
mod reply;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use modkeep_module::gomod::{Directive, Go};
use modkeep_module::{GoMod, GoSum, GoWork};
use modkeep_resolver::error::{Halt, TooNew};
use modkeep_resolver::go_version;
use modkeep_resolver::main_modules::{MainModule, Workspace};
use modkeep_resolver::release::NEWEST;
use modkeep_resolver::requirements::Load;
use modkeep_resolver::world::{LocalGo, Mode, World};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use self::document::{Asked, Refused};
use self::facts::Facts;
use crate::body::Body;
use crate::protocol::Protocol;

/// Where it is.
pub(crate) const PATH: &str = "/api/v1/resolve";
/// Where its description is.
pub(crate) const DESCRIPTION_PATH: &str = "/api/v1/openapi.json";
/// Its description.
pub(crate) const DESCRIPTION: &str = include_str!("resolve/openapi.json");

/// Bytes of a request.
pub(crate) const MAX_REQUEST: usize = 4 << 20;
/// How long a request may take to come.
const ARRIVAL: Duration = Duration::from_secs(30);
/// How long an answer may take to be found.
const PATIENCE: Duration = Duration::from_secs(120);
/// Graphs that are worked on at one time.
const PLACES: usize = 4;
/// Requests that are read or wait for a place at one time; further ones are told to come again.
const ADMITTED: usize = 16;
/// When those should come again.
const PAUSE: Duration = Duration::from_secs(5);

/// Answers, a few graphs at a time.
pub(crate) struct Resolving {
    admitted: Semaphore,
    places: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request can't be read.
    Malformed(String),
    /// It is too long.
    TooLarge,
    /// Not POST.
    Method,
    /// There is no answer, in go's words.
    Unresolvable(String),
    /// Not now.
    Later(String, Duration),
    /// Our own fault.
    Internal,
}

impl Refusal {
    fn reply(self) -> Response<Body> {
        let (status, error) = match self {
            Self::Malformed(text) => (StatusCode::BAD_REQUEST, text),
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {MAX_REQUEST} bytes"))
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "only POST is answered here".to_owned()),
            Self::Unresolvable(text) => (StatusCode::UNPROCESSABLE_ENTITY, text),
            Self::Later(text, after) => {
                let mut reply = json(StatusCode::SERVICE_UNAVAILABLE, &Refused { error: text });
                let seconds = HeaderValue::from(after.as_secs().max(1));
                reply.headers_mut().insert(header::RETRY_AFTER, seconds);
                return reply;
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the server's log".to_owned())
            }
        };
        let mut reply = json(status, &Refused { error });
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            // The rest of it is not read.
            StatusCode::PAYLOAD_TOO_LARGE => {
                reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        reply
    }
}

fn json(status: StatusCode, document: &impl serde::Serialize) -> Response<Body> {
    let text = serde_json::to_vec(document).expect("documents have texts for keys");
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, text.len())
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::full(text))
        .expect("headers are ours")
}

impl Resolving {
    pub(crate) fn new() -> Self {
        Self { admitted: Semaphore::new(ADMITTED), places: Arc::new(Semaphore::new(PLACES)) }
    }

    /// Never fails: whatever happens is a reply.
    pub(crate) async fn answer(
        &self,
        protocol: &Protocol,
        method: &Method,
        body: Incoming,
    ) -> Response<Body> {
        if method != Method::POST {
            return Refusal::Method.reply();
        }
        let found = async {
            let busy = |_| Refusal::Later("resolving: too many ask at the same time".to_owned(), PAUSE);
            let _admitted = self.admitted.try_acquire().map_err(busy)?;
            let asked = read(body).await?;
            let work = async {
                let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Refusal::Internal)?;
                resolve(protocol, asked, Arc::new(place)).await
            };
            let late = |_| Refusal::Later("resolving: still under way".to_owned(), Duration::from_secs(10));
            timeout(PATIENCE, work).await.map_err(late)?
        };
        match found.await {
            Ok(resolution) => json(StatusCode::OK, &resolution),
            Err(refusal) => refusal.reply(),
        }
    }
}

async fn read(body: Incoming) -> Result<Asked, Refusal> {
    let whole = timeout(ARRIVAL, Limited::new(body, MAX_REQUEST).collect()).await;
    let whole =
        whole.map_err(|_| Refusal::Malformed(format!("the request did not come within {ARRIVAL:?}")))?;
    let whole = whole.map_err(|error| match error.is::<LengthLimitError>() {
        true => Refusal::TooLarge,
        false => Refusal::Malformed(format!("reading the request: {error}")),
    })?;
    serde_json::from_slice(&whole.to_bytes()).map_err(|error| Refusal::Malformed(error.to_string()))
}

/// The place is given back when the last thread that works on it is done, whoever still waits for the answer.
async fn resolve(
    protocol: &Protocol,
    asked: Asked,
    place: Arc<OwnedSemaphorePermit>,
) -> Result<document::Resolution, Refusal> {
    let go_sum = GoSum::parse("go.sum", asked.go_sum.as_bytes());
    let go_sum = go_sum.map_err(|error| Refusal::Malformed(error.to_string()))?;
    let world = world(&asked)?;
    let mut facts = Facts::new(protocol, Arc::clone(&place));
    let (world, (requirements, graph)) = facts
        .settle(world, |world| {
            let requirements = world.load(&Load { only_looks: true, go_version: None })?;
            let expanded = world.expand(&requirements)?;
            match expanded.error {
                Some(error) => Err(Halt::Error(Box::new(error))),
                None => Ok((expanded.requirements, expanded.graph)),
            }
        })
        .await?;
    // What authors say later is told where it can be had; without it the answer stands.
    facts.is_lenient = true;
    let listed = (Arc::clone(&requirements), Arc::clone(&graph));
    let (world, modules) =
        facts.settle(world, move |world| reply::modules(world, &listed.0, &listed.1)).await?;
    let summed = Arc::clone(&requirements);
    let (world, kept) = facts.settle(world, move |world| world.kept_sums(&summed, None, true)).await?;
    let go_sum = facts.sums(kept, &go_sum).await?;
    let reply = move || {
        let _place = place;
        reply::resolution(&world, &graph, modules, go_sum)
    };
    tokio::task::spawn_blocking(reply).await.map_err(|_| Refusal::Internal)?
}

/// The world of the files that were sent.
fn world(asked: &Asked) -> Result<World, Refusal> {
    let malformed = |error: String| Refusal::Malformed(error);
    let file =
        GoMod::parse("go.mod", asked.go_mod.as_bytes()).map_err(|error| malformed(error.to_string()))?;
    if file.module().is_none() {
        return Err(malformed("go.mod: no module declaration in go.mod".to_owned()));
    }
    let main = MainModule { file, was_fixed: false, directory: "/".to_owned(), shown: ".".to_owned() };
    let mains = vec![main];
    let workspace = match asked.go_work.as_str() {
        "" => None,
        text => {
            let file =
                GoWork::parse("go.work", text.as_bytes()).map_err(|error| malformed(error.to_string()))?;
            if file.uses().len() != 1 {
                let text = "go.work must use one module, the one whose go.mod is sent: no other one is here";
                return Err(Refusal::Unresolvable(text.to_owned()));
            }
            Some(Workspace { file, directory: "/".to_owned() })
        }
    };
    let error = workspace.iter().flat_map(|workspace| workspace.too_old_for(&mains)).next();
    if let Some(error) = error {
        return Err(Refusal::Unresolvable(error.to_string()));
    }
    let lines =
        [("go.mod", mains[0].file.go()), ("go.work", workspace.as_ref().and_then(|work| work.file.go()))];
    for (what, line) in lines {
        let is_newer = |go: &&Directive<Go>| go_version::compare(&go.version, NEWEST).is_gt();
        if let Some(go) = line.filter(is_newer) {
            let (what, version, local) = (what.to_owned(), go.version.clone(), NEWEST.to_owned());
            let error = TooNew { what, version, local, explain: String::new() };
            return Err(Refusal::Unresolvable(error.to_string()));
        }
    }
    let local = LocalGo { version: NEWEST.to_owned(), explain: String::new() };
    World::new(mains, workspace, Mode::Mod, local).map_err(|error| Refusal::Unresolvable(error.to_string()))
}
