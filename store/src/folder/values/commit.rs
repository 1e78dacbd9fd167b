//! The writer: joins what waits into one frame and one sync.
//!
//! Every operation of a batch is decided under the lock, against what is durable and what the batch itself has decided
//! before, so the first writer of a name wins among tasks and processes alike.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::error::{ErrorKind, StoreError};
use crate::folder::read::Reading;
use crate::folder::values::log::{FRAME, Found, frame_head};
use crate::folder::values::manifest::{Manifest, log_path};
use crate::folder::values::seal::Waker;
use crate::folder::values::view::View;
use crate::folder::values::{Locked, Values, writing};
use crate::packed::row::{Row, Tag, encode, encoded_len};

/// Most operations in one frame.
const BATCH: usize = 1024;
/// A frame takes no further operation when it has this many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// A log with this many names is sealed whatever its length: they are all in memory.
const LOG_NAMES: u64 = 50_000;
/// While this many logs wait to be sealed, the active one grows on.
const LOGS_WAITING: usize = 4;
/// Bits of a revision that count bytes of a log; the others count logs.
const OFFSET_BITS: u32 = 40;

/// One operation on rows, named by [`row_name`](crate::packed::name::row_name).
#[derive(Debug)]
pub(crate) enum Op {
    Put { name: Vec<u8>, value: Bytes },
    Swap { name: Vec<u8>, expected: Option<u64>, value: Bytes },
    Remove { names: [Vec<u8>; 2] },
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Exists(Bytes),
    Swapped(u64),
    Lost(Option<Bytes>),
}

type Reply = Result<Outcome, StoreError>;

struct Request {
    op: Op,
    reply: oneshot::Sender<Reply>,
}

/// The thread that writes, and the way to it.
#[derive(Debug)]
pub(crate) struct Committer {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread that writes `values`; it calls `sealer` when a log is full.
    pub(crate) fn start(values: Arc<Values>, sealer: Waker) -> io::Result<Self> {
        let (requests, waiting) = mpsc::channel(BATCH);
        let thread = thread::Builder::new()
            .name("store-commit".into())
            .spawn(move || write(&values, waiting, &sealer))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Does `op`; the answer comes when it is durable. Dropped, it may still be done.
    pub(crate) async fn commit(&self, op: Op) -> Reply {
        let gone = || StoreError::new(ErrorKind::Unknown, "writing small values: the writer has ended");
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.send(Request { op, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.requests = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of small values had panicked");
        }
    }
}

fn write(values: &Values, mut waiting: mpsc::Receiver<Request>, sealer: &Waker) {
    while let Some(first) = waiting.blocking_recv() {
        let mut bytes = first.op.len();
        let mut batch = vec![first];
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(request) = waiting.try_recv() else { break };
            bytes += request.op.len();
            batch.push(request);
        }
        let (ops, replies): (Vec<Op>, Vec<_>) =
            batch.into_iter().map(|request| (request.op, request.reply)).unzip();
        let outcomes = match values.commit(&ops, sealer) {
            Ok(outcomes) => outcomes,
            Err(error) => ops.iter().map(|_| Err(error.clone())).collect(),
        };
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            // whoever stopped waiting needs no answer
            drop(reply.send(outcome));
        }
    }
}

impl Op {
    fn len(&self) -> usize {
        match self {
            Self::Put { name, value } | Self::Swap { name, value, .. } => encoded_len(name, value) + 8,
            Self::Remove { names } => names.iter().map(|name| encoded_len(name, &[])).sum(),
        }
    }
}

impl Values {
    /// Decides and writes a batch. An error is every operation's.
    fn commit(&self, ops: &[Op], sealer: &Waker) -> Result<Vec<Reply>, StoreError> {
        let locked = self.lock().map_err(writing)?;
        let view = self.catch_up(&locked).map_err(writing)?;
        let mut draft = Draft {
            view: &view,
            base: view.active().len(),
            rows: Vec::new(),
            decided: HashMap::new(),
            grows: false,
        };
        let outcomes = ops.iter().map(|op| draft.decide(op)).collect();
        if draft.rows.is_empty() {
            return Ok(outcomes);
        }
        if draft.grows {
            self.floor.check(draft.rows.len() as u64).map_err(writing)?;
        }
        let head = frame_head(view.active().number, draft.base, draft.rows.len() as u32);
        self.append(&view, draft.base, &[&head, &draft.rows[..]].concat())?;
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

/// A frame in the making.
struct Draft<'a> {
    view: &'a View,
    /// Where the frame will begin.
    base: u64,
    rows: Vec<u8>,
    decided: HashMap<Vec<u8>, Option<Bytes>>,
    /// Something new is written; only removals are welcome on a full disk.
    grows: bool,
}

impl Draft<'_> {
    fn decide(&mut self, op: &Op) -> Reply {
        match op {
            Op::Put { name, value } => match self.current(name)? {
                Some(taken) => Ok(Outcome::Exists(taken)),
                None => {
                    self.push(name, Some(value.clone()));
                    Ok(Outcome::Done)
                }
            },
            Op::Swap { name, expected, value } => {
                let current = self.current(name)?;
                if current.as_deref().map(revision) != *expected {
                    return Ok(Outcome::Lost(current));
                }
                let offset = self.base + (FRAME + self.rows.len()) as u64;
                let revision = self.view.active().number << OFFSET_BITS | offset;
                self.push(name, Some([&revision.to_le_bytes()[..], value].concat().into()));
                Ok(Outcome::Swapped(revision))
            }
            Op::Remove { names } => {
                for name in names {
                    // what is damaged can still be removed: that is how it is healed
                    if !matches!(self.current(name), Ok(None)) {
                        self.push(name, None);
                    }
                }
                Ok(Outcome::Done)
            }
        }
    }

    fn current(&self, name: &[u8]) -> Result<Option<Bytes>, StoreError> {
        if let Some(decided) = self.decided.get(name) {
            return Ok(decided.clone());
        }
        let found = self.view.find(name, Reading::Waiting);
        let found = found.map_err(|error| error.while_doing("writing small values".into()))?;
        Ok(found.and_then(Found::present))
    }

    fn push(&mut self, name: &[u8], payload: Option<Bytes>) {
        let tag = if payload.is_some() { Tag::Present } else { Tag::Removed };
        self.grows |= payload.is_some();
        encode(&mut self.rows, Row { tag, name, payload: payload.as_deref().unwrap_or_default() });
        self.decided.insert(name.to_vec(), payload);
    }
}

/// The revision at the start of a cell's payload.
pub(crate) fn revision(payload: &[u8]) -> u64 {
    payload.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
