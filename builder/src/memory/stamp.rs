//! What tells one state of a file from another without reading it.

use std::fmt;
use std::fs::Metadata;
use std::path::Path;

use super::{Reader, Writer};

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

/// A folder whose files are looked at by their names.
#[derive(Debug)]
pub(crate) struct Stamps(#[cfg(unix)] std::os::fd::OwnedFd);

impl Stamps {
    /// Files of the folder at a path; none where it can't be opened.
    #[cfg(unix)]
    pub(crate) fn of_folder(path: &Path) -> Option<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok().map(Self)
    }

    #[cfg(not(unix))]
    pub(crate) fn of_folder(_: &Path) -> Option<Self> {
        None
    }

    /// The stamp of what a name leads to, links followed; none where nothing is there.
    #[cfg(unix)]
    pub(crate) fn stamp(&self, name: &str) -> Option<Stamp> {
        let found = rustix::fs::statat(&self.0, name, rustix::fs::AtFlags::empty()).ok()?;
        Some(Stamp {
            device: number(found.st_dev)?,
            number: number(found.st_ino)?,
            size: number(found.st_size)?,
            content: nanoseconds(found.st_mtime, found.st_mtime_nsec)?,
            state: nanoseconds(found.st_ctime, found.st_ctime_nsec)?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn stamp(&self, _: &str) -> Option<Stamp> {
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

impl Stamp {
    /// The stamp of what a path leads to, links followed; none where nothing is there.
    pub fn of(path: &Path) -> Option<Self> {
        Self::of_metadata(&std::fs::metadata(path).ok()?)
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

    /// When it last changed in any way.
    pub(super) fn latest(&self) -> i64 {
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

    pub(crate) fn write(self, writer: &mut Writer) {
        self.to_numbers().into_iter().for_each(|number| writer.number(number));
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = reader.number()?;
        }
        Some(Self::from_numbers(numbers))
    }
}

/// The numbers with blanks between them.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, number, size, content, state } = self;
        write!(f, "{device} {number} {size} {content} {state}")
    }
}
