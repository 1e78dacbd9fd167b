//! Go and modkeep side by side: the same words in the same folder, one after the other, and what each leaves.
//!
//! Both have one module cache and one TMPDIR, and their paths are the same in what they say. Build caches are shared or not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use modkeep_conformance::go::{Go, RELEASE};
use regex::Regex;
use tempfile::TempDir;

use crate::go::forgo_telemetry;
use crate::modkeep::Modkeep;
use crate::place::{kept_folder, skip};
use crate::tree;
use crate::txtar::Txtar;

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
    /// The same; without a word of what was downloaded, where that is there for the second.
    pub stderr: String,
    /// None after a signal.
    pub status: Option<i32>,
    /// Files that are new, other or gone, in the folder and in TMPDIR.
    pub left: BTreeMap<PathBuf, String>,
}

impl Outcome {
    /// What is not so in another one.
    fn unlike(&self, other: &Self) -> String {
        let mut text = String::new();
        for (what, this, that) in
            [("stdout", &self.stdout, &other.stdout), ("stderr", &self.stderr, &other.stderr)]
        {
            if this != that {
                text.push_str(&format!("    {what} {this:?}\n"));
            }
        }
        if self.status != other.status {
            text.push_str(&format!("    status {:?}\n", self.status));
        }
        let left = self.left.iter().filter(|(path, content)| other.left.get(*path) != Some(content));
        left.for_each(|(path, content)| text.push_str(&format!("    {} {content}\n", path.display())));
        text
    }

    /// The lines that go writes in the order in which packages come to an end, in that of the alphabet.
    #[must_use]
    pub fn sorted(self) -> Self {
        let mut lines: Vec<&str> = self.stderr.split_inclusive('\n').collect();
        lines.sort_unstable();
        Self { stderr: lines.concat(), ..self }
    }
}

/// The lines whose outcomes differ, and how; nothing where none does.
pub fn differences(lines: &[&str], theirs: &[Outcome], ours: &[Outcome]) -> String {
    let mut differences = String::new();
    for ((line, theirs), ours) in lines.iter().zip(theirs).zip(ours) {
        if ours != theirs {
            let (go, we) = (theirs.unlike(ours), ours.unlike(theirs));
            differences.push_str(&format!("{line}\n  go\n{go}  we\n{we}"));
        }
    }
    differences
}

/// A folder with sources, and all that is around it.
pub struct Ground {
    home: TempDir,
    go: Go,
    program: PathBuf,
    /// The build cache of both; each has its own in the home folder if there is none.
    cache: Option<PathBuf>,
    /// Whether each begins with an empty module cache.
    downloads: bool,
    /// More variables for both.
    pub variables: Vec<(&'static str, String)>,
}

impl Ground {
    /// An empty one; none, with a word about the test, where there is no go. `program` is the one under test.
    ///
    /// # Panics
    /// When its folders can't be made.
    pub fn new(test: &str, program: &Path) -> Option<Self> {
        let go = match Go::specification() {
            Ok(go) => go,
            Err(missing) => {
                skip(test, &missing);
                return None;
            }
        };
        let home = TempDir::with_prefix("modkeep-ground-").expect("a folder of the test's own");
        let (program, variables) = (program.to_owned(), Vec::new());
        let ground = Self { home, go, program, cache: None, downloads: false, variables };
        for folder in [ground.place(), ground.temporary()] {
            fs::create_dir_all(folder).expect("a folder of the test's own");
        }
        forgo_telemetry(ground.home()).expect("a file of the test's own");
        Some(ground)
    }

    /// With one build cache for both, so that whoever comes second compiles little.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn sharing(self, cache: &Path) -> Self {
        fs::create_dir_all(cache).expect("a folder of the test's own");
        Self { cache: Some(cache.to_owned()), ..self }
    }

    /// With an empty module cache for each, so that both tell what they download.
    #[must_use]
    pub fn without_modules(self) -> Self {
        Self { downloads: true, ..self }
    }

    /// With build caches that hold what every program needs, cgo's part too.
    ///
    /// # Panics
    /// When go can't fill them.
    #[must_use]
    pub fn with_caches(self) -> Self {
        let kept = kept_folder().join(format!("beside-first-{RELEASE}"));
        if !kept.join("whole").exists() {
            self.lay(
                "-- go.mod --\nmodule first\n-- main.go --\npackage main\n\nimport _ \"embed\"\n\n\
                 import \"C\"\n\nfunc main() {}\n",
            );
            let mut command = self.command(Who::Go);
            command.env("GOCACHE", &kept).args(["build", "-o", "first", "."]);
            assert!(command.status().expect("go can be run").success());
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(kept.join("whole"), "").expect("a file of the test's own");
        }
        for who in BOTH {
            tree::copy(&kept, &self.cache(who)).expect("a cache of the test's own");
        }
        self
    }

    /// The home folder; modules in `proxy` under it are what GOPROXY has, `modules` is GOMODCACHE.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The release that both are.
    pub fn go(&self) -> &Go {
        &self.go
    }

    /// The folder that both work in; `gopath` in it is GOPATH.
    pub fn place(&self) -> PathBuf {
        self.home().join("w")
    }

    /// TMPDIR.
    pub fn temporary(&self) -> PathBuf {
        self.home().join("tmp")
    }

    fn cache(&self, who: Who) -> PathBuf {
        let own = || self.home().join(format!("cache-of-{who:?}"));
        self.cache.clone().unwrap_or_else(own)
    }

    /// Puts these files, and nothing else, into the folder.
    ///
    /// # Panics
    /// When they can't be written.
    pub fn lay(&self, files: &str) {
        tree::remove(&self.place()).expect("a folder of the test's own");
        fs::create_dir_all(self.place()).expect("a folder of the test's own");
        Txtar::parse(files.as_bytes()).extract(&self.place()).expect("files of the test");
    }

    /// A command whose words the caller adds.
    pub fn command(&self, who: Who) -> Command {
        let mut command = match who {
            Who::Go => self.go.command(),
            Who::Modkeep => Modkeep::command(&self.program, self.home()),
        };
        self.settle(&mut command, who);
        command
    }

    fn settle(&self, command: &mut Command, who: Who) {
        let (home, place) = (self.home(), self.place());
        command.current_dir(&place).env("PWD", &place).env("HOME", home).env("TMPDIR", self.temporary());
        if who == Who::Modkeep {
            command.env("GOROOT", self.go.root());
        }
        command.env("GOPATH", place.join("gopath")).env("GOMODCACHE", home.join("modules"));
        command.env("GOCACHE", self.cache(who)).env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        command.env("GOENV", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "").env("GOWORK", "off");
        command.env("GOPROXY", format!("file://{}/proxy", home.display())).env("GOSUMDB", "off");
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    }

    /// Runs a line: variables, then the words of a command, parted by blanks but between single quotes. What stands behind
    /// `sh: ` is for the shell.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn run(&self, who: Who, line: &str) -> Outcome {
        let mut command = match line.strip_prefix("sh: ") {
            Some(line) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", line]);
                self.settle(&mut command, who);
                command
            }
            None => {
                let mut command = self.command(who);
                let words = words(line);
                let is_variable = |word: &&String| word.contains('=') && !word.starts_with('-');
                let count = words.iter().take_while(is_variable).count();
                command.envs(words[..count].iter().filter_map(|word| word.split_once('=')));
                command.args(&words[count..]);
                command
            }
        };
        self.outcome(|| command.output().expect("the command can be run"))
    }

    /// What lines leave, each after the ones before it, from these files on.
    pub fn all(&self, who: Who, files: &str, lines: &[&str]) -> Vec<Outcome> {
        self.lay(files);
        if self.downloads {
            tree::remove(&self.home().join("modules")).expect("a module cache of the test's own");
        }
        lines.iter().map(|line| self.run(who, line)).collect()
    }

    /// Fails with the lines whose outcomes differ.
    ///
    /// # Panics
    /// When one does.
    pub fn check(&self, files: &str, lines: &[&str]) {
        let [theirs, ours] = BOTH.map(|who| self.all(who, files, lines));
        let differences = differences(lines, &theirs, &ours);
        assert!(differences.is_empty(), "{differences}");
    }

    /// What came of something that is done now.
    pub fn outcome(&self, doing: impl FnOnce() -> Output) -> Outcome {
        let before = self.files();
        let Output { status, stdout, stderr } = doing();
        let after = self.files();
        let mut left = after.clone();
        left.retain(|file, content| before.get(file) != Some(content));
        let gone = before.into_keys().filter(|file| !after.contains_key(file));
        left.extend(gone.map(|file| (file, "gone".to_owned())));
        let is_told = |line: &&str| self.downloads || !line.starts_with("go: downloading ");
        let stderr = self.settled(&stderr).split_inclusive('\n').filter(is_told).collect();
        Outcome { stdout: self.settled(&stdout), stderr, status: status.code(), left }
    }

    /// Files and folders, with what they hold.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        for folder in [self.place(), self.temporary()] {
            found.extend(tree::folders(&folder).into_iter().map(|path| (path, "a folder".to_owned())));
            found.extend(tree::contents(&folder));
        }
        let named = |(path, content): (PathBuf, String)| {
            (path.strip_prefix(self.home()).unwrap_or(&path).to_owned(), content)
        };
        found.into_iter().map(named).collect()
    }

    /// The text without what differs from run to run: times, and the names of work folders and caches.
    fn settled(&self, bytes: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for who in BOTH {
            text = text.replace(&self.cache(who).display().to_string(), "CACHE");
        }
        let times = Regex::new(r#"("Time":)"[^"]*"|("Elapsed":)[0-9.e-]+|(\\t|\t|\()[0-9.]+s"#);
        let text = times.expect("a pattern").replace_all(&text, "$1$2${3}TIME").into_owned();
        let dates = Regex::new(r"[0-9]{4}(/[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2} ").expect("a pattern");
        let text = dates.replace_all(&text, "TIME ").into_owned();
        Regex::new(r"go-build[0-9]+").expect("a pattern").replace_all(&text, "go-build").into_owned()
    }
}

/// Words between blanks; those between single quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
