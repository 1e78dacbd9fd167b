//! Writes of small values, joined: what waits together is decided in order and written at once.
//!
//! Every operation of a batch is decided against what is durable and what the batch itself has decided before, so the first
//! writer of a name wins among tasks; how it wins among processes is each home's business.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::cell::{Cell, Put, Revision, Swap};
use crate::error::{ErrorKind, StoreError};
use crate::home::check_size;
use crate::key::Key;
use crate::packed::name::{Shelf, row_name};
use crate::packed::row::{Row, Tag, encode, encoded_len};

/// Most operations in one batch.
const BATCH: usize = 1024;
/// A batch takes no further operation when it has this many bytes.
const BATCH_BYTES: usize = 8 << 20;

/// One operation on rows, named by [`row_name`].
#[derive(Debug)]
pub(crate) enum Op {
    Put {
        name: Vec<u8>,
        value: Bytes,
    },
    Swap {
        name: Vec<u8>,
        expected: Option<u64>,
        value: Bytes,
    },
    /// Removes a cell that has the expected revision.
    Drop {
        name: Vec<u8>,
        expected: u64,
    },
    Remove {
        names: [Vec<u8>; 2],
    },
}

impl Op {
    /// A value for a key that has none.
    pub(crate) fn put(key: &Key, value: Bytes) -> Result<Self, StoreError> {
        check_size(key, &value)?;
        Ok(Self::Put { name: row_name(key, Shelf::Value), value })
    }

    /// Another value for the cell of a key.
    pub(crate) fn swap(key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Self, StoreError> {
        check_size(key, &value)?;
        Ok(Self::Swap { name: row_name(key, Shelf::Cell), expected: expected.map(number), value })
    }

    /// No cell for a key.
    pub(crate) fn drop(key: &Key, expected: &Revision) -> Self {
        Self::Drop { name: row_name(key, Shelf::Cell), expected: number(expected) }
    }

    /// Neither a cell nor a value for a key.
    pub(crate) fn remove(key: &Key) -> Self {
        Self::Remove { names: [row_name(key, Shelf::Cell), row_name(key, Shelf::Value)] }
    }
}

/// A revision that is no number is none of these homes', and no cell has revision 0.
fn number(revision: &Revision) -> u64 {
    revision.number().unwrap_or(0)
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Exists(Bytes),
    Swapped(u64),
    Lost(Option<Bytes>),
}

impl Outcome {
    pub(crate) fn of_put(self) -> Put {
        match self {
            Self::Exists(taken) => Put::Exists(taken),
            _ => Put::Created,
        }
    }

    pub(crate) fn of_swap(self, key: &Key) -> Result<Swap, StoreError> {
        match self {
            Self::Swapped(number) => Ok(Swap::Done(Revision::numbered(number))),
            Self::Lost(current) => Ok(Swap::Lost(current.as_ref().map(cell_of))),
            Self::Done | Self::Exists(_) => {
                Err(StoreError::new(ErrorKind::Unknown, format!("swapping `{key}`")))
            }
        }
    }
}

pub(crate) type Reply = Result<Outcome, StoreError>;

/// Says which payload a row durably has.
type Durable<'a> = &'a dyn Fn(&[u8]) -> Result<Option<Bytes>, StoreError>;

#[derive(Debug)]
struct Request {
    op: Op,
    reply: oneshot::Sender<Reply>,
}

/// The way to whoever writes.
#[derive(Debug)]
pub(crate) struct Queue(mpsc::Sender<Request>);

/// The writer's end of a queue.
#[derive(Debug)]
pub(crate) struct Waiting(mpsc::Receiver<Request>);

/// Operations that are written together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) ops: Vec<Op>,
    replies: Vec<oneshot::Sender<Reply>>,
}

impl Queue {
    pub(crate) fn new() -> (Self, Waiting) {
        let (sender, receiver) = mpsc::channel(BATCH);
        (Self(sender), Waiting(receiver))
    }

    /// Does `op`; the answer comes when it is durable. Dropped, it may still be done.
    pub(crate) async fn commit(&self, op: Op) -> Reply {
        let gone = || StoreError::new(ErrorKind::Unknown, "writing small values: the writer has ended");
        let (reply, answer) = oneshot::channel();
        self.0.send(Request { op, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Waiting {
    /// The next batch; `None` when nobody can send one any more. Blocks.
    pub(crate) fn blocking_next(&mut self) -> Option<Batch> {
        let first = self.0.blocking_recv()?;
        Some(self.gather(first))
    }

    /// The next batch; `None` when nobody can send one any more.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        let first = self.0.recv().await?;
        Some(self.gather(first))
    }

    fn gather(&mut self, first: Request) -> Batch {
        let mut bytes = first.op.len();
        let mut requests = vec![first];
        while requests.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(request) = self.0.try_recv() else { break };
            bytes += request.op.len();
            requests.push(request);
        }
        let (ops, replies) = requests.into_iter().map(|request| (request.op, request.reply)).unzip();
        Batch { ops, replies }
    }
}

impl Batch {
    /// Tells everybody what came of it; an error is everybody's.
    pub(crate) fn answer(self, outcome: Result<Vec<Reply>, StoreError>) {
        let outcomes = match outcome {
            Ok(outcomes) => outcomes,
            Err(error) => self.ops.iter().map(|_| Err(error.clone())).collect(),
        };
        for (reply, outcome) in self.replies.into_iter().zip(outcomes) {
            // whoever stopped waiting needs no answer
            drop(reply.send(outcome));
        }
    }
}

impl Op {
    fn len(&self) -> usize {
        match self {
            Self::Put { name, value } | Self::Swap { name, value, .. } => encoded_len(name, value) + 8,
            Self::Drop { name, .. } => encoded_len(name, &[]),
            Self::Remove { names } => names.iter().map(|name| encoded_len(name, &[])).sum(),
        }
    }

    /// The rows it asks about.
    pub(crate) fn names(&self) -> &[Vec<u8>] {
        match self {
            Self::Put { name, .. } | Self::Swap { name, .. } | Self::Drop { name, .. } => {
                std::slice::from_ref(name)
            }
            Self::Remove { names } => names,
        }
    }
}

/// What a batch will write.
pub(crate) struct Draft {
    /// The revision of a cell whose row begins `n` bytes into the batch is `place + n`.
    place: u64,
    pub(crate) rows: Vec<u8>,
    decided: HashMap<Vec<u8>, Option<Bytes>>,
    /// Something new is written; only removals are welcome on a full disk.
    pub(crate) grows: bool,
}

impl Draft {
    /// An empty draft; no other has revisions from `place` on.
    pub(crate) fn new(place: u64) -> Self {
        Self { place, rows: Vec::new(), decided: HashMap::new(), grows: false }
    }

    /// Decides `op`, given what rows are durable.
    pub(crate) fn decide(&mut self, op: &Op, durable: Durable<'_>) -> Reply {
        match op {
            Op::Put { name, value } => match self.current(name, durable)? {
                Some(taken) => Ok(Outcome::Exists(taken)),
                None => {
                    self.push(name, Some(value.clone()));
                    Ok(Outcome::Done)
                }
            },
            Op::Swap { name, expected, value } => {
                let current = self.current(name, durable)?;
                if current.as_deref().map(revision) != *expected {
                    return Ok(Outcome::Lost(current));
                }
                let revision = self.place + self.rows.len() as u64;
                self.push(name, Some([&revision.to_le_bytes()[..], value].concat().into()));
                Ok(Outcome::Swapped(revision))
            }
            Op::Drop { name, expected } => {
                let current = self.current(name, durable)?;
                if current.as_deref().map(revision) != Some(*expected) {
                    return Ok(Outcome::Lost(current));
                }
                self.push(name, None);
                Ok(Outcome::Done)
            }
            Op::Remove { names } => {
                for name in names {
                    // what is damaged can still be removed: that is how it is healed
                    if !matches!(self.current(name, durable), Ok(None)) {
                        self.push(name, None);
                    }
                }
                Ok(Outcome::Done)
            }
        }
    }

    /// What the batch makes of each name it writes, `None` for those it removes.
    pub(crate) fn into_decided(self) -> HashMap<Vec<u8>, Option<Bytes>> {
        self.decided
    }

    fn current(&self, name: &[u8], durable: Durable<'_>) -> Result<Option<Bytes>, StoreError> {
        self.decided.get(name).map_or_else(|| durable(name), |decided| Ok(decided.clone()))
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

/// A cell's payload, taken apart.
pub(crate) fn cell_of(payload: &Bytes) -> Cell {
    Cell { value: payload.slice(payload.len().min(8)..), revision: Revision::numbered(revision(payload)) }
}
