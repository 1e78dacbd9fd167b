//! Small files of the cache: read whole, and written so that they appear whole.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

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
    /// The state of the file, as [`ModCache::state`](super::ModCache::state) tells it.
    pub state: Option<[u64; 5]>,
}

/// The folder with the small files. A resolution looks at thousands of them, so the way to it is gone once.
#[derive(Debug)]
pub(super) struct Downloads {
    path: PathBuf,
    #[cfg(unix)]
    folder: std::sync::OnceLock<Option<std::os::fd::OwnedFd>>,
}

impl Downloads {
    pub(super) fn at(path: PathBuf) -> Self {
        Self {
            path,
            #[cfg(unix)]
            folder: std::sync::OnceLock::new(),
        }
    }

    /// A file by its name in the folder, read with as few calls as can be.
    pub(super) fn read(&self, name: &str, with_state: bool) -> Result<Option<Found>, ModCacheError> {
        let path = || self.path.join(name);
        let Some(mut file) = self.open(name)? else { return Ok(None) };
        let state = if with_state { state_of(&file) } else { None };
        let mut data = vec![0; USUAL];
        let length = loop {
            match file.read(&mut data) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(ModCacheError::io("read", &path()))?,
            }
        };
        data.truncate(length);
        if length < USUAL {
            return Ok(Some(Found { data, is_whole: length == 0, state }));
        }
        file.read_to_end(&mut data).map_err(ModCacheError::io("read", &path()))?;
        Ok(Some(Found { data, is_whole: true, state }))
    }

    fn open(&self, name: &str) -> Result<Option<File>, ModCacheError> {
        #[cfg(unix)]
        if let Some(folder) = self.folder() {
            use rustix::fs::{Mode, OFlags};
            if let Ok(file) =
                rustix::fs::openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            {
                return Ok(Some(file.into()));
            }
        }
        // Whoever removed the folder may have made it anew.
        open(&self.path.join(name))
    }

    /// The state of a file by its name in the folder.
    pub(super) fn state(&self, name: &str) -> Option<[u64; 5]> {
        #[cfg(unix)]
        return numbers(&rustix::fs::statat(self.folder()?, name, rustix::fs::AtFlags::empty()).ok()?);
        #[cfg(not(unix))]
        None
    }

    #[cfg(unix)]
    fn folder(&self) -> Option<&std::os::fd::OwnedFd> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        self.folder.get_or_init(|| rustix::fs::open(&self.path, flags, Mode::empty()).ok()).as_ref()
    }
}

#[cfg(unix)]
fn state_of(file: &File) -> Option<[u64; 5]> {
    numbers(&rustix::fs::fstat(file).ok()?)
}

/// Elsewhere times can be set at will.
#[cfg(not(unix))]
fn state_of(_: &File) -> Option<[u64; 5]> {
    None
}

#[cfg(unix)]
fn numbers(found: &rustix::fs::Stat) -> Option<[u64; 5]> {
    let time = |seconds: i64, more: i64| seconds.checked_mul(1_000_000_000)?.checked_add(more);
    let content = time(found.st_mtime, i64::try_from(found.st_mtime_nsec).ok()?)?;
    let state = time(found.st_ctime, i64::try_from(found.st_ctime_nsec).ok()?)?;
    let size = u64::try_from(found.st_size).ok()?;
    Some([found.st_dev, found.st_ino, size, content.cast_unsigned(), state.cast_unsigned()])
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
