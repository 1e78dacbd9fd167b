//! What was asked for lately and never changes, ready to leave: its head made, its bytes here or its file open.
//!
//! Two generations, young and old: what is asked for moves to the young one; when that is full, the old one is dropped
//! and the young one grows old. An entry is good for a few seconds only, so that what an operator takes out of the store
//! is soon not given any more.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};
use parking_lot::Mutex;

use crate::body::{Body, Piece};

/// How long an entry is good.
const LIFETIME: Duration = Duration::from_secs(10);
/// Parts that are locked by themselves.
const SHARDS: usize = 16;
/// Bytes in one generation of one shard.
const SHARD_BYTES: usize = (8 << 20) / SHARDS;
/// Open files in one generation of one shard.
const SHARD_FILES: usize = 128 / SHARDS;
/// What an entry takes besides its content, in bytes.
const OVERHEAD: usize = 1024;

/// Replies by the path of their request.
pub(crate) struct Warm {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    entries: HashMap<Box<str>, (Instant, Arc<Ready>)>,
    bytes: usize,
    files: usize,
}

/// A whole reply to a GET.
pub(crate) struct Ready {
    /// The label of metrics.
    pub(crate) kind: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Piece,
}

impl Warm {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }

    /// The reply for a path, if it is warm at `now`.
    pub(crate) fn get(&self, path: &str, now: Instant) -> Option<Arc<Ready>> {
        let mut shard = self.shard(path).lock();
        if let Some((born, ready)) = shard.young.entries.get(path) {
            return is_good(*born, now).then(|| Arc::clone(ready));
        }
        let (path, (born, ready)) = shard.old.entries.remove_entry(path)?;
        if !is_good(born, now) {
            return None;
        }
        shard.put(path, born, Arc::clone(&ready));
        Some(ready)
    }

    /// Keeps a reply that was made at `now`.
    pub(crate) fn put(&self, path: &str, now: Instant, ready: Ready) {
        self.shard(path).lock().put(path.into(), now, Arc::new(ready));
    }

    /// Lets go of everything.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            *shard.lock() = Shard::default();
        }
    }

    fn shard(&self, path: &str) -> &Mutex<Shard> {
        &self.shards[self.hasher.hash_one(path) as usize % SHARDS]
    }
}

fn is_good(born: Instant, now: Instant) -> bool {
    now.saturating_duration_since(born) < LIFETIME
}

impl Shard {
    fn put(&mut self, path: Box<str>, born: Instant, ready: Arc<Ready>) {
        let (bytes, files) = ready.weight();
        if self.young.bytes + bytes > SHARD_BYTES || self.young.files + files > SHARD_FILES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += bytes;
        self.young.files += files;
        if let Some((_, replaced)) = self.young.entries.insert(path, (born, ready)) {
            let (bytes, files) = replaced.weight();
            self.young.bytes -= bytes;
            self.young.files -= files;
        }
    }
}

impl Ready {
    /// Bytes and open files that it holds.
    fn weight(&self) -> (usize, usize) {
        match &self.content {
            Piece::Bytes(bytes) => (OVERHEAD + bytes.len(), 0),
            Piece::File { .. } => (OVERHEAD, 1),
        }
    }

    /// The reply to a GET, or to a HEAD.
    pub(crate) fn reply(&self, head: bool) -> Response<Body> {
        let mut reply = Response::new(if head { Body::empty() } else { self.content.clone().into() });
        *reply.headers_mut() = self.headers.clone();
        reply
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn ready(length: usize) -> Ready {
        Ready { kind: "mod", headers: HeaderMap::new(), content: Piece::Bytes(Bytes::from(vec![0; length])) }
    }

    #[test]
    fn an_entry_is_good_for_a_while_and_not_longer_however_often_it_is_asked_for() {
        let (warm, begun) = (Warm::new(), Instant::now());
        warm.put("/a", begun, ready(1));
        for seconds in 0..10 {
            assert!(warm.get("/a", begun + Duration::from_secs(seconds)).is_some());
        }
        assert!(warm.get("/a", begun + LIFETIME).is_none());
        assert!(warm.get("/b", begun).is_none());
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let (warm, now) = (Warm::new(), Instant::now());
        warm.put("/asked", now, ready(100));
        for number in 0..100_000 {
            warm.put(&format!("/{number}"), now, ready(10_000));
            assert!(warm.get("/asked", now).is_some(), "after {number} others");
        }
        for shard in &warm.shards {
            let shard = shard.lock();
            for generation in [&shard.young, &shard.old] {
                let weighed: usize = generation.entries.values().map(|(_, ready)| ready.weight().0).sum();
                assert!(weighed <= SHARD_BYTES && generation.bytes <= SHARD_BYTES);
            }
        }
    }
}
