//! Zips and folders of modules: downloaded, proved and unpacked into the module cache under go's own locks.
//!
//! Source of the rules: `cmd/go/internal/modfetch/fetch.go` (`Download`, `DownloadZip`, `hashZip`, `checkMod`).

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use modkeep_fetch::modcache::Folder;
use modkeep_module::dirhash::hash_zip;
use modkeep_module::hash::H1;
use modkeep_module::zip::Archive;
use modkeep_module::{ModuleVersion, Resource};
use modkeep_resolver::error::{ModuleError, TooNew};
use modkeep_resolver::go_version;
use modkeep_resolver::node::Node;

use super::source::{Source, Stop, TOOLCHAIN};
use super::words;
use crate::report;

/// An error that names nothing but itself.
fn plain(text: impl ToString) -> ModuleError {
    let text = text.to_string();
    ModuleError { module: None, invalid: None, text, kind: modkeep_resolver::error::Fault::Other }
}

impl Source {
    /// The zip of a version, in the cache and checked.
    pub(crate) async fn zip(self: &Arc<Self>, module: &ModuleVersion) -> Result<PathBuf, Stop> {
        let (source, module) = (Arc::clone(self), module.clone());
        let work = self.runtime().spawn_blocking(move || source.make_zip(&module));
        work.await.unwrap_or_else(|error| Err(plain(error).into()))
    }

    /// The folder of a version, complete in the cache and checked.
    pub(crate) async fn folder(self: &Arc<Self>, module: &ModuleVersion) -> Result<PathBuf, Stop> {
        let (source, module) = (Arc::clone(self), module.clone());
        let work = self.runtime().spawn_blocking(move || source.make_folder(&module));
        work.await.unwrap_or_else(|error| Err(plain(error).into()))
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().handle().block_on(work)
    }

    fn make_folder(&self, module: &ModuleVersion) -> Result<PathBuf, Stop> {
        let folder = match self.cache.folder(module).map_err(plain)? {
            Folder::Complete(folder) => folder,
            Folder::Partial(..) | Folder::Absent(_) => {
                self.make_zip(module)?;
                let lock = self.cache.lock(module).map_err(plain)?;
                lock.extract().map_err(|error| {
                    // Go tells it twice, too.
                    report::tell(&format!("-> {error}"));
                    plain(error)
                })?
            }
        };
        self.check_kept(module)?;
        self.check_release(module, &folder)?;
        Ok(folder)
    }

    fn check_release(&self, module: &ModuleVersion, folder: &Path) -> Result<(), Stop> {
        let Ok(text) = std::fs::read_to_string(folder.join("go.mod")) else { return Ok(()) };
        let line = text.lines().find_map(|line| {
            let rest = line.trim().strip_prefix("go")?;
            rest.starts_with([' ', '\t'])
                .then(|| rest.split("//").next().unwrap_or_default().trim().to_owned())
        });
        let version = line.unwrap_or_default();
        if go_version::compare(&version, &self.release).is_gt() {
            let local = self.local.clone();
            let (local, explain) = (local.version, local.explain);
            let error = TooNew { what: module.to_string(), version, local, explain };
            return Err(ModuleError::from(error).into());
        }
        Ok(())
    }

    /// Checks the zip that the cache has by its kept hash; a failure ends the program.
    fn check_kept(&self, module: &ModuleVersion) -> Result<(), Stop> {
        let end = |text: String| Stop::End(format!("verifying {module}: {text}"));
        let hash = match self.cache.zip_hash(module).map_err(|error| end(error.to_string()))? {
            Some(hash) => hash,
            None => {
                let zip = self.cache.file(module, "zip");
                let hash = hash_of(&zip).map_err(|error| end(error.text))?;
                let lock = self.cache.lock(module).map_err(|error| end(error.to_string()))?;
                lock.keep_hash(&hash).map_err(|error| end(error.to_string()))?;
                hash
            }
        };
        self.wait(self.check(module, false, &hash)).map_err(|stop| match stop {
            Stop::End(text) => Stop::End(text),
            Stop::Error(error) => Stop::End(error.to_string()),
        })
    }

    fn make_zip(&self, module: &ModuleVersion) -> Result<PathBuf, Stop> {
        if let Some(zip) = self.cache.zip(module) {
            if !self.sums.lock().has(module.path.as_str(), module.version.as_str()) {
                self.check_kept(module)?;
            }
            return Ok(zip);
        }
        if !self.is_quiet {
            report::tell(&format!("go: downloading {}", called(module)));
        }
        let lock = self.cache.lock(module).map_err(plain)?;
        // Somebody else may have made it while we waited.
        if let Some(zip) = self.cache.zip(module) {
            return Ok(zip);
        }
        let path = self.cache.file(module, "zip");
        if path.is_file() {
            let hash = hash_of(&path)?;
            self.wait(self.check(module, false, &hash))?;
            lock.keep_hash(&hash).map_err(plain)?;
            return Ok(path);
        }
        let mut incoming = lock.incoming().map_err(plain)?;
        self.wait(self.download(module, incoming.file()))?;
        check_names(module, incoming.file())?;
        let hash = hash_file(incoming.file())?;
        self.wait(self.check(module, false, &hash))?;
        Ok(lock.keep(incoming, &hash).map_err(plain)?)
    }

    async fn download(&self, module: &ModuleVersion, file: &mut File) -> Result<(), Stop> {
        let node = Node::new(module.path.as_str(), module.version.as_str());
        let fail = |error| words::of_fetch(&node, &error);
        let answer = self.fetch(&Resource::Zip(module.clone())).await.map_err(fail)?;
        let mut body = answer.body;
        while let Some(part) = body.next().await {
            file.write_all(&part.map_err(fail)?).map_err(plain)?;
        }
        file.flush().and_then(|()| file.rewind()).map_err(plain)?;
        Ok(())
    }
}

/// What is told of a download; a toolchain is called by its release and platform.
fn called(module: &ModuleVersion) -> String {
    let (path, version) = (module.path.as_str(), module.version.as_str());
    let toolchain = version.split_once('-').filter(|_| path == TOOLCHAIN);
    let parts = toolchain.and_then(|(_, name)| name.rsplit_once('.'));
    match parts.and_then(|(release, platform)| Some((release, platform.split_once('-')?))) {
        Some((release, (os, arch))) => format!("{release} ({os}/{arch})"),
        None => format!("{path} {version}"),
    }
}

fn hash_of(zip: &Path) -> Result<H1, ModuleError> {
    hash_file(&File::open(zip).map_err(plain)?)
}

fn hash_file(file: &File) -> Result<H1, ModuleError> {
    let length = file.metadata().map_err(plain)?.len();
    hash_zip(&Archive::open(file, length).map_err(plain)?).map_err(plain)
}

/// Every file of the zip must be in the module's folder.
fn check_names(module: &ModuleVersion, file: &File) -> Result<(), ModuleError> {
    let length = file.metadata().map_err(plain)?.len();
    let archive = Archive::open(file, length).map_err(plain)?;
    let prefix = format!("{module}/");
    for entry in archive.entries() {
        if !entry.name().starts_with(prefix.as_bytes()) {
            let name = String::from_utf8_lossy(entry.name());
            return Err(plain(format!("zip for {module} has unexpected file {name}")));
        }
    }
    Ok(())
}
