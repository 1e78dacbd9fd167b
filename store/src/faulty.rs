//! The twin that breaks on purpose: any home, with faults at chosen points.
//!
//! Every operation on the store, and every piece written to an incoming file, is a point with a number, counted from 0. A [`Plan`]
//! says which points break and how, so a test can walk through all of them, before and after, or replay a seed.

use std::future::pending;
use std::ops::Range;
use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, future, stream};
use parking_lot::Mutex;

use crate::blob::{Blob, Chunks, Ranged};
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Report, Stats, Tidied};
use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::home::{Fate, Store};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;

/// One way to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Fails without having done anything.
    Before,
    /// Does it, then says that the outcome is unknown; on a read the same as [`Fault::Before`].
    After,
    /// Never returns.
    Stall,
    /// The process ends on the spot, as by kill -9, without having done it.
    Die,
    /// A read answers with the first half only, and no error. No effect on writes.
    Short,
    /// A read answers with one bit turned. No effect on writes.
    Flip,
}

/// Which points break.
#[derive(Debug, Clone, Default)]
pub enum Plan {
    /// None.
    #[default]
    Whole,
    /// The point of this number.
    Once(u64, Fault),
    /// Every point from this number on.
    From(u64, Fault),
    /// Each point with this chance in a thousand, one of the faults; the same seed gives the same faults at the same numbers.
    Seeded {
        /// Where the pseudo-random numbers start.
        seed: u64,
        /// Chance in a thousand.
        per_mille: u64,
        /// What may happen.
        faults: Vec<Fault>,
    },
}

impl Plan {
    pub(crate) fn fault(&self, point: u64) -> Option<Fault> {
        match self {
            Self::Whole => None,
            Self::Once(number, fault) => (point == *number).then_some(*fault),
            Self::From(number, fault) => (point >= *number).then_some(*fault),
            Self::Seeded { seed, per_mille, faults } => {
                let draw = mix(seed.wrapping_add(mix(point)));
                let chosen = faults.get((draw >> 32) as usize % faults.len().max(1))?;
                (draw % 1000 < *per_mille).then_some(*chosen)
            }
        }
    }
}

/// SplitMix64's finalizer: a fixed scramble, so that plans replay on every machine.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A home whose operations break as planned.
#[derive(Debug)]
pub struct Faulty<S> {
    inner: S,
    fuse: Fuse,
}

impl<S: Store> Faulty<S> {
    /// Breaks `inner` as `plan` says.
    pub fn new(inner: S, plan: Plan) -> Self {
        Self { inner, fuse: Fuse(Arc::new(FuseState { next: AtomicU64::new(0), plan: Mutex::new(plan) })) }
    }

    /// Another plan from now on; the numbers go on.
    pub fn set_plan(&self, plan: Plan) {
        *self.fuse.0.plan.lock() = plan;
    }

    /// The number of the next point.
    pub fn points(&self) -> u64 {
        self.fuse.0.next.load(Ordering::SeqCst)
    }

    /// The home underneath.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

/// Counts points and says which break; shared with the incoming files of its store.
#[derive(Debug, Clone)]
pub(crate) struct Fuse(Arc<FuseState>);

#[derive(Debug)]
struct FuseState {
    next: AtomicU64,
    plan: Mutex<Plan>,
}

/// One point, drawn.
pub(crate) struct Strike {
    fault: Option<Fault>,
    point: u64,
    what: &'static str,
}

impl Fuse {
    pub(crate) fn write(&self, what: &'static str) -> Strike {
        let point = self.0.next.fetch_add(1, Ordering::SeqCst);
        Strike { fault: self.0.plan.lock().fault(point), point, what }
    }

    fn read(&self, what: &'static str) -> Strike {
        let mut strike = self.write(what);
        if strike.fault == Some(Fault::After) {
            strike.fault = Some(Fault::Before);
        }
        strike
    }
}

impl Strike {
    pub(crate) async fn before(&self) -> Result<(), StoreError> {
        match self.fault {
            Some(Fault::Before) => Err(self.error(ErrorKind::Io)),
            Some(Fault::Stall) => pending().await,
            Some(Fault::Die) => abort(),
            _ => Ok(()),
        }
    }

    pub(crate) async fn after(&self) -> Result<(), StoreError> {
        match self.fault {
            Some(Fault::After) => Err(self.error(ErrorKind::Unknown)),
            _ => Ok(()),
        }
    }

    fn error(&self, kind: ErrorKind) -> StoreError {
        StoreError::new(kind, format!("{} (planned fault at point {})", self.what, self.point))
    }

    fn spoil(&self, value: Bytes) -> Bytes {
        match self.fault {
            Some(Fault::Short) => value.slice(..value.len() / 2),
            Some(Fault::Flip) if !value.is_empty() => flip(&value, self.point),
            _ => value,
        }
    }
}

fn flip(value: &Bytes, point: u64) -> Bytes {
    let mut value = BytesMut::from(&value[..]);
    let bit = mix(point) as usize % (value.len() * 8);
    value[bit / 8] ^= 1 << (bit % 8);
    value.freeze()
}

#[async_trait]
impl<S: Store> Store for Faulty<S> {
    async fn begin(&self) -> Result<Incoming, StoreError> {
        let strike = self.fuse.write("beginning a file");
        strike.before().await?;
        let incoming = self.inner.begin().await?;
        strike.after().await?;
        Ok(incoming.with_fuse(self.fuse.clone()))
    }

    async fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError> {
        let strike = self.fuse.write("keeping a blob");
        strike.before().await?;
        let kept = self.inner.keep(incoming).await?;
        strike.after().await.map(|()| kept)
    }

    async fn open(&self, digest: &Digest) -> Result<Option<Blob>, StoreError> {
        let strike = self.fuse.read("opening a blob");
        strike.before().await?;
        let blob = self.inner.open(digest).await?;
        Ok(match strike.fault {
            Some(Fault::Short | Fault::Flip) => blob.map(|blob| spoiled(blob, strike)),
            _ => blob,
        })
    }

    async fn quarantine(&self, digest: &Digest) -> Result<bool, StoreError> {
        let strike = self.fuse.write("quarantining a blob");
        strike.before().await?;
        let was_there = self.inner.quarantine(digest).await?;
        strike.after().await.map(|()| was_there)
    }

    async fn discard(&self, digest: &Digest) -> Result<bool, StoreError> {
        let strike = self.fuse.write("discarding a blob");
        strike.before().await?;
        let was_there = self.inner.discard(digest).await?;
        strike.after().await.map(|()| was_there)
    }

    async fn retire(&self, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError> {
        let strike = self.fuse.write("retiring a blob");
        strike.before().await?;
        let retired = self.inner.retire(digest, moment).await?;
        strike.after().await.map(|()| retired)
    }

    async fn retired(&self, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        self.fuse.read("listing retired blobs").before().await?;
        self.inner.retired(limit).await
    }

    async fn settle(&self, digest: &Digest, fate: Fate) -> Result<(), StoreError> {
        let strike = self.fuse.write("settling a blob");
        strike.before().await?;
        self.inner.settle(digest, fate).await?;
        strike.after().await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let strike = self.fuse.read("reading a value");
        strike.before().await?;
        Ok(self.inner.get(key).await?.map(|value| strike.spoil(value)))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let strike = self.fuse.read("reading values");
        strike.before().await?;
        let values = self.inner.get_many(keys).await?;
        Ok(values.into_iter().map(|value| value.map(|value| strike.spoil(value))).collect())
    }

    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError> {
        let strike = self.fuse.write("putting a value");
        strike.before().await?;
        let put = self.inner.put_if_absent(key, value).await?;
        strike.after().await.map(|()| put)
    }

    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError> {
        let strike = self.fuse.read("reading a cell");
        strike.before().await?;
        let cell = self.inner.cell(key).await?;
        Ok(cell.map(|cell| Cell { value: strike.spoil(cell.value), revision: cell.revision }))
    }

    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError> {
        let strike = self.fuse.write("swapping a cell");
        strike.before().await?;
        let swap = self.inner.swap(key, expected, value).await?;
        strike.after().await.map(|()| swap)
    }

    async fn remove_cell(&self, key: &Key, expected: &Revision) -> Result<bool, StoreError> {
        let strike = self.fuse.write("removing a cell");
        strike.before().await?;
        let is_removed = self.inner.remove_cell(key, expected).await?;
        strike.after().await.map(|()| is_removed)
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let strike = self.fuse.write("removing a key");
        strike.before().await?;
        self.inner.remove(key).await?;
        strike.after().await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.fuse.read("listing keys").before().await?;
        self.inner.list(prefix, after, limit).await
    }

    async fn examine(&self) -> Result<Report, StoreError> {
        self.fuse.read("examining rows").before().await?;
        self.inner.examine().await
    }

    async fn repair(&self) -> Result<(), StoreError> {
        let strike = self.fuse.write("repairing rows");
        strike.before().await?;
        self.inner.repair().await?;
        strike.after().await
    }

    async fn tidy(&self, moment: SystemTime) -> Result<Tidied, StoreError> {
        let strike = self.fuse.write("clearing up");
        strike.before().await?;
        let tidied = self.inner.tidy(moment).await?;
        strike.after().await.map(|()| tidied)
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.fuse.read("counting").before().await?;
        self.inner.stats().await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        self.fuse.read("listing blobs").before().await?;
        self.inner.blobs(after, limit).await
    }
}

/// The blob without its file, so that every read goes through the fault.
fn spoiled(blob: Blob, strike: Strike) -> Blob {
    let (digest, len) = (blob.digest(), blob.len());
    Blob::of_ranged(digest, len, Arc::new(Spoiled { blob, strike: Arc::new(strike) }))
}

struct Spoiled {
    blob: Blob,
    strike: Arc<Strike>,
}

impl Ranged for Spoiled {
    fn read(&self, range: Range<u64>) -> Chunks {
        if self.strike.fault == Some(Fault::Short) {
            return self.blob.read_range(range.start..range.start + (range.end - range.start) / 2);
        }
        let strike = self.strike.clone();
        let flip_first = move |(at, piece): (usize, Result<Bytes, StoreError>)| {
            future::ready(if at == 0 { piece.map(|piece| strike.spoil(piece)) } else { piece })
        };
        stream::StreamExt::boxed(self.blob.read_range(range).enumerate().then(flip_first))
    }
}
