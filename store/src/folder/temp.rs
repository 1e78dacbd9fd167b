//! Where files grow before they have a name: a folder for each process, on the store's own file system.
//!
//! A process holds a lock in its folder while it lives, so the next one to open the store can tell what a dead one left.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::durable::Disk;

/// This process's folder of temporary files; gone when dropped.
#[derive(Debug)]
pub(crate) struct Temp {
    folder: TempDir,
    _alive: File,
}

impl Temp {
    /// Makes a folder in `root` and removes those of dead processes.
    pub(crate) fn open(root: &Path, disk: &Disk) -> io::Result<Self> {
        disk.make_folder(root)?;
        let gate = disk.open_or_create(&root.join("gate"))?;
        gate.lock()?;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && !is_alive(&entry.path())? {
                disk.remove_folder(&entry.path())?;
            }
        }
        let folder = tempfile::Builder::new().prefix(&format!("{}-", std::process::id())).tempdir_in(root)?;
        let alive = disk.create(&lock_path(folder.path()))?;
        alive.lock()?;
        Ok(Self { folder, _alive: alive })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("alive")
}

/// Whether a process holds the lock of `folder`. Folders are made and locked under the gate, so one without a lock is dead.
fn is_alive(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(lock_path(folder)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_cleared_away_and_the_living_are_not() {
        let root = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let living = Temp::open(root.path(), &disk).unwrap();
        let dead = root.path().join("1-dead");
        disk.make_folder(&dead).unwrap();
        disk.create(&dead.join("alive")).unwrap();
        disk.create(&dead.join("in-file")).unwrap();
        let other = Temp::open(root.path(), &disk).unwrap();
        assert!(!dead.exists());
        assert!(living.path().exists() && other.path().exists());
        drop(living);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2, "the gate and one folder");
    }
}
