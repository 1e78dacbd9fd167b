//! What is kept, told: a fact becomes an answer with its age, a file is opened, a failure of the store gets its words.

use std::time::Duration;

use bytes::Bytes;
use modkeep_module::resource::Resource;
use modkeep_store::{Blob, Digest, ErrorKind};
use tokio::time::timeout;

use crate::body::Pieces;
use crate::error::Problem;
use crate::metrics::Kind;
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::FactsError;
use crate::mirror::{STORE_PATIENCE, Shared, Wish};

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
pub(super) enum Kept {
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

impl Shared {
    pub(super) async fn kept(&self, resource: &Resource) -> Result<Kept, Problem> {
        if resource.version().is_some()
            && let Some(fact) = self.facts.file(resource).await.map_err(unreadable)?
            && let Some(answer) = self.opened(resource, fact).await?
        {
            return Ok(Kept::File(answer));
        }
        let known = self.facts.answer(resource).await.map_err(unreadable)?;
        Ok(known.map_or(Kept::Nothing, Kept::Answer))
    }

    /// What has come in since somebody looked and found nothing, or nothing fresh: another flight may have landed before this one
    /// departed.
    pub(super) async fn known_meanwhile(&self, resource: &Resource) -> Option<Fact> {
        let look = async {
            if resource.version().is_some()
                && let Some(fact) = self.facts.file(resource).await.ok()?
                && self.opened(resource, fact.clone()).await.ok()?.is_some()
            {
                return Some(fact);
            }
            let known = self.facts.answer(resource).await.ok()?;
            known.filter(|fact| !self.is_old(resource, fact))
        };
        timeout(STORE_PATIENCE, look).await.ok().flatten()
    }

    pub(super) fn is_old(&self, resource: &Resource, fact: &Fact) -> bool {
        self.clock.now().since(fact.at) >= self.freshness.of(resource, &fact.state)
    }

    /// A fact as an answer, marked with its age.
    pub(super) async fn told(&self, resource: &Resource, fact: Fact) -> Result<Answer, Problem> {
        let forever = resource.version().is_some() && matches!(fact.state, State::Proved(_));
        if forever {
            return self.opened(resource, fact).await?.ok_or_else(|| taken_away(resource));
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
            State::Proved(proved) => Ok(self.open(proved).await?.ok_or_else(|| taken_away(resource))?),
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

    pub(super) fn not_kept(&self, resource: &Resource, wish: Wish) -> Problem {
        let subject = subject(resource);
        let why = match (wish.cached_only, self.is_offline) {
            (true, _) => "the request allows no fetch",
            (_, true) => "this server is offline",
            _ => "this server has no upstream",
        };
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

pub(super) fn silent_store(resource: &Resource) -> Problem {
    tracing::error!(%resource, "the store says nothing");
    let text = "the store of this server says nothing".to_owned();
    Problem::Later { text, retry_after: Duration::from_secs(10) }
}

/// What a client is told whose file was forgotten between its landing and its reply.
fn taken_away(resource: &Resource) -> Problem {
    let text = format!("{}: its file was taken out of the store just now", subject(resource));
    Problem::Later { text, retry_after: Duration::from_secs(1) }
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
