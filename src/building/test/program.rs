//! Running the program of a test, and what is said about it.
//!
//! Source: `cmd/go/internal/test/test.go:runTestActor.Act`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use modkeep_builder::action_id::ActionId;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::package::Package;
use modkeep_builder::test_result::TestRun;

use super::flags::TestFlags;
use super::voice::Voice;
use super::wait::{self, Ended};
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
        let ended = self.wait(&line, &mut |piece| {
            output.extend(piece);
            if streams { voice.say(piece) } else { Ok(()) }
        })?;
        let took = begun.elapsed();
        let path = &self.package.import_path;
        if !ended.status.success() || ended.was_late || ended.is_open {
            // What is only passed on go has not seen.
            let seen: &[u8] = if streams && !self.flags.build.json { &[] } else { &output };
            let mut last = self.reason(seen, &ended);
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

    /// Why the program failed, where its output does not say so.
    fn reason(&self, output: &[u8], ended: &Ended) -> Vec<u8> {
        let mut reason = Vec::new();
        let limits = self.flags.limits();
        if let Some(limits) = limits.filter(|_| ended.was_late) {
            let time = duration_words(limits.quits_after);
            reason.extend(format!("*** Test killed with quit: ran too long ({time}).\n").bytes());
        } else if let Some(limits) = limits.filter(|_| ended.is_open && ended.status.success()) {
            let time = duration_words(limits.delay);
            reason.extend(format!("*** Test I/O incomplete {time} after exiting.\n").bytes());
        }
        let has_status = ended.status.code().is_some_and(|code| code != 0);
        if output.is_empty() || !has_status {
            reason.extend(format!("{}\n", status_words(ended)).bytes());
        } else if !output.ends_with(b"\n") {
            reason.push(b'\n');
        }
        reason
    }

    /// Runs a command in the package's folder. What it writes is passed on as it comes.
    fn wait(
        &self,
        line: &[String],
        hear: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Ended, Failure> {
        let failed = |error: std::io::Error| Failure::go(format!("fork/exec {}: {}", line[0], words(&error)));
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).current_dir(&self.package.dir).env("PWD", &self.package.dir);
        command.stdin(Stdio::null());
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let child = command.spawn().map_err(failed)?;
        drop(command);
        let mut heard = Ok(());
        let ended = wait::wait(child, reader, self.flags.limits(), |piece| {
            if heard.is_ok() {
                heard = hear(piece);
            }
        });
        heard.and(ended.map_err(failed))
    }
}

/// In go's words; a program that succeeded has failed by its time or by leaving its output open.
fn status_words(ended: &Ended) -> String {
    let status = ended.status;
    match (status.code(), status.signal()) {
        (Some(0), _) if ended.was_late => "context deadline exceeded".to_owned(),
        (Some(0), _) => "exec: WaitDelay expired before I/O complete".to_owned(),
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => {
            let name = modkeep_builder::execute::signal_name(signal);
            format!("signal: {name}{}", if status.core_dumped() { " (core dumped)" } else { "" })
        }
        (None, None) => status.to_string(),
    }
}

/// A time of a second or more as Go prints it: `11m0s`.
fn duration_words(time: Duration) -> String {
    let (whole, part) = (time.as_secs(), format!("{:09}", time.subsec_nanos()));
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    let seconds = format!("{}{dot}{part}s", whole % 60);
    match (whole / 3600, whole / 60 % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_go_prints_them() {
        for (milliseconds, expected) in [
            (5_000, "5s"),
            (61_500, "1m1.5s"),
            (660_000, "11m0s"),
            (3_600_000, "1h0m0s"),
            (3_661_050, "1h1m1.05s"),
        ] {
            assert_eq!(duration_words(Duration::from_millis(milliseconds)), expected);
        }
    }
}
