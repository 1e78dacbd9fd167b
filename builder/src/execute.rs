//! Running commands on this machine.
//!
//! Output and errors of a command arrive in one stream, in the order in which they were written, as go has them. Children
//! are known here while they run, so that they can be stopped when the build is.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modkeep_store::remote::Stop;
use parking_lot::Mutex;

use crate::action::{Action, Variables};
use crate::release::Release;

/// Bytes of arguments above which they go through a file (`cmd/internal/sys.ExecArgLengthLimit`).
const MAX_ARGUMENTS: usize = 30 << 10;

/// Runs commands here.
#[derive(Debug)]
pub struct Machine {
    variables: BTreeMap<String, String>,
    release: Release,
    /// Where files with arguments go.
    folder: String,
    children: Arc<Children>,
}

/// What came of a command.
#[derive(Debug)]
pub struct Outcome {
    /// All that it wrote.
    pub output: Vec<u8>,
    /// How it ended; what the system said when it could not be started.
    pub ended: Result<(), Ending>,
}

/// An end that is no success, in go's words.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// The program can't be found or started.
    #[error("{0}")]
    NotStarted(String),
    /// It ended with a status or a signal.
    #[error("{program}: {}", status_words(status))]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The build was stopped.
    #[error("interrupted")]
    Stopped,
}

/// The processes that run.
#[derive(Debug, Default)]
pub struct Children {
    running: Mutex<HashMap<u32, ()>>,
    stopped: AtomicBool,
    /// What is stopped with them.
    others: Mutex<Vec<Stop>>,
}

impl Machine {
    /// A machine with these variables; files with long lists of arguments are made in `folder`.
    pub fn new(variables: BTreeMap<String, String>, release: Release, folder: &str) -> Self {
        Self { variables, release, folder: folder.to_owned(), children: Arc::default() }
    }

    /// The machine's variables.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The processes that run on it.
    pub fn children(&self) -> &Arc<Children> {
        &self.children
    }

    /// Where a program is that a command names, or go's words for that it is nowhere (`exec.LookPath`).
    ///
    /// # Errors
    /// When it is in none of the folders of PATH.
    pub fn find(&self, program: &str) -> Result<String, Ending> {
        if program.contains('/') {
            return Ok(program.to_owned());
        }
        let path = self.variables.get("PATH").map_or("", String::as_str);
        for folder in path.split(':').filter(|folder| !folder.is_empty()) {
            let file = format!("{folder}/{program}");
            if is_executable(Path::new(&file)) {
                return Ok(file);
            }
        }
        Err(Ending::NotStarted(format!("exec: \"{program}\": executable file not found in $PATH")))
    }

    /// Runs a command and waits for it.
    pub fn run(&self, action: &Action) -> Outcome {
        match self.try_run(action) {
            Ok(outcome) => outcome,
            Err(ended) => Outcome { output: Vec::new(), ended: Err(ended) },
        }
    }

    fn try_run(&self, action: &Action) -> Result<Outcome, Ending> {
        let program = self.find(&action.program)?;
        let not_started = |error: io::Error| {
            Ending::NotStarted(format!("fork/exec {program}: {}", crate::load::system_words(&error)))
        };
        let mut command = Command::new(&program);
        let arguments = self.response_file(&program, &action.arguments).map_err(not_started)?;
        match &arguments {
            Some(file) => command.arg(format!("@{}", file.0)),
            None => command.args(&action.arguments),
        };
        command.env_clear().current_dir(&action.folder).stdin(Stdio::null());
        match &action.environment {
            Variables::Closed(variables) => command.envs(variables),
            Variables::Inherited(over) => {
                command.envs(&self.variables).envs(over.iter().map(|(name, value)| (name, value)))
            }
        };
        command.env("PWD", &action.folder);
        let (mut reader, writer) = io::pipe().map_err(not_started)?;
        let second = writer.try_clone().map_err(not_started)?;
        command.stdout(second).stderr(writer);
        if self.children.stopped.load(Ordering::SeqCst) {
            return Err(Ending::Stopped);
        }
        let mut child = command.spawn().map_err(not_started)?;
        // The command holds the writing ends; the reader would never end while it lives.
        drop(command);
        self.children.running.lock().insert(child.id(), ());
        let mut output = Vec::new();
        let read = reader.read_to_end(&mut output);
        // The id is given back before it can belong to another process.
        self.children.running.lock().remove(&child.id());
        let status = child.wait().and_then(|status| read.map(|_| status));
        let status = status.map_err(|error| Ending::NotStarted(format!("{program}: {error}")))?;
        // A terminal interrupts all at the same time, and the tool may be heard of first.
        if is_interrupted(&status) {
            self.children.stop();
        }
        if self.children.stopped.load(Ordering::SeqCst) {
            return Err(Ending::Stopped);
        }
        let ended = if status.success() {
            Ok(())
        } else {
            Err(Ending::Failed { program: action.program.clone(), status })
        };
        Ok(Outcome { output, ended })
    }

    /// A file with the arguments, for Go's tools and lists that are too long (`passLongArgsInResponseFiles`).
    fn response_file(&self, program: &str, arguments: &[String]) -> io::Result<Option<Removed>> {
        let name = program.rsplit('/').next().unwrap_or(program);
        let takes_files = matches!(name, "compile" | "link" | "cgo" | "asm" | "cover")
            || name == "pack" && self.release >= Release::Go1_27;
        let length = program.len() + arguments.iter().map(String::len).sum::<usize>();
        if !takes_files || length <= MAX_ARGUMENTS {
            return Ok(None);
        }
        let file = tempfile::Builder::new().prefix("args").tempfile_in(&self.folder)?;
        let (mut file, path) = file.keep().map_err(|error| error.error)?;
        let removed = Removed(path.to_string_lossy().into_owned());
        let lines: String =
            arguments.iter().map(|argument| self.release.response_argument(argument) + "\n").collect();
        file.write_all(lines.as_bytes())?;
        Ok(Some(removed))
    }
}

impl Children {
    /// Stops all that runs and lets nothing more start.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        for id in self.running.lock().keys() {
            terminate(*id);
        }
        self.others.lock().iter().for_each(Stop::stop);
    }

    /// Has something stopped with them.
    pub fn stop_also(&self, other: Stop) {
        self.others.lock().push(other);
        if self.is_stopped() {
            self.others.lock().iter().for_each(Stop::stop);
        }
    }

    /// Whether the build was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

#[cfg(unix)]
fn is_interrupted(status: &ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::INT.as_raw())
}

#[cfg(not(unix))]
fn is_interrupted(_: &ExitStatus) -> bool {
    false
}

#[cfg(unix)]
fn terminate(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        // One that has ended meanwhile needs no signal.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(_: u32) {}

/// A file that goes when it isn't needed any more.
struct Removed(String);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// How a program ended, as Go's `os.ProcessState` prints it.
#[cfg(unix)]
pub fn status_words(status: &ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => {
            let dumped = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("signal: {}{dumped}", signal_name(signal))
        }
        (None, None) => "exit status -1".to_owned(),
    }
}

/// How a program ended.
#[cfg(not(unix))]
pub fn status_words(status: &ExitStatus) -> String {
    format!("exit status {}", status.code().unwrap_or(-1))
}

/// The name of a signal that commonly ends a program, as Go's `syscall.Signal` prints it.
#[cfg(unix)]
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        _ => return format!("signal {signal}"),
    }
    .to_owned()
}
