//! The packages that were loaded, who imports whom, and the shortest way to each.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go` (`loadPkg`, `buildStacks`, `stackText`, `why`).

use std::collections::HashMap;
use std::fmt::Write;

use modkeep_module::path::check_import_path;

use crate::error::Error;
use crate::node::NodeId;

/// A package in [`Packages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(u32);

impl PackageId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A package, or the test of one.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The import path; that of the tested package if it is a test.
    pub path: String,
    /// The package that this one is the test of.
    pub test_of: Option<PackageId>,
    /// The test, if it was loaded.
    pub test: Option<PackageId>,
    /// The module that provides it; `None` for the standard library and where none does.
    pub module: Option<NodeId>,
    /// Where it is in the module, empty for the root; `None` where it was not found, and for `C`.
    pub directory: Option<String>,
    /// Whether it is one of the standard library's.
    pub is_standard: bool,
    /// What it imports, sorted by path.
    pub imports: Vec<PackageId>,
    /// Modules whose paths would fit as well, but which don't have it.
    pub other_modules: Vec<NodeId>,
    /// Why it could not be loaded.
    pub error: Option<Box<Error>>,
    /// Who imports it on a shortest way from the packages that were asked for; `None` for those.
    pub importer: Option<PackageId>,
    /// Whether it is in `all`: a main module needs it.
    pub is_in_all: bool,
    /// Whether it was asked for.
    pub is_root: bool,
    /// Whether it was asked for, or is behind one that was.
    pub is_from_root: bool,
    pub(crate) test_imports: Vec<String>,
    pub(crate) has_imports: bool,
}

impl Package {
    /// Whether it is the test of another.
    pub fn is_test(&self) -> bool {
        self.test_of.is_some()
    }
}

/// Packages that were loaded.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    pub(crate) packages: Vec<Package>,
    pub(crate) by_path: HashMap<String, PackageId>,
    /// Breadth first from the packages that were asked for.
    pub(crate) order: Vec<PackageId>,
}

impl Packages {
    /// The package with that import path.
    pub fn find(&self, path: &str) -> Option<PackageId> {
        self.by_path.get(path).copied()
    }

    /// A package.
    pub fn get(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    pub(crate) fn get_mut(&mut self, id: PackageId) -> &mut Package {
        &mut self.packages[id.index()]
    }

    /// All packages, tests among them, breadth first from those that were asked for.
    pub fn order(&self) -> &[PackageId] {
        &self.order
    }

    /// The import paths of all packages, tests left out, sorted.
    pub fn paths(&self) -> Vec<&str> {
        let packages = self.order.iter().map(|id| self.get(*id)).filter(|package| !package.is_test());
        let mut paths: Vec<_> = packages.map(|package| package.path.as_str()).collect();
        paths.sort_unstable();
        paths
    }

    /// The module that provides a package.
    pub fn module(&self, path: &str) -> Option<NodeId> {
        self.get(self.find(path)?).module
    }

    /// The import paths in `all`, sorted.
    pub fn all(&self) -> Vec<String> {
        let packages = self.order.iter().map(|id| self.get(*id));
        let in_all = packages.filter(|package| package.is_in_all && !package.is_test());
        let mut paths: Vec<_> = in_all.map(|package| package.path.clone()).collect();
        // What can't be an import path is reported where it is imported.
        paths.retain(|path| check_import_path(path).is_ok());
        paths.sort_unstable();
        paths
    }

    pub(crate) fn add(&mut self, package: Package) -> PackageId {
        let id = PackageId(u32::try_from(self.packages.len()).expect("fewer packages than numbers"));
        self.packages.push(package);
        id
    }

    /// Finds the shortest ways from the packages that were asked for to all others.
    pub(crate) fn build_stacks(&mut self, roots: &[PackageId]) {
        let mut seen = vec![false; self.packages.len()];
        let mut order = roots.to_vec();
        roots.iter().for_each(|root| seen[root.index()] = true);
        let mut next = 0;
        while let Some(&id) = order.get(next) {
            next += 1;
            let package = &self.packages[id.index()];
            let behind: Vec<_> = package.imports.iter().copied().chain(package.test).collect();
            for other in behind {
                if !seen[other.index()] {
                    seen[other.index()] = true;
                    self.packages[other.index()].importer = Some(id);
                    order.push(other);
                }
            }
        }
        self.order = order;
    }

    /// The way to a package, those that were asked for first.
    pub fn stack(&self, id: PackageId) -> Vec<PackageId> {
        let mut stack = vec![id];
        let mut last = id;
        while let Some(importer) = self.get(last).importer {
            stack.push(importer);
            last = importer;
        }
        stack.reverse();
        stack
    }

    /// The way to a package as errors tell it.
    pub fn stack_text(&self, id: PackageId) -> String {
        let stack = self.stack(id);
        let mut text = String::new();
        for (at, &step) in stack.iter().enumerate() {
            let package = self.get(step);
            let test = if package.is_test() { ".test" } else { "" };
            let next = stack.get(at + 1).map(|next| self.get(*next));
            let verb = match next {
                None => "",
                Some(next) if next.test_of == Some(step) => " tested by\n\t",
                Some(_) => " imports\n\t",
            };
            write!(text, "{}{test}{verb}", package.path).expect("a String takes all text");
        }
        text
    }

    /// The way to a package, a line each; `None` where the package was not loaded (`mod why`).
    pub fn why(&self, path: &str) -> Option<String> {
        let stack = self.stack(self.find(path)?);
        let lines = stack.iter().map(|id| {
            let package = self.get(*id);
            format!("{}{}\n", package.path, if package.is_test() { ".test" } else { "" })
        });
        Some(lines.collect())
    }
}
