//! The one history of a database that we know: its newest proved head, moved forward by compare-and-swap only.
//!
//! The head in the store is shared by all replicas and survives them. It is replaced only by a head that was proved to
//! extend it, after the tiles that prove so are durable; so the store can prove every record and every head it ever
//! held under the head it holds now. A fork freezes it: the evidence is durable before anybody hears of it, and nothing new
//! is believed until an operator takes the mark away or takes the other history, for which the store is asked each time while
//! it is frozen.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::{Fork, SignedHead};
use modkeep_store::{Cell, ErrorKind, Revision, Swap};
use parking_lot::Mutex;

use super::Now;
use super::error::SumdbError;
use super::kept::Kept;

/// How finely the past of the head is kept.
const SECONDS_OF_HISTORY: u64 = 3600;

/// What is known of the database at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The newest proved head.
    pub(super) head: Option<SignedHead>,
    /// When it was installed, in seconds since 1970.
    pub(super) since: u64,
    /// The evidence, where the database was caught.
    pub(super) fork: Option<Arc<str>>,
    /// How often an operator dropped the history that was known for another ([`forks::adopt`](super::forks::adopt)).
    lineage: u64,
    revision: Option<Revision>,
}

impl Known {
    /// What never goes back: the lineage, and within it the size of the tree.
    fn progress(&self) -> (u64, u64) {
        (self.lineage, self.head.as_ref().map_or(0, |head| head.tree().size))
    }
}

/// The value of the cell: when the head was installed, the lineage unless it is the first, and the head.
pub(super) fn cell_value(since: u64, lineage: u64, note: &str) -> Bytes {
    match lineage {
        0 => format!("{since}\n{note}").into(),
        _ => format!("{since} {lineage}\n{note}").into(),
    }
}

/// The same, read: the time, the lineage and the head.
pub(super) fn read_cell(value: &str) -> (u64, u64, &str) {
    let (first, note) = value.split_once('\n').unwrap_or(("", value));
    let (since, lineage) = first.split_once(' ').unwrap_or((first, ""));
    (since.parse().unwrap_or(0), lineage.parse().unwrap_or(0), note)
}

/// What became of an attempt to install a head.
pub(super) enum Installed {
    Done,
    /// The head moved in the meantime; prove again, against this.
    Moved(Known),
}

pub(super) struct Timeline {
    kept: Kept,
    verifier: Verifier,
    now: Now,
    /// Read from the store once, and whenever it turns out to be old.
    memory: Mutex<Option<Known>>,
    /// Evidence that the store did not take: as long as it has not, it counts from here.
    unrecorded: Mutex<Option<Arc<str>>>,
}

impl Timeline {
    pub(super) fn new(kept: Kept, verifier: Verifier, now: Now) -> Self {
        Self { kept, verifier, now, memory: Mutex::new(None), unrecorded: Mutex::new(None) }
    }

    /// What is known, which may be a little less than other replicas know.
    pub(super) async fn known(&self) -> Result<Known, SumdbError> {
        match self.memory.lock().clone() {
            Some(known) if known.fork.is_none() => return Ok(known),
            _ => {}
        }
        self.reload().await
    }

    /// What the store knows.
    pub(super) async fn reload(&self) -> Result<Known, SumdbError> {
        let store = self.kept.store();
        let cell = store.cell(&self.kept.key("head")?).await?;
        let fork = store.get(&self.kept.key("fork")?).await?;
        let fork = fork.map(|text| Arc::from(String::from_utf8_lossy(&text)));
        let fork = fork.or(self.record_late().await);
        let known = self.read(cell, fork)?;
        Ok(self.remember(known))
    }

    fn read(&self, cell: Option<Cell>, fork: Option<Arc<str>>) -> Result<Known, SumdbError> {
        let Some(cell) = cell else { return Ok(Known { fork, ..Known::default() }) };
        let text = String::from_utf8_lossy(&cell.value);
        let (since, lineage, note) = read_cell(&text);
        let head = SignedHead::open(note.as_bytes(), &self.verifier).map_err(SumdbError::Head)?;
        Ok(Known { head: Some(head), since, fork, lineage, revision: Some(cell.revision) })
    }

    /// Never back: a head in memory that is newer than the store's stays, to be installed again with the next.
    fn remember(&self, known: Known) -> Known {
        let mut memory = self.memory.lock();
        let newest = match memory.take() {
            Some(before) if before.progress() > known.progress() => {
                Known { head: before.head, since: before.since, lineage: before.lineage, ..known }
            }
            _ => known,
        };
        memory.insert(newest).clone()
    }

    /// Installs a head that was proved to extend the one in `known`.
    pub(super) async fn install(&self, known: &Known, head: &SignedHead) -> Result<Installed, SumdbError> {
        let key = self.kept.key("head")?;
        let since = (self.now)();
        let value = cell_value(since, known.lineage, head.note());
        let swapped = match self.kept.store().swap(&key, known.revision.as_ref(), value.clone()).await {
            Err(error) if error.kind() == ErrorKind::Unknown => {
                let cell = self.kept.store().cell(&key).await?;
                match cell {
                    Some(cell) if cell.value == value => Swap::Done(cell.revision),
                    cell => Swap::Lost(cell),
                }
            }
            swapped => swapped?,
        };
        match swapped {
            Swap::Done(revision) => {
                let (head, fork) = (Some(head.clone()), known.fork.clone());
                self.remember(Known { head, since, fork, revision: Some(revision), ..*known });
                self.record_history(since, value).await;
                Ok(Installed::Done)
            }
            Swap::Lost(cell) => {
                let known = self.read(cell, known.fork.clone())?;
                Ok(Installed::Moved(self.remember(known)))
            }
        }
    }

    /// The history is for auditors; the head stands without it.
    async fn record_history(&self, since: u64, value: Bytes) {
        if let Err(error) = self.put_hourly("heads", since, value).await {
            tracing::warn!(%error, "the history of a checksum database's heads has a gap");
        }
    }

    /// Keeps two heads that the database could not reconcile, which is no proof of anything.
    pub(super) async fn doubt(&self, text: String) {
        if let Err(error) = self.put_hourly("doubt", (self.now)(), text.into()).await {
            tracing::error!(%error, "heads that could not be reconciled are not kept");
        }
    }

    async fn put_hourly(&self, name: &str, at: u64, value: Bytes) -> Result<(), SumdbError> {
        let key = self.kept.key(&format!("{name}/{:010}", at / SECONDS_OF_HISTORY))?;
        self.kept.store().put_if_absent(&key, value).await?;
        Ok(())
    }

    /// Keeps the evidence, then freezes the head. Fails only after it is frozen in memory.
    pub(super) async fn freeze(&self, fork: &Fork) -> Result<Arc<str>, SumdbError> {
        let evidence: Arc<str> = fork.to_string().into();
        let kept = self.keep_evidence(&evidence).await;
        if kept.is_err() {
            *self.unrecorded.lock() = Some(Arc::clone(&evidence));
        }
        if let Some(known) = self.memory.lock().as_mut() {
            known.fork.get_or_insert(Arc::clone(&evidence));
        }
        kept.map(|()| evidence)
    }

    /// Tries again to keep evidence that the store did not take.
    async fn record_late(&self) -> Option<Arc<str>> {
        let evidence = self.unrecorded.lock().clone()?;
        match self.keep_evidence(&evidence).await {
            Ok(()) => drop(self.unrecorded.lock().take()),
            Err(error) => tracing::error!(%error, "evidence against a checksum database is not kept yet"),
        }
        Some(evidence)
    }

    async fn keep_evidence(&self, evidence: &str) -> Result<(), SumdbError> {
        let value = Bytes::copy_from_slice(evidence.as_bytes());
        self.kept.store().put_if_absent(&self.kept.key("fork")?, value).await?;
        Ok(())
    }
}
