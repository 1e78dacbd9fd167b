//! Waiting for the program of a test, which may not end, or may leave others that hold its output open.
//!
//! Source of the rules: `os/exec:Cmd.WaitDelay`, as `cmd/go/internal/test/test.go:runTestActor.Act` uses it.

use std::io::{self, PipeReader, Read};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// How long a program is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// After this long it is told to print its stacks and end.
    pub(super) quits_after: Duration,
    /// This much later it is killed; its output is read no longer than this after its end.
    pub(super) delay: Duration,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// It had to be told to end.
    pub(super) was_late: bool,
    /// Somebody still held its output open when the wait for that was over.
    pub(super) is_open: bool,
}

enum Event {
    Wrote(Vec<u8>),
    Closed,
    Exited,
}

/// Waits until the program has ended and `output`, if it is ours to read, is read, or the limits are over; `take` is given what
/// comes.
///
/// # Errors
///
/// Those of the system when it is asked how the program ended.
pub(super) fn wait(
    mut child: Child,
    output: Option<PipeReader>,
    limits: Option<Limits>,
    mut take: impl FnMut(&[u8]),
) -> io::Result<Ended> {
    let id = Pid::from_child(&child);
    let (events, happened) = mpsc::sync_channel(16);
    let of_output = events.clone();
    let is_read = output.is_some();
    if let Some(output) = output {
        // Ends with the output, at the latest when this process does.
        std::thread::spawn(move || read(output, &of_output));
    }
    // The status stays to be asked for below, so that the ID is the program's for as long as it may be signalled.
    std::thread::spawn(move || {
        let _ = rustix::io::retry_on_intr(|| {
            waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        });
        // Without a receiver nobody waits any more.
        let _ = events.send(Event::Exited);
    });
    let mut deadline = limits.map(|limits| Instant::now() + limits.quits_after);
    let (mut has_exited, mut is_closed, mut was_late) = (false, !is_read, false);
    while !(has_exited && is_closed) {
        let event = match deadline {
            Some(end) => happened.recv_timeout(end.saturating_duration_since(Instant::now())),
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match event {
            Ok(Event::Wrote(bytes)) => {
                take(&bytes);
                continue;
            }
            Ok(Event::Closed) => {
                is_closed = true;
                continue;
            }
            Ok(Event::Exited) => {
                has_exited = true;
                if was_late {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) if has_exited => break,
            // A program that is gone by now needs no signal.
            Err(RecvTimeoutError::Timeout) if was_late => {
                let _ = child.kill();
            }
            Err(RecvTimeoutError::Timeout) => {
                was_late = true;
                let _ = kill_process(id, Signal::QUIT);
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        deadline = limits.map(|limits| Instant::now() + limits.delay);
    }
    Ok(Ended { status: child.wait()?, was_late, is_open: !is_closed })
}

fn read(mut output: PipeReader, events: &SyncSender<Event>) {
    let mut piece = [0; 16 << 10];
    loop {
        match output.read(&mut piece) {
            Ok(length @ 1..) => {
                if events.send(Event::Wrote(piece[..length].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    // Without a receiver nobody waits any more.
    let _ = events.send(Event::Closed);
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Far more than any machine needs.
    const LONG: Duration = Duration::from_secs(600);

    fn run(script: &str, limits: Option<Limits>) -> (String, Ended) {
        let (reader, writer) = io::pipe().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = command.spawn().unwrap();
        drop(command);
        let mut output = Vec::new();
        let ended = wait(child, Some(reader), limits, |bytes| output.extend(bytes)).unwrap();
        (String::from_utf8(output).unwrap(), ended)
    }

    #[test]
    fn all_that_a_program_writes_is_read_and_its_status_told() {
        for limits in [None, Some(Limits { quits_after: LONG, delay: LONG })] {
            let (output, ended) = run("echo one; echo two >&2; exit 3", limits);
            assert_eq!(output, "one\ntwo\n");
            assert_eq!((ended.status.code(), ended.was_late, ended.is_open), (Some(3), false, false));
        }
    }

    #[test]
    fn a_program_that_ends_but_leaves_its_output_open_is_not_waited_for_forever() {
        let limits = Limits { quits_after: LONG, delay: Duration::from_millis(200) };
        let (output, ended) = run("sleep 1000 & echo $!", Some(limits));
        let left = output.trim().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(left, Signal::KILL).unwrap();
        assert_eq!((ended.status.code(), ended.was_late, ended.is_open), (Some(0), false, true));
    }

    #[test]
    fn a_program_that_does_not_heed_the_signal_is_killed() {
        let short = Duration::from_millis(300);
        let limits = Limits { quits_after: short, delay: short };
        let (_, ended) = run("trap '' QUIT; while :; do sleep 0.05; done", Some(limits));
        assert!(ended.was_late && !ended.status.success(), "{ended:?}");
    }
}
