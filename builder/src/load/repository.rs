//! The repository that a package comes from, and its revision.
//!
//! Of Subversion and Fossil only the presence is seen, so that nested repositories are refused as by go; programs in them
//! are not stamped. Source: `cmd/go/internal/vcs/vcs.go`.

mod version;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use modkeep_module::file_path;
use modkeep_module::quote::unquote;

use self::version::{Commit, Tag};
use crate::release::Release;

/// A version control system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Git,
    Mercurial,
    Subversion,
    Fossil,
}

/// A folder under version control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) root: String,
    pub(super) tool: Tool,
}

/// What a repository says of its files.
#[derive(Debug)]
pub(super) struct Revision {
    pub(super) repository: Repository,
    /// The hash and time (RFC 3339) of the commit; none before the first.
    pub(super) commit: Option<(String, String)>,
    pub(super) is_modified: bool,
    seconds: i64,
    tags: Vec<Tag>,
    /// Those of the whole repository. Go doesn't look at all tags of a git repository that it has at hand.
    all_tags: Vec<String>,
    /// Those of modules that were asked for.
    versions: Mutex<HashMap<String, Option<String>>>,
}

const TOOLS: [(Tool, &[&str]); 4] = [
    (Tool::Mercurial, &[".hg"]),
    (Tool::Git, &[".git"]),
    (Tool::Subversion, &[".svn"]),
    (Tool::Fossil, &[".fslckout", "_FOSSIL_"]),
];

impl Tool {
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Mercurial => "hg",
            Self::Subversion => "svn",
            Self::Fossil => "fossil",
        }
    }

    /// Whether it can be run, and is one that we can ask.
    pub(super) fn is_installed(self) -> bool {
        static FOUND: [OnceLock<bool>; 2] = [const { OnceLock::new() }; 2];
        let found = match self {
            Self::Git => &FOUND[0],
            Self::Mercurial => &FOUND[1],
            Self::Subversion | Self::Fossil => return false,
        };
        *found.get_or_init(|| Command::new(self.command()).arg("--version").output().is_ok())
    }
}

impl Repository {
    /// The repository that a folder is in (`vcs.FromDir`).
    ///
    /// # Errors
    /// Where repositories of two systems lie around it.
    pub(super) fn around(folder: &str, release: Release) -> Result<Option<Self>, String> {
        let mut found: Option<Self> = None;
        for dir in file_path::upwards(folder) {
            for (tool, _) in TOOLS
                .iter()
                .filter(|(tool, signs)| signs.iter().any(|sign| is_sign(*tool, dir, sign, release)))
            {
                match &found {
                    None => found = Some(Self { root: dir.to_owned(), tool: *tool }),
                    // Nested git is how submodules work.
                    Some(inner) if inner.tool == Tool::Git && *tool == Tool::Git => {}
                    Some(inner) => {
                        return Err(format!(
                            "multiple VCS detected: {} in {:?}, and {} in {dir:?}",
                            inner.tool.command(),
                            inner.root,
                            tool.command()
                        ));
                    }
                }
            }
        }
        Ok(found)
    }

    /// What the repository says now; the commands that ask it are told first.
    ///
    /// # Errors
    /// When its tool fails, or says what can't be read.
    pub(super) fn revision(&self, teller: Option<fn(&str)>) -> Result<Revision, String> {
        match self.tool {
            Tool::Git => self.git_revision(teller),
            Tool::Mercurial => self.mercurial_revision(teller),
            Tool::Subversion | Tool::Fossil => {
                Err(format!("stamping from {} is not supported", self.tool.command()))
            }
        }
    }

    fn git_revision(&self, teller: Option<fn(&str)>) -> Result<Revision, String> {
        let refs = [
            "for-each-ref",
            "--format=%(objectname) %(*objectname) %(refname:strip=2)",
            "--merged=HEAD",
            "refs/tags",
        ];
        // Three processes that don't wait for each other.
        let (status, log, tags) = std::thread::scope(|scope| {
            let status = scope.spawn(|| self.run(&["status", "--porcelain"], teller));
            let log = scope.spawn(|| {
                self.run(&["-c", "log.showsignature=false", "log", "-1", "--format=%H:%ct"], teller)
            });
            let tags = self.run(&refs, teller);
            (joined(status), joined(log), tags)
        });
        let is_modified = !status?.is_empty();
        let mut revision = Revision::of(self.clone(), is_modified);
        match log {
            Ok(log) => revision.take_commit(&log)?,
            Err(_) if is_modified => return Ok(revision),
            Err(error) => return Err(error),
        }
        let hash = revision.commit.as_ref().map_or("", |(hash, _)| hash.as_str()).to_owned();
        for line in tags.unwrap_or_default().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let [object, target, name] = words[..] {
                let commit = if target.is_empty() { object } else { target };
                revision.tags.push(Tag { name: name.to_owned(), is_own: commit == hash });
            }
        }
        Ok(revision)
    }

    fn mercurial_revision(&self, teller: Option<fn(&str)>) -> Result<Revision, String> {
        let log = self.run(&["log", "-r.", "-T", "{node}:{date|hgdate}"], teller)?;
        let is_modified = !self.run(&["status", "-S"], teller)?.is_empty();
        let mut revision = Revision::of(self.clone(), is_modified);
        if log.is_empty() {
            return Ok(revision);
        }
        revision.take_commit(log.split(' ').next().unwrap_or_default())?;
        let hash = revision.commit.as_ref().map_or("", |(hash, _)| hash.as_str()).to_owned();
        let marked =
            self.run(&["log", "--rev=ancestors(.) and tag()", "--template={node} {tags}\n"], teller)?;
        for line in marked.lines() {
            let mut words = line.split_whitespace();
            let is_own = words.next() == Some(&*hash);
            revision.tags.extend(words.map(|name| Tag { name: name.to_owned(), is_own }));
        }
        let all_tags = self.run(&["tags", "-q"], teller)?;
        revision.all_tags.extend(all_tags.lines().map(str::to_owned));
        Ok(revision)
    }

    /// A file as it is in a revision.
    fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        let text = match self.tool {
            Tool::Git => self.run(&["cat-file", "blob", &format!("{revision}:{path}")], None),
            _ => self.run(&["cat", &format!("--rev={revision}"), "--", path], None),
        };
        text.ok().map(String::into_bytes)
    }

    fn run(&self, arguments: &[&str], teller: Option<fn(&str)>) -> Result<String, String> {
        if let Some(tell) = teller {
            tell(&format!("cd {}\n{} {}\n", self.root, self.tool.command(), arguments.join(" ")));
        }
        let mut command = Command::new(self.tool.command());
        command.args(arguments).current_dir(&self.root).env("PWD", &self.root);
        if self.tool == Tool::Mercurial {
            command.env("HGPLAIN", "+strictflags");
        }
        let Output { status, stdout, .. } = command.output().map_err(|error| error.to_string())?;
        match status.success() {
            true => Ok(String::from_utf8_lossy(&stdout).into_owned()),
            false => Err(format!("exit status {}", status.code().unwrap_or(-1))),
        }
    }
}

impl Revision {
    fn of(repository: Repository, is_modified: bool) -> Self {
        let versions = Mutex::default();
        let (commit, tags, all_tags) = (None, Vec::new(), Vec::new());
        Self { repository, commit, is_modified, seconds: 0, tags, all_tags, versions }
    }

    fn take_commit(&mut self, text: &str) -> Result<(), String> {
        const UNREADABLE: &str = "unrecognized VCS tool output";
        let (hash, seconds) = text.trim().split_once(':').ok_or(UNREADABLE)?;
        self.seconds = seconds.parse().map_err(|error| format!("{UNREADABLE}: {error}"))?;
        let time = Timestamp::from_second(self.seconds).map_err(|error| format!("{UNREADABLE}: {error}"))?;
        self.commit = Some((hash.to_owned(), time.to_string()));
        Ok(())
    }

    /// What is told as the version of a module at the revision; none where it isn't a module of the repository.
    pub(super) fn version_of(&self, path: &str) -> Option<String> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.entry(path.to_owned()).or_insert_with(|| self.find_version_of(path)).clone()
    }

    fn find_version_of(&self, path: &str) -> Option<String> {
        let (hash, _) = self.commit.as_ref()?;
        let time =
            TimeZone::UTC.to_datetime(Timestamp::from_second(self.seconds).unwrap_or(Timestamp::UNIX_EPOCH));
        let file = |revision: &str, path: &str| self.repository.file(revision, path);
        let (tags, all_tags) = (&self.tags, &self.all_tags);
        let commit = Commit { hash, time, tags, all_tags, file: &file };
        let version = commit.version_of(path, &module_path(&self.repository.root))?;
        Some(match (self.is_modified, version.ends_with("+incompatible")) {
            (false, _) => version,
            (true, false) => version + "+dirty",
            (true, true) => version + ".dirty",
        })
    }
}

fn joined(thread: std::thread::ScopedJoinHandle<'_, Result<String, String>>) -> Result<String, String> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn is_sign(tool: Tool, dir: &str, sign: &str, release: Release) -> bool {
    let path = Path::new(dir).join(sign);
    match tool {
        Tool::Git => path.is_dir() || release.takes_git_files() && names_git_folder(dir, &path),
        Tool::Mercurial | Tool::Subversion => path.is_dir(),
        Tool::Fossil => path.is_file(),
    }
}

/// Whether a file says where the repository of a folder is, as in a worktree beside another.
fn names_git_folder(dir: &str, file: &Path) -> bool {
    const MOST: u64 = 4096;
    let text = || {
        let found = fs::metadata(file).ok().filter(|found| found.is_file() && found.len() <= MOST)?;
        fs::read_to_string(file).ok().filter(|_| found.len() > 0)
    };
    let text = text();
    let named = text.as_deref().and_then(|text| text.strip_prefix("gitdir:")).map(str::trim);
    named.is_some_and(|named| !named.is_empty() && Path::new(dir).join(named).is_dir())
}

/// The path in the module line of a folder's go.mod; a comment behind it is part of it (`load.goModPath`).
fn module_path(folder: &str) -> String {
    let Ok(text) = fs::read_to_string(Path::new(folder).join("go.mod")) else {
        return String::new();
    };
    let path = text.split('\n').find_map(|line| line.strip_prefix("module ")).map_or("", str::trim);
    match path.starts_with('"') {
        true => unquote(path.as_bytes()).and_then(|path| String::from_utf8(path).ok()).unwrap_or_default(),
        false => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_git_is_a_sign_where_the_release_takes_it_and_it_names_a_folder() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().to_str().unwrap();
        fs::create_dir(home.path().join("named")).unwrap();
        let check = |text: &str, expected: [bool; 2]| {
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(home.path().join(".git"), text).unwrap();
            let found = [Release::Go1_26, Release::Go1_27].map(|release| {
                let around = Repository::around(dir, release).unwrap();
                around.is_some_and(|around| around.root == dir)
            });
            assert_eq!(found, expected, "{text}");
        };
        check("gitdir: named\n", [false, true]);
        check(&format!("gitdir:{dir}/named"), [false, true]);
        for text in ["", "gitdir:\n", "gitdir: nowhere\n", "other: named\n", "gitdir: .git\n"] {
            check(text, [false, false]);
        }
    }
}
