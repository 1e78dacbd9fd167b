//! The mirror: what is kept is given, what is not is fetched once, proved, kept and then given.
//!
//! Every resource has one state ([`fact::State`], or a [flight]). Files of versions never change: once proved they are
//! given without looking back. Lists, `@latest`, queries and absences are facts with an age: inside their lifetime they
//! are given, past it they are asked again while the client waits a moment, and when no newer answer comes the old one
//! is given and marked as such.
//! The table of all cases is in ARCHITECTURE.md ("What leaves"); a test reads it.

pub(crate) mod absences;
pub(crate) mod fact;
pub(crate) mod facts;
mod fetching;
pub(crate) mod flight;
mod notary;
mod suspicion;
mod telling;
mod zip;

use std::sync::Arc;
use std::time::Duration;

use modkeep_fetch::Upstream;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_module::version::ModuleVersion;
use modkeep_store::Store;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

pub(crate) use self::notary::{Line, Notary};
pub(crate) use self::telling::{Age, Answer, File, chain, subject, unreadable};

use self::fact::Fact;
use self::facts::{Facts, FactsError};
use self::flight::{Flights, Hangar, landed};
use self::suspicion::Suspicion;
use self::telling::{Kept, silent_store};
use self::zip::Progress;
use crate::clock::Clock;
use crate::error::Problem;
use crate::freshness::Freshness;
use crate::metrics::Metrics;

/// What a flight came to: a fact, or why there is none.
pub(crate) type Landing = Result<Fact, Problem>;

/// Questions that the upstream gets at one time.
const TURNS: usize = 256;
/// Zips that are fetched at one time.
const ZIP_TURNS: usize = 64;
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
    parts: Parts,
    /// Who may ask the upstream at one time; zips, which take long, by themselves.
    turns: Semaphore,
    zip_turns: Semaphore,
    suspicion: Suspicion,
}

impl std::ops::Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// How a client wants to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Nothing may be fetched for it.
    pub(crate) cached_only: bool,
    /// It can read a file while that still arrives.
    pub(crate) streams: bool,
}

/// What a mirror is made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) facts: Facts,
    /// `None` offline, and where there is none.
    pub(crate) upstream: Option<Arc<Upstream>>,
    pub(crate) is_offline: bool,
    pub(crate) notary: Notary,
    pub(crate) freshness: Freshness,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
}

impl Mirror {
    pub(crate) fn new(parts: Parts, hangar: &Hangar) -> Self {
        let shared = Shared {
            parts,
            turns: Semaphore::new(TURNS),
            zip_turns: Semaphore::new(ZIP_TURNS),
            suspicion: Suspicion::default(),
        };
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

    /// The hash of a zip or a go.mod for go.sum: the one it was kept with, else the one that a database has; `None`
    /// where none is asked.
    pub(crate) async fn sum(
        &self,
        resource: &Resource,
        module: &ModuleVersion,
    ) -> Result<Option<String>, Problem> {
        let kept = self.shared.facts.file(resource).await.map_err(unreadable)?;
        if let Some(Fact { state: fact::State::Proved(fact::Proved { h1: Some(h1), .. }), .. }) = kept {
            return Ok(Some(h1));
        }
        let line = if matches!(resource, Resource::Zip(_)) { Line::Module } else { Line::GoMod };
        self.shared.notary.ask(module).hash(line).await
    }

    /// Flights in the air.
    pub(crate) fn flights(&self) -> usize {
        self.answers.len() + self.zips.len()
    }

    /// Makes every answer about a module old, so that the next client's question reaches the upstream. What is known
    /// stays known for the time that the upstream fails.
    pub(crate) async fn refresh(&self, module: &ModulePath) -> Result<usize, FactsError> {
        let facts = &self.shared.facts;
        facts.forget_memory();
        let resources = facts.answers_of(module).await?;
        for resource in &resources {
            if let Some(fact) = facts.answer(resource).await? {
                facts.remember(resource, &Fact { at: crate::clock::Moment(0), ..fact }).await?;
            }
        }
        Ok(resources.len())
    }
}
