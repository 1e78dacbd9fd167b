//! Files that the go command may read or write at the same time: locked while in use, changed in place.
//!
//! The locks are the ones that go takes (`cmd/go/internal/lockedfile`), so either tool waits for the other.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use modkeep_builder::overlay::Overlay;

use crate::goenv::words;

/// A file that could not be read or changed, in Go's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockedError {
    /// Opening, locking, reading or writing failed.
    #[error("{action} {path}: {}", words(cause))]
    Io {
        /// `open`, `read` …
        action: &'static str,
        /// The file.
        path: String,
        /// What the system said; in the text already, so that it is no source.
        cause: io::Error,
    },
    /// Somebody else changed it since it was read.
    #[error("go.mod changed during editing; not overwriting")]
    Changed,
}

impl LockedError {
    /// Whether there is no such file.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// The whole of a file.
pub(crate) fn read(path: &str) -> Result<Vec<u8>, LockedError> {
    let io = |action| move |cause| LockedError::Io { action, path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(io("open"))?;
    file.lock_shared().map_err(io("lock"))?;
    let mut data = Vec::new();
    file.read_to_end(&mut data).map_err(io("read"))?;
    Ok(data)
}

/// The whole of a file as `-overlay` shows it; what stands in for it is not locked, for nobody writes it.
pub(crate) fn read_seen(seen: &Overlay, path: &str) -> Result<Vec<u8>, LockedError> {
    if !seen.replaces(path) {
        return read(path);
    }
    match seen.actual(path) {
        Some(file) => {
            std::fs::read(&file).map_err(|cause| LockedError::Io { action: "open", path: file, cause })
        }
        None => {
            let cause = io::ErrorKind::NotFound.into();
            Err(LockedError::Io { action: "open", path: String::new(), cause })
        }
    }
}

/// Puts `after` in the place of `before`, unless the file isn't `before` any more.
pub(crate) fn change(path: &str, before: &[u8], after: &[u8]) -> Result<(), LockedError> {
    let io = |action| move |cause| LockedError::Io { action, path: path.to_owned(), cause };
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(path).map_err(io("open"))?;
    file.lock().map_err(io("lock"))?;
    let mut data = Vec::new();
    file.read_to_end(&mut data).map_err(io("read"))?;
    if data != before {
        return Err(LockedError::Changed);
    }
    if data == after {
        return Ok(());
    }
    // The end first: if the disk has no room for a longer file, what is there stays whole.
    if let Some(end) = after.get(data.len()..).filter(|end| !end.is_empty()) {
        let written = file.write_all(end);
        if let Err(cause) = written {
            file.set_len(data.len() as u64).map_err(io("truncate"))?;
            return Err(io("write")(cause));
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(io("seek"))?;
    file.write_all(&after[..after.len().min(data.len())]).map_err(io("write"))?;
    file.set_len(after.len() as u64).map_err(io("truncate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_changed_only_from_what_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f").to_str().unwrap().to_owned();
        for (before, after) in [
            ("", "longer text"),
            ("longer text", "short"),
            ("short", "short and long"),
            ("short and long", ""),
        ] {
            change(&path, before.as_bytes(), after.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap(), after.as_bytes());
        }
        let refused = change(&path, b"other", b"x").unwrap_err();
        assert_eq!(refused.to_string(), "go.mod changed during editing; not overwriting");
        assert_eq!(read(&path).unwrap(), b"");
    }

    #[test]
    fn a_file_that_is_not_there_is_named_in_gos_words() {
        assert_eq!(
            read("/nowhere/go.mod").unwrap_err().to_string(),
            "open /nowhere/go.mod: no such file or directory"
        );
    }
}
