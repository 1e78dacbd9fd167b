//! The writer: puts what waits into one frame and one sync.
//!
//! A batch is decided under the lock, so the first writer of a name wins among processes as among tasks.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use crate::batch::{Draft, Op, Queue, Reply, Waiting};
use crate::error::{ErrorKind, StoreError};
use crate::folder::read::Reading;
use crate::folder::values::log::{FRAME, frame_head};
use crate::folder::values::manifest::{Manifest, log_path};
use crate::folder::values::seal::Waker;
use crate::folder::values::view::View;
use crate::folder::values::{Locked, Values, writing};
use crate::packed::row::Found;

/// A log with this many names is sealed whatever its length: they are all in memory.
const LOG_NAMES: u64 = 50_000;
/// While this many logs wait to be sealed, the active one grows on.
const LOGS_WAITING: usize = 4;
/// Bits of a revision that count bytes of a log; the others count logs.
const OFFSET_BITS: u32 = 40;

/// The thread that writes, and the way to it.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Option<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread that writes `values`; it calls `sealer` when a log is full.
    pub(crate) fn start(values: Arc<Values>, sealer: Waker) -> io::Result<Self> {
        let (queue, waiting) = Queue::new();
        let thread = thread::Builder::new()
            .name("store-commit".into())
            .spawn(move || write(&values, waiting, &sealer))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Does `op`; the answer comes when it is durable. Dropped, it may still be done.
    pub(crate) async fn commit(&self, op: Op) -> Reply {
        let gone = || StoreError::new(ErrorKind::Unknown, "writing small values: the writer has ended");
        self.queue.as_ref().ok_or_else(gone)?.commit(op).await
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of small values had panicked");
        }
    }
}

fn write(values: &Values, mut waiting: Waiting, sealer: &Waker) {
    while let Some(batch) = waiting.blocking_next() {
        let outcome = values.commit(&batch.ops, sealer);
        batch.answer(outcome);
    }
}

impl Values {
    /// Decides and writes a batch. An error is every operation's.
    fn commit(&self, ops: &[Op], sealer: &Waker) -> Result<Vec<Reply>, StoreError> {
        let locked = self.lock().map_err(writing)?;
        let view = self.catch_up(&locked).map_err(writing)?;
        let base = view.active().len();
        let mut draft = Draft::new(view.active().number << OFFSET_BITS | (base + FRAME as u64));
        let durable = |name: &[u8]| {
            let found = view.find(name, Reading::Waiting);
            let found = found.map_err(|error| error.while_doing("writing small values".into()))?;
            Ok(found.and_then(Found::present))
        };
        let outcomes = ops.iter().map(|op| draft.decide(op, &durable)).collect();
        if draft.rows.is_empty() {
            return Ok(outcomes);
        }
        if draft.grows {
            self.floor.check(draft.rows.len() as u64).map_err(writing)?;
        }
        let head = frame_head(view.active().number, base, draft.rows.len() as u32);
        self.append(&view, base, &[&head, &draft.rows[..]].concat())?;
        if view.active().len() >= self.log_full || view.active().rows() >= LOG_NAMES {
            self.rotate(&locked, &view, sealer);
        }
        Ok(outcomes)
    }

    /// Makes a frame durable, then visible.
    fn append(&self, view: &View, offset: u64, frame: &[u8]) -> Result<(), StoreError> {
        let active = view.active();
        if let Err(error) = self.disk.write_at(&active.file, frame, offset) {
            return Err(self.take_back(&active.file, offset, error));
        }
        if let Err(error) = self.sync(&active.file) {
            let _ = self.take_back(&active.file, offset, io::Error::other("the sync failed"));
            return Err(StoreError::new(ErrorKind::Unknown, "writing small values").because(error));
        }
        let unknown = |source| StoreError::new(ErrorKind::Unknown, "writing small values").because(source);
        active.index_to(offset + frame.len() as u64).map_err(unknown)?;
        self.slot.write(&self.disk, view.mark()).map_err(unknown)
    }

    /// After a failed write: the log as it was, or nothing more is written.
    fn take_back(&self, file: &File, len: u64, error: io::Error) -> StoreError {
        match self.disk.truncate(file, len) {
            Ok(()) => writing(error),
            Err(_) => {
                self.broken.store(true, Ordering::SeqCst);
                StoreError::new(ErrorKind::Unknown, "writing small values").because(error)
            }
        }
    }

    /// Begins a new log and has the full one sealed. What failed is tried again after the next commit.
    fn rotate(&self, locked: &Locked<'_>, view: &View, sealer: &Waker) {
        sealer.wake();
        if view.manifest.logs.len() > LOGS_WAITING {
            return;
        }
        if let Err(error) = self.begin_log(locked, &view.manifest) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot begin a new log of small values"
            );
        }
        sealer.wake();
    }

    /// Begins a new log behind those of `manifest`, the current one.
    pub(super) fn begin_log(&self, locked: &Locked<'_>, manifest: &Manifest) -> io::Result<()> {
        let mut manifest = manifest.clone();
        let number = manifest.next;
        let log = self.disk.open_or_create(&log_path(&self.folder, number))?;
        self.disk.truncate(&log, 0)?;
        self.disk.sync(&log)?;
        self.disk.sync_folder(&self.folder)?;
        manifest.generation += 1;
        manifest.next += 1;
        manifest.logs.push(number);
        self.publish(locked, manifest)
    }
}
