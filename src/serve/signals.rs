//! SIGTERM and SIGINT, which mean the same: finish what was begun. A second one doesn't wait.

use std::io;
use std::pin::pin;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::report::Failure;

/// The signals that ask for the end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// The word that a service waits for.
pub(super) struct Stop(oneshot::Receiver<()>);

impl Stop {
    /// Waits for the first signal.
    pub(super) async fn told(self) {
        // The sender going away means the same as its word.
        drop(self.0.await);
    }
}

impl Signals {
    /// From now on they don't end the process by themselves.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::of(format!("listening to signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Runs a service to its end, which the first signal asks for.
    pub(super) async fn run<F: Future<Output = io::Result<()>>>(
        mut self,
        service: impl FnOnce(Stop) -> F,
    ) -> Result<(), Failure> {
        let ended = |end: io::Result<()>| end.map_err(|error| Failure::of(format!("serving: {error}")));
        let (begin, stop) = oneshot::channel();
        let mut service = pin!(service(Stop(stop)));
        tokio::select! {
            end = &mut service => return ended(end),
            () = self.next() => drop(begin),
        }
        tracing::info!("stopping: replies under way are finished, a second signal cuts them off");
        tokio::select! {
            end = service => ended(end),
            () = self.next() => Err(Failure::of("stopped by a second signal, replies were cut off")),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
