//! GOMODCACHE: modules on the client's disk, laid out as the go command lays them out and shared with it.
//!
//! Both tools may work in one cache at the same time, because both keep go's rules: small files appear whole by a
//! rename, `list` is rewritten under its own lock, and zips and folders of a version are made only by who holds the
//! version's `.lock`. A folder counts as complete only beside a `.ziphash` and without a `.partial`; one that was cut
//! short is removed and made anew. Nothing here is believed: whoever reads compares with go.sum.
//!
//! Nothing is synced, as in go: a cache can be fetched again. All calls block.
//! Source of the rules: `cmd/go/internal/modfetch/{cache,fetch}.go`.

mod error;
mod files;
mod list;
mod version_lock;

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use modkeep_module::ModuleVersion;
use modkeep_module::escape::push_escaped;
use modkeep_module::hash::H1;
use modkeep_store::Stamp;

pub use error::ModCacheError;
pub use files::Found;
pub use version_lock::{IncomingZip, VersionLock};

/// A module cache.
#[derive(Clone, Debug)]
pub struct ModCache {
    root: PathBuf,
    is_writable: bool,
    downloads: Arc<files::Downloads>,
}

/// The folder of a module version in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// All files are there.
    Complete(PathBuf),
    /// Something is there that is not the whole module; the text says why.
    Partial(PathBuf, &'static str),
    /// Nothing is there.
    Absent(PathBuf),
}

impl ModCache {
    /// The cache in a folder, which need not be there yet. With `is_writable` (go's `-modcacherw`) the folders of
    /// modules stay writable.
    ///
    /// # Errors
    /// When the path is relative, or leads to something that is no folder.
    pub fn at(root: &Path, is_writable: bool) -> Result<Self, ModCacheError> {
        if !root.is_absolute() {
            return Err(ModCacheError::Relative(root.to_owned()));
        }
        match fs::metadata(root) {
            Ok(found) if !found.is_dir() => return Err(ModCacheError::NoFolder(root.to_owned())),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ModCacheError::io("stat", root)(error));
            }
            _ => {}
        }
        let downloads = Arc::new(files::Downloads::at(root.join("cache/download")));
        Ok(Self { root: root.to_owned(), is_writable, downloads })
    }

    /// The folder of the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a version, such as `cache/download/rsc.io/quote/@v/v1.5.2.info` for the suffix `info`.
    pub fn file(&self, module: &ModuleVersion, suffix: &str) -> PathBuf {
        let name = format!("{}.{suffix}", module.version.escaped());
        self.at_versions(module, &name)
    }

    fn versions_folder(&self, module: &ModuleVersion) -> PathBuf {
        self.at_versions(module, "")
    }

    /// What has that name in the folder of a module's versions. Asked for thousands of times, so it is made in one piece.
    fn at_versions(&self, module: &ModuleVersion, name: &str) -> PathBuf {
        let path = module.path.escaped();
        let length = self.root.as_os_str().len() + path.len() + name.len();
        let mut whole = OsString::with_capacity(length + "/cache/download/".len() + "/@v/".len());
        for part in [self.root.as_os_str(), "/cache/download/".as_ref(), path.as_ref(), "/@v".as_ref()] {
            whole.push(part);
        }
        if !name.is_empty() {
            whole.push("/");
            whole.push(name);
        }
        whole.into()
    }

    /// The `.info` as it was kept.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn info(&self, module: &ModuleVersion) -> Result<Option<Vec<u8>>, ModCacheError> {
        files::read(&self.file(module, "info"))
    }

    /// Keeps an `.info`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep_info(&self, module: &ModuleVersion, info: &[u8]) -> Result<(), ModCacheError> {
        files::write(&self.file(module, "info"), info)
    }

    /// The go.mod as it was kept.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn go_mod(&self, module: &ModuleVersion) -> Result<Option<Vec<u8>>, ModCacheError> {
        Ok(files::read(&self.file(module, "mod"))?.filter(|text| !is_of_early_release(text)))
    }

    /// The go.mod as it was kept, read as quickly as can be, and the stamp of its file if that is wanted.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn quick_go_mod(
        &self,
        module: &ModuleVersion,
        with_stamp: bool,
    ) -> Result<Option<Found>, ModCacheError> {
        let name = Self::name(module.path.as_str(), module.version.as_str(), "mod");
        let found = self.downloads.read(&name, with_stamp)?;
        Ok(found.filter(|found| !is_of_early_release(&found.data)))
    }

    /// The same of the `.info`.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn quick_info(
        &self,
        module: &ModuleVersion,
        with_stamp: bool,
    ) -> Result<Option<Found>, ModCacheError> {
        self.downloads.read(&Self::name(module.path.as_str(), module.version.as_str(), "info"), with_stamp)
    }

    /// The stamp of a file of a version. None where there is no file, or stamps are not to be had.
    pub fn stamp(&self, path: &str, version: &str, suffix: &str) -> Option<Stamp> {
        self.downloads.stamp(&Self::name(path, version, suffix))
    }

    /// `rsc.io/quote/@v/v1.5.2.info`
    fn name(path: &str, version: &str, suffix: &str) -> String {
        let mut name = String::with_capacity(path.len() + version.len() + suffix.len() + 16);
        push_escaped(&mut name, path);
        name.push_str("/@v/");
        push_escaped(&mut name, version);
        name.push('.');
        name.push_str(suffix);
        name
    }

    /// Keeps a go.mod, and the version in the list of those that have one.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep_go_mod(&self, module: &ModuleVersion, text: &[u8]) -> Result<(), ModCacheError> {
        files::write(&self.file(module, "mod"), text)?;
        list::rewrite(&self.versions_folder(module))
    }

    /// The hash that was found when the zip came; nothing where the file is missing or damaged.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn zip_hash(&self, module: &ModuleVersion) -> Result<Option<H1>, ModCacheError> {
        let text = files::read_locked(&self.file(module, "ziphash"))?;
        Ok(text.and_then(|text| H1::parse(std::str::from_utf8(&text).ok()?.trim()).ok()))
    }

    /// The zip, if it and its hash are there.
    pub fn zip(&self, module: &ModuleVersion) -> Option<PathBuf> {
        let zip = self.file(module, "zip");
        (zip.is_file() && self.file(module, "ziphash").is_file()).then_some(zip)
    }

    /// The folder of a version: `rsc.io/quote@v1.5.2`.
    ///
    /// # Errors
    /// When the system doesn't say what is there.
    pub fn folder(&self, module: &ModuleVersion) -> Result<Folder, ModCacheError> {
        let name = format!("{}@{}", module.path.escaped(), module.version.escaped());
        let folder = self.root.join(name);
        match fs::metadata(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Folder::Absent(folder)),
            Err(error) => return Err(ModCacheError::io("stat", &folder)(error)),
            Ok(found) if !found.is_dir() => return Ok(Folder::Partial(folder, "not a directory")),
            Ok(_) => {}
        }
        if self.file(module, "partial").exists() {
            return Ok(Folder::Partial(folder, "not completely extracted"));
        }
        if !self.file(module, "ziphash").exists() {
            return Ok(Folder::Partial(folder, "ziphash file is missing"));
        }
        Ok(Folder::Complete(folder))
    }

    /// Waits until nobody else, go included, makes the zip or the folder of this version.
    ///
    /// # Errors
    /// When the lock file can't be made or locked.
    pub fn lock(&self, module: &ModuleVersion) -> Result<VersionLock<'_>, ModCacheError> {
        VersionLock::take(self, module)
    }
}

/// Files that early releases made up count as absent.
fn is_of_early_release(go_mod: &[u8]) -> bool {
    go_mod.starts_with(b"//vgo 0.0.")
}
