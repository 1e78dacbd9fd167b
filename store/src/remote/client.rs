//! A shelf for programs that wait for it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{Name, Shelf};
use crate::error::{ErrorKind, StoreError};

/// Requests under way at once.
const UNDER_WAY: usize = 16;
/// Threads that wait for the network; unpacking is the caller's.
const THREADS: usize = 2;

/// What may be done with a shelf.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only read from it.
    #[default]
    ReadOnly,
    /// Read from it and write to it.
    ReadWrite,
}

/// Ends all waiting for a client, for good.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// From now on nobody waits.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A shelf with threads of its own. Its methods block, and must not be called on a thread of a tokio runtime.
#[derive(Debug)]
pub struct Client {
    shelf: Arc<dyn Shelf>,
    mode: Mode,
    stop: Stop,
    // Nothing waits for its threads at the end: what is not finished then is a miss for others.
    runtime: Option<Runtime>,
}

impl Client {
    /// A client of the shelf that `open` makes within the runtime.
    ///
    /// # Errors
    /// That of `open`; or when no threads can be had.
    pub fn new<S: Shelf>(
        mode: Mode,
        open: impl AsyncFnOnce() -> Result<S, StoreError>,
    ) -> Result<Self, StoreError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
        let runtime =
            runtime.map_err(|error| StoreError::io("starting threads for the remote cache", error))?;
        let shelf = Arc::new(runtime.block_on(open())?);
        let stop = Stop(Arc::new(watch::Sender::new(false)));
        Ok(Self { shelf, mode, stop, runtime: Some(runtime) })
    }

    /// What may be done.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What ends all waiting for it.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Whether nobody waits for it any more.
    pub fn is_stopped(&self) -> bool {
        *self.stop.0.borrow()
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        let gone = || StoreError::new(ErrorKind::Io, "using the remote cache after its end");
        let mut stopped = self.stop.0.subscribe();
        self.runtime.as_ref().ok_or_else(gone)?.block_on(async {
            tokio::select! {
                done = work => Ok(done),
                _ = stopped.wait_for(|is_stopped| *is_stopped) => Err(gone()),
            }
        })
    }

    /// One thing.
    ///
    /// # Errors
    /// As [`Shelf::get`].
    pub fn get(&self, name: &Name, limit: u64) -> Result<Option<Bytes>, StoreError> {
        self.block_on(self.shelf.get(name, limit))?
    }

    /// Things with their limits, several at a time, each given to `take` with its index as it comes.
    ///
    /// # Errors
    /// When no threads are left; errors about one thing are given to `take`.
    pub fn get_all(
        &self,
        wanted: &[(Name, u64)],
        mut take: impl FnMut(usize, Result<Option<Bytes>, StoreError>),
    ) -> Result<(), StoreError> {
        self.block_on(async {
            let shelf = &self.shelf;
            let requests = wanted.iter().enumerate();
            let requests =
                requests.map(async |(index, (name, limit))| (index, shelf.get(name, *limit).await));
            let mut replies = stream::iter(requests).buffer_unordered(UNDER_WAY);
            while let Some((index, reply)) = replies.next().await {
                take(index, reply);
            }
        })
    }

    /// Whether the shelf has a thing.
    ///
    /// # Errors
    /// As [`Shelf::has`].
    pub fn has(&self, name: &Name) -> Result<bool, StoreError> {
        self.block_on(self.shelf.has(name))?
    }

    /// Puts one thing.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub fn put(&self, name: &Name, content: Bytes) -> Result<(), StoreError> {
        self.block_on(self.shelf.put(name, content))?
    }

    /// Puts things, several at a time; the first failure ends it.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub fn put_all(&self, things: Vec<(Name, Bytes)>) -> Result<(), StoreError> {
        self.block_on(async {
            let shelf = &self.shelf;
            let requests = things.into_iter().map(async |(name, content)| shelf.put(&name, content).await);
            let mut replies = stream::iter(requests).buffer_unordered(UNDER_WAY);
            while let Some(reply) = replies.next().await {
                reply?;
            }
            Ok(())
        })?
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
