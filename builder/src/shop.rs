//! The workshop of a build: the cache, the machine, the folder for what is thrown away, and what a step does with them.
//!
//! Steps of all targets share it. Under `-n` commands are shown and not run; under `-x` they are shown and run.

mod tools;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modkeep_store::Digest;
use parking_lot::Mutex;

use crate::action::{Action, Variables};
use crate::action_id::FileHashes;
use crate::execute::{Ending, Machine, Outcome};
use crate::gocache::{GoCache, GoCacheError};
use crate::host::Hosts;
use crate::load::{Scans, system_words};
use crate::memory::Memory;
use crate::package::Package;
use crate::rebuild::Subject;
use crate::remote::Remote;
use crate::tier::Exports;
use crate::transcript::Transcript;
use crate::words;

pub(crate) use tools::Tools;

/// How a build is run; its flags that are no part of what is built.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `-n`: show commands, run none.
    pub dry: bool,
    /// `-x`: show commands.
    pub shows: bool,
    /// `-v`: name packages as they are compiled.
    pub names: bool,
    /// `-a`: build what is up to date too.
    pub forces: bool,
    /// `-work`: keep the work folder.
    pub keeps_work: bool,
    /// `-p`: how many steps run at once, at least 1.
    pub parallel: usize,
    /// How many processors there are to use (GOMAXPROCS).
    pub processors: usize,
    /// `-toolexec`.
    pub wrapper: Vec<String>,
    /// `-cache-verify`: which part of what caches have is made again and compared, from 0 to 1.
    pub verified_part: f64,
    /// `-debug-cache`: say why something is made.
    pub tells_reasons: bool,
    /// Make nothing, and only say what would be made and why.
    pub only_tells_reasons: bool,
    /// What messages call the verb, such as `build`.
    pub verb: String,
    /// `-debug-actiongraph`: the file for the graph of what was done; empty for none.
    pub graph_file: String,
}

/// All that steps share.
#[derive(Debug)]
pub struct Shop {
    /// The build cache.
    pub cache: GoCache,
    /// What is kept beside it, which go knows nothing of.
    pub tiers: GoCache,
    /// Results of other machines.
    pub remote: Option<Remote>,
    /// Contents of source files.
    pub hashes: FileHashes,
    /// What runs commands.
    pub machine: Machine,
    /// What is told.
    pub transcript: Transcript,
    /// The work folder.
    pub work: String,
    /// The current folder.
    pub folder: String,
    /// How it is run.
    pub flags: Flags,
    pub(crate) tools: Tools,
    pub(crate) exports: Exports,
    pub(crate) hosts: Hosts,
    /// Outputs in the build cache whose bytes are what their names say.
    pub(crate) proved: Mutex<HashSet<Digest>>,
    has_warned: AtomicBool,
    /// What the graph of the build tells; nobody asks where there is no file for it.
    pub(crate) notes: crate::action_graph::Notes,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// What a tool said, headed by the package that it is about.
    #[error("{0}")]
    Reported(String),
    /// Anything else, to be headed by the package.
    #[error("{0}")]
    Plain(String),
    /// What keeps everything from being built: it is told once, and nothing more begins.
    #[error("{0}")]
    Fatal(String),
}

impl StepError {
    pub(crate) fn plain(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Plain(text)
    }

    /// A failure of the system at a path, in Go's words.
    pub(crate) fn system(operation: &str, path: &str, error: &io::Error) -> Self {
        Self::Plain(format!("{operation} {path}: {}", system_words(error)))
    }
}

impl Shop {
    /// A shop; the work folder is there.
    pub fn new(
        cache: GoCache,
        machine: Machine,
        transcript: Transcript,
        work: &str,
        folder: &str,
        flags: Flags,
    ) -> Self {
        Self {
            tiers: cache.beside(),
            cache,
            remote: None,
            hashes: FileHashes::default(),
            machine,
            transcript,
            work: work.to_owned(),
            folder: folder.to_owned(),
            tools: Tools::new(flags.parallel, flags.processors),
            exports: Exports::default(),
            hosts: Hosts::default(),
            proved: Mutex::default(),
            has_warned: AtomicBool::new(false),
            notes: crate::action_graph::Notes::default(),
            flags,
        }
    }

    /// The same shop with what was read of files, in this run and before.
    #[must_use]
    pub fn with_scans(self, scans: Arc<Scans>) -> Self {
        Self { hashes: FileHashes::over(scans), ..self }
    }

    /// What is remembered from one run to the next.
    pub(crate) fn memory(&self) -> &Memory {
        self.hashes.memory()
    }

    /// Whether an output of the build cache is what its name says; it is hashed once in a run.
    pub(crate) fn proves(&self, output: &Digest) -> bool {
        if self.proved.lock().contains(output) {
            return true;
        }
        let is_whole = self.cache.is_whole(output);
        if is_whole {
            self.proved.lock().insert(*output);
        }
        is_whole
    }

    /// What came of a put; that something could not be kept is said once, and is no failure: it is made again the next time.
    pub(crate) fn keep<T>(&self, put: Result<T, GoCacheError>) -> Option<T> {
        let error = match put {
            Ok(put) => return Some(put),
            Err(error) => error,
        };
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            self.warn(&format!("results are not kept: {}", StepError::plain(error)));
        }
        None
    }

    /// Says why something is made if that is wanted; fails where nothing is to be made.
    pub(crate) fn tell_reason(
        &self,
        what: &str,
        subject: impl Fn() -> Subject,
        preimage: &str,
    ) -> Result<(), StepError> {
        if !self.flags.tells_reasons && !self.flags.only_tells_reasons {
            return Ok(());
        }
        let reason = subject().reason(&self.tiers, preimage);
        self.transcript.tell(what, &format!("{what} is not cached:\n{reason}"));
        if self.flags.only_tells_reasons { Err(StepError::Reported(String::new())) } else { Ok(()) }
    }

    /// Says what a person should know and no program acts on.
    pub(crate) fn warn(&self, text: &str) {
        self.transcript.tell("", &format!("modkeep: warning: {text}\n"));
    }

    /// Variables of the machine that change how Go's tools work, not what a target is.
    pub(crate) fn tool_variables(&self) -> Vec<(String, String)> {
        const NAMES: [&str; 8] =
            ["TMPDIR", "HOME", "PATH", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK"];
        let names = NAMES.iter().chain(&crate::release::MAGIC_VARIABLES);
        let variables = self.machine.variables();
        names.filter_map(|&name| Some((name.to_owned(), variables.get(name)?.clone()))).collect()
    }

    fn is_shown(&self) -> bool {
        self.flags.dry || self.flags.shows
    }

    /// What a step writes about its package.
    pub(crate) fn bench<'s>(&'s self, package: &'s Package) -> Bench<'s> {
        Bench { shop: self, package, description: package.description(), output: Vec::new() }
    }
}

/// The place of one step: its package and what the tools said so far.
#[derive(Debug)]
pub(crate) struct Bench<'s> {
    pub(crate) shop: &'s Shop,
    pub(crate) package: &'s Package,
    description: String,
    /// What tools said that succeeded.
    pub(crate) output: Vec<u8>,
}

impl Bench<'_> {
    /// Shows an internal command.
    pub(crate) fn show(&self, folder: &str, command: &str) {
        if self.shop.is_shown() {
            self.shop.transcript.show(&self.description, folder, command);
        }
    }

    /// Shows what is only done when it isn't a dry run.
    pub(crate) fn show_done(&self, command: &str) {
        if self.shop.flags.shows && !self.shop.flags.dry {
            self.shop.transcript.show(&self.description, "", command);
        }
    }

    pub(crate) fn tell(&self, text: &str) {
        self.shop.transcript.tell(&self.description, text);
    }

    /// Tells what tools said.
    pub(crate) fn flush(&mut self) -> Vec<u8> {
        if !self.output.is_empty() {
            self.tell(&String::from_utf8_lossy(&self.output));
        }
        std::mem::take(&mut self.output)
    }

    pub(crate) fn make_folder(&self, folder: &str) -> Result<(), StepError> {
        if folder.is_empty() {
            return Ok(());
        }
        if self.shop.is_shown() && self.shop.tools.is_new_folder(folder) {
            self.show("", &format!("mkdir -p {folder}"));
        }
        if self.shop.flags.dry {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|error| StepError::system("mkdir", folder, &error))
    }

    /// Writes a file of the work folder.
    pub(crate) fn write(&self, file: &str, content: &[u8]) -> Result<(), StepError> {
        let text = String::from_utf8_lossy(content);
        match text.find('\n') {
            None if content.is_empty() => self.show("", &format!("echo -n > {file} # internal")),
            Some(end) if end + 1 == content.len() => {
                self.show("", &format!("echo '{}' > {file} # internal", &text[..end]));
            }
            _ => self.show("", &format!("cat >{file} << 'EOF' # internal\n{text}EOF")),
        }
        if self.shop.flags.dry {
            return Ok(());
        }
        write_throwaway(file, content).map_err(|error| StepError::system("open", file, &error))
    }

    /// Copies a file into the work folder.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<(), StepError> {
        self.show("", &format!("cp {from} {to}"));
        if self.shop.flags.dry {
            return Ok(());
        }
        let content = fs::read(from).map_err(|error| StepError::system("open", from, &error))?;
        write_throwaway(to, &content).map_err(|error| StepError::system("open", to, &error))
    }

    /// Runs a command and reports what it says; `shown` are the variables that a reader has to set.
    pub(crate) fn run(
        &mut self,
        action: Action,
        heading: &str,
        folder: &str,
        shown: &[(String, String)],
    ) -> Result<(), StepError> {
        let outcome = self.run_silently(action, shown)?;
        self.report(outcome, heading, folder)
    }

    /// Reports what a command said: with its failure if it failed, else with the step's output (`reportCmd`).
    pub(crate) fn report(&mut self, outcome: Outcome, heading: &str, folder: &str) -> Result<(), StepError> {
        if outcome.output.is_empty() {
            return match outcome.ended {
                Ok(()) => Ok(()),
                Err(error) => Err(StepError::plain(error)),
            };
        }
        let heading = if heading.is_empty() { self.description.as_str() } else { heading };
        let folder = if folder.is_empty() { self.package.dir.as_str() } else { folder };
        let report = self.shop.transcript.report(
            &self.package.import_path,
            &self.description,
            heading,
            folder,
            &outcome.output,
        );
        match outcome.ended {
            Ok(()) => {
                self.output.extend(report.as_str().as_bytes());
                Ok(())
            }
            Err(_) => Err(StepError::Reported(report.as_str().to_owned())),
        }
    }

    /// Runs a command; what it says is in the outcome (`runOut`).
    pub(crate) fn run_silently(
        &self,
        mut action: Action,
        shown: &[(String, String)],
    ) -> Result<Outcome, StepError> {
        if let Some(argument) = action.arguments.iter().find(|argument| argument.starts_with('@')) {
            let line = words::shown(line_of(&action));
            return Err(StepError::Plain(format!(
                "invalid command-line argument {argument} in command: {line}"
            )));
        }
        self.wrap(&mut action);
        if self.shop.is_shown() {
            let mut text = String::new();
            for (name, value) in shown {
                if value.contains('\'') {
                    text.push_str(&format!("{name}={} ", modkeep_module::quote::quote(value)));
                } else {
                    text.push_str(&format!("{name}='{value}' "));
                }
            }
            text.push_str(&words::shown(line_of(&action)));
            self.shop.transcript.show(&self.description, &action.folder, &text);
        }
        if self.shop.flags.dry {
            return Ok(Outcome { output: Vec::new(), ended: Ok(()) });
        }
        let begun = std::time::Instant::now();
        let outcome = self.shop.machine.run(&action);
        if !self.shop.flags.graph_file.is_empty() {
            let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let line = words::shown(line_of(&action));
            self.shop.notes.command(&self.description, &action.program, line, took);
        }
        if matches!(outcome.ended, Err(Ending::Stopped)) {
            return Err(StepError::plain(Ending::Stopped));
        }
        Ok(outcome)
    }

    /// Puts the program of `-toolexec` before one of Go's tools.
    fn wrap(&self, action: &mut Action) {
        let Some((program, before)) = self.shop.flags.wrapper.split_first() else {
            return;
        };
        if !action.program.contains("/pkg/tool/") {
            return;
        }
        let tool = std::mem::replace(&mut action.program, program.clone());
        action.arguments.splice(0..0, before.iter().cloned().chain([tool]));
        let over = ("TOOLEXEC_IMPORTPATH".to_owned(), self.description.clone());
        let mut variables = match &action.environment {
            Variables::Closed(variables) => variables.clone().into_iter().collect(),
            Variables::Inherited(over) => over.clone(),
        };
        variables.push(over);
        // A wrapper may read anything.
        action.environment = Variables::Inherited(variables);
    }
}

fn line_of(action: &Action) -> impl Iterator<Item = &str> {
    std::iter::once(action.program.as_str()).chain(action.arguments.iter().map(String::as_str))
}

/// Writes a file that goes with the work folder.
#[allow(clippy::disallowed_methods, reason = "nothing in the work folder outlives the build")]
pub(crate) fn write_throwaway(file: &str, content: &[u8]) -> io::Result<()> {
    fs::write(Path::new(file), content)
}
