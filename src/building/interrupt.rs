//! Ctrl-C while tools run: they are ended, and the work folder goes as after any build.
//!
//! The programs that `run` and `test` have built are not signalled and are waited for, as with go: a terminal tells all of them
//! itself, and one that is told twice would take the second for impatience. The verb then ends with status 1.

use std::sync::Arc;

use modkeep_builder::execute::Children;
use tokio::signal::unix::{SignalKind, signal};

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
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
            }
            children.stop();
        });
    });
    // The other end goes away once signals are listened to, or can't be.
    let _: Result<(), _> = is_ready.recv();
}
