//! Checksum databases, passed on: proved before, with what proves them kept.
//!
//! A go command that is told that its database is supported here asks nowhere else, so what we say must be as good as
//! the database's own word. Names that must not leave are refused before anybody is asked; what the database does not
//! have is remembered like every absence.

use std::time::Duration;

use bytes::Bytes;
use modkeep_fetch::FetchError;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Database, Status, SumdbError};
use modkeep_module::resource::{DatabaseName, Resource, SumdbRequest, SumdbResource};
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::version::ModuleVersion;
use modkeep_store::Digest;

use crate::clock::Clock;
use crate::error::Problem;
use crate::freshness::Freshness;
use crate::mirror::fact::{Fact, State};
use crate::mirror::facts::Facts;
use crate::mirror::{Age, Answer, File, chain, unreadable};

/// When to ask again for what a database can't say now.
const PAUSE: Duration = Duration::from_secs(10);

/// The databases that are passed on.
pub(crate) struct Databases {
    pub(crate) all: Vec<Database>,
    pub(crate) private: Private,
    pub(crate) is_offline: bool,
    pub(crate) facts: Facts,
    pub(crate) freshness: Freshness,
    pub(crate) clock: Clock,
}

impl Databases {
    /// The answer to a request below `/sumdb/`.
    pub(crate) async fn find(&self, asked: &SumdbResource) -> Answer {
        match self.look(asked).await {
            Ok(answer) => answer,
            Err(problem) => Answer { what: Err(problem), age: Age::Forever },
        }
    }

    async fn look(&self, asked: &SumdbResource) -> Result<Answer, Problem> {
        let Some(database) = self.all.iter().find(|database| *database.name() == asked.database) else {
            return Err(self.unsupported(&asked.database));
        };
        match &asked.request {
            SumdbRequest::Supported => Ok(unchanging(Bytes::new())),
            SumdbRequest::Latest => {
                let head = database.latest().await.map_err(|error| refusal(database, &error))?;
                let left = self.freshness.latest;
                Ok(Answer { what: Ok(file(head)), age: Age::Fresh { age: Duration::ZERO, left } })
            }
            SumdbRequest::Tile(TilePath::Hashes(tile)) => {
                let tile = database.tile(*tile).await.map_err(|error| refusal(database, &error))?;
                Ok(unchanging(tile))
            }
            SumdbRequest::Tile(_) => {
                Err(Problem::absent("not found: no go command asks for tiles of records"))
            }
            SumdbRequest::Lookup(path, version) => {
                let malformed = |error| Problem::Malformed {
                    text: format!("not found: {error}"),
                    max_age: self.freshness.malformed,
                };
                let version = ModuleVersion::new(path.clone(), version.clone()).map_err(malformed)?;
                if self.private.hides_from_sumdb(path) {
                    let text =
                        format!("{version}: {path} is private here, and no checksum database is asked");
                    return Err(Problem::Refused { text });
                }
                self.look_up(database, asked, &version).await
            }
        }
    }

    async fn look_up(
        &self,
        database: &Database,
        asked: &SumdbResource,
        version: &ModuleVersion,
    ) -> Result<Answer, Problem> {
        let resource = Resource::Sumdb(asked.clone());
        let known = self.facts.answer(&resource).await.map_err(unreadable)?;
        let now = self.clock.now();
        if let Some(Fact { at, state: State::Absent { gone, text } }) = &known
            && let Some(max_age) = self.freshness.absent.checked_sub(now.since(*at))
        {
            return Err(Problem::Absent { gone: *gone, text: text.clone(), max_age });
        }
        match database.served_lookup(version).await {
            Ok(reply) => Ok(unchanging(reply)),
            Err(SumdbError::Unknown(FetchError::Absent { status, text, .. })) => {
                let text = if text.is_empty() { format!("not found: {version}") } else { text };
                let state = State::Absent { gone: status == 410, text: text.clone() };
                self.facts.remember(&resource, &Fact { at: now, state }).await.map_err(unreadable)?;
                Err(Problem::Absent { gone: status == 410, text, max_age: self.freshness.absent })
            }
            Err(error) => match known {
                Some(Fact { at, state: State::Absent { gone, text } }) if error.is_temporary() => {
                    let age = now.since(at);
                    let problem = Problem::Absent { gone, text, max_age: Duration::ZERO };
                    let over = age.saturating_sub(self.freshness.absent);
                    Ok(Answer { what: Err(problem), age: Age::Stale { age, over } })
                }
                _ => Err(refusal(database, &error)),
            },
        }
    }

    /// 404 sends the go command to the database itself, which where nothing else can be reached is no help.
    fn unsupported(&self, name: &DatabaseName) -> Problem {
        let text = format!("checksum database {name} is not served here");
        if self.is_offline {
            Problem::Refused { text }
        } else {
            Problem::absent(format!("not found: {text}"))
        }
    }

    /// What is known of each database, for the metrics.
    pub(crate) async fn status(&self) -> Vec<(String, Status)> {
        let mut all = Vec::with_capacity(self.all.len());
        for database in &self.all {
            match database.status().await {
                Ok(status) => all.push((database.name().to_string(), status)),
                Err(error) => {
                    tracing::warn!(database = %database.name(), error = %chain(&error), "reading the head");
                }
            }
        }
        all
    }
}

fn file(bytes: Bytes) -> File {
    File::Bytes { digest: Digest::of(&bytes), bytes }
}

fn unchanging(bytes: Bytes) -> Answer {
    Answer { what: Ok(file(bytes)), age: Age::Forever }
}

/// A database that can't be asked is 503; one that can't prove what it says is refused loudly, and never absent.
fn refusal(database: &Database, error: &SumdbError) -> Problem {
    let text = error.to_string();
    if let SumdbError::Beyond { .. } = error {
        return Problem::absent(format!("not found: {text}"));
    }
    tracing::warn!(database = %database.name(), error = %chain(error), "a checksum database has no answer");
    match error {
        _ if error.is_temporary() => Problem::Later { text, retry_after: PAUSE },
        _ => Problem::Refused { text },
    }
}
