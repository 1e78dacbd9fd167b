//! A checksum database as a go command keeps it: replies and tiles in the module cache, the newest head in GOPATH.
//!
//! The files are go's own, so both tools profit from what the other looked up. Nothing in them is believed: every
//! lookup is proved again up to the newest signed head, and tiles that don't fit are fetched afresh once.
//! Source of the layout: `cmd/go/internal/modfetch/sumdb.go` (`ReadConfig`, `ReadCache`).

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use modkeep_module::resource::SumdbRequest;
use modkeep_module::sumdb::check::{Check, CheckError, Proved, ProvedRecord, Unproved};
use modkeep_module::sumdb::lines::LinesError;
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::{SignedHead, Tile};
use modkeep_module::version::ModuleVersion;
use tokio::sync::Mutex;

use super::error::SumdbError;
use super::gosumdb::Gosumdb;
use super::source::Source;
use crate::chain::Upstream;

/// Heads installed by others while one reply is being proved, before we give up.
const MAX_MOVES: usize = 8;

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Places {
    /// `GOMODCACHE/cache/download/sumdb`
    pub cache: PathBuf,
    /// `GOPATH/pkg/sumdb`
    pub heads: PathBuf,
}

/// One database, for one client.
pub struct Client {
    verifier: Verifier,
    source: Source,
    places: Places,
    name: String,
    head: Mutex<Option<SignedHead>>,
}

/// A tile for a check.
struct Found {
    data: Result<Vec<u8>, SumdbError>,
    is_kept: bool,
}

impl Client {
    /// Opens a database; nothing is asked yet. A newest head that can't be read is as good as none.
    pub fn new(database: Gosumdb, upstream: Arc<Upstream>, places: Places) -> Self {
        let Gosumdb { name, verifier, route } = database;
        let text = name.as_str().to_owned();
        let head = read(&places.heads.join(&text).join("latest"));
        let head = head.and_then(|note| SignedHead::open(&note, &verifier).ok());
        let source = Source::new(name, upstream, route);
        Self { verifier, source, places, name: text, head: Mutex::new(head) }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the database has logged as the hash of a version's zip, or of its go.mod: a text, not necessarily a hash.
    ///
    /// # Errors
    /// When it has nothing, can't prove it, or can't be asked.
    pub async fn checksum(&self, module: &ModuleVersion, is_go_mod: bool) -> Result<String, SumdbError> {
        let file = format!("lookup/{}@{}", module.path.escaped(), module.version.escaped());
        let file = self.cached(&file);
        let find = |record: &ProvedRecord| {
            let suffix = if is_go_mod { "/go.mod" } else { "" };
            let version = format!("{}{suffix}", module.version);
            let found = record.record().checksum(module.path.as_str(), &version);
            let noun = if is_go_mod { "go.mod" } else { "module" };
            found.map(str::to_owned).ok_or(SumdbError::Lines(LinesError::Missing { noun }))
        };
        if let Some(kept) = read(&file)
            && let Ok(record) = self.settle(&kept).await
        {
            return find(&record);
        }
        let request = SumdbRequest::Lookup(module.path.clone(), module.version.clone());
        let reply = self.source.read(request).await?;
        let record = self.settle(&reply).await?;
        let checksum = find(&record)?;
        write(&file, &reply);
        Ok(checksum)
    }

    fn cached(&self, file: &str) -> PathBuf {
        self.places.cache.join(&self.name).join(file)
    }

    async fn settle(&self, reply: &[u8]) -> Result<ProvedRecord, SumdbError> {
        for _ in 0..MAX_MOVES {
            let known = self.head.lock().await.clone();
            let check = Check::lookup(reply, &self.verifier, known.as_ref()).map_err(SumdbError::Reply)?;
            let proved = self.prove(&check).await?;
            if proved.advances && !self.install(known.as_ref(), &proved.head).await {
                continue;
            }
            let record = proved.record.ok_or(SumdbError::Unproved(Unproved::NotInLog))?;
            return record.map_err(SumdbError::Unproved);
        }
        Err(SumdbError::Contended)
    }

    /// Moves the head; false if it isn't the one that the proof began with.
    async fn install(&self, known: Option<&SignedHead>, newer: &SignedHead) -> bool {
        let mut head = self.head.lock().await;
        if head.as_ref().map(SignedHead::note) != known.map(SignedHead::note) {
            return false;
        }
        *head = Some(newer.clone());
        let file = self.places.heads.join(&self.name).join("latest");
        let is_newer = read(&file)
            .and_then(|note| SignedHead::open(&note, &self.verifier).ok())
            .is_none_or(|kept| kept.tree().size < newer.tree().size);
        if is_newer {
            write(&file, newer.note().as_bytes());
        }
        true
    }

    async fn prove(&self, check: &Check) -> Result<Proved, SumdbError> {
        let tiles = check.tiles();
        let mut found = join_all(tiles.iter().map(|&tile| self.find(tile))).await;
        loop {
            let data = found.iter().map(|found| found.data.clone().unwrap_or_default()).collect();
            let error = match check.finish(data) {
                Ok(proved) => {
                    for tile in &proved.tiles {
                        let place = tiles.iter().position(|other| *other == tile.tile());
                        if place.is_none_or(|place| !found[place].is_kept) {
                            write(&self.cached(&tile.tile().path()), tile.data());
                        }
                    }
                    return Ok(proved);
                }
                Err(error) => error,
            };
            let failed = found.iter().find_map(|found| found.data.as_ref().err());
            if let Some(failed) = failed {
                return Err(failed.clone());
            }
            match error {
                CheckError::Fork(fork) => {
                    let evidence = Arc::from(fork.to_string());
                    return Err(SumdbError::Misbehaving { database: self.name.clone(), evidence });
                }
                CheckError::Inconsistent { .. } if found.iter().any(|found| found.is_kept) => {
                    found = join_all(tiles.iter().map(|&tile| self.fetch(tile))).await;
                }
                CheckError::Inconsistent { context, cause } => {
                    return Err(SumdbError::Inconsistent(format!("{context}{cause}")));
                }
            }
        }
    }

    /// A tile as it is kept, or part of a wider one that is, or as the database sends it.
    async fn find(&self, tile: Tile) -> Found {
        let kept = |wide: Tile| read(&self.cached(&wide.path())).filter(|data| data.len() >= tile.byte_len());
        match kept(tile).or_else(|| kept(tile.full())) {
            Some(data) => Found { data: Ok(data[..tile.byte_len()].to_vec()), is_kept: true },
            None => self.fetch(tile).await,
        }
    }

    async fn fetch(&self, tile: Tile) -> Found {
        let data = match self.source.read_tile(tile).await {
            Err(SumdbError::Unknown(_)) if !tile.is_full() => self.source.read_tile(tile.full()).await,
            read => read,
        };
        let data = data.map(|data| data[..data.len().min(tile.byte_len())].to_vec());
        Found { data, is_kept: false }
    }
}

/// A file that others write in place, under its lock. One that is empty is being made.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    file.lock_shared().ok()?;
    let mut data = Vec::new();
    file.read_to_end(&mut data).ok()?;
    (!data.is_empty()).then_some(data)
}

/// Written as far as that can be done: without it the next lookup asks again.
fn write(path: &Path, data: &[u8]) {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        file.set_len(0)?;
        file.write_all(data)
    };
    if let Err(error) = written() {
        tracing::debug!(path = %path.display(), %error, "a reply of a checksum database is not kept");
    }
}
