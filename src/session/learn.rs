//! Finding out what the resolver needs: at once what the disk knows, then everything else together.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use modkeep_builder::overlay::Overlay;
use modkeep_builder::tags::Tags;
use modkeep_module::ModuleVersion;
use modkeep_module::hash::H1;
use modkeep_module::info::Info;
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::known::{Directory, Folder, Need, Revision, VENDOR};
use modkeep_resolver::node::Node;
use modkeep_resolver::order;
use modkeep_store::Stamp;

use super::folders::ForTarget;
use super::index::{Entry, InfoEntry, stamp_of};
use super::source::{Kept, Source, Stop, module_version};
use super::{Session, end, folders, target};
use crate::goenv::words;
use crate::locked;
use crate::report::Failure;

/// Questions to the upstream that are in the air at the same time.
const AT_ONCE: usize = 128;

/// So many folders are looked into by one thread.
const FEW: usize = 16;

/// What was found out.
enum Answer {
    GoMod(Result<Vec<u8>, ModuleError>),
    /// A go.mod of the cache, to be kept in mind.
    Read {
        data: Vec<u8>,
        stamp: Option<Stamp>,
        hash: H1,
    },
    /// A go.mod that was read in an earlier run.
    Remembered(Entry),
    Versions(Result<Vec<String>, ModuleError>),
    Revision(Result<Revision, ModuleError>, Option<Arc<Info>>),
    /// An `.info` of the cache, to be kept in mind.
    ReadInfo(Revision, Option<Stamp>),
    Latest(Result<Revision, ModuleError>),
    /// The folder of a downloaded module, which is looked into next.
    Root(Result<PathBuf, ModuleError>),
    Folder(Result<Folder, ModuleError>),
    Directories(Result<Vec<Directory>, ModuleError>),
    Download(Result<(), ModuleError>),
}

fn revision(info: &Info) -> Revision {
    Revision { version: info.version.clone(), time: info.time.clone() }
}

/// Whether go.sum must have a line before anybody is asked.
fn needs_sum(need: &Need) -> bool {
    matches!(need, Need::GoMod(module) if !module.version.is_empty())
}

impl Session<'_> {
    /// Finds out and tells.
    pub(super) fn learn(&mut self, needs: Vec<Need>) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        let mut folders = Vec::new();
        // A module is downloaded once, however many of its folders are looked into.
        let mut downloading = HashSet::new();
        let mut following = Vec::new();
        if needs.iter().any(|need| matches!(need, Need::GoMod(_))) {
            if self.must_have_sums() && needs.iter().any(needs_sum) {
                self.source.sums.lock().refuse().map_err(|text| end(Stop::End(text)))?;
            }
            self.index.read(&mut self.world);
        }
        for need in needs {
            match self.at_once(&need)? {
                Some(Answer::Root(root)) => folders.push((need, root)),
                Some(answer) => self.tell(&need, answer),
                None => match &need {
                    Need::Folder { module, .. } | Need::Directories(module)
                        if !downloading.insert(module.clone()) =>
                    {
                        following.push(need);
                    }
                    _ => waiting.push(need),
                },
            }
        }
        for (need, answer) in self.find_out_all(waiting) {
            match answer.map_err(end)? {
                Answer::Root(root) => {
                    if let Need::Folder { module, .. } | Need::Directories(module) = &need {
                        self.roots.insert(module.clone(), root.clone());
                    }
                    folders.push((need, root));
                }
                answer => self.tell(&need, answer),
            }
        }
        for need in following {
            if let Need::Folder { module, .. } | Need::Directories(module) = &need
                && let Some(root) = self.roots.get(module).cloned()
            {
                folders.push((need, root));
            }
        }
        if folders.is_empty() {
            return Ok(());
        }
        let read = match &self.target {
            Some(target) => ReadFor::Target(target),
            None => {
                let tags = self.tags.get_or_init(|| target::tags(self.go, &self.source.tags));
                ReadFor::Verb(tags.as_ref())
            }
        };
        for (need, answer) in look_into_all(self.go.seen(), folders, read) {
            self.tell(&need, answer);
        }
        Ok(())
    }

    fn find_out_all(&self, waiting: Vec<Need>) -> Vec<(Need, Result<Answer, Stop>)> {
        if waiting.is_empty() {
            return Vec::new();
        }
        let source = &self.source;
        source.block_on(async {
            let ask = |(index, need): (usize, Need)| {
                let source = Arc::clone(source);
                async move {
                    let answer = find_out(&source, &need).await;
                    (index, need, answer)
                }
            };
            let mut answers: Vec<_> = stream::iter(waiting.into_iter().enumerate().map(ask))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            answers.sort_by_key(|(index, ..)| *index);
            answers.into_iter().map(|(_, need, answer)| (need, answer)).collect()
        })
    }

    fn tell(&mut self, need: &Need, answer: Answer) {
        let known = &mut self.world.known;
        match (need, answer) {
            (Need::GoMod(node), Answer::GoMod(data)) => {
                let data = data.as_deref().map_err(Clone::clone);
                if node.version.is_empty() {
                    let name = self.ground.replaced(&node.path);
                    known.tell_local_go_mod(node, &name, &self.go.short(&name), data);
                } else {
                    known.tell_go_mod(node, "go.mod", data);
                }
            }
            (Need::GoMod(node), Answer::Read { data, stamp, hash }) => {
                known.tell_go_mod(node, "go.mod", Ok(&data));
                let module = known.nodes().find(&node.path, &node.version);
                if let (Some(stamp), Some(module)) = (stamp, module)
                    && let Some(Ok(facts)) = known.facts(module)
                {
                    let (is_made_up, facts) = (known.is_made_up(module), Arc::clone(facts));
                    self.index.keep(module, Entry { stamp, hash, is_made_up, facts });
                }
            }
            (Need::GoMod(node), Answer::Remembered(entry)) => {
                let module = self.world.id(&node.path, &node.version);
                self.world.known.tell_facts(module, entry.facts, entry.is_made_up);
            }
            (Need::Versions(path), Answer::Versions(versions)) => known.tell_versions(path, versions),
            (Need::Revision { path, revision }, Answer::Revision(answer, info)) => {
                known.tell_revision(path, revision, answer);
                if let Some(info) = info {
                    self.infos.insert((path.clone(), revision.clone()), info);
                }
            }
            (Need::Revision { path, revision: text }, Answer::ReadInfo(revision, stamp)) => {
                let time = revision.time.clone();
                // An answer for another version is none for this one.
                let is_own = revision.version == *text;
                known.tell_revision(path, text, Ok(revision));
                let module = known.nodes().find(path, text).filter(|_| is_own);
                if let (Some(stamp), Some(module)) = (stamp, module) {
                    self.index.keep_info(module, InfoEntry { stamp, time });
                }
            }
            (Need::Latest(path), Answer::Latest(answer)) => known.tell_latest(path, answer),
            (Need::Folder { module, directory }, Answer::Folder(answer)) => {
                known.tell_folder(module, directory, answer);
            }
            (Need::Directories(module), Answer::Directories(answer)) => {
                known.tell_directories(module, answer)
            }
            (Need::Download(module), Answer::Download(answer)) => known.tell_download(module, answer),
            _ => unreachable!("an answer is made for its need"),
        }
    }

    /// What can be found out without asking anybody.
    fn at_once(&self, need: &Need) -> Result<Option<Answer>, Failure> {
        Ok(match need {
            Need::GoMod(node) if node.version.is_empty() => {
                let file = self.ground.replaced(&node.path);
                let data = locked::read_seen(self.go.seen(), &file).map_err(|error| {
                    let text = format!("reading {}: {error}", self.go.short(&file));
                    ModuleError::about(node.clone(), text)
                });
                Some(Answer::GoMod(data))
            }
            Need::GoMod(node) if order::is_toolchain(&node.path) => {
                Some(Answer::GoMod(Ok(format!("module {}\n", node.path).into_bytes())))
            }
            Need::GoMod(node) => match self.remembered(node)? {
                Some(entry) => Some(Answer::Remembered(entry)),
                None => self.read_go_mod(node)?,
            },
            Need::Revision { path, revision: text } => {
                let module = ModuleVersion::parse(path, text).ok();
                match self.remembered_info(path, text) {
                    Some(revision) => Some(Answer::Revision(Ok(revision), None)),
                    None => module.and_then(|module| {
                        let with_stamp = self.index.takes_infos();
                        let (info, stamp) = self.source.kept_info_with_stamp(&module, with_stamp)?;
                        Some(Answer::ReadInfo(revision(&info), stamp))
                    }),
                }
            }
            Need::Folder { module, .. } | Need::Directories(module) => {
                let known = self.roots.get(module).cloned();
                known.or_else(|| self.local_root(module)).map(Answer::Root)
            }
            _ => None,
        })
    }

    /// A go.mod of the cache.
    fn read_go_mod(&self, node: &Node) -> Result<Option<Answer>, Failure> {
        Ok(match module_version(&node.path, &node.version) {
            Err(error) => Some(Answer::GoMod(Err(error))),
            Ok(module) if self.read_before.contains(node) => {
                // What has left the cache meanwhile is had anew.
                let data = self.source.cache.go_mod(&module).ok().flatten();
                data.map(|data| Answer::GoMod(Ok(data)))
            }
            Ok(module) => match self.source.kept_go_mod(&module, self.index.has_place()).map_err(end)? {
                Kept::Checked { data, stamp, hash } => Some(Answer::Read { data, stamp, hash }),
                Kept::Unproved(_) | Kept::Absent => None,
            },
        })
    }

    /// What is kept of a go.mod, if it still is as it was.
    fn remembered(&self, node: &Node) -> Result<Option<Entry>, Failure> {
        let id = self.world.nodes().find(&node.path, &node.version);
        let Some(entry) = id.and_then(|id| self.index.find(id)) else { return Ok(None) };
        if self.read_before.contains(node) {
            return Ok(None);
        }
        let is_unchanged = self.source.is_unchanged(node, entry).map_err(end)?;
        Ok(is_unchanged.then(|| entry.clone()))
    }

    /// The same of an `.info`.
    fn remembered_info(&self, path: &str, version: &str) -> Option<Revision> {
        let id = self.world.nodes().find(path, version)?;
        let InfoEntry { stamp, time } = self.index.find_info(id)?;
        let is_unchanged = stamp_of(&self.source.cache, self.world.nodes().node(id), "info") == Some(*stamp);
        is_unchanged.then(|| Revision { version: version.to_owned(), time: time.clone() })
    }

    /// The folder of a module that packages come from.
    pub(crate) fn root_of(&self, module: &Node) -> Result<PathBuf, Failure> {
        let known = self.roots.get(module).cloned().or_else(|| self.local_root(module));
        let root = match known {
            Some(root) => root,
            None => {
                let module = module_version(&module.path, &module.version);
                let folder = module.map_err(Stop::from);
                let folder = folder.and_then(|module| self.source.block_on(self.source.folder(&module)));
                return folder.map_err(end);
            }
        };
        root.map_err(|error| Failure::go(error.to_string()))
    }

    /// The folder of a main module, or of a directory that replaces a module.
    fn local_root(&self, module: &Node) -> Option<Result<PathBuf, ModuleError>> {
        if !module.version.is_empty() {
            return None;
        }
        let id = self.world.nodes().find(&module.path, "");
        let main = id.filter(|id| self.world.main.ids().contains(id));
        if let Some(main) = main.and_then(|main| self.world.main.module(main)) {
            return Some(Ok(PathBuf::from(&main.directory)));
        }
        let folder = self.ground.rooted(&module.path);
        Some(match self.go.seen().check(&folder) {
            Ok(()) => Ok(PathBuf::from(folder)),
            Err(error) if module.path.ends_with("/vendor") => {
                // A vendor directory that isn't there holds nothing.
                drop(error);
                Ok(PathBuf::from(folder))
            }
            Err(error) => {
                let cause = match error.kind() {
                    std::io::ErrorKind::NotFound => " does not exist".to_owned(),
                    _ => format!(": stat {folder}: {}", words(&error)),
                };
                let text = format!("replacement directory {}{cause}", module.path);
                Err(ModuleError { module: None, invalid: None, text, kind: Fault::Other })
            }
        })
    }
}

/// What files are read for.
#[derive(Clone, Copy)]
enum ReadFor<'a> {
    /// A verb that is about all targets, with the tags of the environment if they can be had.
    Verb(Option<&'a Tags>),
    /// The target that packages are loaded for.
    Target(&'a ForTarget),
}

/// Looks into folders, several at a time where there are many.
fn look_into_all(
    seen: &Overlay,
    folders: Vec<(Need, Result<PathBuf, ModuleError>)>,
    read: ReadFor<'_>,
) -> Vec<(Need, Answer)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = folders.len().div_ceil(threads).max(FEW);
    let look = |folders: &[(Need, Result<PathBuf, ModuleError>)]| -> Vec<(Need, Answer)> {
        folders.iter().map(|(need, root)| (need.clone(), look_into(seen, need, root, read))).collect()
    };
    if folders.len() <= share {
        return look(&folders);
    }
    std::thread::scope(|scope| {
        let shares: Vec<_> =
            folders.chunks(share).map(|folders| scope.spawn(move || look(folders))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect()
    })
}

fn look_into(seen: &Overlay, need: &Need, root: &Result<PathBuf, ModuleError>, read: ReadFor<'_>) -> Answer {
    // Before Go 1.17 the go.mod files of modules were vendored too, and hide nothing there.
    let is_local = |module: &Node| module.version.is_empty() && *module.path != *VENDOR;
    match (need, root) {
        (Need::Folder { .. }, Err(error)) => Answer::Folder(Err(error.clone())),
        (_, Err(error)) => Answer::Directories(Err(error.clone())),
        (Need::Folder { module, directory }, Ok(root)) => {
            let is_local = is_local(module);
            Answer::Folder(Ok(match read {
                ReadFor::Target(target) => folders::folder_for(seen, root, directory, is_local, target),
                ReadFor::Verb(tags) => folders::folder(seen, root, directory, is_local, tags),
            }))
        }
        (Need::Directories(module), Ok(root)) => {
            Answer::Directories(folders::directories(seen, root, is_local(module)))
        }
        (need, _) => unreachable!("only folders are looked into: {need:?}"),
    }
}

async fn find_out(source: &Arc<Source>, need: &Need) -> Result<Answer, Stop> {
    Ok(match need {
        Need::GoMod(node) => {
            let module = module_version(&node.path, &node.version);
            let data = match module {
                Ok(module) => source.go_mod(&module).await,
                Err(error) => Err(error.into()),
            };
            Answer::GoMod(unless_end(data)?)
        }
        Need::Versions(path) => Answer::Versions(source.versions(path).await),
        Need::Latest(path) => Answer::Latest(source.latest(path).await.map(|info| revision(&info))),
        Need::Revision { path, revision: text } => {
            let info = source.info(path, text).await;
            let known = info.as_ref().ok().cloned();
            Answer::Revision(info.map(|info| revision(&info)), known)
        }
        Need::Folder { module, .. } | Need::Directories(module) => {
            let root = match module_version(&module.path, &module.version) {
                Ok(module) => source.folder(&module).await,
                Err(error) => Err(error.into()),
            };
            Answer::Root(unless_end(root)?)
        }
        Need::Download(module) => {
            let zip = match module_version(&module.path, &module.version) {
                Ok(module) => source.zip(&module).await.map(|_| ()),
                Err(error) => Err(error.into()),
            };
            Answer::Download(unless_end(zip)?)
        }
    })
}

/// The error of a module as a fact; one that ends the program goes on.
fn unless_end<T>(answer: Result<T, Stop>) -> Result<Result<T, ModuleError>, Stop> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(Stop::Error(error)) => Ok(Err(error)),
        Err(end) => Err(end),
    }
}
