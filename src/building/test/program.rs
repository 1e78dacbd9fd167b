//! Running the program of a test, and what is said about it.
//!
//! Source: `cmd/go/internal/test/test.go:runTestActor.Act`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use modkeep_builder::action_id::ActionId;
use modkeep_builder::execute::status_words as status_words_of;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::package::Package;
use modkeep_builder::test_result::{Passed, TestRun};
use modkeep_module::quote::quote;

use super::coverage::Others;
use super::flags::{Printing, TestFlags, duration_words};
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
    pub(super) search: &'a OsStr,
    pub(super) cache: &'a GoCache,
    /// What `-coverpkg` covers elsewhere.
    pub(super) others: Option<&'a Others>,
    pub(super) printing: Printing,
}

/// Looks up what a program printed when it passed.
pub(super) struct Probe {
    cache: GoCache,
    arguments: Vec<String>,
    folder: String,
    root: String,
    variables: Arc<BTreeMap<String, String>>,
    others: String,
    profiles: bool,
}

impl Probe {
    /// What the program with this key left, if that still holds; with `(cached)` in the place of the time.
    pub(super) fn known(&self, id: &ActionId) -> Option<Passed> {
        self.run(&self.program(id)).known(&self.cache)
    }

    fn program(&self, id: &ActionId) -> String {
        format!("{id}{}", self.others)
    }

    fn run<'r>(&'r self, program: &'r str) -> TestRun<'r> {
        TestRun {
            program,
            arguments: &self.arguments,
            folder: &self.folder,
            root: &self.root,
            variables: &self.variables,
            profiles: self.profiles,
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
            others: self.others.map(|others| others.key().to_owned()).unwrap_or_default(),
            profiles: !self.flags.cover_profile.is_empty(),
        })
    }

    /// The command line, and where the program is to leave its profile; `folder` is for its files, with a slash behind.
    fn line(&self, file: &str, folder: &str) -> (Vec<String>, String) {
        let flags = self.flags;
        let mut line = flags.wrapper.clone();
        line.push(file.to_owned());
        line.extend(self.probe().map(|_| format!("-test.testlogfile={folder}testlog.txt")));
        line.push("-test.paniconexit0".to_owned());
        if flags.fuzzes {
            let cache = self.cache.folder().join("fuzz").join(&self.package.import_path);
            line.push(format!("-test.fuzzcachedir={}", cache.display()));
        }
        if flags.build.cover {
            line.push(format!("-test.gocoverdir={folder}gocoverdir"));
        }
        let profile = format!("{folder}_cover_.out");
        line.extend(flags.arguments.iter().map(
            |argument| match argument.starts_with("-test.coverprofile=") {
                true => format!("-test.coverprofile={profile}"),
                false => argument.clone(),
            },
        ));
        (line, profile)
    }

    fn prepare(&self, folder: &str) -> Result<(), Failure> {
        fs::create_dir_all(folder).map_err(|error| {
            Failure::exact(1, format!("failed to create temporary dir: mkdir {folder}: {}", words(&error)))
        })
    }

    /// Shows the command that would run it.
    pub(super) fn show(&self, file: &str, folder: &str, work: &str) {
        if self.flags.build.cover {
            report::tell(&format!("mkdir -p {folder}gocoverdir").replace(work, "$WORK"));
        }
        let (line, _) = self.line(file, folder);
        report::tell(&line.join(" ").replace(work, "$WORK"));
    }

    /// Runs it and prints what go prints; gives also the profile of coverage that it wrote.
    pub(super) fn run(
        &self,
        file: &str,
        id: &ActionId,
        folder: &str,
        work: &str,
        voice: &mut Voice,
    ) -> Result<(Ran, Vec<u8>), Failure> {
        let probe = self.probe();
        let (line, profile) = self.line(file, folder);
        if self.flags.build.shows {
            self.show(file, folder, work);
        }
        // The program's own folder is not there where it was not linked.
        self.prepare(folder)?;
        let counters = format!("{folder}gocoverdir");
        if self.flags.build.cover {
            self.prepare(&counters)?;
            self.others
                .map_or(Ok(()), |others| others.write(&counters))
                .map_err(|error| Failure::exact(1, format!("open {counters}: {}", words(&error))))?;
        }
        let passes_on = self.printing != Printing::Kept;
        let begun = Instant::now();
        #[allow(clippy::disallowed_methods, reason = "the times of files are the machine's")]
        let since = SystemTime::now();
        let mut output = Vec::new();
        let is_direct = self.printing == Printing::Through && voice.is_direct();
        let ended = self.wait(&line, &counters, is_direct, &mut |piece| {
            if self.printing != Printing::Through {
                output.extend(piece);
            }
            if passes_on { voice.say(piece) } else { Ok(()) }
        })?;
        let took = begun.elapsed();
        let path = &self.package.import_path;
        let failed = |reason: Vec<u8>| {
            let is_marked = self.flags.arguments.iter().any(|argument| argument == "-test.v=test2json");
            let mark = if is_marked { "\u{16}" } else { "" };
            [reason, format!("{mark}FAIL\t{path}\t{:.3}s\n", took.as_secs_f64()).into_bytes()].concat()
        };
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                voice.say(&failed(format!("{}\n", could_not_start(&line[0], &error)).into_bytes()))?;
                return Ok((Ran::Failed, Vec::new()));
            }
        };
        let profile = match fs::read(&profile) {
            Ok(bytes) => bytes,
            // A program that wrote none is none that is wrong.
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                if !passes_on {
                    voice.say(&output)?;
                }
                let reason = format!("open {profile}: {}\n", words(&error));
                voice.say(&failed(reason.into_bytes()))?;
                return Ok((Ran::Failed, Vec::new()));
            }
        };
        if !ended.status.success() || ended.was_late || ended.is_open {
            let last = failed(self.reason(&output, &ended));
            if !passes_on {
                voice.say(&output)?;
            }
            voice.say(&last)?;
            return Ok((Ran::Failed, profile));
        }
        let end = format!("{}{}\n", self.coverage(&output), note(&output));
        let lacks_end = !output.is_empty() && !output.ends_with(b"\n");
        if !self.flags.shows_passes && !self.flags.build.json {
            output.clear();
        }
        if lacks_end {
            output.push(b'\n');
        }
        let last = |time: &str| format!("ok  \t{path}\t{time}{end}");
        if let Some(probe) = probe {
            let mut kept = output.clone();
            kept.extend(last("(cached)").bytes());
            let passed = Passed { output: kept, profile: profile.clone() };
            let log = fs::read(format!("{folder}testlog.txt")).unwrap_or_default();
            // What isn't remembered is run again.
            let _ = probe.run(&probe.program(id)).remember(&probe.cache, since, &log, &passed);
        }
        if !passes_on {
            voice.say(&output)?;
        } else if lacks_end {
            voice.say(b"\n")?;
        }
        voice.say(last(&format!("{:.3}s", took.as_secs_f64())).as_bytes())?;
        Ok((Ran::Passed, profile))
    }

    /// How much was covered, as the program says in its output (`coveragePercentage`).
    fn coverage(&self, output: &[u8]) -> String {
        const MARK: &str = "coverage: ";
        let text = String::from_utf8_lossy(output);
        let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let found = lines.find_map(|line| line.find(MARK).map(|at| line[at..].to_owned()));
        found.filter(|_| self.flags.build.cover).map(|found| format!("\t{found}")).unwrap_or_default()
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

    /// Runs a command in the package's folder. What it writes is passed on as it comes, if it doesn't write to our stdout itself:
    /// then nobody waits for what it leaves running. The inner error says why it could not be run.
    fn wait(
        &self,
        line: &[String],
        cover_folder: &str,
        is_direct: bool,
        hear: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<std::io::Result<Ended>, Failure> {
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).current_dir(&self.package.dir).env("PWD", &self.package.dir);
        command.env("PATH", self.search);
        if self.flags.build.cover {
            // For programs that the test builds and runs.
            command.env("GOCOVERDIR", cover_folder);
        }
        command.stdin(Stdio::null());
        let begin = || {
            let reader = if is_direct {
                let stdout = std::io::stdout();
                command
                    .stdout(stdout.as_fd().try_clone_to_owned()?)
                    .stderr(stdout.as_fd().try_clone_to_owned()?);
                None
            } else {
                let (reader, writer) = std::io::pipe()?;
                command.stdout(writer.try_clone()?).stderr(writer);
                Some(reader)
            };
            let child = command.spawn()?;
            drop(command);
            Ok((child, reader))
        };
        let (child, reader) = match begin() {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(error)),
        };
        let mut heard = Ok(());
        let ended = wait::wait(child, reader, self.flags.limits(), |piece| {
            if heard.is_ok() {
                heard = hear(piece);
            }
        });
        heard.map(|()| ended)
    }
}

/// Why a program could not be started, in go's words.
fn could_not_start(program: &str, error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound && !program.contains('/') {
        return format!("exec: {}: executable file not found in $PATH", quote(program));
    }
    format!("fork/exec {program}: {}", words(error))
}

/// In go's words; a program that succeeded has failed by its time or by leaving its output open.
fn status_words(ended: &Ended) -> String {
    match ended.status.code() {
        Some(0) if ended.was_late => "context deadline exceeded".to_owned(),
        Some(0) => "exec: WaitDelay expired before I/O complete".to_owned(),
        _ => status_words_of(&ended.status),
    }
}

/// What is said of a program that had nothing to do.
fn note(output: &[u8]) -> &'static str {
    const NOTES: [(&str, &str); 3] = [
        (
            "testing: warning: -fuzz matches more than one fuzz test, won't fuzz\n",
            "[-fuzz matches more than one fuzz test, won't fuzz]",
        ),
        ("testing: warning: no fuzz tests to fuzz\n", " [no fuzz tests to fuzz]"),
        ("testing: warning: no tests to run\n", " [no tests to run]"),
    ];
    let text = String::from_utf8_lossy(output);
    let is_said = |warning: &str| {
        let at = text.find(warning);
        at.is_some_and(|at| at == 0 || text[..at].ends_with('\n'))
    };
    NOTES.iter().find(|(warning, _)| is_said(warning)).map_or("", |(_, note)| note)
}
