//! Where files grow on this machine before they go up, and where segments come down to be worked on.
//!
//! A folder of this process below the user's own in the folder for temporary files. The next process to open it removes what
//! killed ones have left, and nothing is written once less than the floor would stay free: others use that disk too.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;

use crate::durable::Disk;
use crate::error::{ErrorKind, StoreError};
use crate::folder::floor::Floor;
use crate::folder::temp::Temp;
use crate::incoming::Incoming;

/// A place for files that live for a while. Clones share it; it is gone with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    temp: Arc<Temp>,
    floor: Floor,
}

impl Scratch {
    /// Makes the folder of this process below `root`. Blocks.
    pub(crate) fn open(root: &Path, free_floor: u64) -> Result<Self, StoreError> {
        let subject = || format!("making a folder for temporary files in `{}`", root.display());
        let at = |source| StoreError::io(subject(), source);
        let (own, is_ours) = own_folder(root).map_err(at)?;
        if !is_ours {
            let why = format!("`{}` is open to others: say another folder with TMPDIR", own.display());
            return Err(StoreError::new(ErrorKind::Refused, why));
        }
        let temp = Arc::new(Temp::open(&own, &Disk::default()).map_err(at)?);
        Ok(Self { floor: Floor::new(temp.path().to_owned(), free_floor), temp })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.temp.path()
    }

    /// Fails with [`ErrorKind::Full`] when `len` bytes more would reach the floor.
    pub(crate) fn check(&self, len: u64) -> Result<(), StoreError> {
        self.floor.check(len).map_err(|source| StoreError::io("working with a temporary file", source))
    }

    /// A new file that grows above the floor.
    pub(crate) fn incoming(&self) -> Result<Incoming, StoreError> {
        self.check(1)?;
        Ok(Incoming::create(self.folder())?.above(self.floor.clone()))
    }
}

/// `modkeep-USER` in `root`, and whether it is this user's and nobody else's: where everybody may write, another may have
/// made it first.
fn own_folder(root: &Path) -> io::Result<(PathBuf, bool)> {
    let user = geteuid().as_raw();
    let folder = root.join(format!("modkeep-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder)?;
    let is_ours = found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0;
    Ok((folder, is_ours))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_a_killed_process_left_is_gone_with_the_next_one() {
        let root = tempfile::tempdir().unwrap();
        let killed = Scratch::open(root.path(), 0).unwrap();
        let dead = killed.folder().with_file_name("1-dead");
        fs::create_dir(&dead).unwrap();
        fs::File::create(dead.join("in-half")).unwrap();
        let next = Scratch::open(root.path(), 0).unwrap();
        assert!(!dead.exists() && killed.folder().exists() && next.folder().exists());
        let folder = next.folder().to_owned();
        drop(next);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let (own, is_ours) = own_folder(root.path()).unwrap();
        assert!(is_ours);
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(Scratch::open(root.path(), 0).unwrap_err().kind(), ErrorKind::Refused);
        fs::remove_dir(&own).unwrap();
        symlink("/", &own).unwrap();
        assert_eq!(Scratch::open(root.path(), 0).unwrap_err().kind(), ErrorKind::Refused);
    }

    #[test]
    fn below_the_floor_no_file_begins() {
        let root = tempfile::tempdir().unwrap();
        let full = Scratch::open(root.path(), u64::MAX).unwrap();
        assert_eq!(full.incoming().unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(full.check(1).unwrap_err().kind(), ErrorKind::Full);
    }
}
