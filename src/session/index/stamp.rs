//! What a file looks like from outside: if that is the same, so is the file.

use std::fs::{self, Metadata};
use std::path::Path;

/// Length, times, and on systems that have it the inode. A file that is put in another's place has another inode, one
/// that is changed in place another time of its last change, which nobody can set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::session) struct Stamp {
    pub(super) length: u64,
    pub(super) inode: u64,
    /// Seconds and nanoseconds of the last change of content, and of anything.
    pub(super) times: [i64; 4],
}

impl Stamp {
    /// That of a file; none where there is none.
    pub(in crate::session) fn of(file: &Path) -> Option<Self> {
        fs::metadata(file).ok().filter(Metadata::is_file).map(|found| Self::from(&found))
    }
}

#[cfg(unix)]
impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        Self { length: found.len(), inode: found.ino(), times }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        let since = found.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        let times = [i64::try_from(since.as_secs()).unwrap_or_default(), since.subsec_nanos().into(), 0, 0];
        Self { length: found.len(), inode: 0, times }
    }
}
