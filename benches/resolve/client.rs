//! Whoever resolves: the go command or modkeep, and what a run of it cost.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use modkeep_conformance::go::{Go, forget_settings};

use crate::make;
use crate::subject::Subject;

/// The two programs and where they work.
pub(crate) struct Client {
    pub(crate) go: Go,
    pub(crate) program: PathBuf,
    pub(crate) place: PathBuf,
}

/// One of the programs with its settings.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    is_go: bool,
    has_index: bool,
    is_cold: bool,
    may_fail: bool,
    settings: Vec<(&'static str, &'static str)>,
}

/// Seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Of all threads, in the program and in the system.
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

impl Tool {
    pub(crate) fn go(name: &'static str) -> Self {
        Self { name, is_go: true, has_index: false, is_cold: false, may_fail: false, settings: Vec::new() }
    }

    pub(crate) fn ours(name: &'static str) -> Self {
        Self { is_go: false, ..Self::go(name) }
    }

    /// With a cache folder for the index.
    pub(crate) fn with_index(self) -> Self {
        Self { has_index: true, ..self }
    }

    /// Where not everything can be had.
    pub(crate) fn lenient(self) -> Self {
        Self { may_fail: true, ..self }
    }

    /// With an empty module cache.
    pub(crate) fn cold(self) -> Self {
        Self { is_cold: true, ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.push((name, value));
        self
    }
}

impl Client {
    /// Runs a tool in the main module of a subject: what it cost, and its standard output.
    pub(crate) fn run(
        &self,
        tool: &Tool,
        subject: &Subject,
        goproxy: &str,
        words: &[&str],
    ) -> (Cost, String) {
        let cold = self.place.join("cold");
        let cache = if tool.is_cold { cold.clone() } else { subject.cache.clone() };
        if tool.is_cold && cold.exists() {
            std::fs::remove_dir_all(&cold).expect("a folder of the bench's own");
        }
        let home = self.place.join("home");
        make(&home);
        // Only the shell's own clock has milliseconds of a child's CPU time.
        let mut command = Command::new("bash");
        let program = if tool.is_go { self.go.tool() } else { self.program.clone() };
        command.args(["-c", "TIMEFORMAT='%U %S'; time \"$@\"", "bash"]).arg(program).args(words);
        forget_settings(&mut command);
        command.current_dir(&subject.folder).env("PWD", &subject.folder).env("GOENV", "off");
        command.env("GOPATH", self.place.join("gopath")).env("GOMODCACHE", cache).env("GOPROXY", goproxy);
        command.env("GOSUMDB", "off").env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        command.env("GOROOT", self.go.root()).env("GOFLAGS", "-modcacherw");
        command.env_remove("XDG_CACHE_HOME").env_remove("HOME");
        if tool.has_index {
            command.env("HOME", &home);
        }
        command.envs(tool.settings.iter().copied());
        let started = Instant::now();
        let output = command.output().expect("bash runs");
        let wall = started.elapsed().as_secs_f64();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(tool.may_fail || output.status.success(), "{}: {words:?}: {stderr}", tool.name);
        let times = stderr.lines().last().unwrap_or_default().split(' ');
        let cpu = times.map(|seconds| seconds.parse::<f64>().expect("bash prints seconds")).sum();
        (Cost { cpu, wall }, String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
