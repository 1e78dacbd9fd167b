//! The program under test, started on a free port.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use modkeep_conformance::go::forget_settings;
use rustix::process::{Pid, Signal, kill_process};

use crate::s3;

/// What the first line on stdout begins with.
const GREETING: &str = "export GOPROXY=";
/// How long the program may take to start or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `modkeep serve`; dropping it kills it.
pub struct Modkeep {
    process: Child,
    url: String,
    log: Option<JoinHandle<Vec<u8>>>,
}

impl Modkeep {
    /// A command of the program with none of the machine's settings, and with the variables of an empty user. Its store is in
    /// the user's data folder, or in a bucket if `MODKEEP_TEST_STORE=s3` says so; [`store`](Self::store) is where.
    pub fn command(program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        forget_settings(&mut command);
        command
            .env("HOME", home)
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            // Cargo's, for the test itself; a C compiler that it might lead elsewhere is one that nobody knows.
            .env_remove("LD_LIBRARY_PATH")
            .env("GOENV", "off");
        if let Some(place) = s3::shared(home) {
            command.envs(place.settings());
        }
        command.stdin(Stdio::null());
        command
    }

    /// The folder in which the store of such a command lies in files: its own, or the one of the bucket's server.
    pub fn store(home: &Path) -> PathBuf {
        s3::shared(home).map_or_else(|| home.join(".local/share/modkeep"), |place| place.folder())
    }

    /// Runs a command that ends by itself.
    ///
    /// # Panics
    /// When it is still there after a minute.
    pub fn output(mut command: Command) -> Output {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("modkeep can be run");
        let stdout = gather(process.stdout.take().expect("stdout is piped"));
        let stderr = gather(process.stderr.take().expect("stderr is piped"));
        let status = ended(&mut process);
        if status.is_none() {
            // Both fail only when the process is gone already.
            let _ = process.kill();
            let _ = process.wait();
        }
        let bytes = |thread: JoinHandle<Vec<u8>>| thread.join().expect("reading a pipe doesn't panic");
        let (stdout, stderr) = (bytes(stdout), bytes(stderr));
        let said = String::from_utf8_lossy(&stderr).into_owned();
        let status = status.unwrap_or_else(|| panic!("{command:?} did not end, and said:\n{said}"));
        Output { status, stdout, stderr }
    }

    /// Starts `command` (a `serve` whose flags the caller chose) and waits for its first line.
    ///
    /// # Panics
    /// When it ends or says something else instead, or nothing for a minute.
    pub fn start(mut command: Command) -> Self {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("modkeep can be run");
        let log = gather(process.stderr.take().expect("stderr is piped"));
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut modkeep = Self { process, url: String::new(), log: Some(log) };
        let line = first_line(stdout);
        match line.strip_prefix(GREETING) {
            Some(url) => url.trim_end().clone_into(&mut modkeep.url),
            None => {
                let log = modkeep.kill();
                panic!("modkeep began with {line:?} and said:\n{log}");
            }
        }
        modkeep
    }

    /// Its URL, as GOPROXY takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop and waits; gives the exit status and all that it said on stderr.
    ///
    /// # Panics
    /// When it is still there after a minute.
    pub fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        let status = self.wait();
        (status, self.rest_of_log())
    }

    /// Sends a signal and goes on.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the child wasn't waited for yet");
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it is still there after a minute.
    pub fn wait(&mut self) -> ExitStatus {
        match ended(&mut self.process) {
            Some(status) => status,
            None => {
                let log = self.kill();
                panic!("modkeep did not stop within {PATIENCE:?} and said:\n{log}");
            }
        }
    }

    /// Ends it as a loss of power would; gives what it said on stderr.
    pub fn kill(&mut self) -> String {
        // Both fail only when the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.rest_of_log()
    }

    fn rest_of_log(&mut self) -> String {
        let log = self.log.take().map(|log| log.join().expect("reading a pipe doesn't panic"));
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }
}

impl Drop for Modkeep {
    fn drop(&mut self) {
        let log = self.kill();
        if std::thread::panicking() {
            show(&log);
        }
    }
}

/// The status of a child that ends within the time allowed.
fn ended(process: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = process.try_wait().expect("a child can be waited for");
        if status.is_some() || Instant::now() > deadline {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads a pipe to its end, so that the child never waits for us.
fn gather(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        if let Err(error) = pipe.read_to_end(&mut all) {
            all.extend_from_slice(error.to_string().as_bytes());
        }
        all
    })
}

/// The first line, or what came instead within the time allowed.
fn first_line(stdout: std::process::ChildStdout) -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let text = read.map_or_else(|error| error.to_string(), |_| line);
        // The receiver has given up when this fails.
        let _ = sender.send(text);
    });
    receiver.recv_timeout(PATIENCE).unwrap_or_default()
}

#[allow(clippy::print_stdout, reason = "the test runner shows it with the failure")]
fn show(log: &str) {
    const LINES: usize = 60;
    let lines: Vec<_> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    println!("modkeep said at last:\n{last}");
}
