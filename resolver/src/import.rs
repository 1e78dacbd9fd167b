//! Which module of the build provides a package.
//!
//! Every prefix of an import path may be a module. In a first pass only the roots are asked; whoever is found there is
//! the answer, and the graph behind is not looked at: that is lazy loading, and it can be seen in errors and in go.sum.
//! Source of the rules: `cmd/go/internal/modload/import.go:importFromModules`.

mod error;
pub(crate) mod vendored;

use std::sync::Arc;

use modkeep_module::path::check_import_path;

pub use self::error::{ImportError, Importer, MissingImport, NotInModule};
use crate::error::{Error, Halt, ModuleError};
use crate::known::Folder;
use crate::module_graph::ModuleGraph;
use crate::mvs::Stop;
use crate::node::{Node, NodeId};
use crate::order;
use crate::packages::is_meta_package;
use crate::requirements::Requirements;
use crate::world::World;

/// Where a package comes from.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module; `None` for the standard library and for `C`.
    pub module: Option<NodeId>,
    /// The package's directory in it, empty for its root; `None` for `C`, which has none.
    pub directory: Option<String>,
    /// What is in the directory; `None` for the standard library.
    pub folder: Option<Arc<Folder>>,
    /// Modules whose paths would fit as well, but which don't have the package.
    pub others: Vec<NodeId>,
}

/// What one pass over the prefixes of a path found.
#[derive(Default)]
struct Pass {
    found: Vec<(NodeId, String, Arc<Folder>)>,
    others: Vec<NodeId>,
    without_sums: Vec<NodeId>,
}

impl World {
    /// Finds the module that provides a package: in the graph, or if none is given in the roots first. The go.mod of
    /// the module must be readable, unless `skip_go_mod` (tidy of old modules).
    ///
    /// # Errors
    /// [`ImportError`], and where something isn't known yet or can't be had.
    pub fn find_import(
        &mut self,
        path: &str,
        requirements: &Requirements,
        graph: Option<Arc<ModuleGraph>>,
        skip_go_mod: bool,
    ) -> Result<Import, Halt> {
        if let Some(problem) = invalid(path) {
            return Err(Error::from(ImportError::Invalid(problem)).into());
        }
        if path == "C" {
            return Ok(Import { module: None, directory: None, folder: None, others: Vec::new() });
        }
        if let Some(module) = self.standard_module.filter(|_| is_standard_path(path)) {
            let told = self.folder(module, path);
            if let Ok(folder) = self.known.or_halt(told)?
                && folder.has_go_files
            {
                let (directory, folder) = (Some(path.to_owned()), Some(folder));
                return Ok(Import { module: Some(module), directory, folder, others: Vec::new() });
            }
        }
        if self.standard.packages.contains(path) {
            let directory = Some(path.to_owned());
            return Ok(Import { module: None, directory, folder: None, others: Vec::new() });
        }
        if self.vendored().is_some() {
            return self.find_vendored(path);
        }
        let mut graph = graph;
        loop {
            let pass = self.look_in_prefixes(path, requirements, graph.as_deref())?;
            if pass.found.len() > 1 || !pass.without_sums.is_empty() {
                return Err(Error::from(self.not_one(path, pass)).into());
            }
            if let Some((module, directory, folder)) = pass.found.into_iter().next() {
                if !skip_go_mod && self.main.find(module.path()).is_none() {
                    self.summary(module).map_err(|stop| match stop {
                        Stop::Missing => self.known.halt(),
                        Stop::Failed(error) => Error::from(error).into(),
                    })?;
                }
                let (directory, folder) = (Some(directory), Some(folder));
                return Ok(Import { module: Some(module), directory, folder, others: pass.others });
            }
            if graph.is_some() {
                return Err(Error::from(ImportError::from(self.missing_import(path))).into());
            }
            graph = Some(requirements.whole_graph(self)?);
        }
    }

    /// The error about a package that no module of the build has.
    pub(crate) fn missing_import(&self, path: &str) -> MissingImport {
        MissingImport {
            path: path.to_owned(),
            is_standard: is_standard_path(path),
            standard_directory: self.standard.directory.clone(),
            is_mod: self.is_mod(),
            allows_missing: self.allows_missing_imports,
            has_no_main: !self.has_main(),
            ..MissingImport::default()
        }
    }

    fn look_in_prefixes(
        &mut self,
        path: &str,
        requirements: &Requirements,
        graph: Option<&ModuleGraph>,
    ) -> Result<Pass, Halt> {
        let mut pass = Pass::default();
        let mut is_missing = false;
        let mut failure = None;
        let mut rest = Some(path);
        while let Some(prefix) = rest {
            rest = prefix.rsplit_once('/').map(|(before, _)| before);
            let Some(id) = self.nodes().find_path(prefix).filter(|_| !order::is_toolchain(prefix)) else {
                continue;
            };
            let module = match graph {
                Some(graph) => graph.selected(id),
                None => requirements.root(self, id),
            };
            let Some(module) = module.filter(|module| !self.nodes().is_none(*module)) else { continue };
            if self.main.find(id) == Some(module) && self.main.module(module).is_none() {
                continue;
            }
            if self.lacks_sum(module) {
                pass.without_sums.push(module);
                continue;
            }
            let directory = path[prefix.len()..].trim_start_matches('/');
            match self.folder(module, directory) {
                None => is_missing = true,
                Some(Err(error)) => {
                    failure.get_or_insert(error);
                }
                Some(Ok(folder)) if folder.has_go_files => {
                    pass.found.push((module, directory.to_owned(), folder));
                }
                Some(Ok(_)) => pass.others.push(module),
            }
        }
        if is_missing {
            return Err(self.known.halt());
        }
        match failure {
            Some(error) => Err(Error::from(error).into()),
            None => Ok(pass),
        }
    }

    /// The directory of a module that a package would be in.
    pub(crate) fn folder(
        &mut self,
        module: NodeId,
        directory: &str,
    ) -> Option<Result<Arc<Folder>, ModuleError>> {
        let actual = self.actual(module);
        let told = self.known.folder(actual, directory)?;
        Some(told.map_err(|error| self.about_replaced(module, actual, error)))
    }

    /// An error about a directory names the module that it replaces.
    pub(crate) fn about_replaced(
        &self,
        module: NodeId,
        actual: NodeId,
        mut error: ModuleError,
    ) -> ModuleError {
        if error.module.is_none() && actual != module && self.nodes().version(actual).is_empty() {
            error.module = Some(self.nodes().node(module).clone());
        }
        error
    }

    /// Whether a zip may not be used for want of its line in go.sum.
    pub(crate) fn lacks_sum(&mut self, module: NodeId) -> bool {
        let actual = self.actual(module);
        let node = self.nodes().node(actual);
        let lacks = |sums: &modkeep_module::GoSum| sums.hashes(&node.path, &node.version).next().is_none();
        !node.version.is_empty() && self.required_sums.as_deref().is_some_and(lacks)
    }

    fn not_one(&self, path: &str, pass: Pass) -> ImportError {
        let node = |id: NodeId| self.nodes().node(id).clone();
        let path = path.to_owned();
        if pass.found.len() > 1 {
            let places = pass.found.iter().rev().map(|(id, _, folder)| (node(*id), folder.shown.clone()));
            return ImportError::Ambiguous { path, places: places.collect() };
        }
        let modules: Vec<Node> = pass.without_sums.iter().rev().map(|id| node(*id)).collect();
        ImportError::MissingSums { path, modules, is_found: !pass.found.is_empty(), importer: None }
    }
}

/// What is wrong with a text that can't be an import path.
fn invalid(path: &str) -> Option<String> {
    let is_local = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
    if path.contains('@') {
        Some(format!("import path \"{path}\" should not have @version"))
    } else if is_local {
        Some(format!("\"{path}\" is relative, but relative import paths are not supported in module mode"))
    } else if path.starts_with('/') {
        Some(format!("\"{path}\" is not a package path; see 'go help packages'"))
    } else if is_meta_package(path) {
        Some(format!("\"{path}\" is not an importable package; see 'go help packages'"))
    } else if path == "C" {
        None
    } else {
        check_import_path(path).err().map(|error| error.to_string())
    }
}

/// Whether a path is reserved for the standard library: its first element has no dot.
pub fn is_standard_path(path: &str) -> bool {
    !path.split('/').next().unwrap_or(path).contains('.')
}
