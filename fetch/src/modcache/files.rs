//! Small files of the cache: read whole, and written so that they appear whole.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::ModCacheError;

/// Most files of a cache are smaller.
const USUAL: usize = 4096;

/// The content, or nothing where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ModCacheError> {
    match open(path)? {
        Some(file) => read_whole(file, path).map(Some),
        None => Ok(None),
    }
}

/// The content and what the system says of the file.
pub(super) fn read_with_metadata(path: &Path) -> Result<Option<(Vec<u8>, Metadata)>, ModCacheError> {
    let Some(file) = open(path)? else { return Ok(None) };
    let found = file.metadata().map_err(ModCacheError::io("stat", path))?;
    Ok(Some((read_whole(file, path)?, found)))
}

fn open(path: &Path) -> Result<Option<File>, ModCacheError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModCacheError::io("open", path)(error)),
    }
}

/// Reads to the end: some file systems give less than was wanted before it. A resolution reads thousands of these files,
/// so nobody is asked first how long they are.
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
