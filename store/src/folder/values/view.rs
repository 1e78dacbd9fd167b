//! A view: the logs and segments of one generation, open for reading.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::error::{ErrorKind, StoreError};
use crate::folder::read::Reading;
use crate::folder::values::log::Log;
use crate::folder::values::manifest::{Manifest, log_path, segment_path};
use crate::folder::values::segment::Segment;
use crate::folder::values::slot::Mark;
use crate::packed::filter::hash;
use crate::packed::merge::{Merge, Run, RunError};
use crate::packed::row::Found;

/// One generation of the values. The active log goes on growing under it, everything else stands still.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) manifest: Manifest,
    /// The newest first, so the active one.
    pub(crate) logs: Vec<Arc<Log>>,
    /// The newest first.
    pub(crate) segments: Vec<Arc<Segment>>,
}

/// A row that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("looking into `{file}`")]
pub(crate) struct FindError {
    /// Name of the file it lies in.
    pub(crate) file: String,
    #[source]
    pub(crate) cause: RunError,
}

impl FindError {
    fn of(kind: &str, number: u64, cause: RunError) -> Self {
        Self { file: format!("{kind}-{number}"), cause }
    }

    /// Whether the answer is there but not in memory.
    pub(crate) fn would_block(&self) -> bool {
        matches!(&self.cause, RunError::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The same as the store's error, while doing `subject`.
    pub(crate) fn while_doing(self, subject: String) -> StoreError {
        let kind = match &self.cause {
            RunError::Damaged(_) => ErrorKind::Damaged,
            RunError::Io(error) => ErrorKind::of(error),
        };
        StoreError::new(kind, subject).because(self)
    }
}

impl View {
    /// Opens what `manifest` names, taking from `before` what is open already. The active log is not read yet, the others are.
    pub(crate) fn open(folder: &Path, manifest: Manifest, before: Option<&Self>) -> io::Result<Self> {
        let old_logs: HashMap<u64, &Arc<Log>> =
            before.into_iter().flat_map(|view| &view.logs).map(|l| (l.number, l)).collect();
        let old_segments: HashMap<u64, &Arc<Segment>> =
            before.into_iter().flat_map(|view| &view.segments).map(|s| (s.number, s)).collect();
        let mut logs = Vec::with_capacity(manifest.logs.len());
        for number in manifest.logs.iter().rev() {
            let log = match old_logs.get(number) {
                Some(log) => Arc::clone(log),
                None => Arc::new(Log::open(&log_path(folder, *number), *number)?),
            };
            if *number != manifest.active() {
                log.index_to(log.unindexed(0)?.len)?;
            }
            logs.push(log);
        }
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for entry in &manifest.segments {
            segments.push(match old_segments.get(&entry.number) {
                Some(segment) => Arc::clone(segment),
                None => Arc::new(Segment::open(&segment_path(folder, entry.number), entry)?),
            });
        }
        Ok(Self { manifest, logs, segments })
    }

    /// The log that is written to.
    pub(crate) fn active(&self) -> &Arc<Log> {
        &self.logs[0]
    }

    /// How far this view has read.
    pub(crate) fn mark(&self) -> Mark {
        let active = self.active();
        Mark { generation: self.manifest.generation, log: active.number, len: active.len() }
    }

    /// Whether everything that was durable at `mark` can be seen.
    pub(crate) fn covers(&self, mark: Mark) -> bool {
        let own = self.mark();
        mark.generation <= own.generation && (mark.log, mark.len) <= (own.log, own.len)
    }

    /// What the newest row of `name` says.
    pub(crate) fn find(&self, name: &[u8], reading: Reading) -> Result<Option<Found>, FindError> {
        for log in &self.logs {
            let found = log.find(name, reading).map_err(|cause| FindError::of("log", log.number, cause))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let hash = hash(name);
        for segment in &self.segments {
            let found = segment.find(name, hash, reading);
            let found = found.map_err(|cause| FindError::of("segment", segment.number, cause))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// All rows by name from `from` on, the newest of each name.
    pub(crate) fn rows_from(&self, from: &[u8]) -> Result<Merge<'static>, FindError> {
        let mut runs: Vec<Box<dyn Run>> = Vec::with_capacity(self.logs.len() + self.segments.len());
        for log in &self.logs {
            let run = log.run(from).map_err(|cause| FindError::of("log", log.number, cause))?;
            runs.push(Box::new(run));
        }
        for segment in &self.segments {
            let run = segment.run(from).map_err(|cause| FindError::of("segment", segment.number, cause))?;
            runs.push(Box::new(run));
        }
        Ok(Merge::new(runs))
    }
}
