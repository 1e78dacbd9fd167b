//! Small values in a folder: one log that all processes append to in turn, and segments sealed from it.
//!
//! Readers take no lock. They look at the [`slot`], which says how far the log is durable, and read on from where they are.
//! Writers are one thread a process ([`commit`]), which joins what waits into one frame and one sync, under a lock on a
//! file that all processes share. A second thread ([`seal`]) turns full logs into segments and merges those.
//!
//! ```text
//! values/manifest     which logs and segments there are
//! values/log-8        rows as they came
//! values/segment-6    rows by name
//! values/slot         how far the log is durable
//! values/lock         held while writing
//! values/sealing      held while sealing
//! ```

mod commit;
mod examine;
mod log;
mod manifest;
mod repair;
mod seal;
mod segment;
mod slot;
mod view;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::durable::Disk;
use crate::error::StoreError;
use crate::folder::Options;
use crate::folder::floor::Floor;
use crate::folder::read::Reading;
use crate::folder::values::manifest::{Manifest, log_path};
use crate::folder::values::slot::{Mark, Slot};
use crate::folder::values::view::{FindError, View};
use crate::packed::merge::RunError;
use crate::packed::row::Found;

pub(crate) use commit::Committer;
pub(crate) use seal::Sealer;
#[cfg(feature = "s3")]
pub(crate) use segment::Segment;

/// How often a reader looks again while another process is writing the slot or replacing the manifest.
const TRIES: usize = 1_000;

/// The values of one folder, as one process has them open.
#[derive(Debug)]
pub(crate) struct Values {
    folder: PathBuf,
    /// Where segments are built.
    temp: PathBuf,
    disk: Disk,
    floor: Floor,
    /// A log this long, in bytes, is sealed.
    log_full: u64,
    slot: Slot,
    view: RwLock<Arc<View>>,
    refreshing: Mutex<()>,
    lock: Mutex<File>,
    sealing: Mutex<File>,
    /// Where damaged files are put.
    quarantine: PathBuf,
    /// A sync failed, so what this process believes of the log may be wrong: it writes no more.
    broken: AtomicBool,
}

impl Values {
    /// Opens the values in `folder`, repairing what a writer that died left behind. Building files go to `temp`, on the same
    /// file system.
    pub(crate) fn open(folder: PathBuf, temp: PathBuf, floor: Floor, options: Options) -> io::Result<Self> {
        let Options { disk, log_full, .. } = options;
        disk.make_folder(&folder)?;
        let lock = disk.open_or_create(&folder.join("lock"))?;
        let sealing = Mutex::new(disk.open_or_create(&folder.join("sealing"))?);
        let quarantine = folder.with_file_name("quarantine");
        let slot = Slot::open(&folder.join("slot"), &disk)?;
        lock.lock()?;
        let manifest = match Manifest::load(&folder)? {
            Some(manifest) => manifest,
            None => create(&folder, &disk)?,
        };
        let view = RwLock::new(Arc::new(View::open(&folder, manifest, None)?));
        let (refreshing, broken) = (Mutex::default(), AtomicBool::new(false));
        let lock = Mutex::new(lock);
        let values = Self {
            folder,
            temp,
            disk,
            floor,
            log_full,
            slot,
            view,
            refreshing,
            lock,
            sealing,
            quarantine,
            broken,
        };
        {
            let locked = Locked(values.lock.lock());
            values.catch_up(&locked)?;
            values.remove_orphans(&locked)?;
        }
        Ok(values)
    }

    /// What the newest row of `name` says.
    pub(crate) fn find(&self, name: &[u8], reading: Reading) -> Result<Option<Found>, FindError> {
        self.fresh(reading).map_err(not_fresh)?.find(name, reading)
    }

    /// The view that shows every write acknowledged before now.
    pub(crate) fn fresh(&self, reading: Reading) -> io::Result<Arc<View>> {
        let view = self.view();
        match self.slot.read()? {
            Some(mark) if view.covers(mark) => Ok(view),
            _ if reading == Reading::Cached => Err(io::ErrorKind::WouldBlock.into()),
            _ => self.refresh(),
        }
    }

    fn view(&self) -> Arc<View> {
        self.view.read().clone()
    }

    /// Makes `view` the current one unless a newer is.
    fn set_view(&self, view: Arc<View>) {
        let mut current = self.view.write();
        if current.manifest.generation < view.manifest.generation {
            *current = view;
        }
    }

    fn refresh(&self) -> io::Result<Arc<View>> {
        let _one_at_a_time = self.refreshing.lock();
        for _ in 0..TRIES {
            let view = self.view();
            let Some(mark) = self.slot.read()? else {
                thread::yield_now();
                continue;
            };
            if view.covers(mark) {
                return Ok(view);
            }
            match self.follow(&view, mark) {
                // the files of a manifest may be gone by the time they are opened: then there is a newer manifest
                Err(error) if error.kind() == io::ErrorKind::NotFound => thread::yield_now(),
                other => other?,
            }
        }
        // nobody writes it that long: whoever began to is dead
        self.catch_up(&self.lock()?)
    }

    fn follow(&self, view: &View, mark: Mark) -> io::Result<()> {
        if mark.generation > view.manifest.generation {
            let manifest = Manifest::load(&self.folder)?.ok_or(io::ErrorKind::NotFound)?;
            self.set_view(Arc::new(View::open(&self.folder, manifest, Some(view))?));
        }
        let view = self.view();
        if view.active().number == mark.log { view.active().index_to(mark.len) } else { Ok(()) }
    }

    /// Keeps all other writers out until the guard is dropped.
    fn lock(&self) -> io::Result<Locked<'_>> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other(
                "an earlier write could not be made durable; nothing is written until a restart",
            ));
        }
        let lock = self.lock.lock();
        lock.lock()?;
        Ok(Locked(lock))
    }

    /// Brings view and slot to what the log really holds, and cuts off a torn frame.
    fn catch_up(&self, _locked: &Locked<'_>) -> io::Result<Arc<View>> {
        let mut view = self.view();
        let manifest = Manifest::load(&self.folder)?.ok_or(io::ErrorKind::NotFound)?;
        if manifest.generation != view.manifest.generation {
            view = Arc::new(View::open(&self.folder, manifest, Some(&view))?);
            self.set_view(view.clone());
        }
        let active = view.active();
        let slot = self.slot.read()?;
        let durable = slot.filter(|mark| mark.log == active.number).map_or(0, |mark| mark.len);
        let rest = active.unindexed(durable)?;
        if rest.len > rest.end {
            self.disk.truncate(&active.file, rest.end)?;
        }
        if rest.len > rest.end || rest.end > durable {
            self.sync(&active.file)?;
        }
        active.index_to(rest.end)?;
        if slot != Some(view.mark()) {
            self.slot.write(&self.disk, view.mark())?;
        }
        Ok(view)
    }

    /// Syncs, and writes nothing more after a failure.
    fn sync(&self, file: &File) -> io::Result<()> {
        self.disk.sync(file).inspect_err(|_| self.broken.store(true, Ordering::SeqCst))
    }

    /// Makes `manifest` the next generation.
    fn publish(&self, _locked: &Locked<'_>, manifest: Manifest) -> io::Result<()> {
        let before = self.view();
        if let Err(error) = manifest.save(&self.folder, &self.disk) {
            // harmless while the old one stands; but the new one may be gone after power loss, and the rows behind it
            let stands =
                Manifest::load(&self.folder).is_ok_and(|found| found.as_ref() == Some(&before.manifest));
            self.broken.fetch_or(!stands, Ordering::SeqCst);
            return Err(error);
        }
        let view = View::open(&self.folder, manifest, Some(&before))?;
        view.active().index_to(view.active().unindexed(0)?.end)?;
        let view = Arc::new(view);
        self.set_view(view.clone());
        self.slot.write(&self.disk, view.mark())
    }

    /// Removes files that no manifest names: those of writers that died between writing and publishing.
    fn remove_orphans(&self, _locked: &Locked<'_>) -> io::Result<()> {
        let sealing = self.sealing.lock();
        if sealing.try_lock().is_err() {
            return Ok(());
        }
        let manifest = &self.view().manifest;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let orphan = match name.to_str().and_then(|name| name.split_once('-')) {
                Some(("log", number)) => number.parse().is_ok_and(|number| !manifest.logs.contains(&number)),
                Some(("segment", number)) => number
                    .parse()
                    .is_ok_and(|number| manifest.segments.iter().all(|segment| segment.number != number)),
                _ => false,
            };
            if orphan {
                self.disk.remove(&entry.path())?;
            }
        }
        sealing.unlock()
    }
}

fn not_fresh(error: io::Error) -> FindError {
    FindError { file: "values".into(), cause: RunError::Io(error) }
}

/// The lock of the values, held by this thread of this process.
struct Locked<'a>(MutexGuard<'a, File>);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::error!(%error, "the lock of the values cannot be released");
        }
    }
}

/// Begins the values of an empty folder. A folder that has rows but no manifest lost it, and is left alone.
fn create(folder: &Path, disk: &Disk) -> io::Result<Manifest> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("segment-") || (name.starts_with("log-") && entry.metadata()?.len() > 0) {
            let why = format!("`{name}` is there but no manifest");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
    }
    let manifest = Manifest::first();
    let log = disk.open_or_create(&log_path(folder, manifest.active()))?;
    disk.sync(&log)?;
    disk.sync_folder(folder)?;
    manifest.save(folder, disk)?;
    Ok(manifest)
}

/// An I/O error while writing small values.
fn writing(source: io::Error) -> StoreError {
    StoreError::io("writing small values", source)
}
