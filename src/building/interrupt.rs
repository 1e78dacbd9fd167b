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

/// A signal that ends builds.
#[derive(Clone, Copy)]
enum Came {
    Interrupt,
    Quit,
}

/// The signal that has come.
static CAME: Mutex<Option<Came>> = Mutex::new(None);
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
            let came = tokio::select! {
                _ = interrupt.recv() => Came::Interrupt,
                _ = quit.recv() => Came::Quit,
            };
            *CAME.lock() = Some(came);
            COMES.notify_all();
            children.stop();
        });
    });
    // The other end goes away once signals are listened to, or can't be.
    let _: Result<(), _> = is_ready.recv();
}

/// The end of a build that was stopped, by the signal that stopped it. All must be cleaned up.
pub(super) fn end() -> Failure {
    let mut came = CAME.lock();
    if came.is_none() {
        COMES.wait_for(&mut came, DELAY);
    }
    match *came {
        Some(Came::Interrupt) => {
            // A shell has no handlers of ours.
            use std::os::unix::process::CommandExt;
            let error = std::process::Command::new("/bin/sh").args(["-c", "kill -INT $$; exit 130"]).exec();
            Failure::of(format!("ending after an interrupt: {error}"))
        }
        Some(Came::Quit) => Failure::told(1),
        None => Failure::of("a tool was ended by an interrupt"),
    }
}
