//! The one file that writes, renames and syncs.
//!
//! A file becomes visible by: write under a temporary name, sync, rename, sync the folder. A sync that failed is never tried
//! again, because the kernel drops the dirty pages it could not write and reports success the next time; the operation fails
//! and its caller decides what that means.
//!
//! Every step here is a point at which a test can break the disk or end the process ([`Disk::breaking`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::faulty::{Fault, Plan};

/// The hand that changes a file system. Cloned handles count their points together.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    plan: Plan,
    /// Nothing is synced.
    is_hasty: bool,
    points: Arc<AtomicU64>,
}

impl Disk {
    /// For tests: a disk whose steps fail as `plan` says. [`Fault::Stall`], [`Fault::Short`] and [`Fault::Flip`] have no effect.
    pub fn breaking(plan: Plan) -> Self {
        Self { plan, is_hasty: false, points: Arc::default() }
    }

    /// A disk that syncs nothing, for stores that are made to be measured: after a loss of power they are worth nothing.
    pub fn hasty() -> Self {
        Self { is_hasty: true, ..Self::default() }
    }

    /// The number of steps taken so far.
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::SeqCst)
    }

    fn step<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let point = self.points.fetch_add(1, Ordering::SeqCst);
        let planned = || io::Error::other(format!("planned fault at disk step {point}"));
        match self.plan.fault(point) {
            Some(Fault::Before) => Err(planned()),
            Some(Fault::Die) => abort(),
            Some(Fault::After) => act().and_then(|_| Err(planned())),
            _ => act(),
        }
    }

    /// Makes `folder` and the folders above it, each durable in its parent.
    pub(crate) fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = parent(folder) {
            self.make_folder(parent)?;
        }
        match self.step(|| fs::create_dir(folder)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            other => other?,
        }
        parent(folder).map_or(Ok(()), |parent| self.sync_folder(parent))
    }

    /// A new file for reading and writing; fails if the name is taken. Not durable until published or synced.
    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        self.step(|| OpenOptions::new().read(true).write(true).create_new(true).mode(0o644).open(path))
    }

    /// The file at `path` for reading and writing, made if there is none.
    pub(crate) fn open_or_create(&self, path: &Path) -> io::Result<File> {
        self.step(|| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(path)
        })
    }

    /// Writes all of `bytes` at `offset`. Not durable until synced.
    pub(crate) fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.step(|| file.write_all_at(bytes, offset))
    }

    /// Cuts the file off at `len`.
    pub(crate) fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.step(|| file.set_len(len))
    }

    /// Makes the file's content durable. An error is final.
    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        self.step(|| if self.is_hasty { Ok(()) } else { file.sync_data() })
    }

    /// Makes the names in `folder` durable. An error is final.
    pub(crate) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(|| if self.is_hasty { Ok(()) } else { File::open(folder)?.sync_all() })
    }

    /// Gives the synced file at `from` the name `to`, in place of what had it, and makes the name durable.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[allow(clippy::disallowed_methods, reason = "the parent is synced right after")]
        self.step(|| fs::rename(from, to))?;
        parent(to).map_or(Ok(()), |parent| self.sync_folder(parent))
    }

    /// Makes now the time at which the file was last changed.
    pub(crate) fn touch(&self, path: &Path) -> io::Result<()> {
        use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        self.step(|| Ok(utimensat(CWD, path, &times, AtFlags::empty())?))
    }

    /// Gives `path` the content `bytes`, all or nothing, through the temporary name `temp` beside it.
    pub(crate) fn replace(&self, path: &Path, temp: &Path, bytes: &[u8]) -> io::Result<()> {
        let file =
            self.step(|| OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(temp))?;
        self.write_at(&file, bytes, 0)?;
        self.sync(&file)?;
        self.rename(temp, path)
    }

    /// Removes a file; says whether there was one. Not durable: after power loss it may be back.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<bool> {
        match self.step(|| fs::remove_file(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a folder of temporary files with all that is in it.
    pub(crate) fn remove_folder(&self, path: &Path) -> io::Result<()> {
        match self.step(|| fs::remove_dir_all(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Appends to a file through its disk, so that every piece is a step.
#[derive(Debug)]
pub(crate) struct Appending<'a> {
    disk: &'a Disk,
    file: &'a File,
    offset: u64,
}

impl<'a> Appending<'a> {
    /// Appends to the empty `file`.
    pub(crate) fn new(disk: &'a Disk, file: &'a File) -> Self {
        Self { disk, file, offset: 0 }
    }
}

impl Write for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.write_at(self.file, bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn parent(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leftovers(plan: Plan) -> (bool, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let (path, temp) = (folder.path().join("manifest"), folder.path().join("manifest.new"));
        Disk::default().replace(&path, &temp, b"old").unwrap();
        let replaced = Disk::breaking(plan).replace(&path, &temp, b"new");
        (replaced.is_ok(), fs::read(path).unwrap())
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        assert_eq!(leftovers(Plan::Whole), (true, b"new".to_vec()));
        for point in 0..5 {
            for fault in [Fault::Before, Fault::After] {
                let (acknowledged, content) = leftovers(Plan::Once(point, fault));
                assert!(!acknowledged, "point {point} {fault:?}");
                assert!(content == b"old" || content == b"new", "point {point} {fault:?}: {content:?}");
                assert_eq!(
                    content == b"new",
                    point == 4 || (point, fault) == (3, Fault::After),
                    "{point} {fault:?}"
                );
            }
        }
    }

    #[test]
    fn folders_are_made_with_their_parents() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        let disk = Disk::default();
        disk.make_folder(&deep).unwrap();
        disk.make_folder(&deep).unwrap();
        assert!(deep.is_dir());
        assert_eq!(disk.points(), 6, "three times make and sync");
    }
}
