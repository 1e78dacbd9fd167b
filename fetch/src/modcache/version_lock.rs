//! The making of one version's zip and folder, by one process at a time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use modkeep_module::ModuleVersion;
use modkeep_module::hash::H1;
use modkeep_module::zip::extract;
use tempfile::NamedTempFile;

use super::{Folder, ModCache, ModCacheError, files};

/// Whoever has it may make the zip and the folder of the version. Dropping it lets the next one in.
pub struct VersionLock<'a> {
    cache: &'a ModCache,
    module: ModuleVersion,
    // Held, not read: the lock ends with it.
    _file: File,
}

/// A zip that is on its way: a file beside its final name, gone when dropped.
pub struct IncomingZip(NamedTempFile);

impl IncomingZip {
    /// The file, to be written and then proved.
    pub fn file(&mut self) -> &mut File {
        self.0.as_file_mut()
    }
}

impl<'a> VersionLock<'a> {
    pub(super) fn take(cache: &'a ModCache, module: &ModuleVersion) -> Result<Self, ModCacheError> {
        let path = cache.file(module, "lock");
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).map_err(ModCacheError::io("mkdir", folder))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(ModCacheError::io("open", &path))?;
        file.lock().map_err(ModCacheError::io("lock", &path))?;
        Ok(Self { cache, module: module.clone(), _file: file })
    }

    /// A place for the zip. What writers before left behind goes: the lock says that they are no more.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn incoming(&self) -> Result<IncomingZip, ModCacheError> {
        let zip = self.cache.file(&self.module, "zip");
        remove_leftovers(&zip, ".tmp");
        Ok(IncomingZip(files::beside(&zip)?))
    }

    /// Keeps a zip whose hash was found to be right: the hash first, so that a zip is never without one.
    ///
    /// # Errors
    /// When the files can't be written.
    pub fn keep(&self, zip: IncomingZip, hash: &H1) -> Result<PathBuf, ModCacheError> {
        self.keep_hash(hash)?;
        let path = self.cache.file(&self.module, "zip");
        zip.0.persist(&path).map_err(|error| ModCacheError::io("rename", &path)(error.error))?;
        Ok(path)
    }

    /// Writes the hash of a zip that is there, under the lock of the file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep_hash(&self, hash: &H1) -> Result<(), ModCacheError> {
        let path = self.cache.file(&self.module, "ziphash");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(ModCacheError::io("open", &path))?;
        file.lock().map_err(ModCacheError::io("lock", &path))?;
        let text = hash.to_string();
        file.set_len(text.len() as u64)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(ModCacheError::io("write", &path))
    }

    /// Unpacks the zip, unless the folder is complete. One that was cut short is removed first.
    ///
    /// # Errors
    /// When the zip breaks the rules or files can't be written; no complete folder is there then.
    pub fn extract(&self) -> Result<PathBuf, ModCacheError> {
        let folder = match self.cache.folder(&self.module)? {
            Folder::Complete(folder) => return Ok(folder),
            Folder::Partial(folder, _) => {
                remove_all(&folder).map_err(ModCacheError::io("remove", &folder))?;
                folder
            }
            Folder::Absent(folder) => folder,
        };
        remove_leftovers(&folder, "");
        let above = folder.parent().unwrap_or(&folder);
        fs::create_dir_all(above).map_err(ModCacheError::io("mkdir", above))?;
        let partial = self.cache.file(&self.module, "partial");
        File::create(&partial).map_err(ModCacheError::io("open", &partial))?;
        if let Err(error) = self.unpack(&folder) {
            if remove_all(&folder).is_ok() {
                // What is left marks a folder that isn't there, which does no harm.
                let _ = fs::remove_file(&partial);
            }
            return Err(error);
        }
        fs::remove_file(&partial).map_err(ModCacheError::io("remove", &partial))?;
        if !self.cache.is_writable {
            make_read_only(&folder);
        }
        Ok(folder)
    }

    fn unpack(&self, folder: &Path) -> Result<(), ModCacheError> {
        let path = self.cache.file(&self.module, "zip");
        let zip = File::open(&path).map_err(ModCacheError::io("open", &path))?;
        let length = zip.metadata().map_err(ModCacheError::io("stat", &path))?.len();
        extract(&zip, length, &self.module, folder)
            .map(|_| ())
            .map_err(|source| ModCacheError::Extract { path, source })
    }
}

/// Removes what begins with the name of `path`, as go names its temporary files and folders, as far as that can be done.
fn remove_leftovers(path: &Path, end: &str) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let begin = if end.is_empty() { format!("{name}.tmp-") } else { name.to_owned() };
    let entries = path.parent().map(fs::read_dir);
    for entry in entries.into_iter().flatten().flatten().flatten() {
        let is_leftover =
            entry.file_name().to_str().is_some_and(|other| other.starts_with(&begin) && other.ends_with(end));
        if is_leftover {
            let _ = remove_all(&entry.path());
        }
    }
}

/// Removes a file or a tree, its read-only folders too; what isn't there is removed already.
fn remove_all(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.is_dir() => return fs::remove_file(path),
        Ok(_) => {}
    }
    set_mode(path, |mode| mode | 0o700)?;
    for entry in fs::read_dir(path)? {
        remove_all(&entry?.path())?;
    }
    fs::remove_dir(path)
}

/// Takes write permission from all folders, the inner ones first, as far as that can be done.
fn make_read_only(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        make_read_only(&entry.path());
    }
    // A folder that stays writable is a folder all the same.
    let _ = set_mode(folder, |mode| mode & !0o222);
}

#[cfg(unix)]
fn set_mode(path: &Path, change: impl FnOnce(u32) -> u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    fs::set_permissions(path, Permissions::from_mode(change(mode)))
}

#[cfg(not(unix))]
fn set_mode(path: &Path, change: impl FnOnce(u32) -> u32) -> io::Result<()> {
    let mut permissions: Permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(change(0o200) & 0o200 == 0);
    fs::set_permissions(path, permissions)
}
