//! Running the program of a test, and what is said about it.
//!
//! Source: `cmd/go/internal/test/test.go:runTestActor.Act`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use modkeep_builder::action_id::ActionId;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::package::Package;
use modkeep_builder::test_result::TestRun;

use super::flags::TestFlags;
use super::voice::Voice;
use crate::goenv::words;
use crate::report::{self, Failure};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Passed,
    Failed,
}

/// The program of a package's test.
pub(super) struct Program<'a> {
    pub(super) flags: &'a TestFlags,
    pub(super) package: &'a Package,
    pub(super) variables: Arc<BTreeMap<String, String>>,
    pub(super) cache: &'a GoCache,
}

/// Looks up what a program printed when it passed.
pub(super) struct Probe {
    cache: GoCache,
    arguments: Vec<String>,
    folder: String,
    root: String,
    variables: Arc<BTreeMap<String, String>>,
}

impl Probe {
    /// What the program with this key printed, if that still holds; with `(cached)` in the place of the time.
    pub(super) fn known(&self, id: &ActionId) -> Option<Vec<u8>> {
        let program = id.to_string();
        self.run(&program).known(&self.cache)
    }

    fn run<'r>(&'r self, program: &'r str) -> TestRun<'r> {
        TestRun {
            program,
            arguments: &self.arguments,
            folder: &self.folder,
            root: &self.root,
            variables: &self.variables,
        }
    }
}

impl Program<'_> {
    /// What looks up results; none where they can't be remembered.
    pub(super) fn probe(&self) -> Option<Probe> {
        if self.package.root.is_empty() || self.flags.build.forces {
            return None;
        }
        Some(Probe {
            cache: GoCache::open(self.cache.folder()).ok()?,
            arguments: self.flags.remembered_arguments()?,
            folder: self.package.dir.clone(),
            root: self.package.root.clone(),
            variables: Arc::clone(&self.variables),
        })
    }

    /// Runs it and prints what go prints.
    pub(super) fn run(
        &self,
        file: &str,
        id: &ActionId,
        work: &str,
        voice: &mut Voice,
    ) -> Result<Ran, Failure> {
        let probe = self.probe();
        let log = format!("{work}/testlog-{}.txt", id.short());
        let mut line = self.flags.wrapper.clone();
        line.push(file.to_owned());
        if probe.is_some() {
            line.push(format!("-test.testlogfile={log}"));
        }
        line.push("-test.paniconexit0".to_owned());
        line.extend(self.flags.arguments.iter().cloned());
        if self.flags.build.shows {
            report::tell(&line.join(" ").replace(work, "$WORK"));
        }
        let streams = self.flags.packages.is_empty() || self.flags.benchmarks || self.flags.build.json;
        let begun = Instant::now();
        let mut output = Vec::new();
        let status = self.wait(&line, &mut |piece| {
            output.extend(piece);
            if streams { voice.say(piece) } else { Ok(()) }
        })?;
        let took = begun.elapsed();
        let path = &self.package.import_path;
        if !status.success() {
            let mut last = Vec::new();
            if output.is_empty() || status.code().is_none() {
                // A program that says nothing has at least a status.
                last.extend(format!("{}\n", status_words(status)).bytes());
            } else if !output.ends_with(b"\n") {
                last.push(b'\n');
            }
            let mark = if self.flags.build.json { "\u{16}" } else { "" };
            last.extend(format!("{mark}FAIL\t{path}\t{:.3}s\n", took.as_secs_f64()).bytes());
            if !streams {
                voice.say(&output)?;
            }
            voice.say(&last)?;
            return Ok(Ran::Failed);
        }
        let has_none =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("testing: warning: no tests to run\n");
        let note = if has_none(&output) { " [no tests to run]" } else { "" };
        if !self.flags.shows_passes && !self.flags.build.json {
            output.clear();
        }
        if !output.is_empty() && !output.ends_with(b"\n") {
            output.push(b'\n');
            if streams {
                voice.say(b"\n")?;
            }
        }
        let last = |time: &str| format!("ok  \t{path}\t{time}{note}\n");
        if let Some(probe) = probe {
            let mut kept = output.clone();
            kept.extend(last("(cached)").bytes());
            let log = fs::read(&log).unwrap_or_default();
            let program = id.to_string();
            // What isn't remembered is run again.
            let _ = probe.run(&program).remember(&probe.cache, &log, &kept);
        }
        if !streams {
            voice.say(&output)?;
        }
        voice.say(last(&format!("{:.3}s", took.as_secs_f64())).as_bytes())?;
        Ok(Ran::Passed)
    }

    /// Runs a command in the package's folder. What it writes is passed on as it comes.
    fn wait(
        &self,
        line: &[String],
        hear: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<ExitStatus, Failure> {
        let failed = |error: std::io::Error| Failure::go(format!("fork/exec {}: {}", line[0], words(&error)));
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).current_dir(&self.package.dir).env("PWD", &self.package.dir);
        command.stdin(Stdio::null());
        let (mut reader, writer) = std::io::pipe().map_err(failed)?;
        command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let child = command.spawn().map_err(failed)?;
        drop(command);
        let (done, is_done) = mpsc::channel::<()>();
        let watcher = self.flags.kill_after().map(|time| watch(&child, time, is_done));
        let mut child = child;
        let mut heard = Ok(());
        let mut piece = [0; 16 << 10];
        while let Ok(length @ 1..) = reader.read(&mut piece) {
            heard = heard.and_then(|()| hear(&piece[..length]));
        }
        let status = child.wait().map_err(failed)?;
        drop(done);
        let was_killed = watcher.is_some_and(|watcher| watcher.join().unwrap_or(false));
        if was_killed {
            let time = self.flags.kill_after().unwrap_or_default().as_secs();
            hear(format!("*** Test killed: ran too long ({time}s).\n").as_bytes())?;
        }
        heard.map(|()| status)
    }
}

/// Ends a program that does not end in time; says whether it had to.
fn watch(child: &Child, time: Duration, is_done: mpsc::Receiver<()>) -> std::thread::JoinHandle<bool> {
    let id = child.id();
    std::thread::spawn(move || {
        let is_late = is_done.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        if is_late {
            let _ = Command::new("kill").args(["-QUIT", &id.to_string()]).status();
        }
        is_late
    })
}

fn status_words(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => status.to_string(),
    }
}
