//! What is told of loaded packages: their errors, modules used twice, modules that nothing needs, lines of go.sum.
//!
//! Source of the rules: the ends of `loadFromRoots` and `LoadPackages` in `cmd/go/internal/modload/load.go`.

use std::collections::HashMap;
use std::sync::Arc;

use modkeep_module::path::check_import_path;

use super::load::Loading;
use crate::error::{Error, Halt};
use crate::import::{ImportError, Importer};
use crate::known::ScanError;
use crate::node::{Node, NodeId};
use crate::requirements::Requirements;
use crate::sums::{LoadedPackage, LoadedPackages};
use crate::world::Pruning;

impl Loading<'_> {
    /// Reports the errors of packages.
    pub(super) fn report_packages(&mut self) {
        let packages = Arc::make_mut(&mut self.packages);
        let mut reports = Vec::new();
        for &id in packages.order().to_vec().iter() {
            let importer = packages.get(id).importer.map(|importer| {
                let importer = packages.get(importer);
                let version = importer.module.map_or("", |module| self.world.nodes().version(module));
                let (path, is_test) = (importer.path.clone(), importer.is_test());
                Importer { path, version: version.to_owned(), is_test }
            });
            let stack = packages.stack_text(id);
            let Some(error) = &mut packages.get_mut(id).error else { continue };
            if let Error::Import(ImportError::MissingSums { importer: place, .. }) = &mut **error {
                *place = importer;
            }
            let silence = self.options.silence;
            let is_missing_standard =
                matches!(&**error, Error::Import(ImportError::Missing(missing)) if missing.is_standard);
            let is_no_go = matches!(**error, Error::Import(ImportError::Scan(ScanError::NoGo)));
            let is_silenced = silence.package_errors
                || (silence.missing_standard && is_missing_standard)
                || (silence.no_go && is_no_go);
            if !is_silenced {
                reports.push(Error::Package { stack, error: error.clone() });
            }
        }
        reports.into_iter().for_each(|error| self.report(error));
    }

    /// A module may be used as itself or in place of one other, not both.
    pub(super) fn check_multiple_paths(&mut self) {
        let modules = match self.requirements.loaded_graph() {
            Some(graph) => graph.build_list(self.world.nodes()).to_vec(),
            None => self.requirements.roots().to_vec(),
        };
        let mut first: HashMap<NodeId, NodeId> = HashMap::new();
        for module in modules {
            let actual = self.world.actual(module);
            let before = *first.entry(actual).or_insert(module);
            if before.path() != module.path() {
                let nodes = self.world.nodes();
                let (Node { path, version }, one, other) =
                    (nodes.node(actual), nodes.path(before.path()), nodes.path(module.path()));
                let text =
                    format!("{path}@{version} used for two different module paths ({one} and {other})");
                // In a workspace this is asked for each of its modules, and told once.
                if !self.world.notes.contains(&text) {
                    self.report(Error::Text(text));
                }
            }
        }
    }

    /// The modules that tidy dropped; only looked for if someone wants to hear of it.
    pub(super) fn unused(&mut self, initial: &Requirements) -> Result<Vec<String>, Halt> {
        if self.options.tidy.is_none() || !self.options.is_verbose {
            return Ok(Vec::new());
        }
        let requirements = Arc::clone(&self.requirements);
        let graph = requirements.graph(self.world)?;
        let is_unused = |root: &&NodeId| match requirements.pruning() {
            Pruning::Unpruned => graph.selected(root.path()).is_none(),
            _ => requirements.root(self.world, root.path()).is_none(),
        };
        let unused = initial.roots().iter().filter(is_unused);
        Ok(unused.map(|root| self.world.nodes().path(root.path()).to_owned()).collect())
    }

    /// The packages as the lines of go.sum depend on them.
    pub(super) fn loaded_sums(&self) -> LoadedPackages {
        let packages = self.packages.order().iter().map(|id| self.packages.get(*id));
        let counts = packages.filter(|package| {
            let has_place = package.module.is_some() || package.error.is_some();
            !package.is_test() && has_place && check_import_path(&package.path).is_ok()
        });
        let packages =
            counts.map(|package| LoadedPackage { path: package.path.clone(), module: package.module });
        LoadedPackages {
            packages: packages.collect(),
            is_tidy: self.options.tidy.is_some(),
            go_version: self.requirements.go_version(self.world).to_owned(),
        }
    }
}
