//! SIGTERM and SIGINT, which mean the same: finish what was begun. A second one doesn't wait. SIGHUP has the
//! certificate read again, which happens by itself too when its files change; without TLS it is of no effect.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use modkeep_proxy::Certificates;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::report::Failure;

/// The signals that ask for the end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    certificates: Option<Arc<Certificates>>,
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
    pub(super) fn listen(certificates: Option<Arc<Certificates>>) -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::of(format!("listening to signals: {error}")));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
            certificates,
        })
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

    /// Waits for a signal that asks for the end.
    async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => self.reload().await,
            }
        }
    }

    async fn reload(&self) {
        let Some(certificates) = self.certificates.clone() else { return };
        match tokio::task::spawn_blocking(move || certificates.refresh()).await {
            Ok(Ok(true)) => tracing::info!("another certificate is in use"),
            Ok(Ok(false)) => tracing::info!("the certificate in use is the one in the files"),
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the certificate stays as it was");
            }
            Err(crash) => tracing::error!(%crash, "reading the certificate"),
        }
    }
}
