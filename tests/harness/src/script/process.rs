//! A program that a script starts, with all that it says and an end in any case.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a program may run on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running program.
pub(super) struct Process {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Nothing if it ended well.
    pub(super) failure: Option<String>,
}

impl Process {
    pub(super) fn start(mut command: Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().map(gather);
        let stderr = child.stderr.take().map(gather);
        Ok(Self { child, stdout, stderr })
    }

    pub(super) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                Ok(status) => break status,
                Err(_) => break None,
            }
        };
        if status.is_none() {
            self.kill();
        }
        let text = |thread: Option<JoinHandle<String>>| {
            thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
        };
        let failure = match status {
            Some(status) if status.success() => None,
            Some(status) => Some(status.to_string()),
            None => Some("did not end".to_owned()),
        };
        Ended { stdout: text(self.stdout.take()), stderr: text(self.stderr.take()), failure }
    }

    fn kill(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn gather(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        if let Err(error) = pipe.read_to_end(&mut all) {
            all.extend_from_slice(error.to_string().as_bytes());
        }
        String::from_utf8_lossy(&all).into_owned()
    })
}
