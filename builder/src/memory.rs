//! What files held, remembered from one run to the next: an unchanged tree is looked at and not read.
//!
//! A file or folder is unchanged while its stamp is: device, number, size and times. One that changed less than two seconds
//! before a run began is not remembered by that run, because it might change once more and keep its stamp. What follows from
//! contents alone (what a tool calls itself, the result that a key has, the export data of an archive) is remembered beside
//! it.
//!
//! There is one such memory for each tree of sources, beside the entries of the build cache. One that can't be read, is
//! damaged or of another form is empty; whoever is told nothing reads the files.

mod codec;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use modkeep_store::{Digest, Stamp};
use parking_lot::Mutex;

use crate::action_id::ActionId;
use crate::gocache::{GoCache, USE_INTERVAL};

pub(crate) use codec::{Reader, Writer};

/// What a memory begins with; its number grows with each change of form.
const HEAD: &[u8] = b"modkeep memory 2\n";

/// How old the last change must be to be told from the next one.
const GRANULARITY: Duration = Duration::from_secs(2);

/// Beyond this size, in bytes, only what the last run used is kept.
const MOST: usize = 8 << 20;

/// What is remembered of one tree.
#[derive(Debug, Default)]
pub struct Memory {
    /// Changes from here on are too young; in nanoseconds of the epoch. By default everything is.
    limit: i64,
    now: u64,
    home: Option<(PathBuf, String)>,
    text: Arc<Vec<u8>>,
    folders: HashMap<String, Range<usize>>,
    known: Facts,
    new: Mutex<Facts>,
    has_news: AtomicBool,
    /// When the entries of the build cache that a plan stands for were last used, in seconds of the epoch, for each plan.
    used: Mutex<HashMap<Digest, u64>>,
}

/// A part of a memory.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    text: Arc<Vec<u8>>,
    range: Range<usize>,
}

/// What is known beside folders.
#[derive(Debug, Default)]
struct Facts {
    files: HashMap<String, (Stamp, Digest)>,
    tools: HashMap<String, (Stamp, String)>,
    results: HashMap<ActionId, String>,
    exports: HashMap<Digest, Digest>,
}

impl Memory {
    /// The memory of that name in a build cache.
    pub fn of(cache: &GoCache, name: &str) -> Self {
        let now = cache.time().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut memory = Self {
            limit: i64::try_from(now.saturating_sub(GRANULARITY).as_nanos()).unwrap_or(i64::MAX),
            now: now.as_secs(),
            home: Some((cache.folder().to_owned(), name.to_owned())),
            ..Self::default()
        };
        if let Some(text) = cache.note(name) {
            // What is damaged counts for nothing.
            let _ = memory.take(text);
        }
        memory
    }

    fn take(&mut self, text: Vec<u8>) -> Option<()> {
        let body = text.strip_prefix(HEAD)?;
        let (sum, body) = body.split_at_checked(32)?;
        if Digest::of(body).as_bytes() != sum {
            return None;
        }
        let start = text.len() - body.len();
        let mut reader = Reader::new(body);
        let mut used = HashMap::new();
        for _ in 0..reader.number()? {
            used.insert(reader.digest()?, reader.number()?);
        }
        let mut folders = HashMap::new();
        for _ in 0..reader.number()? {
            let path = reader.text()?.to_owned();
            let record = reader.range()?;
            folders.insert(path, record.start + start..record.end + start);
        }
        self.known = Facts::read(&mut reader)?;
        self.used = used.into();
        self.folders = folders;
        self.text = Arc::new(text);
        Some(())
    }

    /// Whether a change at that time can be told from a later one.
    pub(crate) fn trusts(&self, stamp: &Stamp) -> bool {
        stamp.latest() < self.limit
    }

    /// Whether the entries of the build cache that a plan asks for, named by the digest of their keys, were used within the last
    /// hour, so that they need not be asked for.
    pub(crate) fn is_fresh(&self, plan: &Digest) -> bool {
        self.used.lock().get(plan).is_some_and(|used| self.is_recent(*used))
    }

    /// Whether that may be so of any plan.
    pub(crate) fn has_fresh(&self) -> bool {
        self.used.lock().values().any(|used| self.is_recent(*used))
    }

    /// Notes that the entries themselves were used in this run.
    pub(crate) fn mark_used(&self, plan: Digest) {
        if !self.is_fresh(&plan) {
            self.used.lock().insert(plan, self.now);
            self.note_news();
        }
    }

    fn is_recent(&self, used: u64) -> bool {
        self.now.checked_sub(used).is_some_and(|age| age < USE_INTERVAL.as_secs())
    }

    /// There is something to keep.
    pub(crate) fn note_news(&self) {
        self.has_news.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Relaxed)
    }

    /// What is remembered of a folder.
    pub(crate) fn folder(&self, path: &str) -> Option<Slice> {
        let range = self.folders.get(path)?.clone();
        Some(Slice { text: Arc::clone(&self.text), range })
    }

    /// The digest of a file that is as it was.
    pub(crate) fn file(&self, path: &str) -> Option<Digest> {
        let (stamp, digest) = self.known.files.get(path)?;
        (Stamp::of(Path::new(path)).as_ref() == Some(stamp)).then_some(*digest)
    }

    /// Remembers the digest of a file, whose stamp was taken before it was read.
    pub(crate) fn note_file(&self, path: &str, stamp: Option<Stamp>, digest: Digest) {
        if let Some(stamp) = stamp.filter(|stamp| self.trusts(stamp)) {
            self.new.lock().files.insert(path.to_owned(), (stamp, digest));
            self.note_news();
        }
    }

    /// What a tool that is as it was said; `key` is its path and whatever else the answer depends on.
    pub(crate) fn tool(&self, path: &str, key: &str) -> Option<String> {
        let (stamp, said) = self.known.tools.get(key)?;
        (Stamp::of(Path::new(path)).as_ref() == Some(stamp)).then(|| said.clone())
    }

    /// Remembers what a tool said, whose stamp was taken before it was asked.
    pub(crate) fn note_tool(&self, key: &str, stamp: Option<Stamp>, said: &str) {
        if let Some(stamp) = stamp.filter(|stamp| self.trusts(stamp)) {
            self.new.lock().tools.insert(key.to_owned(), (stamp, said.to_owned()));
            self.note_news();
        }
    }

    /// The content ID of what a key made without a word of the tools.
    pub(crate) fn result(&self, id: &ActionId) -> Option<&str> {
        self.known.results.get(id).map(String::as_str)
    }

    /// Remembers the result of a key.
    pub(crate) fn note_result(&self, id: &ActionId, content: &str) {
        if self.home.is_none() {
            return;
        }
        let mut new = self.new.lock();
        let last = new.results.get(id).map(String::as_str).or_else(|| self.result(id));
        if last != Some(content) {
            new.results.insert(*id, content.to_owned());
            drop(new);
            self.note_news();
        }
    }

    /// The digest of an archive's export data, by that of the archive.
    pub(crate) fn exports(&self, archive: &Digest) -> Option<Digest> {
        let known = self.known.exports.get(archive).copied();
        known.or_else(|| self.new.lock().exports.get(archive).copied())
    }

    /// Remembers the digest of an archive's export data.
    pub(crate) fn note_exports(&self, archive: Digest, exports: Digest) {
        self.new.lock().exports.insert(archive, exports);
        self.note_news();
    }

    /// Writes all of it with these folders, if there is anything new. What can't be written is read from the files again.
    pub(crate) fn keep(&self, folders: &HashMap<String, Vec<u8>>) {
        let Some((folder, name)) = self.home.as_ref().filter(|_| self.has_news()) else {
            return;
        };
        let size: usize = folders.iter().map(|(path, record)| path.len() + record.len()).sum();
        let keeps_all = size + self.text.len() <= MOST;
        let old = self.folders.iter().filter(|(path, _)| keeps_all && !folders.contains_key(*path));
        let old: Vec<(&String, &[u8])> =
            old.filter_map(|(path, range)| Some((path, self.text.get(range.clone())?))).collect();
        let mut writer = Writer::default();
        let used = self.used.lock();
        let recent: Vec<(&Digest, &u64)> = used.iter().filter(|(_, used)| self.is_recent(**used)).collect();
        writer.number(recent.len() as u64);
        for (plan, used) in recent {
            writer.digest(plan);
            writer.number(*used);
        }
        writer.number((folders.len() + old.len()) as u64);
        let new = folders.iter().map(|(path, record)| (path, record.as_slice()));
        for (path, record) in new.chain(old) {
            writer.text(path);
            writer.bytes(record);
        }
        self.known.write_with(&self.new.lock(), keeps_all, &mut writer);
        let body = writer.into_bytes();
        let text = [HEAD, Digest::of(&body).as_bytes(), &body].concat();
        if let Ok(cache) = GoCache::open(folder) {
            let _ = cache.keep_note(name, &text);
        }
    }
}

impl Slice {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self.text.get(self.range.clone()).unwrap_or_default())
    }

    /// A part of it.
    pub(crate) fn part(&self, range: &Range<usize>) -> Self {
        let start = self.range.start;
        Self { text: Arc::clone(&self.text), range: start + range.start..start + range.end }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.get(self.range.clone()).unwrap_or_default()
    }
}

impl Facts {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut facts = Self::default();
        for _ in 0..reader.number()? {
            let path = reader.text()?.to_owned();
            facts.files.insert(path, (reader.stamp()?, reader.digest()?));
        }
        for _ in 0..reader.number()? {
            let key = reader.text()?.to_owned();
            facts.tools.insert(key, (reader.stamp()?, reader.text()?.to_owned()));
        }
        for _ in 0..reader.number()? {
            facts.results.insert(ActionId::from(*reader.digest()?.as_bytes()), reader.text()?.to_owned());
        }
        for _ in 0..reader.number()? {
            facts.exports.insert(reader.digest()?, reader.digest()?);
        }
        Some(facts)
    }

    /// Writes these facts, where `keeps_all`, under newer ones.
    fn write_with(&self, new: &Self, keeps_all: bool, writer: &mut Writer) {
        fn merged<'m, K: std::hash::Hash + Eq, V>(
            old: &'m HashMap<K, V>,
            new: &'m HashMap<K, V>,
            keeps_all: bool,
        ) -> Vec<(&'m K, &'m V)> {
            let old = old.iter().filter(|(key, _)| keeps_all && !new.contains_key(*key));
            old.chain(new).collect()
        }
        let files = merged(&self.files, &new.files, keeps_all);
        writer.number(files.len() as u64);
        for (path, (stamp, digest)) in files {
            writer.text(path);
            writer.stamp(stamp);
            writer.digest(digest);
        }
        let tools = merged(&self.tools, &new.tools, keeps_all);
        writer.number(tools.len() as u64);
        for (key, (stamp, said)) in tools {
            writer.text(key);
            writer.stamp(stamp);
            writer.text(said);
        }
        let results = merged(&self.results, &new.results, keeps_all);
        writer.number(results.len() as u64);
        for (id, content) in results {
            writer.digest(&Digest::from(*id.as_bytes()));
            writer.text(content);
        }
        let exports = merged(&self.exports, &new.exports, keeps_all);
        writer.number(exports.len() as u64);
        for (archive, exports) in exports {
            writer.digest(archive);
            writer.digest(exports);
        }
    }
}

/// The name of the memory for a tree and the toolchain that it is built with.
pub fn name(tree: &str, root: &str) -> String {
    Digest::of(format!("{tree}\n{root}\n").as_bytes()).to_string()[..32].to_owned()
}

#[cfg(test)]
mod tests;
