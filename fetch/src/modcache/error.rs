//! What can go wrong with files of a module cache.

use std::io;
use std::path::{Path, PathBuf};

use modkeep_module::zip::ExtractError;

/// A failure of the cache on disk.
#[derive(Debug, thiserror::Error)]
pub enum ModCacheError {
    /// GOMODCACHE must be absolute.
    #[error("GOMODCACHE entry is relative; must be absolute path: {0:?}.\n")]
    Relative(PathBuf),
    /// Something else stands where the cache should be.
    #[error("could not create module cache: {0:?} is not a directory")]
    NoFolder(PathBuf),
    /// A file or folder could not be used.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// `open`, `rename` …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A zip could not be unpacked.
    #[error("unzip {}: {source}", path.display())]
    Extract {
        /// The zip.
        path: PathBuf,
        /// Why.
        source: ExtractError,
    },
}

impl ModCacheError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
