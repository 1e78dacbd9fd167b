//! Go and modkeep side by side: the same words in the same folder, one after the other, and what each leaves.
//!
//! Both have one build cache, one module cache and one TMPDIR, so that whoever comes second compiles little, and paths are the
//! same in what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use modkeep_conformance::go::Go;
use regex::Regex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::go::forgo_telemetry;
use crate::modkeep::Modkeep;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The real go command.
    Go,
    /// The program under test.
    Modkeep,
}

/// Both, in the order in which they take turns.
pub const BOTH: [Who; 2] = [Who::Go, Who::Modkeep];

/// What a command said and left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// With `TIME` in the place of every time.
    pub stdout: String,
    /// The same; without a word of what was downloaded, which is there for the second.
    pub stderr: String,
    /// None after a signal.
    pub status: Option<i32>,
    /// Files that are new, other or gone, in the folder and in TMPDIR.
    pub left: BTreeMap<String, String>,
}

/// A folder with sources, and all that is around it.
pub struct Ground {
    home: TempDir,
    go: Go,
    program: PathBuf,
    cache: PathBuf,
}

impl Ground {
    /// An empty one. `program` is the one under test, `cache` the build cache.
    ///
    /// # Panics
    /// When its folders can't be made.
    pub fn new(go: &Go, program: &Path, cache: &Path) -> Self {
        let home = TempDir::with_prefix("modkeep-ground-").expect("a folder of the test's own");
        let ground = Self { home, go: go.clone(), program: program.to_owned(), cache: cache.to_owned() };
        for folder in [ground.place(), ground.temporary(), cache.to_owned()] {
            fs::create_dir_all(folder).expect("a folder of the test's own");
        }
        forgo_telemetry(ground.home()).expect("a file of the test's own");
        ground
    }

    /// The home folder; modules in `proxy` under it are what GOPROXY has.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder that both work in.
    pub fn place(&self) -> PathBuf {
        self.home().join("w")
    }

    /// TMPDIR.
    pub fn temporary(&self) -> PathBuf {
        self.home().join("tmp")
    }

    /// A command whose words the caller adds.
    pub fn command(&self, who: Who) -> Command {
        let mut command = match who {
            Who::Go => self.go.command(),
            Who::Modkeep => {
                let mut command = Modkeep::command(&self.program, self.home());
                command.env("GOROOT", self.go.root());
                command
            }
        };
        let place = self.place();
        command.current_dir(&place).env("PWD", &place).env("HOME", self.home());
        command.env("GOPATH", self.home().join("gopath")).env("GOCACHE", &self.cache);
        command.env("TMPDIR", self.temporary()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        command.env("GOENV", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "").env("GOWORK", "off");
        command.env("GOPROXY", format!("file://{}/proxy", self.home().display())).env("GOSUMDB", "off");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a line: variables, then the words of a command, parted by blanks.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn run(&self, who: Who, line: &str) -> Outcome {
        let mut command = self.command(who);
        let mut words = line.split_whitespace().peekable();
        while let Some((name, value)) =
            words.peek().and_then(|word| word.split_once('=')).filter(|(name, _)| !name.starts_with('-'))
        {
            command.env(name, value);
            words.next();
        }
        command.args(words);
        self.outcome(|| command.output().expect("the command can be run"))
    }

    /// What came of something that is done now.
    pub fn outcome(&self, doing: impl FnOnce() -> Output) -> Outcome {
        let before = self.files();
        let Output { status, stdout, stderr } = doing();
        let after = self.files();
        let mut left: BTreeMap<String, String> = after
            .iter()
            .filter(|(file, digest)| before.get(*file) != Some(digest))
            .map(|(file, digest)| (file.clone(), digest.clone()))
            .collect();
        let gone = before.keys().filter(|file| !after.contains_key(*file));
        left.extend(gone.map(|file| (file.clone(), "gone".to_owned())));
        let is_told = |line: &&str| !line.starts_with("go: downloading ");
        let stderr = untimed(&stderr);
        let stderr = stderr.split_inclusive('\n').filter(is_told).collect();
        Outcome { stdout: untimed(&stdout), stderr, status: status.code(), left }
    }

    /// Files and folders, with digests of what they hold.
    fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.place(), self.temporary()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder of the test's own").flatten() {
                let path = entry.path();
                let name = path.strip_prefix(self.home()).unwrap_or(&path).display().to_string();
                if path.is_dir() {
                    found.insert(name, "folder".to_owned());
                    folders.push(path);
                } else {
                    let content = fs::read(&path).unwrap_or_default();
                    found.insert(name, digest(&content));
                }
            }
        }
        found
    }
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text without what differs from run to run: times, and the names of work folders.
fn untimed(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let times = Regex::new(r#"("Time":)"[^"]*"|("Elapsed":)[0-9.e-]+|(\\t|\t|\()[0-9.]+s"#);
    let text = times.expect("a pattern").replace_all(&text, "$1$2${3}TIME").into_owned();
    Regex::new(r"go-build[0-9]+").expect("a pattern").replace_all(&text, "go-build").into_owned()
}

/// What is wrong with a build cache: entries whose output is not there whole, and files that are of no entry's kind.
///
/// # Panics
/// When the folder can't be read.
pub fn halves(cache: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in fs::read_dir(cache).expect("the cache is there").flatten() {
        let name = folder.file_name();
        if name.len() != 2 || !folder.path().is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path()).expect("a folder of the cache").flatten() {
            let path = file.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_whole = match name.rsplit_once('-') {
                Some((_, "a")) => entry_is_whole(cache, &path),
                Some((digest, "d")) if path.is_file() => {
                    fs::read(&path).is_ok_and(|content| self::digest(&content) == digest)
                }
                // A folder holds a program under its name.
                Some((_, "d")) => true,
                _ => false,
            };
            if !is_whole {
                wrong.push(path.display().to_string());
            }
        }
    }
    wrong
}

/// Whether the output that an entry names has the size that it says.
fn entry_is_whole(cache: &Path, entry: &Path) -> bool {
    let text = fs::read_to_string(entry).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["v1", _, output, size, _] = words.as_slice() else { return false };
    let file = cache.join(&output[..2]).join(format!("{output}-d"));
    // Outputs may be trimmed before entries are; what is there is whole.
    match fs::metadata(&file) {
        Ok(found) => found.is_dir() || found.len().to_string() == *size,
        Err(_) => true,
    }
}
