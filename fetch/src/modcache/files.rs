//! Small files of the cache: read whole, and written so that they appear whole.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::ModCacheError;

/// The content, or nothing where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ModCacheError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ModCacheError::io("open", path)(error)),
    }
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
