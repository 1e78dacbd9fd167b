//! Checksum databases: what they say, proved, kept, and handed on.
//!
//! A [`Database`] holds one history of one database (name and key) in the store. [`Database::lookup`] answers what the
//! database has logged about a version, with proof that it is in the log and that the log is the one known before;
//! [`Database::served_lookup`], [`Database::tile`] and [`Database::latest`] are the same for a go command that will prove
//! it all again. Nothing is believed, kept or handed on before it is proved, and nothing proved is lost: whatever was looked up
//! once can be looked up, and proved, with nobody to ask.
//!
//! The arithmetic is in [`modkeep_module::sumdb`]. Which way a database is reached is the chain's business.

mod client;
mod error;
mod flight;
pub mod forks;
mod gosumdb;
mod kept;
mod proof;
mod source;
mod timeline;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use modkeep_module::resource::DatabaseName;
use modkeep_module::sumdb::check::ProvedRecord;
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::{Lines, Tile};
use modkeep_module::version::ModuleVersion;
use modkeep_store::Store;

use crate::chain::Upstream;

pub use client::{Client, Places};
pub use error::SumdbError;
pub use gosumdb::{Gosumdb, GosumdbError};

use flight::Flights;
use kept::Kept;
use proof::Prover;
use timeline::{Known, Timeline};

/// Tells the time, in seconds since 1970.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How old the head may be that [`Database::latest`] answers with, in seconds, while the database can be asked.
const FRESH_HEAD: u64 = 60;

/// What a [`Database`] is made of.
pub struct Config {
    /// Which database.
    pub database: Gosumdb,
    /// Who is asked; none to ask nobody (`--offline`).
    pub upstream: Option<Arc<Upstream>>,
    /// Where what it says is kept.
    pub store: Arc<dyn Store>,
    /// The time, for the history of heads.
    pub now: Now,
}

/// One checksum database, as far as we know it. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    name: DatabaseName,
    prover: Prover,
    lookups: Flights<ModuleVersion, Result<ProvedRecord, SumdbError>>,
    refreshes: Flights<(), Result<(), SumdbError>>,
    tiles: Flights<Tile, Result<Bytes, SumdbError>>,
    now: Now,
}

/// What can be said about a database at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Records in the newest proved tree; none before the first contact.
    pub size: Option<u64>,
    /// When that head was installed, in seconds since 1970.
    pub since: u64,
    /// Whether the database was caught with two histories, so that nothing new is believed.
    pub is_frozen: bool,
}

impl Database {
    /// Opens a database; nothing is read or asked yet.
    pub fn new(config: Config) -> Self {
        let Config { database: Gosumdb { name, verifier, route }, upstream, store, now } = config;
        let kept = Kept::new(store, &name, &verifier);
        let timeline = Timeline::new(kept.clone(), verifier.clone(), Arc::clone(&now));
        let prover = Prover::new(name.clone(), verifier, kept, timeline, upstream, route);
        let shared = Shared {
            name,
            prover,
            lookups: Flights::new(),
            refreshes: Flights::new(),
            tiles: Flights::new(),
            now,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The database's name.
    pub fn name(&self) -> &DatabaseName {
        &self.shared.name
    }

    /// The key that its heads are signed with.
    pub fn verifier(&self) -> &Verifier {
        self.shared.prover.verifier()
    }

    /// What the database has logged about a version.
    ///
    /// # Errors
    /// When it has nothing, can't prove it, or can't be asked.
    pub async fn lookup(&self, module: &ModuleVersion) -> Result<Lines, SumdbError> {
        let record = self.shared.record(module).await?;
        Lines::find(&record, module).map_err(SumdbError::Lines)
    }

    /// The reply to a go command's lookup: the proved record under our newest proved head. The store holds what proves
    /// the one under the other.
    ///
    /// # Errors
    /// As [`Database::lookup`].
    pub async fn served_lookup(&self, module: &ModuleVersion) -> Result<Bytes, SumdbError> {
        let record = self.shared.record(module).await?;
        let reply = record.record().format().map_err(|error| SumdbError::Reply(error.into()))?;
        let head = self.shared.prover.timeline().known().await?.head;
        let head = head.as_ref().map_or("", |head| head.note());
        Ok((reply + head).into())
    }

    /// A tile of hashes, proved to be of our newest proved tree. One that the tree does not reach makes us ask for a newer
    /// head first.
    ///
    /// # Errors
    /// [`SumdbError::Beyond`] when the log has no such tile.
    pub async fn tile(&self, tile: Tile) -> Result<Bytes, SumdbError> {
        if let Some(data) = self.shared.prover.kept().tile(tile).await? {
            return Ok(data);
        }
        let shared = Arc::clone(&self.shared);
        let fetch = || async move { shared.fetch_tile(tile).await }.boxed();
        self.shared.tiles.join(tile, fetch).await
    }

    /// The newest head that we can prove: one at most a minute old where the database can be asked, else what is known.
    ///
    /// # Errors
    /// When none is known and none can be had.
    pub async fn latest(&self) -> Result<Bytes, SumdbError> {
        let known = self.shared.prover.timeline().known().await?;
        let age = (self.shared.now)().saturating_sub(known.since);
        let known = match &known.head {
            Some(_) if age < FRESH_HEAD || known.fork.is_some() => known,
            _ => match self.shared.refresh().await {
                Err(error) if known.head.is_none() => return Err(error),
                _ => self.shared.prover.timeline().known().await?,
            },
        };
        let note = known.head.map(|head| Bytes::copy_from_slice(head.note().as_bytes()));
        note.ok_or(SumdbError::Offline)
    }

    /// What is known, without asking anybody.
    ///
    /// # Errors
    /// When the store fails, or the head in it is damaged.
    pub async fn status(&self) -> Result<Status, SumdbError> {
        let Known { head, since, fork, .. } = self.shared.prover.timeline().known().await?;
        Ok(Status { size: head.map(|head| head.tree().size), since, is_frozen: fork.is_some() })
    }

    /// Finds the way to the database and its newest head, so that the first lookup needs not.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn refresh(&self) -> Result<(), SumdbError> {
        self.shared.refresh().await
    }
}

impl Shared {
    /// The proved record of a version, asked for once however many want it.
    async fn record(self: &Arc<Self>, module: &ModuleVersion) -> Result<ProvedRecord, SumdbError> {
        if let Some(record) = self.prover.kept().record(module).await? {
            return Ok(record);
        }
        let (shared, wanted) = (Arc::clone(self), module.clone());
        let ask = || async move { shared.prover.look_up(&wanted).await }.boxed();
        self.lookups.join(module.clone(), ask).await
    }

    async fn refresh(self: &Arc<Self>) -> Result<(), SumdbError> {
        let shared = Arc::clone(self);
        self.refreshes.join((), || async move { shared.prover.advance().await }.boxed()).await
    }

    async fn fetch_tile(self: &Arc<Self>, tile: Tile) -> Result<Bytes, SumdbError> {
        let reaches = |known: &Known| known.head.as_ref().is_some_and(|head| tile.is_in(head.tree().size));
        let mut known = self.prover.timeline().known().await?;
        if !reaches(&known) {
            known = self.prover.timeline().reload().await?;
        }
        if !reaches(&known) && known.fork.is_none() {
            self.refresh().await?;
            known = self.prover.timeline().known().await?;
        }
        match &known.head {
            Some(head) if reaches(&known) => self.prover.prove_tile(head.tree(), tile).await,
            head => {
                let size = head.as_ref().map_or(0, |head| head.tree().size);
                Err(SumdbError::Beyond { tile: tile.path(), size })
            }
        }
    }
}
