//! Which lines of go.sum a command keeps: those without which the same modules and packages could not be had again.
//!
//! Source of the rules: `cmd/go/internal/modload/init.go:keepSums`.

use std::collections::BTreeSet;

use crate::error::Halt;
use crate::go_version;
use crate::node::{Node, NodeId};
use crate::requirements::Requirements;
use crate::world::{Pruning, World};

/// A package that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedPackage {
    /// Its import path.
    pub path: String,
    /// The module that provides it; `None` where none does.
    pub module: Option<NodeId>,
}

/// The packages that a command loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedPackages {
    /// Neither tests nor the standard library are among them; packages that could not be found are.
    pub packages: Vec<LoadedPackage>,
    /// Whether it was `mod tidy`.
    pub is_tidy: bool,
    /// The Go version of the requirements that they were loaded with.
    pub go_version: String,
}

impl World {
    /// The lines to keep: modules as they are read, with `/go.mod` after the version for the line of the go.mod alone.
    /// Lines of the build list's zips are kept by all commands but tidy (`with_zips`). Directories have no lines.
    ///
    /// # Errors
    /// When the graph must be looked at and isn't known yet.
    pub fn kept_sums(
        &mut self,
        requirements: &Requirements,
        loaded: Option<&LoadedPackages>,
        with_zips: bool,
    ) -> Result<BTreeSet<Node>, Halt> {
        let go = match loaded {
            Some(loaded) => loaded.go_version.clone(),
            None => self.main.go_version(&self.local.version).to_owned(),
        };
        let is_old = go_version::compare(&go, go_version::TIDY_KEEPS_GO_MOD).is_lt();
        let is_tidy = loaded.is_some_and(|loaded| loaded.is_tidy);
        let keeps_go_mods = !(is_old && (is_tidy || !self.is_mod()));
        let mut kept = Kept::default();
        for package in loaded.iter().flat_map(|loaded| &loaded.packages) {
            if let Some(module) = package.module.filter(|_| keeps_go_mods) {
                kept.go_mod(self, module);
            }
            self.keep_possible_modules(requirements, package, &mut kept)?;
        }
        let Some(graph) = requirements.loaded_graph() else {
            for &root in requirements.roots() {
                kept.go_mod(self, root);
                if with_zips {
                    kept.zip(self, root);
                }
            }
            return Ok(kept.0);
        };
        for node in graph.breadth_first(self.nodes()) {
            if graph.required_by(node).is_some() {
                kept.go_mod(self, node);
            }
        }
        for &node in graph.build_list(self.nodes()).iter().filter(|_| with_zips) {
            if keeps_go_mods {
                kept.go_mod(self, node);
            }
            kept.zip(self, node);
        }
        Ok(kept.0)
    }

    /// Keeps the zips of all modules that could provide a package: only they show that no other one does.
    fn keep_possible_modules(
        &mut self,
        requirements: &Requirements,
        package: &LoadedPackage,
        kept: &mut Kept,
    ) -> Result<(), Halt> {
        let is_root = |module: NodeId| requirements.root(self, module.path()) == Some(module);
        let is_from_root = requirements.pruning() == Pruning::Pruned && package.module.is_some_and(is_root);
        let graph = if is_from_root { None } else { Some(requirements.graph(self)?) };
        let mut prefix = Some(package.path.as_str());
        while let Some(path) = prefix {
            prefix = path.rsplit_once('/').map(|(before, _)| before);
            let Some(path) = self.nodes().find_path(path) else { continue };
            let module = match &graph {
                Some(graph) => graph.selected(path),
                None => requirements.root(self, path),
            };
            if let Some(module) = module.filter(|module| !self.nodes().is_none(*module)) {
                kept.zip(self, module);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Kept(BTreeSet<Node>);

impl Kept {
    fn zip(&mut self, world: &mut World, module: NodeId) {
        let actual = world.actual(module);
        let actual = world.nodes().node(actual);
        if !actual.version.is_empty() && !crate::order::is_toolchain(&actual.path) {
            self.0.insert(actual.clone());
        }
    }

    fn go_mod(&mut self, world: &mut World, module: NodeId) {
        let actual = world.actual(module);
        let Node { path, version } = world.nodes().node(actual).clone();
        if !version.is_empty() && !crate::order::is_toolchain(&path) {
            self.0.insert(Node { path, version: format!("{version}/go.mod").into() });
        }
    }
}
