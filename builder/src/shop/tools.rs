//! What is known of the tools once for a whole build: what they call themselves, and how many threads compilers may use.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use modkeep_store::Stamp;
use parking_lot::Mutex;

use super::{Shop, StepError};
use crate::action::{Action, Variables};
use crate::compile::Heap;
use crate::execute::{Ending, status_words};
use crate::goal::Goal;

/// Others wait enough if they are one for so many that run.
const SHARE: usize = 4;
/// Least threads of a compiler, if the machine has them.
const MIN_THREADS: usize = 4;

/// Answers that hold for a whole build.
#[derive(Debug)]
pub(crate) struct Tools {
    ids: Mutex<HashMap<(String, String), String>>,
    folders: Mutex<HashSet<String>>,
    threads: Threads,
    pub(crate) heap: Heap,
    /// What a C compiler is, by its command and language.
    pub(crate) compilers: Mutex<HashMap<(String, String), Result<String, String>>>,
    /// Whether a C compiler knows a flag.
    pub(crate) compiler_flags: Mutex<HashMap<(String, String), bool>>,
}

impl Tools {
    pub(super) fn new(parallel: usize, processors: usize) -> Self {
        Self {
            ids: Mutex::default(),
            folders: Mutex::default(),
            threads: Threads::new(parallel, processors),
            heap: Heap::default(),
            compilers: Mutex::default(),
            compiler_flags: Mutex::default(),
        }
    }

    /// Whether the folder has not been asked for.
    pub(crate) fn is_new_folder(&self, folder: &str) -> bool {
        self.folders.lock().insert(folder.to_owned())
    }

    /// How many nodes could be begun now.
    pub(crate) fn note_waiting(&self, count: usize) {
        self.threads.waiting.store(count, Ordering::Relaxed);
    }

    /// Threads for one compiler; they are given back when the value is dropped.
    pub(crate) fn threads(&self, is_short: bool) -> Lease<'_> {
        self.threads.lease(is_short)
    }
}

impl Shop {
    /// What stands in keys for one of Go's tools: what it calls itself, or what it was built from (`Builder.toolID`).
    pub(crate) fn tool_id(&self, goal: &Goal<'_>, name: &str) -> Result<String, StepError> {
        let program = format!("{}/{name}", goal.build.toolchain.tools());
        let target = &goal.build.target;
        // Experiments that are on anyway are not named, whatever the target.
        let experiments = if goal.experiments.is_empty() {
            String::new()
        } else {
            format!("{}/{}", target.os, goal.experiments)
        };
        let key = (program.clone(), experiments);
        let mut ids = self.tools.ids.lock();
        if let Some(id) = ids.get(&key) {
            return Ok(id.clone());
        }
        // Another program before it may say anything.
        let is_plain = self.flags.wrapper.is_empty();
        let remembered = format!("{}\n{}", key.0, key.1);
        if let Some(id) = self.memory().tool(&program, &remembered).filter(|_| is_plain) {
            ids.insert(key, id.clone());
            return Ok(id);
        }
        let stamp = Stamp::of(Path::new(&program)).filter(|_| is_plain);
        let mut arguments = vec!["-V=full".to_owned()];
        let mut command = program.clone();
        if let Some((wrapper, before)) = self.flags.wrapper.split_first() {
            arguments.splice(0..0, before.iter().cloned().chain([program.clone()]));
            command.clone_from(wrapper);
        }
        let action = Action {
            program: command,
            arguments,
            folder: self.folder.clone(),
            environment: Variables::Inherited(goal.variables().into_iter().collect()),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let outcome = self.machine.run(&action);
        outcome.ended.map_err(|error| {
            let error = match error {
                Ending::Failed { status, .. } => status_words(&status),
                other => other.to_string(),
            };
            StepError::Fatal(format!("go: error obtaining buildID for go tool {name}: {error}"))
        })?;
        let said = String::from_utf8_lossy(&outcome.output);
        // A wrapper may say more, on the other stream.
        let own = said.lines().find(|line| line.starts_with(&format!("{name} version ")));
        let text = own.unwrap_or(&said).trim().to_owned();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let id = match fields.as_slice() {
            [tool, "version", version, .., last] if *tool == name && version.contains("devel") => {
                match last.strip_prefix("buildID=") {
                    Some(id) => id.rsplit('/').next().unwrap_or_default().to_owned(),
                    None => return Err(unexpected(name, &text)),
                }
            }
            [tool, "version", _, ..] if *tool == name => text.clone(),
            _ => return Err(unexpected(name, &text)),
        };
        self.memory().note_tool(&remembered, stamp, &id);
        ids.insert(key, id.clone());
        Ok(id)
    }
}

fn unexpected(name: &str, text: &str) -> StepError {
    StepError::Fatal(format!("go: parsing buildID from go tool {name} -V=full: unexpected output:\n\t{text}"))
}

/// The threads that all compilers of a build share (`compilerConcurrency`).
///
/// Where enough others wait to keep all processors busy, whoever is done soon has one: several threads of one compiler cost more
/// than they bring then.
#[derive(Debug)]
struct Threads {
    parallel: usize,
    most: usize,
    waiting: AtomicUsize,
    state: Mutex<Shares>,
}

#[derive(Debug)]
struct Shares {
    free: usize,
    compilers: usize,
}

/// Threads that a compiler has while it runs.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    threads: &'a Threads,
    pub(crate) count: usize,
    is_counted: bool,
}

impl Threads {
    fn new(parallel: usize, processors: usize) -> Self {
        let most = processors.max(1);
        let free = 2 * most + MIN_THREADS.min(most) * parallel;
        Self {
            parallel,
            most,
            waiting: AtomicUsize::new(0),
            state: Mutex::new(Shares { free, compilers: 0 }),
        }
    }

    fn lease(&self, is_short: bool) -> Lease<'_> {
        if is_short && self.parallel > 1 && SHARE * self.waiting.load(Ordering::Relaxed) >= self.parallel {
            return Lease { threads: self, count: 1, is_counted: false };
        }
        if self.parallel <= 1 {
            return Lease { threads: self, count: self.most, is_counted: false };
        }
        let least = MIN_THREADS.min(self.most);
        let mut state = self.state.lock();
        state.compilers += 1;
        let aside = self.parallel.saturating_sub(state.compilers) * least;
        let count = (state.free.saturating_sub(aside) / 2).min(self.most).max(least);
        state.free = state.free.saturating_sub(count);
        Lease { threads: self, count, is_counted: true }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            let mut state = self.threads.state.lock();
            state.compilers -= 1;
            state.free += self.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_compiler_has_one_thread_where_others_keep_all_processors_busy() {
        let threads = Threads::new(8, 8);
        assert_eq!(threads.lease(true).count, 8);
        threads.waiting.store(1, Ordering::Relaxed);
        assert_eq!(threads.lease(true).count, 8);
        threads.waiting.store(2, Ordering::Relaxed);
        assert_eq!((threads.lease(true).count, threads.lease(false).count), (1, 8));
        assert_eq!(threads.state.lock().compilers, 0, "all is given back");
        let alone = Threads::new(1, 8);
        alone.waiting.store(100, Ordering::Relaxed);
        assert_eq!(alone.lease(true).count, 8);
    }
}
