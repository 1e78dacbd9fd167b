//! What tells one state of a file from another without reading it.

use std::fmt;
use std::fs::{File, Metadata};
use std::path::Path;

/// Where a file is, how long it is, and when it last changed. Whatever is remembered of a file is remembered under one of these.
///
/// The time of the last change of state is the system's own: no program can set it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    number: u64,
    size: u64,
    /// When the content changed, in nanoseconds of the epoch.
    content: i64,
    /// When anything about it changed.
    state: i64,
}

impl Stamp {
    /// The stamp of what a path leads to, links followed; none where nothing is there.
    pub fn of(path: &Path) -> Option<Self> {
        Self::of_metadata(&std::fs::metadata(path).ok()?)
    }

    /// The stamp of an open file.
    pub fn of_file(file: &File) -> Option<Self> {
        Self::of_metadata(&file.metadata().ok()?)
    }

    /// The stamp of what was found so; none where times can't be told.
    #[cfg(unix)]
    pub fn of_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self {
            device: metadata.dev(),
            number: metadata.ino(),
            size: metadata.size(),
            content: nanoseconds(metadata.mtime(), metadata.mtime_nsec())?,
            state: nanoseconds(metadata.ctime(), metadata.ctime_nsec())?,
        })
    }

    /// Elsewhere times can be set at will, so that nothing is remembered.
    #[cfg(not(unix))]
    pub fn of_metadata(_: &Metadata) -> Option<Self> {
        None
    }

    /// When it last changed in any way, in nanoseconds of the epoch.
    pub fn latest(&self) -> i64 {
        self.content.max(self.state)
    }

    /// All that it says, in numbers.
    pub fn to_numbers(self) -> [u64; 5] {
        [self.device, self.number, self.size, self.content.cast_unsigned(), self.state.cast_unsigned()]
    }

    /// The stamp with these numbers.
    pub fn from_numbers([device, number, size, content, state]: [u64; 5]) -> Self {
        Self { device, number, size, content: content.cast_signed(), state: state.cast_signed() }
    }
}

/// The numbers with blanks between them.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, number, size, content, state } = self;
        write!(f, "{device} {number} {size} {content} {state}")
    }
}

/// A folder that is open: the way to its files is gone once.
#[derive(Debug)]
pub struct OpenFolder(#[cfg(unix)] std::os::fd::OwnedFd);

#[cfg(unix)]
impl OpenFolder {
    /// The folder at a path; none where it can't be opened.
    pub fn at(path: &Path) -> Option<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok().map(Self)
    }

    /// A file of it, to be read; none where it can't be opened.
    pub fn open(&self, name: &str) -> Option<File> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.0, name, flags, Mode::empty()).ok().map(Into::into)
    }

    /// The stamp of what a name leads to, links followed; none where nothing is there.
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        let found = rustix::fs::statat(&self.0, name, rustix::fs::AtFlags::empty()).ok()?;
        Some(Stamp {
            device: number(found.st_dev)?,
            number: number(found.st_ino)?,
            size: number(found.st_size)?,
            content: nanoseconds(found.st_mtime, found.st_mtime_nsec)?,
            state: nanoseconds(found.st_ctime, found.st_ctime_nsec)?,
        })
    }
}

/// Elsewhere files are reached by their paths.
#[cfg(not(unix))]
impl OpenFolder {
    /// None.
    pub fn at(_: &Path) -> Option<Self> {
        None
    }

    /// None.
    pub fn open(&self, _: &str) -> Option<File> {
        None
    }

    /// None.
    pub fn stamp(&self, _: &str) -> Option<Stamp> {
        None
    }
}

/// Systems have different types for the same numbers.
#[cfg(unix)]
fn number(number: impl TryInto<u64>) -> Option<u64> {
    number.try_into().ok()
}

#[cfg(unix)]
fn nanoseconds(seconds: impl TryInto<i64>, more: impl TryInto<i64>) -> Option<i64> {
    seconds.try_into().ok()?.checked_mul(1_000_000_000)?.checked_add(more.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_stamp_however_it_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        std::fs::write(&path, "text").unwrap();
        let stamp = Stamp::of(&path);
        assert!(stamp.is_some_and(|stamp| stamp.size == 4));
        let open = OpenFolder::at(folder.path()).unwrap();
        assert_eq!(open.stamp("file"), stamp);
        assert_eq!(Stamp::of_file(&open.open("file").unwrap()), stamp);
        assert_eq!(stamp.map(|stamp| Stamp::from_numbers(stamp.to_numbers())), stamp);
        assert!(open.stamp("none").is_none() && open.open("none").is_none());
        assert!(OpenFolder::at(&path).is_none(), "a file is no folder");
    }
}
