//! Ctrl-C while tools run: they are ended, and the work folder goes as after any build.
//!
//! Where go has no handler, which is while it builds, a SIGINT ends it as a signal does, so that shells end their scripts too;
//! so we end the same way once all is cleaned up. The programs that `run` and `test` have built are not signalled and are waited
//! for, as with go: a terminal tells all of them itself, and one that is told twice would take the second for impatience. The verb
//! then ends with status 1.

use std::sync::Arc;
use std::time::Duration;

use modkeep_builder::execute::Children;
use parking_lot::{Condvar, Mutex};
use tokio::signal::unix::{SignalKind, signal};

use crate::report::Failure;

/// How long a signal may take to be heard of that has ended a tool.
const DELAY: Duration = Duration::from_millis(500);

/// Whether a SIGINT has come.
static HAS_COME: Mutex<bool> = Mutex::new(false);
static COMES: Condvar = Condvar::new();

/// From now on SIGINT and SIGQUIT end what runs, and then the build (`base.StartSigHandlers`).
///
/// The thread lives as long as the process; without signals to be had, they end the process by themselves.
pub(super) fn end_children(children: &Arc<Children>) {
    let children = Arc::clone(children);
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut quit)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::quit()))
            else {
                return;
            };
            drop(ready);
            tokio::select! {
                _ = interrupt.recv() => {
                    *HAS_COME.lock() = true;
                    COMES.notify_all();
                }
                _ = quit.recv() => {}
            }
            children.stop();
        });
    });
    // The other end goes away once signals are listened to, or can't be.
    let _: Result<(), _> = is_ready.recv();
}

/// The end of a build that was stopped, by the signal that stopped it. All must be cleaned up.
pub(super) fn end() -> Failure {
    let mut has_come = HAS_COME.lock();
    if !*has_come {
        COMES.wait_for(&mut has_come, DELAY);
    }
    if *has_come {
        // A shell has no handlers of ours.
        use std::os::unix::process::CommandExt;
        let error = std::process::Command::new("/bin/sh").args(["-c", "kill -INT $$"]).exec();
        return Failure::of(format!("ending after an interrupt: {error}"));
    }
    Failure::told(1)
}
