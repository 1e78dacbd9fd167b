//! Two runs of the same lines in the same folder: by go and by modkeep.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{kept_folder, skip};
use modkeep_harness::tree;
use modkeep_harness::txtar::Txtar;
use regex::{Captures, Regex};

/// Where both run, one after the other, and what they find there.
pub(crate) struct Beside {
    pub(crate) go: Go,
    pub(crate) home: tempfile::TempDir,
    /// Variables for both.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// What a line left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
    /// The sizes and digests of the files.
    files: BTreeMap<PathBuf, String>,
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
        let files = self.files.iter().filter(|(path, content)| other.files.get(*path) != Some(content));
        files.for_each(|(path, content)| text.push_str(&format!("    {} {content}\n", path.display())));
        text
    }
}

impl Beside {
    /// A place for a test; none where there is no go.
    pub(crate) fn new(test: &str) -> Option<Self> {
        match Go::specification() {
            Ok(go) => Some(Self { go, home: tempfile::tempdir().unwrap(), variables: Vec::new() }),
            Err(missing) => {
                skip(test, &missing);
                None
            }
        }
    }

    /// Both get build caches that hold what every program needs.
    pub(crate) fn with_caches(self) -> Self {
        let kept = kept_folder().join(format!("listing-cache-{}", modkeep_conformance::go::RELEASE));
        if !kept.join("whole").exists() {
            let place = self.home.path().join("first");
            let files = "-- go.mod --\nmodule first\n-- main.go --\npackage main\n\nimport _ \"embed\"\n\nimport \"C\"\n\nfunc main() {}\n";
            Txtar::parse(files.as_bytes()).extract(&place).unwrap();
            let mut command = self.command("go", &place);
            command.env("GOCACHE", &kept).args(["build", "-o", "first", "."]);
            assert!(command.status().unwrap().success());
            write(&kept.join("whole"), "");
        }
        for who in ["go", "modkeep"] {
            copy_tree(&kept, &self.cache(who));
        }
        self
    }

    /// Fails with the lines whose outcomes differ. A line is words for both, or behind `sh: ` for the shell.
    pub(crate) fn check(&self, files: &str, lines: &[&str]) {
        let [theirs, ours] = ["go", "modkeep"].map(|who| self.run(who, files, lines));
        let mut differences = String::new();
        for ((line, theirs), ours) in lines.iter().zip(theirs).zip(ours) {
            if ours != theirs {
                let (go, we) = (theirs.unlike(&ours), ours.unlike(&theirs));
                differences.push_str(&format!("{line}\n  go\n{go}  we\n{we}"));
            }
        }
        assert!(differences.is_empty(), "{differences}");
    }

    /// What lines leave.
    pub(crate) fn run(&self, who: &str, files: &str, lines: &[&str]) -> Vec<Outcome> {
        // Both work in a folder of the same name, so that absolute paths are equal too.
        let place = self.home.path().join("w");
        Txtar::parse(files.as_bytes()).extract(&place).unwrap();
        let outcomes = lines.iter().map(|line| self.outcome(who, &place, line)).collect();
        std::fs::remove_dir_all(&place).unwrap();
        outcomes
    }

    fn cache(&self, who: &str) -> PathBuf {
        self.home.path().join(format!("cache-of-{who}"))
    }

    fn command(&self, who: &str, place: &Path) -> Command {
        let home = self.home.path();
        let mut command = match who {
            "go" => self.go.command(),
            _ => {
                let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
                command.env("GOROOT", self.go.root());
                command
            }
        };
        self.settle(&mut command, who, place);
        command
    }

    fn settle(&self, command: &mut Command, who: &str, place: &Path) {
        let home = self.home.path();
        command.current_dir(place).env("PWD", place).env("HOME", home).env("GOENV", "off");
        command.env("GOPATH", place.join("gopath")).env("GOMODCACHE", home.join("modules"));
        command.env("GOCACHE", self.cache(who)).env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
        command.env("GOPROXY", format!("file://{}/proxy", home.display())).env("GOSUMDB", "off");
        command.env("GOWORK", "off").envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    fn outcome(&self, who: &str, place: &Path, line: &str) -> Outcome {
        let mut command = match line.strip_prefix("sh: ") {
            None => {
                let mut command = self.command(who, place);
                command.args(words(line));
                command
            }
            Some(line) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", line]);
                self.settle(&mut command, who, place);
                command
            }
        };
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| self.settled(&String::from_utf8_lossy(&bytes), who);
        // What the first has downloaded is there for the second.
        let is_told = |line: &&str| !line.starts_with("go: downloading ");
        let stderr = text(stderr).split_inclusive('\n').filter(is_told).collect();
        Outcome { stdout: text(stdout), stderr, status: status.code(), files: tree::contents(place) }
    }

    /// The text without what differs from run to run.
    fn settled(&self, text: &str, who: &str) -> String {
        let text = text.replace(&self.cache(who).display().to_string(), "CACHE");
        let times = Regex::new(r"(\t|\()[0-9.]+s").unwrap();
        times.replace_all(&text, |found: &Captures<'_>| format!("{}TIME", &found[1])).into_owned()
    }
}

/// Words between blanks; those between single quotes are one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), &target).unwrap()),
        }
    }
}
