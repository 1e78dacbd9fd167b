//! The sealer: turns full logs into segments, and many small segments into few large ones.
//!
//! Eight segments of a level become one of the next, so ten million versions are some thirty segments and every row is copied
//! a handful of times. One process seals at a time; writers are kept out only while the manifest is replaced.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::durable::Appending;
use crate::folder::read::Reading;
use crate::folder::values::Values;
use crate::folder::values::manifest::{Entry, Manifest, log_path, segment_path};
use crate::folder::values::view::View;
use crate::packed::build::Builder;
use crate::packed::merge::{Merge, Run, RunError};
use crate::packed::row::Row;

/// So many segments of one level are merged into one of the next.
const FAN: usize = 8;
/// Written at once, in bytes.
pub(crate) const BUFFER: usize = 256 << 10;

/// The thread that seals.
#[derive(Debug)]
pub(crate) struct Sealer {
    stop: Arc<AtomicBool>,
    waker: Option<Waker>,
    thread: Option<JoinHandle<()>>,
}

/// Tells the sealer that there is something to do.
#[derive(Debug, Clone)]
pub(crate) struct Waker(SyncSender<()>);

impl Waker {
    pub(crate) fn wake(&self) {
        // full: it is awake already; closed: it is ending
        self.0.try_send(()).unwrap_or_default();
    }
}

impl Sealer {
    /// Starts the thread that seals `values`; it begins with what an earlier process left.
    pub(crate) fn start(values: Arc<Values>) -> io::Result<(Self, Waker)> {
        let (sender, calls) = sync_channel(1);
        let waker = Waker(sender);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let thread = thread::Builder::new()
            .name("store-seal".into())
            .spawn(move || seal(&values, &calls, &stopping))?;
        waker.wake();
        Ok((Self { stop, waker: Some(waker.clone()), thread: Some(thread) }, waker))
    }
}

impl Drop for Sealer {
    /// The committer, which holds the other waker, must be gone before.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.waker = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the sealer of small values had panicked");
        }
    }
}

fn seal(values: &Values, calls: &Receiver<()>, stop: &AtomicBool) {
    while calls.recv().is_ok() {
        while !stop.load(Ordering::SeqCst) {
            match values.seal_once(stop) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) if stop.load(Ordering::SeqCst) => break,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot seal small values");
                    break;
                }
            }
        }
    }
}

/// What becomes one segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) logs: Vec<u64>,
    pub(crate) segments: Vec<Entry>,
    pub(crate) level: u64,
    /// Nothing older lies below, so removed rows need not be kept.
    pub(crate) oldest: bool,
}

fn plan(manifest: &Manifest) -> Option<Plan> {
    let (_, full) = manifest.logs.split_last()?;
    if !full.is_empty() {
        return Some(Plan {
            logs: full.to_vec(),
            segments: Vec::new(),
            level: 0,
            oldest: manifest.segments.is_empty(),
        });
    }
    let mut levels = manifest.segments.chunk_by(|newer, older| newer.level == older.level);
    let segments = levels.find(|segments| segments.len() >= FAN)?;
    let oldest = segments.last() == manifest.segments.last();
    Some(Plan { logs: Vec::new(), segments: segments.to_vec(), level: segments[0].level + 1, oldest })
}

impl Values {
    /// Does one piece of work; false when there is none, or another process does it.
    fn seal_once(&self, stop: &AtomicBool) -> Result<bool, RunError> {
        let Some(sealing) = self.sealing.try_lock() else { return Ok(false) };
        if sealing.try_lock().is_err() {
            return Ok(false);
        }
        let sealed = self.seal_planned(stop);
        sealing.unlock()?;
        sealed
    }

    fn seal_planned(&self, stop: &AtomicBool) -> Result<bool, RunError> {
        let view = self.fresh(Reading::Waiting)?;
        let Some(plan) = plan(&view.manifest) else { return Ok(false) };
        self.floor.check(plan.segments.iter().map(|segment| segment.len).sum())?;
        let path = self.temp.join("segment");
        let placed = self
            .build_at(&path, &view, &plan, stop)
            .and_then(|entry| Ok(self.put_in_place(&plan, entry, &path)?));
        if placed.is_err() {
            self.disk.remove(&path)?;
        }
        placed?;
        self.remove_inputs(&plan)?;
        Ok(true)
    }

    /// Writes the segment of `plan`, durable under a temporary name.
    fn build_at(&self, path: &Path, view: &View, plan: &Plan, stop: &AtomicBool) -> Result<Entry, RunError> {
        let file = self.disk.create(path)?;
        let entry = self.build(view, plan, &file, stop)?;
        self.disk.sync(&file)?;
        Ok(entry)
    }

    /// Writes the rows of `plan` to `file`.
    fn build(&self, view: &View, plan: &Plan, file: &File, stop: &AtomicBool) -> Result<Entry, RunError> {
        let mut runs: Vec<Box<dyn Run + '_>> = Vec::new();
        let mut rows = 0;
        for log in view.logs.iter().filter(|log| plan.logs.contains(&log.number)) {
            if let Some(unreadable) = log.unreadable().first() {
                return Err(RunError::Damaged(unreadable.start));
            }
            runs.push(Box::new(log.run(&[])?));
            rows += log.rows();
        }
        for segment in
            view.segments.iter().filter(|s| plan.segments.iter().any(|entry| entry.number == s.number))
        {
            runs.push(Box::new(segment.run(&[])?));
            rows += segment.rows();
        }
        let runs = runs.into_iter().map(|run| Box::new(Stoppable { run, stop }) as Box<dyn Run + '_>);
        let out = BufWriter::with_capacity(BUFFER, Appending::new(&self.disk, file));
        let mut builder = Builder::new(out, rows);
        Merge::new(runs.collect()).write(&mut builder, !plan.oldest)?;
        let (mut out, rows, len) = builder.finish()?;
        out.flush()?;
        Ok(Entry { number: 0, level: plan.level, rows, len })
    }

    /// Replaces the inputs of `plan` by the synced segment at `path`.
    pub(crate) fn put_in_place(&self, plan: &Plan, mut entry: Entry, path: &Path) -> io::Result<()> {
        let locked = self.lock()?;
        let mut manifest = self.catch_up(&locked)?.manifest.clone();
        entry.number = manifest.next;
        self.disk.rename(path, &segment_path(&self.folder, entry.number))?;
        manifest.generation += 1;
        manifest.next += 1;
        manifest.logs.retain(|log| !plan.logs.contains(log));
        let at = manifest.segments.iter().position(|segment| plan.segments.contains(segment)).unwrap_or(0);
        manifest.segments.retain(|segment| !plan.segments.contains(segment));
        manifest.segments.insert(at, entry);
        self.publish(&locked, manifest)
    }

    fn remove_inputs(&self, plan: &Plan) -> io::Result<()> {
        for log in &plan.logs {
            self.disk.remove(&log_path(&self.folder, *log))?;
        }
        for segment in &plan.segments {
            self.disk.remove(&segment_path(&self.folder, segment.number))?;
        }
        Ok(())
    }
}

/// A run that ends with an error when the process wants to end.
struct Stoppable<'a> {
    run: Box<dyn Run + 'a>,
    stop: &'a AtomicBool,
}

impl Run for Stoppable<'_> {
    fn row(&self) -> Option<Row<'_>> {
        self.run.row()
    }

    fn advance(&mut self) -> Result<(), RunError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::Interrupted).into());
        }
        self.run.advance()
    }
}
