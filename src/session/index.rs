//! What the go.mod and .info files of the module cache say, kept from one run to the next.
//!
//! Files of the module cache don't change, yet every command reads thousands of them. So what they say is kept, one file
//! for each main module or workspace with a module cache, in the user's cache folder. A go.mod is taken from there only
//! while its stamp is what it was when it was read, and its hash is compared with go.sum like that
//! of a file that is read. The file is replaced as a whole; one that is damaged or of another form counts as missing, and
//! so does everything where there is no cache folder. The module cache itself holds nothing of ours.

mod form;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hashbrown::HashMap;
use modkeep_fetch::modcache::ModCache;
use modkeep_module::hash::H1;
use modkeep_resolver::known::{GoModFacts, Known};
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::world::World;
use modkeep_store::{Digest, Stamp};

use super::Ground;
use crate::config::places;
use crate::goenv::GoEnv;

/// Graphs with fewer files are read faster than anybody could notice.
const LEAST: usize = 64;

/// Above so many files, those that a run did not look at are forgotten.
const MOST: usize = 100_000;

/// A file that nobody has used for so long belongs to a module that is worked on no more, or is gone.
const OLD: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// A file that is used is marked so, if the mark is older.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept of one go.mod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What the file looked like.
    pub(super) stamp: Stamp,
    /// Its hash.
    pub(super) hash: H1,
    /// Whether go made it up for a version without.
    pub(super) is_made_up: bool,
    /// What it says.
    pub(super) facts: Arc<GoModFacts>,
}

/// What is kept of the `.info` of a version. Where it came from is read again by the few who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InfoEntry {
    /// What the file looked like.
    pub(super) stamp: Stamp,
    /// When the version was committed.
    pub(super) time: Option<String>,
}

/// What is kept, by kind of file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) go_mods: HashMap<NodeId, Entry>,
    pub(super) infos: HashMap<NodeId, InfoEntry>,
}

/// The files that are kept, and those to be kept.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// None where there is no place for it.
    file: Option<PathBuf>,
    entries: Entries,
    is_read: bool,
    has_changed: bool,
}

impl Index {
    /// That of the main module or the workspace; nothing is read yet.
    pub(super) fn of(go: &GoEnv, ground: &Ground, cache: &Path) -> Self {
        let subject = match ground {
            Ground::Open => return Self::default(),
            // Wherever its go.mod is: that of a commit is in a folder of no other name twice.
            Ground::Module { root, .. } => root,
            Ground::Workspace { go_work } => go_work,
        };
        let environment = go.environment();
        let Some(folder) = places::cache_of(|name| environment.get(name)) else { return Self::default() };
        let name = Digest::of(format!("{subject}\n{}", cache.display()).as_bytes());
        Self { file: Some(folder.join("graphs").join(name.to_string())), ..Self::default() }
    }

    /// Whether anything can be kept.
    pub(super) fn has_place(&self) -> bool {
        self.file.is_some()
    }

    /// What is kept of a go.mod.
    pub(super) fn find(&self, module: NodeId) -> Option<&Entry> {
        self.entries.go_mods.get(&module)
    }

    /// What is kept of an `.info`.
    pub(super) fn find_info(&self, module: NodeId) -> Option<&InfoEntry> {
        self.entries.infos.get(&module)
    }

    /// Whether an `.info` that is read now can be kept: not before it is known which are.
    pub(super) fn takes_infos(&self) -> bool {
        self.file.is_some() && self.is_read
    }

    /// Reads the file, once.
    pub(super) fn read(&mut self, world: &mut World) {
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        let Some(data) = self.file.as_ref().and_then(|file| read_marked(file).ok()) else { return };
        self.entries = form::decode(&data, world).unwrap_or_default();
    }

    /// Keeps what was read.
    pub(super) fn keep(&mut self, module: NodeId, entry: Entry) {
        if self.file.is_some() {
            self.entries.go_mods.insert(module, entry);
            self.has_changed = true;
        }
    }

    /// Keeps an `.info` that was read.
    pub(super) fn keep_info(&mut self, module: NodeId, entry: InfoEntry) {
        if self.takes_infos() {
            self.entries.infos.insert(module, entry);
            self.has_changed = true;
        }
    }

    /// Writes the file if something is new. That it can't be written is nobody's concern: what is kept was read before
    /// and can be read again.
    pub(super) fn write(&mut self, known: &Known) {
        if !std::mem::take(&mut self.has_changed) || self.entries.go_mods.len() < LEAST {
            return;
        }
        let Some(file) = &self.file else { return };
        if self.entries.go_mods.len().max(self.entries.infos.len()) > MOST {
            self.entries.go_mods.retain(|module, _| known.facts(*module).is_some());
            self.entries.infos.retain(|module, _| known.facts(*module).is_some());
        }
        let is_new = !file.exists();
        let written = replace(file, &form::encode(known.nodes(), &self.entries));
        if let (Ok(()), true, Some(folder)) = (written, is_new, file.parent()) {
            remove_old(folder);
        }
    }
}

/// What a file of the module cache looks like.
pub(super) fn stamp_of(cache: &ModCache, module: &Node, suffix: &str) -> Option<Stamp> {
    cache.stamp(&module.path, &module.version, suffix)
}

/// Writes beside the file and renames: whoever reads meanwhile has one or the other.
fn replace(file: &Path, data: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&beside);
    let written = written.and_then(|mut open| open.write_all(data));
    #[allow(clippy::disallowed_methods, reason = "what is lost is read again")]
    let renamed = written.and_then(|()| fs::rename(&beside, file));
    renamed.inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Reads the file, and marks it as used.
fn read_marked(file: &Path) -> io::Result<Vec<u8>> {
    let mut open = File::open(file)?;
    let found = open.metadata()?;
    if age(&found).is_some_and(|age| age > DAY) {
        // Who may not mark it may read it all the same.
        drop(open.set_modified(now()));
    }
    let mut data = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    open.read_to_end(&mut data)?;
    Ok(data)
}

/// Removes what nobody has used for long. Others may be at the same: what has vanished is gone.
fn remove_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().ok().and_then(|found| age(&found));
        if age.is_some_and(|age| age > OLD) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn age(found: &Metadata) -> Option<Duration> {
    now().duration_since(found.modified().ok()?).ok()
}

fn now() -> SystemTime {
    #[allow(clippy::disallowed_methods, reason = "the age of a file of ours is what it is about")]
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for (name, days) in [("old", 200), ("used", 200), ("young", 100)] {
            let mut open = File::create(file(name)).unwrap();
            open.write_all(name.as_bytes()).unwrap();
            open.set_modified(now() - days * DAY).unwrap();
        }
        // An entry that can't be removed as a file stops nothing.
        fs::create_dir(file("folder")).unwrap();
        File::open(file("folder")).unwrap().set_modified(now() - 200 * DAY).unwrap();
        assert_eq!(read_marked(&file("used")).unwrap(), b"used");
        remove_old(folder.path());
        let left = ["old", "used", "young"].map(|name| file(name).exists());
        assert_eq!(left, [false, true, true]);
    }
}
