//! go.sum or go.work.sum while a verb runs: what it says, what was checked against it, what is to be added.
//!
//! Lines that a run did not touch stay as they are; only `mod tidy` removes some. In a workspace the go.sum files of its
//! modules are looked at too, and new lines go to go.work.sum unless one of those has them.
//! Source of the rules: `cmd/go/internal/modfetch/fetch.go` (`checkModSum`, `WriteGoSum`, `tidyGoSum`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use modkeep_builder::overlay::Overlay;
use modkeep_module::GoSum;
use modkeep_module::hash::H1;
use modkeep_resolver::node::Node;

use crate::locked::{self, LockedError};
use crate::report;

/// What follows where go.sum and a download disagree.
const MISMATCH: &str = "

SECURITY ERROR
This download does NOT match an earlier download recorded in go.sum.
The bits may have been replaced on the origin server, or an attacker may
have intercepted the download attempt.

For more information, see 'go help module-auth'.
";

const IN_OVERLAY: &str =
    "updates to go.sum needed, but go.sum is part of the overlay specified with -overlay";

const OTHER_HASHES: &str = "

SECURITY WARNING
This download is listed in go.sum, but using an unknown hash algorithm.
The download cannot be verified.

For more information, see 'go help module-auth'.
";

/// The lines, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// The file; none where there is no main module.
    file: Option<String>,
    /// The release's own tool takes malformed lines away.
    repairs: bool,
    /// Shared with the resolver, as long as nothing is added.
    lines: Arc<GoSum>,
    /// Those of the modules of a workspace, by file.
    of_modules: Vec<(String, GoSum)>,
    marks: HashMap<(Node, String), Mark>,
    /// What was checked since the marks were last looked at: whether that was the go.mod alone, and its hash. Most runs
    /// never look.
    used: Vec<(Node, bool, H1)>,
    /// Whether lines that others added meanwhile are dropped.
    overwrites: bool,
    /// Files as `-overlay` shows them.
    seen: Overlay,
    /// Why a file can't be read: the end of a verb that looks something up in it, and of no other.
    fault: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    is_used: bool,
    is_dirty: bool,
}

impl Sums {
    /// Reads the files.
    pub(super) fn read(seen: &Overlay, file: Option<String>, modules: Vec<String>, repairs: bool) -> Self {
        let Some(file) = file else { return Self::default() };
        let mut sums = Self { file: Some(file.clone()), repairs, seen: seen.clone(), ..Self::default() };
        sums.fault = sums.fill(&file, modules).err();
        sums
    }

    fn fill(&mut self, file: &str, modules: Vec<String>) -> Result<(), String> {
        for module in modules {
            let lines = read_file(&self.seen, &module, self.repairs)?;
            self.of_modules.push((module, lines));
        }
        self.lines = Arc::new(read_file(&self.seen, file, self.repairs)?);
        Ok(())
    }

    /// Whether there is a word about a file, `version` ending in `/go.mod` for a go.mod (`HaveSum`).
    pub(crate) fn has(&self, path: &str, version: &str) -> bool {
        self.known(path, version).next().is_some()
    }

    /// The one hash that is known; none if there is none, or are several (`RecordedSum`).
    pub(crate) fn recorded(&self, path: &str, version: &str) -> Option<String> {
        let mut known: Vec<String> = self.known(path, version).collect();
        known.dedup();
        if known.len() == 1 { known.pop() } else { None }
    }

    fn known<'a>(&'a self, path: &'a str, version: &'a str) -> impl Iterator<Item = String> + 'a {
        let node = Node::new(path, version);
        let all = self.of_modules.iter().map(|(_, lines)| lines).chain([&*self.lines]);
        let hashes = all.flat_map(move |lines| lines.hashes(path, version));
        let is_clean = move |hash: &String| {
            !self.marks.get(&(node.clone(), hash.clone())).is_some_and(|mark| mark.is_dirty)
        };
        hashes.filter(|hash| hash.starts_with("h1:")).map(|hash| hash.into_owned()).filter(is_clean)
    }

    /// The lines by which a resolution that may add none has to go; none where the file can't be read, which is told
    /// when the first thing is checked.
    pub(crate) fn required(&self) -> Option<Arc<GoSum>> {
        if self.fault.is_some() {
            return None;
        }
        let mut lines = Arc::clone(&self.lines);
        if !lines.has_known_hashes_only() {
            Arc::make_mut(&mut lines).retain(|_, _, hash| hash.starts_with("h1:"));
        }
        Some(lines)
    }

    /// Fails where a file can't be read.
    ///
    /// # Errors
    /// As [`Sums::check`].
    pub(super) fn refuse(&self) -> Result<(), String> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Notes that a file was hashed; whether go.sum knows it.
    ///
    /// # Errors
    /// With the whole text that ends the program, when go.sum says something else or can't be read.
    pub(super) fn check(&mut self, module: &Node, is_go_mod: bool, hash: &H1) -> Result<bool, String> {
        if self.file.is_none() {
            return Ok(false);
        }
        self.refuse()?;
        let is_known = self.is_listed(&module.path, &module.version, is_go_mod, &hash.to_string())?;
        self.used.push((module.clone(), is_go_mod, *hash));
        Ok(is_known)
    }

    /// Whether one of the files says just this of a go.mod; nothing is noted.
    pub(super) fn vouches(&self, module: &Node, hash: &H1) -> bool {
        let is_listed = self.is_listed(&module.path, &module.version, true, &hash.to_string());
        self.file.is_some() && is_listed == Ok(true)
    }

    /// Marks what was checked.
    fn mark_used(&mut self) {
        for (module, is_go_mod, hash) in std::mem::take(&mut self.used) {
            let node = Node::new(module.path, line_version(&module.version, is_go_mod));
            self.marks.entry((node, hash.to_string())).or_default().is_used = true;
        }
    }

    fn is_listed(&self, path: &str, version: &str, is_go_mod: bool, hash: &str) -> Result<bool, String> {
        let mismatch = |file: &str, listed: &str| {
            let place = format!("\t{file}:     {listed}");
            let version = line_version(version, is_go_mod);
            format!("verifying {path}@{version}: checksum mismatch\n\tdownloaded: {hash}\n{place}{MISMATCH}")
        };
        let is_work = self.file.as_deref().is_some_and(|file| file.ends_with("go.work.sum"));
        let name = if is_work { "go.work.sum" } else { "go.sum" };
        for listed in self.lines.hashes_of(path, version, is_go_mod) {
            if listed == hash {
                return Ok(true);
            }
            if listed.starts_with("h1:") {
                return Err(mismatch(name, &listed));
            }
        }
        let mut is_listed = false;
        for (file, lines) in &self.of_modules {
            for listed in lines.hashes_of(path, version, is_go_mod) {
                if listed == hash {
                    is_listed = true;
                } else if listed.starts_with("h1:") {
                    return Err(mismatch(file, &listed));
                }
            }
        }
        Ok(is_listed)
    }

    /// Adds a hash that was proved.
    ///
    /// # Errors
    /// As [`Sums::check`].
    pub(super) fn add(&mut self, path: &str, version: &str, hash: &H1) -> Result<(), String> {
        if self.file.is_none() {
            return Ok(());
        }
        let hash = hash.to_string();
        self.insert(path, version, &hash)?;
        self.marks.entry((Node::new(path, version), hash)).or_default().is_dirty = true;
        Ok(())
    }

    fn insert(&mut self, path: &str, version: &str, hash: &str) -> Result<(), String> {
        if self.is_listed(path, version, false, hash)? {
            return Ok(());
        }
        let others: Vec<_> = self.lines.hashes(path, version).map(|hash| hash.into_owned()).collect();
        if !others.is_empty() {
            let others = others.join(", ");
            let text = format!("unknown hashes in go.sum: {others}; adding {hash}{OTHER_HASHES}");
            report::tell(&format!("warning: verifying {path}@{version}: {text}"));
        }
        Arc::make_mut(&mut self.lines).insert(path, version, hash);
        Ok(())
    }

    /// Marks all lines but those to keep for removal (`TrimGoSum`).
    pub(crate) fn trim(&mut self, keep: &BTreeSet<Node>) {
        self.mark_used();
        let all: Vec<(Node, String)> = self
            .lines
            .iter()
            .map(|(path, version, hash)| (Node::new(&*path, &*version), hash.into_owned()))
            .collect();
        for (node, hash) in all {
            if !keep.contains(&node) {
                self.marks.insert((node, hash), Mark { is_used: false, is_dirty: true });
                self.overwrites = true;
            }
        }
    }

    /// Whether any line is new or marked for removal: otherwise the file stays as it is, whatever is to be kept.
    pub(super) fn may_change(&self) -> bool {
        self.file.is_some() && self.marks.values().any(|mark| mark.is_dirty)
    }

    /// Whether the file has to be written.
    fn is_dirty(&self, keep: &BTreeSet<Node>) -> bool {
        self.lines.iter().any(|(path, version, hash)| {
            let key = (Node::new(&*path, &*version), hash.into_owned());
            let mark = self.marks.get(&key).copied().unwrap_or_default();
            mark.is_dirty && (!mark.is_used || keep.contains(&key.0))
        })
    }

    /// Writes the file if it has to change, while `lock` is held; the error is whole, without `go: `.
    pub(super) fn write<L>(
        &mut self,
        keep: &BTreeSet<Node>,
        is_readonly: bool,
        lock: impl FnOnce() -> L,
    ) -> Result<(), String> {
        self.mark_used();
        let Some(file) = self.file.clone().filter(|_| self.is_dirty(keep)) else { return Ok(()) };
        if is_readonly {
            return Err("updates to go.sum needed, disabled by -mod=readonly".to_owned());
        }
        if self.seen.replaces(&file) {
            return Err(IN_OVERLAY.to_owned());
        }
        let _lock = lock();
        for _ in 0..8 {
            let before = match locked::read(&file) {
                Ok(data) => data,
                Err(error) if error.is_absence() => Vec::new(),
                Err(error) => return Err(format!("updating go.sum: {error}")),
            };
            let after = self.tidied(&before, keep)?;
            match locked::change(&file, &before, &after) {
                Ok(()) => {
                    self.marks.clear();
                    self.overwrites = false;
                    return Ok(());
                }
                Err(LockedError::Changed) => {}
                Err(error) => return Err(format!("updating go.sum: {error}")),
            }
        }
        Err(format!("updating go.sum: {}", LockedError::Changed))
    }

    /// The file as it is and as it is to be, for `mod tidy -diff`.
    pub(crate) fn difference(&mut self, keep: &BTreeSet<Node>) -> Result<(Vec<u8>, Vec<u8>), String> {
        let file = self.file.clone().unwrap_or_default();
        let before = match locked::read_seen(&self.seen, &file) {
            Ok(data) => data,
            Err(error) if error.is_absence() => Vec::new(),
            Err(error) => return Err(format!("reading go.sum: {error}")),
        };
        let after = self.tidied(&before, keep)?;
        Ok((before, after))
    }

    fn tidied(&mut self, before: &[u8], keep: &BTreeSet<Node>) -> Result<Vec<u8>, String> {
        self.mark_used();
        if !self.overwrites {
            // Lines that others added meanwhile stay; of ours only those that were really checked come back.
            let file = self.file.clone().unwrap_or_default();
            self.lines = Arc::new(parse(&file, before, self.repairs)?);
            let used: Vec<_> =
                self.marks.iter().filter(|(_, mark)| mark.is_used).map(|(key, _)| key.clone()).collect();
            for (node, hash) in used {
                if !self.is_of_module(&node.path, &node.version) {
                    self.insert(&node.path, &node.version, &hash)?;
                }
            }
        }
        let mut lines = GoSum::clone(&self.lines);
        lines.retain(|path, version, hash| {
            let key = (Node::new(path, version), hash.to_owned());
            let mark = self.marks.get(&key).copied().unwrap_or_default();
            let is_kept = !mark.is_dirty || (mark.is_used && keep.contains(&key.0));
            is_kept && !self.is_of_module(path, version)
        });
        Ok(lines.format())
    }

    fn is_of_module(&self, path: &str, version: &str) -> bool {
        self.of_modules.iter().any(|(_, lines)| lines.hashes(path, version).next().is_some())
    }
}

/// The version in a line of go.sum.
pub(super) fn line_version(version: &str, is_go_mod: bool) -> String {
    let suffix = if is_go_mod { "/go.mod" } else { "" };
    format!("{version}{suffix}")
}

fn read_file(seen: &Overlay, file: &str, repairs: bool) -> Result<GoSum, String> {
    match locked::read_seen(seen, file) {
        Ok(data) => parse(file, data, repairs),
        Err(error) if error.is_absence() => Ok(GoSum::default()),
        Err(error) => Err(format!("go: {error}")),
    }
}

fn parse(file: &str, data: impl Into<Vec<u8>>, repairs: bool) -> Result<GoSum, String> {
    if repairs {
        return Ok(GoSum::parse_repairing(data).0);
    }
    GoSum::parse(file, data).map_err(|error| format!("{error}\n"))
}
