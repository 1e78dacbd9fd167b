//! The remote tier of the cache: results that other machines made.
//!
//! Go's keys form a chain: a package's key needs the contents of its imports, so that asking for one after the other costs a
//! round trip for each level of the graph. Here one [manifest] for a whole set of packages (those of the standard
//! library for one target, those of a module) says all keys, contents and build IDs at once, and what is in no set has a
//! manifest under its own key. Bytes are fetched only when something reads them.
//!
//! A shelf may hold anything. What it gives is hashed, packed and unpacked, before anybody uses it; what it says may be a lie
//! all the same: who may write to a shelf is trusted with what is built from it.

mod manifest;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use modkeep_store::remote::{Client, MAX_BLOB, MAX_MANIFEST, Mode, Name, Stop};
use modkeep_store::{Digest, StoreError};
use parking_lot::Mutex;

use crate::action_id::ActionId;
use crate::buildid::BuildId;

pub use manifest::Entry;
use manifest::Source;

/// How hard blobs are packed: what is made once and read often, but made while somebody waits.
const LEVEL: i32 = 3;
/// Lines of earlier builds that a set keeps beside those of the last, so that branches don't take them from each other.
const OTHERS: usize = 4000;

/// A shelf, and what is known of it.
pub struct Remote {
    client: Client,
    /// The manifests that are asked for first, together.
    sets: Vec<ActionId>,
    asked: OnceLock<()>,
    known: Mutex<Known>,
    /// Nothing is asked any more: an answer failed to come.
    is_off: AtomicBool,
    warn: Box<dyn Fn(&str) + Send + Sync>,
    traffic: Traffic,
}

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<ActionId, Arc<Entry>>,
    outputs: HashMap<Digest, Arc<Entry>>,
    /// The entries of each set as it is on the shelf.
    sets: HashMap<ActionId, Vec<Arc<Entry>>>,
    /// Actions whose own manifest is not there.
    absent: HashSet<ActionId>,
}

/// What went to and fro.
#[derive(Debug, Default)]
struct Traffic {
    manifests: AtomicU64,
    blobs: AtomicU64,
    bytes: AtomicU64,
    sent: AtomicU64,
}

/// A result to be put on the shelf, with what belongs to it.
#[derive(Debug, Default)]
pub struct Made {
    /// The set that it is named in beside its own manifest.
    pub set: Option<ActionId>,
    /// The action that its own manifest is found under, and the others.
    pub outputs: Vec<Output>,
}

/// An entry, and its blob where the shelf may lack it.
type Packed = (Entry, Option<Vec<u8>>);

/// One output.
#[derive(Debug)]
pub struct Output {
    /// Its action.
    pub action: ActionId,
    /// Its content.
    pub content: Vec<u8>,
    /// The build ID that stands in it.
    pub build_id: Option<BuildId>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("client", &self.client)
            .field("sets", &self.sets)
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// What is on a shelf; `warn` is told, once, why it isn't used any more.
    pub fn new(client: Client, sets: Vec<ActionId>, warn: Box<dyn Fn(&str) + Send + Sync>) -> Self {
        let (asked, known, is_off, traffic) = Default::default();
        Self { client, sets, asked, known, is_off, warn, traffic }
    }

    /// Whether results are put there.
    pub fn writes(&self) -> bool {
        self.client.mode() == Mode::ReadWrite && !self.is_off()
    }

    /// What ends all waiting for the shelf.
    pub fn stop(&self) -> Stop {
        self.client.stop()
    }

    fn is_off(&self) -> bool {
        self.is_off.load(Ordering::Relaxed)
    }

    /// A shelf that fails is not asked again: a build is never held up by it twice.
    fn fail(&self, error: &StoreError) {
        if !self.is_off.swap(true, Ordering::Relaxed) && !self.client.is_stopped() {
            let mut text = format!("the remote cache is not used: {error}");
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            (self.warn)(&text);
        }
    }

    /// What the shelf has under an action: by the sets, or by a manifest of its own.
    pub fn find(&self, action: &ActionId) -> Option<Arc<Entry>> {
        if let Some(entry) = self.find_known(action) {
            return Some(entry);
        }
        if self.is_off() || self.known.lock().absent.contains(action) {
            return None;
        }
        let entries = self.read_manifest(action).unwrap_or_default();
        let mut known = self.known.lock();
        entries.into_iter().for_each(|entry| drop(known.take(entry)));
        let found = known.entries.get(action).cloned();
        if found.is_none() {
            known.absent.insert(*action);
        }
        found
    }

    /// What the sets say of an action, without asking for it.
    pub fn find_known(&self, action: &ActionId) -> Option<Arc<Entry>> {
        self.ask_for_sets();
        self.known.lock().entries.get(action).cloned()
    }

    /// What is known of an output.
    pub fn find_output(&self, output: &Digest) -> Option<Arc<Entry>> {
        self.known.lock().outputs.get(output).cloned()
    }

    /// Has the sets read, if they were not.
    pub fn ask_for_sets(&self) {
        self.asked.get_or_init(|| {
            let names: Vec<_> = self.sets.iter().map(|set| (manifest_of(set), MAX_MANIFEST)).collect();
            let mut found = Vec::new();
            let asked = self.client.get_all(&names, |index, reply| found.push((index, reply)));
            if let Err(error) = asked {
                self.fail(&error);
            }
            for (index, reply) in found {
                let entries = self.read_reply(reply).unwrap_or_default();
                let mut known = self.known.lock();
                let entries = entries.into_iter().map(|entry| known.take(entry)).collect();
                known.sets.insert(self.sets[index], entries);
            }
        });
    }

    fn read_manifest(&self, key: &ActionId) -> Option<Vec<Entry>> {
        self.read_reply(self.client.get(&manifest_of(key), MAX_MANIFEST))
    }

    fn read_reply(&self, reply: Result<Option<bytes::Bytes>, StoreError>) -> Option<Vec<Entry>> {
        self.traffic.manifests.fetch_add(1, Ordering::Relaxed);
        match reply {
            // One that can't be read counts as none.
            Ok(text) => {
                let text = text?;
                self.traffic.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
                manifest::parse(&text)
            }
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    /// The output of an entry, if the shelf still has it and it is what the entry says.
    pub fn content(&self, entry: &Entry) -> Option<Vec<u8>> {
        let (digest, length) = match &entry.source {
            Source::Here(content) => return Some(content.clone()),
            Source::Blob { .. } if self.is_off() => return None,
            Source::Blob { digest, length } => (digest, (*length).min(MAX_BLOB)),
        };
        self.received(entry, self.client.get(&Name::blob(*digest), length))
    }

    /// The outputs of entries, fetched together, each given to `take` as it comes, on any thread.
    pub fn contents(&self, entries: &[&Entry], take: impl Fn(usize, Option<Vec<u8>>) + Sync) {
        let mut wanted = Vec::new();
        let mut indices = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match &entry.source {
                Source::Here(content) => take(index, Some(content.clone())),
                Source::Blob { .. } if self.is_off() => take(index, None),
                Source::Blob { digest, length } => {
                    wanted.push((Name::blob(*digest), (*length).min(MAX_BLOB)));
                    indices.push(index);
                }
            }
        }
        if wanted.is_empty() {
            return;
        }
        let take = &take;
        rayon::scope(|scope| {
            let asked = self.client.get_all(&wanted, |number, reply| {
                let index = indices[number];
                let entry = entries[index];
                scope.spawn(move |_| take(index, self.received(entry, reply)));
            });
            if let Err(error) = asked {
                self.fail(&error);
            }
        });
    }

    /// What came for an entry.
    fn received(&self, entry: &Entry, reply: Result<Option<bytes::Bytes>, StoreError>) -> Option<Vec<u8>> {
        let blob = reply.unwrap_or_else(|error| {
            self.fail(&error);
            None
        });
        self.traffic.blobs.fetch_add(1, Ordering::Relaxed);
        self.traffic.bytes.fetch_add(blob.as_ref().map_or(0, bytes::Bytes::len) as u64, Ordering::Relaxed);
        let content = blob.and_then(|blob| self.unpack(entry, &blob));
        if content.is_none() {
            // It is to be put there again.
            self.known.lock().forget(&entry.output);
        }
        content
    }

    /// What is in a blob, proved by both digests.
    fn unpack(&self, entry: &Entry, blob: &[u8]) -> Option<Vec<u8>> {
        let Source::Blob { digest, .. } = entry.source else {
            return None;
        };
        let proved = (Digest::of(blob) == digest).then(|| unpacked(blob, entry.size)).flatten();
        let proved = proved.filter(|content| Digest::of(content) == entry.output);
        if proved.is_none() {
            let text = format!("the remote cache gave something else for {digest}: it is made here");
            (self.warn)(&text);
        }
        proved
    }

    /// Puts results on the shelf, and names them in their sets; those that it has already are passed over.
    pub fn publish(&self, made: Vec<Made>) {
        if !self.writes() {
            return;
        }
        self.ask_for_sets();
        if let Err(error) = self.try_publish(made) {
            self.fail(&error);
        }
    }

    fn try_publish(&self, made: Vec<Made>) -> Result<(), StoreError> {
        use rayon::prelude::*;
        let packed: Vec<(Option<ActionId>, Vec<Packed>)> = made
            .into_par_iter()
            .map(|made| (made.set, made.outputs.into_iter().filter_map(|output| self.pack(output)).collect()))
            .collect();
        let (mut blobs, mut manifests) = (Vec::new(), Vec::new());
        let mut sets: HashMap<ActionId, Vec<Arc<Entry>>> = HashMap::new();
        for (set, outputs) in packed {
            let mut entries = Vec::with_capacity(outputs.len());
            for (entry, blob) in outputs {
                if let (Source::Blob { digest, .. }, Some(blob)) = (&entry.source, blob) {
                    self.traffic.sent.fetch_add(blob.len() as u64, Ordering::Relaxed);
                    blobs.push((Name::blob(*digest), bytes::Bytes::from(blob)));
                }
                entries.push(entry);
            }
            let Some(first) = entries.first() else { continue };
            manifests.push((manifest_of(&first.action), manifest::text(&entries).into()));
            if let Some(set) = set {
                let list = sets.entry(set).or_default();
                list.extend(entries.into_iter().map(Arc::new));
            }
        }
        // What a manifest names is there before it is.
        self.client.put_all(blobs)?;
        for (set, entries) in sets {
            let text = self.set_text(&set, &entries);
            manifests.push((manifest_of(&set), text.into()));
        }
        self.client.put_all(manifests)
    }

    /// A set with new entries, and as many of those that it had as are worth keeping.
    fn set_text(&self, set: &ActionId, entries: &[Arc<Entry>]) -> String {
        let mut known = self.known.lock();
        let new: HashSet<ActionId> = entries.iter().map(|entry| entry.action).collect();
        let had = known.sets.get(set).into_iter().flatten();
        let had = had.filter(|entry| !new.contains(&entry.action)).take(OTHERS);
        let mut list: Vec<Arc<Entry>> = entries.iter().chain(had).cloned().collect();
        let mut text = manifest::text(list.iter().map(|entry| &**entry));
        while text.len() as u64 > MAX_MANIFEST {
            list.truncate(list.len() / 2);
            text = manifest::text(list.iter().map(|entry| &**entry));
        }
        for entry in entries {
            known.entries.insert(entry.action, Arc::clone(entry));
            known.outputs.insert(entry.output, Arc::clone(entry));
        }
        known.sets.insert(*set, list);
        text
    }

    /// Nothing for what can't be packed: it is not shared.
    fn pack(&self, output: Output) -> Option<Packed> {
        let Output { action, content, build_id } = output;
        let (digest, size) = (Digest::of(&content), content.len() as u64);
        let known = self.find_output(&digest).map(|entry| entry.source.clone());
        let (source, blob) = match known {
            Some(source) => (source, None),
            None if content.len() <= manifest::MAX_HERE => (Source::Here(content), None),
            None => {
                let blob = zstd::bulk::compress(&content, LEVEL).ok()?;
                (Source::Blob { digest: Digest::of(&blob), length: blob.len() as u64 }, Some(blob))
            }
        };
        Some((Entry { action, output: digest, size, build_id, source }, blob))
    }

    /// What went to and fro, in one line.
    pub fn told(&self) -> String {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Traffic { manifests, blobs, bytes, sent } = &self.traffic;
        let (manifests, blobs, bytes, sent) = (count(manifests), count(blobs), count(bytes), count(sent));
        format!(
            "remote cache: {manifests} manifests, {blobs} blobs, {bytes} bytes received, {sent} bytes sent"
        )
    }
}

impl Known {
    fn take(&mut self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        self.outputs.entry(entry.output).or_insert_with(|| Arc::clone(&entry));
        self.entries.entry(entry.action).or_insert_with(|| Arc::clone(&entry));
        entry
    }

    /// From now on it is as if the shelf had never named this output, nor the actions that it was made by.
    fn forget(&mut self, output: &Digest) {
        self.outputs.remove(output);
        let lost: Vec<ActionId> =
            self.entries.values().filter(|entry| entry.output == *output).map(|entry| entry.action).collect();
        for action in lost {
            self.entries.remove(&action);
            self.absent.insert(action);
        }
        self.sets.values_mut().for_each(|list| list.retain(|entry| entry.output != *output));
    }
}

fn manifest_of(key: &ActionId) -> Name {
    Name::manifest(Digest::from(*key.as_bytes()))
}

/// What is in a blob; nothing unless that is exactly `size` bytes, as it says itself.
fn unpacked(blob: &[u8], size: u64) -> Option<Vec<u8>> {
    let says = zstd::zstd_safe::get_frame_content_size(blob).ok()??;
    if says != size || size > MAX_BLOB {
        return None;
    }
    let content = zstd::bulk::decompress(blob, usize::try_from(size).ok()?).ok()?;
    (content.len() as u64 == size).then_some(content)
}
