//! Directories that were read, remembered for all targets of a run, and from one run to the next.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::repository::{Repository, Revision};
use crate::memory::Memory;
use crate::overlay::Overlay;
use crate::select::Directory;

/// What was read so far.
///
/// A directory is read once, whatever happens to it meanwhile: all targets of a run see the same files.
#[derive(Debug, Default)]
pub struct Scans {
    memory: Arc<Memory>,
    overlay: Overlay,
    /// Whom to tell the commands that repositories are asked by.
    teller: Option<fn(&str)>,
    directories: Mutex<HashMap<String, Slot>>,
    revisions: Mutex<HashMap<String, Result<Arc<Revision>, String>>>,
}

type Slot = Arc<OnceLock<Result<Arc<Directory>, String>>>;

impl Scans {
    /// Nothing read yet, with what earlier runs remembered.
    pub fn with(memory: Memory) -> Self {
        Self { memory: Arc::new(memory), ..Self::default() }
    }

    /// The same, files being seen through an overlay.
    #[must_use]
    pub fn over(self, overlay: &Overlay) -> Self {
        Self { overlay: overlay.clone(), ..self }
    }

    /// The same; commands that repositories are asked by are told.
    #[must_use]
    pub fn telling(self, teller: fn(&str)) -> Self {
        Self { teller: Some(teller), ..self }
    }

    /// Through what files are seen.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// What is remembered from run to run.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Has what was learned remembered for the next run.
    pub fn keep(&self) {
        if !self.memory.has_news() {
            return;
        }
        let directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        let records = directories.iter().filter_map(|(path, slot)| {
            let directory = slot.get()?.as_ref().ok()?;
            Some((path.clone(), directory.to_record()?))
        });
        self.memory.keep(&records.collect());
    }

    /// The directory, read now or before.
    ///
    /// # Errors
    /// When it can't be read; the text is that of Go's `os` package.
    pub fn directory(&self, path: &str) -> Result<Arc<Directory>, String> {
        let slot = {
            let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(directories.entry(path.to_owned()).or_default())
        };
        let read = || match Directory::read(Path::new(path), &self.memory, &self.overlay) {
            Ok(directory) => Ok(Arc::new(directory)),
            Err(error) => Err(format!("open {path}: {}", system_words(&error))),
        };
        slot.get_or_init(read).clone()
    }

    /// The directory, if it was read.
    pub(crate) fn known_directory(&self, path: &str) -> Option<Arc<Directory>> {
        let directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.get(path)?.get()?.as_ref().ok().map(Arc::clone)
    }

    /// The revision of a repository, asked for now or before.
    pub(super) fn revision(&self, repository: &Repository) -> Result<Arc<Revision>, String> {
        let mut revisions = self.revisions.lock().unwrap_or_else(PoisonError::into_inner);
        let root = repository.root.clone();
        revisions.entry(root).or_insert_with(|| repository.revision(self.teller).map(Arc::new)).clone()
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
