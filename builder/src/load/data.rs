//! What is known of a package before its imports are followed: its place and the files that are for the target.
//!
//! Reading is the slow part and knows no order, so [`Source::prefetch`] does it on all processors, ahead of the loader
//! that then walks the graph in go's order. Sources: `cmd/go/internal/load/pkg.go:loadPackageData`, `preload`,
//! `cmd/go/internal/modload/load.go:stdVendor`.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Scans;
use crate::build::Build;
use crate::modules::{Module, Modules};
use crate::package::Package;
use crate::path_prefix::has_path_prefix;
use crate::scan::SyntaxError;
use crate::select::{SelectError, Selection};
use crate::tags::Tags;

/// A package's place and files.
#[derive(Debug, Default)]
pub(super) struct Data {
    /// The path that the package has, whoever imports it.
    pub(super) path: String,
    pub(super) dir: String,
    pub(super) root: String,
    pub(super) module: Option<Arc<Module>>,
    pub(super) goroot: bool,
    /// The folder that is found under the same path, without modules.
    pub(super) conflict: String,
    pub(super) selection: Selection,
    pub(super) error: Option<DataError>,
}

#[derive(Debug)]
pub(super) enum DataError {
    NoGoFiles,
    /// The file, and what is wrong with it.
    Syntax(String, SyntaxError),
    Other(String),
    Place(String),
    /// The same, where no module is known to have it.
    Missing(String),
}

/// Who imports.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Importer<'a> {
    /// Its path; empty for the command line.
    pub(super) path: &'a str,
    pub(super) dir: &'a str,
    pub(super) root: &'a str,
    pub(super) is_std: bool,
}

impl<'a> Importer<'a> {
    pub(super) fn of(package: &'a Package) -> Self {
        Self { path: &package.import_path, dir: &package.dir, root: &package.root, is_std: package.standard }
    }

    pub(super) fn of_data(data: &'a Data) -> Self {
        let is_std = data.goroot && is_standard_path(&data.path);
        Self { path: &data.path, dir: &data.dir, root: &data.root, is_std }
    }
}

/// Reads packages for one target.
pub(super) struct Source<'a> {
    pub(super) build: &'a Build,
    pub(super) modules: &'a dyn Modules,
    scans: &'a Scans,
    tags: Tags,
    goroot_src: String,
    packages: Mutex<HashMap<String, Arc<OnceLock<Arc<Data>>>>>,
    /// Whether there is a folder for a path in GOROOT's vendor directories.
    vendored: Mutex<HashMap<String, bool>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(build: &'a Build, modules: &'a dyn Modules, scans: &'a Scans, tags: Tags) -> Self {
        Self {
            build,
            modules,
            scans,
            tags,
            goroot_src: build.toolchain.sources(),
            packages: Mutex::default(),
            vendored: Mutex::default(),
        }
    }

    /// The path of the package that a path means where it is imported; `written` in a source file.
    pub(super) fn resolve(&self, path: &str, importer: &Importer<'_>, written: bool) -> String {
        if self.modules.gopath().is_some() {
            return self.resolve_in_folders(path, importer, written);
        }
        if !importer.is_std || is_standard_path(path) {
            return path.to_owned();
        }
        let folder = if has_path_prefix(importer.path, "cmd") { "cmd/vendor/" } else { "vendor/" };
        let vendored = format!("{folder}{path}");
        let mut known = self.vendored.lock().unwrap_or_else(PoisonError::into_inner);
        let exists = *known
            .entry(vendored.clone())
            .or_insert_with(|| fs::metadata(format!("{}/{vendored}", self.goroot_src)).is_ok());
        if exists { vendored } else { path.to_owned() }
    }

    /// What is known of a package, read now or before.
    pub(super) fn data(&self, path: &str, importer: &Importer<'_>) -> Arc<Data> {
        Arc::clone(self.slot(path).get_or_init(|| Arc::new(self.read(path, importer))))
    }

    fn slot(&self, path: &str) -> Arc<OnceLock<Arc<Data>>> {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        match packages.get(path) {
            Some(slot) => Arc::clone(slot),
            None => Arc::clone(packages.entry(path.to_owned()).or_default()),
        }
    }

    /// Reads the packages and all that they import; with `tests` also what their tests import.
    pub(super) fn prefetch(&self, paths: &[String], tests: bool) {
        rayon::scope(|scope| {
            for path in paths {
                let resolved = self.resolve(path, &Importer::default(), false);
                scope.spawn(move |scope| self.read_ahead(scope, &resolved, &Importer::default(), tests));
            }
        });
    }

    fn read_ahead<'s>(&'s self, scope: &rayon::Scope<'s>, path: &str, importer: &Importer<'_>, tests: bool) {
        if path.starts_with("mod/") || path.contains('@') {
            return;
        }
        let slot = self.slot(path);
        if slot.get().is_some() && !tests {
            return;
        }
        let mut is_new = false;
        let data = Arc::clone(slot.get_or_init(|| {
            is_new = true;
            Arc::new(self.read(path, importer))
        }));
        if !is_new && !tests {
            return;
        }
        let selection = &data.selection;
        let tests = [&selection.test_requests, &selection.outer_test_requests].into_iter().filter(|_| tests);
        for requests in tests.chain([&selection.requests]) {
            for import in requests.imports.keys().filter(|import| !matches!(import.as_str(), "C" | "unsafe"))
            {
                let import = self.resolve(import, &Importer::of_data(&data), true);
                let data = Arc::clone(&data);
                scope.spawn(move |scope| {
                    self.read_ahead(scope, &import, &Importer::of_data(&data), false);
                });
            }
        }
    }

    fn read(&self, path: &str, importer: &Importer<'_>) -> Data {
        if let Some(folders) = self.modules.gopath().filter(|_| path != "C") {
            return self.read_in_folders(path, importer, folders);
        }
        let mut data = Data { path: path.to_owned(), ..Data::default() };
        if path == "C" {
            // Go's loader of modules knows of it what a command line asks for, and passes over it as an import.
            let text = match importer.path {
                "" => "unknown import path \"C\": internal error: module loader did not resolve import",
                _ => "cannot find package",
            };
            data.error = Some(DataError::Place(text.to_owned()));
            return data;
        }
        if is_standard_path(path) && self.is_in_goroot(path) {
            data.dir = format!("{}/{path}", self.goroot_src);
            self.build.toolchain.root.clone_into(&mut data.root);
            data.goroot = true;
            // Go looks for the root under the path as it is imported, and a module may provide that path too.
            let imported = path.strip_prefix("cmd/").unwrap_or(path).strip_prefix("vendor/");
            if let Some(Ok(place)) = imported.map(|path| self.modules.find(path)) {
                data.root.clone_from(&place.module.dir);
            }
        } else {
            match self.modules.find(path) {
                Err(error) => {
                    let kind = if error.is_missing { DataError::Missing } else { DataError::Place };
                    data.error = Some(kind(error.text));
                    return data;
                }
                Ok(place) => {
                    data.goroot = has_path_prefix(&place.dir, &self.goroot_src);
                    data.dir = place.dir;
                    data.root.clone_from(&place.module.dir);
                    data.module = Some(place.module);
                }
            }
        }
        self.read_files(&mut data);
        data
    }

    /// Reads the files of a directory whatever path it has.
    pub(super) fn read_files(&self, data: &mut Data) {
        match self.scans.directory(&data.dir) {
            Err(error) => data.error = Some(DataError::Other(error)),
            Ok(directory) => self.select(data, directory.select(&self.tags)),
        }
    }

    /// Takes a selection of files.
    pub(super) fn select(&self, data: &mut Data, mut selection: Selection) {
        data.error = selection.error.take().map(|error| match error {
            SelectError::NoGoFiles(_) => DataError::NoGoFiles,
            SelectError::Syntax { path, source } if !source.is_parsed => {
                DataError::Syntax(path.to_string_lossy().into_owned(), source)
            }
            other => DataError::Other(other.to_string()),
        });
        data.selection = selection;
    }

    /// Whether a folder of GOROOT holds Go files (`modindex.IsStandardPackage`).
    pub(super) fn is_in_goroot(&self, path: &str) -> bool {
        let dir = format!("{}/{path}", self.goroot_src);
        self.scans.directory(&dir).is_ok_and(|directory| directory.has_go_files())
    }

    /// The path of a package in a folder of a main module; `.` elsewhere (`DirImportPath`).
    pub(super) fn path_of_folder(&self, folder: &str) -> String {
        let mains = self.modules.mains().iter().map(|main| &main.module);
        let inside = mains.filter(|module| has_path_prefix(folder, &module.dir));
        match inside.max_by_key(|module| module.dir.len()) {
            Some(module) => format!("{}{}", module.path, &folder[module.dir.len()..]),
            None => ".".to_owned(),
        }
    }

    pub(super) fn tags(&self) -> &Tags {
        &self.tags
    }

    pub(super) fn scans(&self) -> &'a Scans {
        self.scans
    }

    pub(super) fn goroot_src(&self) -> &str {
        &self.goroot_src
    }
}

/// Whether a path is reserved for the standard library (`search.IsStandardImportPath`).
pub(super) fn is_standard_path(path: &str) -> bool {
    !path.split('/').next().unwrap_or(path).contains('.')
}
