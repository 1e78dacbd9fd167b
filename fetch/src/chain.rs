//! A GOPROXY chain: who is asked, in which order, and whose failure counts when all fail.
//!
//! Source of the rules: `cmd/go/internal/modfetch/proxy.go:TryProxies`. `,` lets the next source be asked after
//! 404 and 410 only, `|` after anything; of several failures the last that is not an absence counts, else the
//! last absence. `direct` is not built yet: it adds nothing to what the sources before it said.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use modkeep_module::info::Info;
use modkeep_module::resource::{DatabaseName, Resource, SumdbRequest, SumdbResource};
use url::Url;

use crate::answer::Answer;
use crate::base::{Base, is_loopback};
use crate::error::{FetchError, Flaw};
use crate::folder;
use crate::goproxy::{GoProxy, GoProxyError, Place, Source};
use crate::http::{Client, ConnectError, Failed, Manners};
use crate::kind::Kind;
use crate::private::Private;
use crate::requests::Requests;

/// What an [`Upstream`] is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// The sources.
    pub goproxy: GoProxy,
    /// The names that nobody is asked for.
    pub private: Private,
    /// How requests are made.
    pub manners: Manners,
    /// Where this server listens itself: a source there is dropped.
    pub listening: Option<SocketAddr>,
}

/// The sources of modules, asked as the go command would.
#[derive(Debug)]
pub struct Upstream {
    sources: Vec<Link>,
    private: Private,
    client: Client,
}

#[derive(Debug)]
struct Link {
    source: Source,
    /// It is this server itself.
    is_shadow: AtomicBool,
}

/// How a checksum database is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Through the source with this number.
    Through(usize),
    /// At its own URL.
    Direct(Base),
}

impl Upstream {
    /// Sets up the transport; nothing is asked yet.
    ///
    /// # Errors
    /// When the forward proxy, the further authorities or TLS can't be used.
    pub fn new(config: Config) -> Result<Self, ConnectError> {
        let Config { goproxy, private, manners, listening } = config;
        let link = |source: Source| {
            let is_shadow = is_at(&source.place, listening);
            if is_shadow {
                tracing::warn!(upstream = name(&source.place), "upstream is this server itself: dropped");
            }
            Link { source, is_shadow: AtomicBool::new(is_shadow) }
        };
        let sources = goproxy.sources.into_iter().map(link).collect();
        Ok(Self { sources, private, client: Client::new(manners)? })
    }

    /// Gets a resource from the first source that has it.
    ///
    /// # Errors
    /// The failure that the go command would report; [`FetchError::Private`] when nobody may be asked.
    pub async fn fetch(&self, resource: &Resource) -> Result<Answer, FetchError> {
        self.permit(resource)?;
        let (_, answer) = self.walk(resource).await?;
        Ok(answer)
    }

    /// Finds out how the go command would reach a checksum database without a URL of its own: through the first
    /// source that says to support it, directly if all say that they don't
    /// (`cmd/go/internal/modfetch/sumdb.go:initBase`).
    ///
    /// # Errors
    /// When a source that must be asked first can't say.
    pub async fn route(&self, database: &DatabaseName) -> Result<Route, FetchError> {
        let supported = SumdbResource { database: database.clone(), request: SumdbRequest::Supported };
        match self.walk(&Resource::Sumdb(supported)).await {
            Ok((index, _)) => Ok(Route::Through(index)),
            Err(error) if error.is_absent() => {
                let url = format!("https://{database}");
                let base = Url::parse(&url).ok().and_then(|url| Base::new(url).ok());
                base.map(Route::Direct).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads from a checksum database by a route found before.
    ///
    /// # Errors
    /// That of the one place that was asked; [`FetchError::Private`] when it may not be.
    pub async fn read(&self, route: &Route, resource: &SumdbResource) -> Result<Bytes, FetchError> {
        let prefix = format!("/sumdb/{}", resource.database);
        let resource = Resource::Sumdb(resource.clone());
        self.permit(&resource)?;
        let answer = match route {
            Route::Through(index) => self.ask(&self.sources[*index].source.place, &resource).await,
            Route::Direct(base) => {
                let (path, kind) = (resource.url_path(), Kind::of(&resource));
                let path = path.strip_prefix(&prefix).unwrap_or(&path);
                self.client.get(base, path, kind).await
            }
        };
        answer.map_err(|failed| failed.error)?.bytes().await
    }

    /// How many requests left, by kind.
    pub fn requests(&self) -> &Arc<Requests> {
        self.client.requests()
    }

    /// The names that nobody is asked for.
    pub fn private(&self) -> &Private {
        &self.private
    }

    fn permit(&self, resource: &Resource) -> Result<(), FetchError> {
        let Some(path) = resource.module() else { return Ok(()) };
        let is_hidden = match resource {
            Resource::Sumdb(_) => self.private.hides_from_sumdb(path),
            _ => self.private.hides(path),
        };
        if is_hidden { Err(FetchError::Private(path.clone())) } else { Ok(()) }
    }

    async fn walk(&self, resource: &Resource) -> Result<(usize, Answer), FetchError> {
        let mut best = None;
        for (index, link) in self.sources.iter().enumerate() {
            if link.is_shadow.load(Ordering::Relaxed) {
                continue;
            }
            let place = &link.source.place;
            let error = match place {
                Place::Direct => break,
                Place::Off => nothing("module lookup disabled by GOPROXY=off"),
                Place::Http(_) | Place::Folder(_) => match self.ask(place, resource).await {
                    Ok(answer) => return Ok((index, answer)),
                    Err(Failed { is_shadow: true, .. }) => {
                        tracing::warn!(upstream = name(place), "upstream leads back to this server: dropped");
                        link.is_shadow.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Err(Failed { error, .. }) => error,
                },
            };
            let goes_on = link.source.falls_through || error.is_absent();
            best = Some(more_telling(best, error));
            if !goes_on {
                break;
            }
        }
        Err(best.unwrap_or_else(|| nothing(self.emptiness())))
    }

    /// Why there was nobody to ask.
    fn emptiness(&self) -> &'static str {
        match self.sources.last() {
            Some(Link { source: Source { place: Place::Direct, .. }, .. }) => {
                "direct is not supported yet: set an upstream"
            }
            _ => "the only upstream is this server itself: set another",
        }
    }

    async fn ask(&self, place: &Place, resource: &Resource) -> Result<Answer, Failed> {
        let (path, kind) = (resource.url_path(), Kind::of(resource));
        let answer = match place {
            Place::Http(base) => self.client.get(base, &path, kind).await?,
            Place::Folder(root) => {
                self.client.requests().count(kind);
                folder::get(root, &path, kind).await?
            }
            Place::Direct | Place::Off => return Err(nothing(self.emptiness()).into()),
        };
        match kind {
            Kind::Info | Kind::Query | Kind::Latest => Ok(judged(answer, resource).await?),
            _ => Ok(answer),
        }
    }
}

impl Route {
    /// The URL that GOSUMDB names beside the key: it goes before all sources.
    ///
    /// # Errors
    /// When it is not the URL of a server, or credentials would travel unencrypted.
    pub fn direct(url: &str) -> Result<Self, GoProxyError> {
        match GoProxy::parse(url)?.sources.pop() {
            Some(Source { place: Place::Http(base), .. }) => Ok(Self::Direct(base)),
            _ => Err(GoProxyError::Scheme(crate::secret::shown_text(url))),
        }
    }
}

/// An `.info` is judged before it ends the walk, as in the go command (`modfetch/proxy.go:Stat`): after one that
/// says nothing the next source may be asked.
async fn judged(answer: Answer, resource: &Resource) -> Result<Answer, FetchError> {
    let (url, content_type) = (answer.url.clone(), answer.content_type.clone());
    let document = answer.bytes().await?;
    match Info::parse(&document).and_then(|info| info.answers(resource)) {
        Ok(()) => Ok(Answer::whole(url, content_type, document)),
        Err(error) => Err(FetchError::Broken { url, source: Flaw::Info(Arc::new(error)) }),
    }
}

/// The failure that is reported: any but an absence, and of its equals the later.
fn more_telling(best: Option<FetchError>, error: FetchError) -> FetchError {
    match best {
        Some(best) if !best.is_absent() && error.is_absent() => best,
        _ => error,
    }
}

fn nothing(text: &str) -> FetchError {
    FetchError::Absent { url: String::new(), status: 404, text: text.to_owned() }
}

fn name(place: &Place) -> String {
    match place {
        Place::Http(base) => crate::secret::shown(base.url()),
        Place::Folder(root) => root.display().to_string(),
        Place::Direct => "direct".to_owned(),
        Place::Off => "off".to_owned(),
    }
}

/// Whether a source is the listener at this address, as far as that can be said without asking anybody: by its
/// port, and an address or name of this machine.
fn is_at(place: &Place, listening: Option<SocketAddr>) -> bool {
    let (Place::Http(base), Some(listening)) = (place, listening) else { return false };
    let url = base.url();
    if url.port_or_known_default() != Some(listening.port()) {
        return false;
    }
    let listens_locally = listening.ip().is_unspecified() || listening.ip().is_loopback();
    let is_same = match url.host() {
        Some(url::Host::Ipv4(address)) => listening.ip() == address || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => listening.ip() == address || address.is_unspecified(),
        _ => false,
    };
    is_same || (listens_locally && is_loopback(url))
}
