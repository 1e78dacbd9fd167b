//! The repository that a package comes from, and its revision.
//!
//! Of Subversion and Fossil only the presence is seen, so that nested repositories are refused as by go; programs in them
//! are not stamped. Sources: `cmd/go/internal/vcs/vcs.go`, `cmd/go/internal/modfetch/coderepo.go`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use modkeep_module::path::major::{match_path_major, path_major_prefix, split_path_version};
use modkeep_module::pseudo::{is_pseudo_version, pseudo_version};
use modkeep_module::{file_path, semver};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Revision {
    /// The hash and time (RFC 3339) of the commit; none before the first.
    pub(super) commit: Option<(String, String)>,
    pub(super) is_modified: bool,
    /// The path of the module in its root; empty for none.
    root_module: String,
    seconds: i64,
    /// Tags, each with whether it names the commit itself rather than one before it.
    tags: Vec<(String, bool)>,
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
    pub(super) fn around(folder: &str) -> Result<Option<Self>, String> {
        let mut found: Option<Self> = None;
        for dir in file_path::upwards(folder) {
            for (tool, _) in
                TOOLS.iter().filter(|(tool, signs)| signs.iter().any(|sign| is_sign(*tool, dir, sign)))
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
        let mut revision = match self.tool {
            Tool::Git => self.git_revision(teller)?,
            Tool::Mercurial => self.mercurial_revision(teller)?,
            Tool::Subversion | Tool::Fossil => {
                return Err(format!("stamping from {} is not supported", self.tool.command()));
            }
        };
        revision.root_module = module_path(&self.root);
        Ok(revision)
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
        let mut revision = Revision { is_modified, ..Revision::default() };
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
                revision.tags.push((name.to_owned(), commit == hash));
            }
        }
        Ok(revision)
    }

    fn mercurial_revision(&self, teller: Option<fn(&str)>) -> Result<Revision, String> {
        let log = self.run(&["log", "-r.", "-T", "{node}:{date|hgdate}"], teller)?;
        let is_modified = !self.run(&["status", "-S"], teller)?.is_empty();
        let mut revision = Revision { is_modified, ..Revision::default() };
        if !log.is_empty() {
            revision.take_commit(log.split(' ').next().unwrap_or_default())?;
        }
        Ok(revision)
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
    fn take_commit(&mut self, text: &str) -> Result<(), String> {
        const UNREADABLE: &str = "unrecognized VCS tool output";
        let (hash, seconds) = text.trim().split_once(':').ok_or(UNREADABLE)?;
        self.seconds = seconds.parse().map_err(|error| format!("{UNREADABLE}: {error}"))?;
        let time = Timestamp::from_second(self.seconds).map_err(|error| format!("{UNREADABLE}: {error}"))?;
        self.commit = Some((hash.to_owned(), time.to_string()));
        Ok(())
    }

    /// The version of a module at the revision; none where it isn't a module of the repository (`codeRepo.convert`).
    pub(super) fn version_of(&self, path: &str) -> Option<String> {
        let (hash, _) = self.commit.as_ref()?;
        let (code_root, _) = split_path_version(&self.root_module)?;
        let (prefix, major) = split_path_version(path)?;
        let folder = if path == code_root { "" } else { prefix.strip_prefix(code_root)?.trim_matches('/') };
        let tag_prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        // What stands behind a version in a tag makes it none, but does for later revisions to be counted from.
        let version_in = |name: &str| {
            let version = semver::canonical(name)?;
            let is_whole = name.starts_with(&*version) && !is_pseudo_version(name);
            (is_whole && match_path_major(&version, major)).then_some((name == version, version))
        };
        let versions = |own: bool| {
            let tags = self.tags.iter().filter(move |(_, is_own)| !own || *is_own);
            let names = tags.filter_map(|(name, _)| name.strip_prefix(tag_prefix.as_str()));
            let versions = names.filter_map(version_in).filter(|(is_canonical, _)| *is_canonical || !own);
            versions.map(|(_, version)| version).max_by(|a, b| semver::compare(a, b))
        };
        let version = match versions(true) {
            Some(version) => version,
            None => {
                let short = &hash[..hash.len().min(12)];
                pseudo_version(
                    path_major_prefix(major),
                    &versions(false).unwrap_or_default(),
                    self.time(),
                    short,
                )
            }
        };
        Some(if self.is_modified { format!("{version}+dirty") } else { version })
    }

    fn time(&self) -> DateTime {
        let time = Timestamp::from_second(self.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        TimeZone::UTC.to_datetime(time)
    }
}

fn joined(thread: std::thread::ScopedJoinHandle<'_, Result<String, String>>) -> Result<String, String> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn is_sign(tool: Tool, dir: &str, sign: &str) -> bool {
    let path = Path::new(dir).join(sign);
    match tool {
        // In a worktree of its own it is a file that names the repository.
        Tool::Git => {
            path.is_dir() || path.is_file() && fs::read(&path).is_ok_and(|text| text.starts_with(b"gitdir:"))
        }
        Tool::Mercurial | Tool::Subversion => path.is_dir(),
        Tool::Fossil => path.is_file(),
    }
}

/// The path in the module line of a folder's go.mod.
fn module_path(folder: &str) -> String {
    let Ok(text) = fs::read_to_string(Path::new(folder).join("go.mod")) else {
        return String::new();
    };
    let line = text.lines().find_map(|line| line.strip_prefix("module "));
    let path = line.map(|line| line.split("//").next().unwrap_or(line).trim());
    path.map(|path| path.trim_matches('"').to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(root_module: &str, tags: &[(&str, bool)], is_modified: bool) -> Revision {
        let hash = "0123456789abcdef0123456789abcdef01234567".to_owned();
        Revision {
            commit: Some((hash, "2026-01-02T03:04:05Z".to_owned())),
            is_modified,
            root_module: root_module.to_owned(),
            seconds: 1_767_323_045,
            tags: tags.iter().map(|(name, is_own)| ((*name).to_owned(), *is_own)).collect(),
        }
    }

    #[test]
    fn tags_give_a_module_its_version() {
        let tags =
            [("v1.2.0", false), ("v1.3.0-rc.1", false), ("sub/v0.1.0", true), ("v2.0.0", true), ("x", true)];
        let clean = revision("ex.com/m", &tags, false);
        for (path, expected) in [
            ("ex.com/m", Some("v1.3.0-rc.1.0.20260102030405-0123456789ab")),
            ("ex.com/m/v2", Some("v2.0.0")),
            ("ex.com/m/sub", Some("v0.1.0")),
            ("ex.com/m/other", Some("v0.0.0-20260102030405-0123456789ab")),
            ("ex.com/m/other/v3", Some("v3.0.0-20260102030405-0123456789ab")),
            ("ex.org/m", None),
        ] {
            assert_eq!(clean.version_of(path).as_deref(), expected, "{path}");
        }
        let marked = [("v1.5.0+meta", false), ("v1.3.1", false), ("v1.4", true), ("v1.3.0+x", true)];
        let marked = revision("ex.com/m", &marked, false);
        assert_eq!(
            marked.version_of("ex.com/m").as_deref(),
            Some("v1.5.1-0.20260102030405-0123456789ab"),
            "a tag with more behind the version is no version"
        );
        let dirty = revision("ex.com/m/v2", &tags, true);
        assert_eq!(dirty.version_of("ex.com/m/v2").as_deref(), Some("v2.0.0+dirty"));
    }
}
