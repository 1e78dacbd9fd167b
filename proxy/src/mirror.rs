//! The mirror: what is kept is given, what is not is fetched once, proved, kept and then given.
//!
//! Every resource has one state ([`fact::State`], or a [flight]). Files of versions never change: once proved they are
//! given without looking back. Lists, `@latest`, queries and absences are facts with an age: inside their lifetime they
//! are given, past it they are asked again while the client waits a moment, and when no newer answer comes the old one
//! is given and marked as such.
//! The table of all cases is in ARCHITECTURE.md ("What leaves"); a test reads it.

pub(crate) mod fact;
pub(crate) mod facts;
mod fetching;
pub(crate) mod flight;
mod notary;
mod suspicion;
mod zip;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use modkeep_fetch::Upstream;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_module::version::ModuleVersion;
use modkeep_store::{Blob, Digest, ErrorKind, Store};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::body::Pieces;
use crate::clock::Clock;
use crate::error::Problem;
use crate::freshness::Freshness;
use crate::metrics::{Kind, Metrics};
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::{Facts, FactsError};
use crate::mirror::flight::{Flights, Hangar, landed};
pub(crate) use crate::mirror::notary::Notary;
use crate::mirror::suspicion::Suspicion;
use crate::mirror::zip::Progress;

/// What a flight came to: a fact, or why there is none.
pub(crate) type Landing = Result<Fact, Problem>;

/// A store that says nothing for so long is taken for broken.
const STORE_PATIENCE: Duration = Duration::from_secs(20);

/// A store in front of an upstream.
pub(crate) struct Mirror {
    shared: Arc<Shared>,
    answers: Flights<Resource, Option<Landing>>,
    zips: Flights<ModuleVersion, Progress>,
    hangar: Hangar,
}

/// What flights need, wherever their client is.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    facts: Facts,
    /// `None` offline.
    upstream: Option<Arc<Upstream>>,
    notary: Notary,
    freshness: Freshness,
    clock: Clock,
    metrics: Arc<Metrics>,
    suspicion: Suspicion,
}

/// How a client wants to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Nothing may be fetched for it.
    pub(crate) cached_only: bool,
    /// It can read a file while that still arrives.
    pub(crate) streams: bool,
}

/// The mirror's answer.
pub(crate) struct Answer {
    pub(crate) what: Result<File, Problem>,
    pub(crate) age: Age,
}

/// A file to be sent.
pub(crate) enum File {
    Bytes {
        digest: Digest,
        bytes: Bytes,
    },
    Blob(Blob),
    /// A zip on its way, whose end comes when it is proved.
    Arriving {
        pieces: Pieces,
        length: Option<u64>,
    },
}

/// What the store has of a resource.
enum Kept {
    /// The file of a version, open.
    File(Answer),
    /// What was answered last.
    Answer(Fact),
    Nothing,
}

/// How old an answer is, and how that stands to its lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It never changes.
    Forever,
    /// Remembered or just fetched; `left` of its lifetime lies ahead.
    Fresh { age: Duration, left: Duration },
    /// Past its lifetime by `over`.
    Stale { age: Duration, over: Duration },
}

impl Mirror {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        upstream: Option<Arc<Upstream>>,
        notary: Notary,
        freshness: Freshness,
        clock: Clock,
        metrics: Arc<Metrics>,
        hangar: &Hangar,
    ) -> Self {
        let facts = Facts::new(Arc::clone(&store));
        let suspicion = Suspicion::default();
        let shared = Shared { store, facts, upstream, notary, freshness, clock, metrics, suspicion };
        Self {
            shared: Arc::new(shared),
            answers: Flights::new(hangar),
            zips: Flights::new(hangar),
            hangar: hangar.clone(),
        }
    }

    /// What there is of a resource, fetched if it must and may be.
    pub(crate) async fn find(&self, resource: &Resource, wish: Wish) -> Answer {
        match self.look(resource, wish).await {
            Ok(answer) => answer,
            Err(problem) => Answer { what: Err(problem), age: Age::Forever },
        }
    }

    async fn look(&self, resource: &Resource, wish: Wish) -> Result<Answer, Problem> {
        let kept = timeout(STORE_PATIENCE, self.shared.kept(resource)).await;
        let may_fetch = !wish.cached_only && self.shared.upstream.is_some();
        match kept.unwrap_or_else(|_| Err(silent_store(resource)))? {
            Kept::File(answer) => Ok(answer),
            Kept::Answer(fact) if may_fetch && self.shared.is_old(resource, &fact) => {
                self.revalidate(resource, fact).await
            }
            Kept::Answer(fact) => self.shared.told(resource, fact).await,
            Kept::Nothing if !may_fetch => Err(self.shared.not_kept(resource, wish)),
            Kept::Nothing => match resource {
                Resource::Zip(version) => self.cold_zip(resource, version, wish).await,
                _ => {
                    let flight = self.depart(resource);
                    self.shared.told(resource, self.arrived(resource, landed(flight)).await?).await
                }
            },
        }
    }

    /// A newer answer if one comes in a moment, else the known one.
    async fn revalidate(&self, resource: &Resource, known: Fact) -> Result<Answer, Problem> {
        let shared = &self.shared;
        if shared.suspicion.holds() {
            if let Some(probe) = shared.suspicion.probe() {
                let flight = self.depart_anyhow(resource);
                self.hangar.spawn(async move {
                    flight.await;
                    drop(probe);
                });
            }
            return shared.told(resource, known).await;
        }
        match timeout(shared.freshness.patience, self.depart_anyhow(resource)).await {
            Ok(Some(Ok(fact))) => shared.told(resource, fact).await,
            Ok(Some(Err(_)) | None) => shared.told(resource, known).await,
            Err(_) => {
                shared.suspicion.raise();
                shared.told(resource, known).await
            }
        }
    }

    /// A zip that nothing is known of: given while it arrives, if the client can take it so and it is worth it.
    async fn cold_zip(
        &self,
        resource: &Resource,
        version: &ModuleVersion,
        wish: Wish,
    ) -> Result<Answer, Problem> {
        let mut flight = self.depart_zip(version);
        let told = async {
            let progress = flight.wait_for(|progress| progress.can_be_told(wish.streams)).await;
            progress.ok().map(|progress| progress.clone())
        };
        match self.arrived(resource, async { told.await.map(Ok) }).await? {
            Progress::Landed { landing, .. } => self.shared.told(resource, landing?).await,
            Progress::Waiting => Err(Problem::Internal),
            Progress::Arriving(arriving) => {
                let length = arriving.length;
                let file = File::Arriving { pieces: zip::follow(flight, arriving), length };
                Ok(Answer { what: Ok(file), age: Age::Forever })
            }
        }
    }

    fn depart(&self, resource: &Resource) -> watch::Receiver<Option<Landing>> {
        self.answers
            .join(resource, None, |pilot| fetching::fly(Arc::clone(&self.shared), resource.clone(), pilot))
    }

    fn depart_zip(&self, version: &ModuleVersion) -> watch::Receiver<Progress> {
        self.zips.join(version, Progress::Waiting, |pilot| {
            zip::fly(Arc::clone(&self.shared), version.clone(), pilot)
        })
    }

    /// The end of the flight for any resource.
    fn depart_anyhow(&self, resource: &Resource) -> impl Future<Output = Option<Landing>> + Send + 'static {
        let flight = match resource {
            Resource::Zip(version) => Err(self.depart_zip(version)),
            _ => Ok(self.depart(resource)),
        };
        async {
            match flight {
                Ok(flight) => landed(flight).await,
                Err(mut zip) => {
                    match zip.wait_for(|progress| progress.can_be_told(false)).await.ok()?.clone() {
                        Progress::Landed { landing, .. } => Some(landing),
                        _ => None,
                    }
                }
            }
        }
    }

    /// Waits for the first word about something unknown, within the patience of a client.
    async fn arrived<T>(
        &self,
        resource: &Resource,
        word: impl Future<Output = Option<Result<T, Problem>>>,
    ) -> Result<T, Problem> {
        match timeout(self.shared.freshness.cold_patience, word).await {
            Ok(Some(told)) => told,
            Ok(None) => Err(Problem::Later {
                text: format!("fetching {resource}: stopped"),
                retry_after: Duration::from_secs(1),
            }),
            Err(_) => Err(Problem::Later {
                text: format!("fetching {resource}: still under way"),
                retry_after: Duration::from_secs(10),
            }),
        }
    }

    /// Flights in the air.
    pub(crate) fn flights(&self) -> usize {
        self.answers.len() + self.zips.len()
    }

    /// Makes every answer about a module old, so that the next client's question reaches the upstream. What is known
    /// stays known for the time that the upstream fails.
    pub(crate) async fn refresh(&self, module: &ModulePath) -> Result<usize, FactsError> {
        let facts = &self.shared.facts;
        let resources = facts.answers_of(module).await?;
        for resource in &resources {
            if let Some(fact) = facts.answer(resource).await? {
                facts.remember(resource, &Fact { at: crate::clock::Moment(0), ..fact }).await?;
            }
        }
        Ok(resources.len())
    }
}

impl Shared {
    async fn kept(&self, resource: &Resource) -> Result<Kept, Problem> {
        if resource.version().is_some()
            && let Some(fact) = self.facts.file(resource).await.map_err(unreadable)?
            && let Some(answer) = self.opened(resource, fact).await?
        {
            return Ok(Kept::File(answer));
        }
        let known = self.facts.answer(resource).await.map_err(unreadable)?;
        Ok(known.map_or(Kept::Nothing, Kept::Answer))
    }

    fn is_old(&self, resource: &Resource, fact: &Fact) -> bool {
        self.clock.now().since(fact.at) >= self.freshness.of(resource, &fact.state)
    }

    /// A fact as an answer, marked with its age.
    async fn told(&self, resource: &Resource, fact: Fact) -> Result<Answer, Problem> {
        let forever = resource.version().is_some() && matches!(fact.state, State::Proved(_));
        if forever {
            return self.opened(resource, fact).await?.ok_or(Problem::Internal);
        }
        let age = self.clock.now().since(fact.at);
        let lifetime = self.freshness.of(resource, &fact.state);
        let age = match lifetime.checked_sub(age) {
            Some(left) if !left.is_zero() => Age::Fresh { age, left },
            _ => Age::Stale { age, over: age.saturating_sub(lifetime) },
        };
        if matches!(age, Age::Stale { .. }) {
            self.metrics.stale.get_or_create(&Kind { kind: resource.kind() }).inc();
        }
        let what = match fact.state {
            State::Absent { gone, text } => {
                let max_age = match age {
                    Age::Fresh { left, .. } => left,
                    Age::Forever | Age::Stale { .. } => Duration::ZERO,
                };
                Err(Problem::Absent { gone, text, max_age })
            }
            State::Refused { text } => Err(Problem::Refused { text }),
            State::Proved(proved) => Ok(self.open(proved).await?.ok_or(Problem::Internal)?),
        };
        Ok(Answer { what, age })
    }

    /// The file of a version; `None` when its bytes are lost, or some of them: those are taken out of sight.
    async fn opened(&self, resource: &Resource, fact: Fact) -> Result<Option<Answer>, Problem> {
        let State::Proved(proved) = fact.state else { return Ok(None) };
        let digest = proved.content.digest();
        let Some(file) = self.open(proved).await? else {
            tracing::error!(%resource, %digest, "the bytes of a kept file are lost; it is fetched again");
            return Ok(None);
        };
        Ok(Some(Answer { what: Ok(file), age: Age::Forever }))
    }

    async fn open(&self, proved: Proved) -> Result<Option<File>, Problem> {
        match proved.content {
            Content::Here { digest, bytes } => Ok(Some(File::Bytes { digest, bytes })),
            Content::Blob { digest, length } => {
                let blob = self.store.open(&digest).await.map_err(|error| unreadable(error.into()))?;
                match blob {
                    Some(blob) if blob.len() != length => {
                        self.store.quarantine(&digest).await.map_err(|error| unreadable(error.into()))?;
                        Ok(None)
                    }
                    blob => Ok(blob.map(File::Blob)),
                }
            }
        }
    }

    fn not_kept(&self, resource: &Resource, wish: Wish) -> Problem {
        let subject = subject(resource);
        let why = if wish.cached_only { "the request allows no fetch" } else { "this server is offline" };
        Problem::absent(format!("not found: {subject}: not kept here, and {why}"))
    }
}

/// A resource as the go command names it.
pub(crate) fn subject(resource: &Resource) -> String {
    match resource {
        Resource::List(module) | Resource::Latest(module) => module.to_string(),
        Resource::Query(query) => format!("{}@{}", query.module(), query.revision()),
        Resource::Info(version) | Resource::Zip(version) => version.to_string(),
        Resource::Mod(version) => format!("{version}/go.mod"),
        Resource::Sumdb(sumdb) => sumdb.to_string(),
    }
}

fn silent_store(resource: &Resource) -> Problem {
    tracing::error!(%resource, "the store says nothing");
    let text = "the store of this server says nothing".to_owned();
    Problem::Later { text, retry_after: Duration::from_secs(10) }
}

/// What a client is told when the store fails; the log is told the rest.
pub(crate) fn unreadable(error: FactsError) -> Problem {
    tracing::error!(error = %chain(&error), "the store failed");
    let is_full = matches!(&error, FactsError::Store(error) if error.kind() == ErrorKind::Full);
    let text = if is_full {
        "the store of this server has no room for anything new; what is kept is served on"
    } else {
        "the store of this server can't be read or written now"
    };
    Problem::Later { text: text.to_owned(), retry_after: Duration::from_secs(10) }
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
