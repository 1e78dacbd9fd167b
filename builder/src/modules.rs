//! What the loader asks about modules. Who resolves the build list implements it; here is also the simplest of its
//! answers, a build without modules.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A module, as `go list` shows it in packages (`modinfo.ModulePublic`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// Its version; empty for a main module and for a replacement by a folder.
    pub version: String,
    /// What stands in its place.
    pub replace: Option<Box<Module>>,
    /// When the version was made, as RFC 3339.
    pub time: Option<String>,
    /// Whether it is a main module.
    pub main: bool,
    /// Whether no main module imports from it directly, as go.mod says.
    pub indirect: bool,
    /// The folder of its files; empty in builds from a vendor directory.
    pub dir: String,
    /// Its go.mod file; empty like `dir`.
    pub go_mod: String,
    /// Its go line, such as `1.27`; empty without one.
    pub go_version: String,
    /// The checksum of its zip in go.sum; empty without one.
    pub sum: String,
    /// The checksum of its go.mod in go.sum; empty without one.
    pub go_mod_sum: String,
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The module that provides it.
    pub module: Arc<Module>,
    /// The folder of the package.
    pub dir: String,
}

/// Why a package has no place, in go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PlaceError {
    /// The whole message, such as `no required module provides package x; to add it:…`.
    pub text: String,
    /// Whether no module is known to have the package (`modload.ImportMissingError`).
    pub is_missing: bool,
}

/// A main module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MainModule {
    /// The module.
    pub module: Arc<Module>,
    /// What its `ignore` lines say (`golang.org/x/mod/modfile.Ignore`).
    pub ignore: Vec<String>,
}

/// The modules of a build.
///
/// Implementors answer from any thread and give the same answer to the same question. The loader never asks for paths
/// of the standard library, for `C`, and for vendored packages of GOROOT.
pub trait Modules: Send + Sync {
    /// The module and folder that provide a package (`modload.Lookup` after `LoadPackages`).
    ///
    /// # Errors
    /// Where no module, or more than one, provides it; the words are shown as they are.
    fn find(&self, path: &str) -> Result<Place, PlaceError>;

    /// The main modules in order of their paths; none outside of modules.
    fn mains(&self) -> &[MainModule] {
        &[]
    }

    /// The go line of the main module or of go.work (`MainModules.GoVersion`); that of the package's module is taken
    /// where there are no main modules.
    fn go_version(&self) -> &str;

    /// The `godebug` lines of the main module or of go.work.
    fn godebugs(&self) -> &BTreeMap<String, String>;

    /// The packages of the `tool` lines, sorted.
    fn tools(&self) -> &[String] {
        &[]
    }

    /// The vendor directory that packages come from; none for a build from the module cache.
    fn vendor(&self) -> Option<&str> {
        None
    }

    /// Whether modules.txt of the vendor directory names a package.
    fn is_vendored(&self, path: &str) -> bool {
        self.find(path).is_ok()
    }

    /// The other modules of the build list with their folders, in go's order, for patterns such as `example.com/...`;
    /// those that can't be had are left out.
    ///
    /// # Errors
    /// Where the build list can't be had.
    fn others(&self) -> Result<Vec<Arc<Module>>, PlaceError> {
        Ok(Vec::new())
    }

    /// The folders of GOPATH for a build without modules, in which packages are found by their paths and nothing else
    /// here is asked; none with modules.
    fn gopath(&self) -> Option<&[String]> {
        None
    }
}

/// A build without modules (`GO111MODULE=off`): packages lie in GOROOT and in the folders of GOPATH.
#[derive(Debug, Default)]
pub struct Folders {
    folders: Vec<String>,
    godebugs: BTreeMap<String, String>,
}

impl Folders {
    /// The folders of GOPATH.
    pub fn of(folders: Vec<String>) -> Self {
        Self { folders, godebugs: BTreeMap::new() }
    }
}

impl Modules for Folders {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        Err(PlaceError { text: format!("cannot find package {path}"), is_missing: false })
    }

    fn go_version(&self) -> &str {
        // The last release before there were settings (`load.defaultGODEBUGGoVersion`).
        "1.20"
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }

    fn gopath(&self) -> Option<&[String]> {
        Some(&self.folders)
    }
}

/// No modules at all: only the standard library can be loaded.
#[derive(Debug, Default)]
pub struct NoModules {
    godebugs: BTreeMap<String, String>,
}

impl Modules for NoModules {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        let text = format!(
            "no required module provides package {path}: go.mod file not found in current directory or any parent \
             directory; see 'go help modules'"
        );
        Err(PlaceError { text, is_missing: true })
    }

    fn go_version(&self) -> &str {
        ""
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }
}
