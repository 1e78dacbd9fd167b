//! Small files of the cache: read whole, and written so that they appear whole.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use modkeep_store::{OpenFolder, Stamp};
use tempfile::NamedTempFile;

use super::ModCacheError;

/// Most files of a cache are smaller.
const USUAL: usize = 4096;

/// What was read of a small file.
#[derive(Clone, Debug)]
pub struct Found {
    /// The content, or its beginning.
    pub data: Vec<u8>,
    /// Whether the end was seen. Nearly all file systems give a small file at once, but some don't: who can tell from the
    /// content that it is whole need not ask.
    pub is_whole: bool,
    /// The stamp of the file, where it was asked for.
    pub stamp: Option<Stamp>,
}

/// The folder with the small files. A resolution looks at thousands of them, so the way to it is gone once.
#[derive(Debug)]
pub(super) struct Downloads {
    path: PathBuf,
    folder: OnceLock<Option<OpenFolder>>,
}

impl Downloads {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, folder: OnceLock::new() }
    }

    /// A file by its name in the folder, read with as few calls as can be.
    pub(super) fn read(&self, name: &str, with_stamp: bool) -> Result<Option<Found>, ModCacheError> {
        let path = || self.path.join(name);
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let stamp = if with_stamp { Stamp::of_file(&file) } else { None };
        let mut data = vec![0; USUAL];
        let length = loop {
            match file.read(&mut data) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(ModCacheError::io("read", &path()))?,
            }
        };
        data.truncate(length);
        if length < USUAL {
            return Ok(Some(Found { data, is_whole: length == 0, stamp }));
        }
        file.read_to_end(&mut data).map_err(ModCacheError::io("read", &path()))?;
        Ok(Some(Found { data, is_whole: true, stamp }))
    }

    fn open(&self, name: &str) -> Result<Option<File>, ModCacheError> {
        match self.folder().and_then(|folder| folder.open(name)) {
            Some(file) => Ok(Some(file)),
            // Whoever removed the folder may have made it anew.
            None => open(&self.path.join(name)),
        }
    }

    /// The stamp of a file by its name in the folder.
    pub(super) fn stamp(&self, name: &str) -> Option<Stamp> {
        self.folder()?.stamp(name)
    }

    fn folder(&self) -> Option<&OpenFolder> {
        self.folder.get_or_init(|| OpenFolder::at(&self.path)).as_ref()
    }
}

/// The content, or nothing where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ModCacheError> {
    match open(path)? {
        Some(file) => read_whole(file, path).map(Some),
        None => Ok(None),
    }
}

fn open(path: &Path) -> Result<Option<File>, ModCacheError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModCacheError::io("open", path)(error)),
    }
}

/// Reads to the end: some file systems give less than was wanted before it.
fn read_whole(file: File, path: &Path) -> Result<Vec<u8>, ModCacheError> {
    let mut bytes = Vec::with_capacity(USUAL);
    file.take(u64::MAX).read_to_end(&mut bytes).map_err(ModCacheError::io("read", path))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// The same for a file that is changed in place by who holds its lock.
pub(super) fn read_locked(path: &Path) -> Result<Option<Vec<u8>>, ModCacheError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ModCacheError::io("open", path)(error)),
    };
    file.lock_shared().map_err(ModCacheError::io("lock", path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(ModCacheError::io("read", path))?;
    Ok(Some(bytes))
}

/// Writes beside the final name and renames.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ModCacheError> {
    let mut file = beside(path)?;
    file.write_all(bytes).map_err(ModCacheError::io("write", path))?;
    file.persist(path).map_err(|error| ModCacheError::io("rename", path)(error.error))?;
    Ok(())
}

/// An empty file in the same folder, which is made if need be, called as go calls its own: `NAME….tmp`.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, ModCacheError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(ModCacheError::io("mkdir", folder))?;
    let name = path.file_name().unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder).map_err(ModCacheError::io("open", path))
}
