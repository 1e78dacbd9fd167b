//! Directories that were read, remembered for all targets of a run.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::select::Directory;

/// What was read so far.
///
/// A directory is read once, whatever happens to it meanwhile: all targets of a run see the same files.
#[derive(Debug, Default)]
pub struct Scans {
    directories: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<OnceLock<Result<Arc<Directory>, String>>>;

impl Scans {
    /// The directory, read now or before.
    ///
    /// # Errors
    /// When it can't be read; the text is that of Go's `os` package.
    pub fn directory(&self, path: &str) -> Result<Arc<Directory>, String> {
        let slot = {
            let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(directories.entry(path.to_owned()).or_default())
        };
        let read = || match Directory::read(Path::new(path)) {
            Ok(directory) => Ok(Arc::new(directory)),
            Err(error) => Err(format!("open {path}: {}", system_words(&error))),
        };
        slot.get_or_init(read).clone()
    }
}

/// What the system says of a failure, in Go's form of its words.
pub(crate) fn system_words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match (chars.next(), error.raw_os_error()) {
        (Some(first), Some(_)) => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
