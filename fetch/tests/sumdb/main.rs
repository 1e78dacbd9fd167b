//! Checksum databases over real sockets: what is believed, what is kept, what is refused, and what is still there after a
//! restart with nobody to ask.

#![allow(clippy::unwrap_used, reason = "a world that a test can not build is a failure of the test")]

mod broken_store;
mod forks;
mod go_is_the_judge;
mod handed_on;
mod healing;
mod lookups;
mod tampering;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Config, Database, Gosumdb};
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Manners, Patience, Retry, Timeouts, Upstream};
use modkeep_harness::checksumdb::{Log, Server};
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::record::Record;
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::sumdb::{Hash, SignedHead};
use modkeep_module::version::ModuleVersion;
use modkeep_store::{Faulty, Key, Memory, Plan, Store};

const NAME: &str = "sum.corp.example/go";

/// A database that is served, and a store that outlives the processes that use it.
struct World {
    server: Server,
    upstream: Arc<Upstream>,
    store: Arc<Faulty<Memory>>,
    verifier: Verifier,
    seconds: Arc<AtomicU64>,
}

impl World {
    fn new(log: Log) -> Self {
        let verifier = log.verifier();
        let server = Server::start(log);
        let upstream = Arc::new(chain(&server.url(), Private::default()));
        let seconds = Arc::new(AtomicU64::new(1_700_000_000));
        Self { server, upstream, store: empty_store(), verifier, seconds }
    }

    fn of_modules(size: u64) -> Self {
        Self::new(Log::of_modules(NAME, 1, size))
    }

    /// The database as a new process opens it.
    fn database(&self) -> Database {
        self.opened(Some(Arc::clone(&self.upstream)))
    }

    /// The same with nobody to ask.
    fn offline(&self) -> Database {
        self.opened(None)
    }

    fn opened(&self, upstream: Option<Arc<Upstream>>) -> Database {
        let database = Gosumdb::parse(&self.verifier.to_string()).unwrap().unwrap();
        let seconds = Arc::clone(&self.seconds);
        Database::new(Config {
            database,
            upstream,
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            now: Arc::new(move || seconds.load(Ordering::SeqCst)),
        })
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn place(&self) -> String {
        format!("checksums/{NAME}+{:08x}/", self.verifier.key_hash())
    }

    fn key(&self, name: &str) -> Key {
        Key::parse(&(self.place() + name)).unwrap()
    }

    /// The head in the store.
    async fn head(&self) -> Option<SignedHead> {
        let cell = self.store.cell(&self.key("head")).await.unwrap()?;
        let text = String::from_utf8(cell.value.to_vec()).unwrap();
        let (_, note) = text.split_once('\n').unwrap();
        Some(SignedHead::open(note.as_bytes(), &self.verifier).unwrap())
    }

    async fn evidence(&self) -> Option<String> {
        let value = self.store.get(&self.key("fork")).await.unwrap()?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }

    /// Everything of the database in the store: name, and value or cell.
    async fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let mut kept = Vec::new();
        for key in self.store.list(&self.place(), None, usize::MAX).await.unwrap() {
            let name = key.as_str().strip_prefix(&self.place()).unwrap().to_owned();
            if let Some(value) = self.store.get(&key).await.unwrap() {
                kept.push((name.clone(), value.to_vec()));
            }
            if let Some(cell) = self.store.cell(&key).await.unwrap() {
                kept.push((name, cell.value.to_vec()));
            }
        }
        kept
    }

    /// Fails where the store holds a record, a tile or a head that is not the honest log's.
    async fn check_that_only_truth_is_kept(&self, log: &Log) {
        for (name, value) in self.kept().await {
            match name.split('/').next().unwrap() {
                "record" => {
                    let (record, _) = Record::parse(&value[Hash::SIZE..]).unwrap();
                    assert_eq!(record.text, log.record(record.id), "{name}");
                }
                "tile" | "edge" => {
                    let data = &value[Hash::SIZE..];
                    let width = data.len() / Hash::SIZE;
                    let width = if width == 256 { String::new() } else { format!(".p/{width}") };
                    let path = name.replacen("edge", "tile", 1) + &width;
                    let TilePath::Hashes(tile) = TilePath::parse(&path).unwrap() else { panic!("{path}") };
                    assert_eq!(log.tile(tile).as_deref(), Some(data), "{name}");
                }
                "head" | "heads" => {
                    let text = String::from_utf8(value).unwrap();
                    let note = text.split_once('\n').unwrap().1;
                    let head = SignedHead::open(note.as_bytes(), &self.verifier).unwrap();
                    assert_eq!(head.tree(), log.tree_at(head.tree().size), "{name}");
                }
                "doubt" => {}
                _ => panic!("{name} is kept"),
            }
        }
    }
}

/// A store that breaks only when told to.
fn empty_store() -> Arc<Faulty<Memory>> {
    Arc::new(Faulty::new(Memory::new(), Plan::Whole))
}

fn chain(goproxy: &str, private: Private) -> Upstream {
    let manners = Manners {
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(20),
        },
        retry: Retry { attempts: 1, ..Retry::default() },
        patience: Patience { busy_answers: u32::MAX, ..Patience::default() },
        ..Manners::new(Identity::new("test").unwrap())
    };
    let goproxy = GoProxy::parse(goproxy).unwrap();
    Upstream::new(modkeep_fetch::Config { goproxy, private, manners, listening: None }).unwrap()
}

fn module(number: u64) -> ModuleVersion {
    ModuleVersion::parse(&format!("example.com/m{number}"), "v1.0.0").unwrap()
}
