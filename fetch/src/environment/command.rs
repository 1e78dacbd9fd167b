//! Asking the go command, where no file knows.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Environment, Provenance, Setting};

/// How long `go env` may take; it needs some 10 ms.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How much of what it prints is read.
const MAX_OUTPUT: u64 = 1 << 16;

/// What `go env GOPROXY GOSUMDB` says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) goproxy: Option<Setting>,
    pub(super) gosumdb: Option<Setting>,
}

/// The go command that PATH leads to.
pub(super) fn on_path(environment: &Environment) -> Option<PathBuf> {
    let name = if cfg!(windows) { "go.exe" } else { "go" };
    let folders = std::env::split_paths(environment.get("PATH")?);
    folders.map(|folder| folder.join(name)).find(|file| file.is_absolute() && file.is_file())
}

/// Runs it, in a folder without a go.mod and without letting it fetch another toolchain; nothing when there is no
/// go command or it does not answer in time.
pub(super) fn go_env(environment: &Environment, patience: Duration) -> Option<Said> {
    let go = on_path(environment)?;
    let mut child = Command::new(&go)
        .args(["env", "GOPROXY", "GOSUMDB"])
        .env_clear()
        .envs(environment.all())
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .current_dir(go.ancestors().last()?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = output_in_time(&mut child, patience);
    if output.is_none() {
        tracing::warn!(go = %go.display(), "go env did not answer");
    }
    let output = output?;
    let mut lines = output.lines().map(|line| {
        let setting = Setting { value: line.to_owned(), from: Provenance::Command(go.clone()) };
        Some(setting).filter(|setting| !setting.value.is_empty())
    });
    Some(Said { goproxy: lines.next().flatten(), gosumdb: lines.next().flatten() })
}

/// What a child prints before it ends well; afterwards it has ended in any case.
fn output_in_time(child: &mut Child, patience: Duration) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        // A receiver that has gone means that nobody waits any more.
        let _ = stdout.take(MAX_OUTPUT).read_to_string(&mut text).map(|_| sender.send(text));
    });
    let text = receiver.recv_timeout(patience).ok();
    if text.is_none() {
        // Fails only when it has ended already.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    text.filter(|_| status.success())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_go_command_that_does_not_answer_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        // Written by another process: one that this process forks meanwhile would hold it open, and it could not run.
        let write = "printf '#!/bin/sh\\necho early\\nexec sleep 600\\n' >\"$1\" && chmod +x \"$1\"";
        let written = Command::new("/bin/sh").args(["-c", write, "sh"]).arg(&go).status().unwrap();
        assert!(written.success());
        let path = format!("{}:/bin:/usr/bin", folder.path().display());
        let environment = Environment::given([("PATH", path)]);
        assert!(go_env(&environment, Duration::from_millis(50)).is_none());
    }
}
