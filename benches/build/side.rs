//! One of the two that are compared: a program with a cache and an output of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        Self { program, root: root.to_owned(), home: home.join(name) }
    }

    /// What it builds.
    pub(crate) fn program(&self) -> PathBuf {
        self.home.join("go.out")
    }

    /// Empties the cache.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.home.join("cache")).expect("a cache");
    }

    /// Builds the go command.
    pub(crate) fn build(&self, flags: &[&str], target: Option<&str>) -> Cost {
        let mut command = Command::new(&self.program);
        forget_settings(&mut command);
        command.env("GOENV", "off").env("GOWORK", "off").env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
        command.env("GOROOT", &self.root).env("GOCACHE", self.home.join("cache")).env("CGO_ENABLED", "0");
        command.env("GOPATH", self.home.join("gopath")).env("GOPROXY", "off");
        if let Some((os, arch)) = target.and_then(|target| target.split_once('/')) {
            command.env("GOOS", os).env("GOARCH", arch);
        }
        command.current_dir(self.root.join("src/cmd")).args(["build", "-trimpath"]).args(flags);
        let is_for_many = flags.iter().any(|flag| flag.starts_with("-targets"));
        let output = if is_for_many { self.home.join("many") } else { self.program() };
        command.arg("-o").arg(output).arg("./go");
        Cost::of(|| {
            let ran = command.output().expect("a program that runs");
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{command:?}: {said}");
            said.lines().filter(|line| line.contains("/compile -o ")).count()
        })
    }
}
