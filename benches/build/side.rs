//! One of the two that are compared: a program with a cache and outputs of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use modkeep_conformance::go::forget_settings;

use crate::clock::Cost;

/// A program that builds.
pub(crate) struct Side {
    program: PathBuf,
    root: PathBuf,
    home: PathBuf,
}

impl Side {
    pub(crate) fn new(name: &str, program: &Path, root: &Path, home: &Path) -> Self {
        let program = program.canonicalize().expect("a program that is there");
        let home = home.join(name);
        fs::create_dir_all(&home).expect("a folder");
        Self { program, root: root.to_owned(), home }
    }

    /// A file or folder of its own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The source of the go command.
    pub(crate) fn source(&self) -> PathBuf {
        self.root.join("src/cmd")
    }

    /// The go command that it builds.
    pub(crate) fn output(&self) -> PathBuf {
        self.path("go.out")
    }

    /// Forgets all that it has built.
    pub(crate) fn forget(&self) {
        for folder in ["cache", "many", "mains"] {
            // It may have built nothing so far.
            let _ = fs::remove_dir_all(self.path(folder));
        }
        let _ = fs::remove_file(self.output());
    }

    /// A command in a folder, with none of the machine's settings.
    pub(crate) fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        forget_settings(&mut command);
        command.env("GOENV", "off").env("GOWORK", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
        command.env("GOROOT", &self.root).env("GOCACHE", self.path("cache")).env("CGO_ENABLED", "0");
        command.env("GOPATH", self.path("gopath")).env("GOPROXY", "off").env("PWD", folder);
        command.current_dir(folder).args(words).stdin(Stdio::null());
        command
    }

    /// Builds the go command, this many times.
    pub(crate) fn build(&self, times: u32, flags: &[&str]) -> Cost {
        Cost::of(times, || drop(run(&mut self.build_command(flags))))
    }

    /// Builds the go command for another target, with a program of its own.
    pub(crate) fn build_for(&self, target: &str) -> Cost {
        let (os, arch) = target.split_once('/').expect("GOOS/GOARCH");
        let mut command = self.command(&self.source(), &["build", "-trimpath", "-o"]);
        command.env("GOOS", os).env("GOARCH", arch).arg(self.output_for(target)).arg("./go");
        Cost::of(1, || drop(run(&mut command)))
    }

    /// The program of a target, where it is one of several.
    pub(crate) fn output_for(&self, target: &str) -> PathBuf {
        let name = if target.starts_with("windows/") { "go.exe" } else { "go" };
        self.path("many").join(target.replace('/', "_")).join(name)
    }

    /// Builds the go command and says how many packages were compiled for it.
    pub(crate) fn build_shown(&self) -> (Cost, usize) {
        let mut compilations = 0;
        let cost = Cost::of(1, || {
            let said = run(&mut self.build_command(&["-x"]));
            compilations = said.lines().filter(|line| line.contains("/compile -o ")).count();
        });
        (cost, compilations)
    }

    fn build_command(&self, flags: &[&str]) -> Command {
        let mut command = self.command(&self.source(), &["build", "-trimpath"]);
        command.args(flags);
        let is_for_many = flags.iter().any(|flag| flag.starts_with("-targets"));
        command.arg("-o").arg(if is_for_many { self.path("many") } else { self.output() }).arg("./go");
        command
    }
}

/// Runs a command that succeeds, and gives what it said on stderr.
pub(crate) fn run(command: &mut Command) -> String {
    let ran = command.output().expect("a program that runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{command:?}: {said}");
    said
}
