//! What loaded packages say about the requirements, and which modules could provide those that are missing.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go` (`updateRequirements`, `resolveMissingImports`).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::load::Loading;
use super::{Package, PackageId, Packages};
use crate::error::{Error, Halt, TooNew};
use crate::go_version;
use crate::import::ImportError;
use crate::node::{NodeId, PathId};
use crate::requirements::{Requirements, RootChange};
use crate::world::{Mode, World};

impl World {
    /// The module of a package, if it is not a main module.
    pub(super) fn external(&self, package: &Package) -> Option<NodeId> {
        package.module.filter(|module| self.main.find(module.path()).is_none())
    }
}

impl Loading<'_> {
    /// Corrects the requirements; whether that matters to the packages, so that they have to be loaded again.
    pub(super) fn update_requirements(&mut self) -> Result<bool, Halt> {
        let before = Arc::clone(&self.requirements);
        let direct = self.direct_modules(&before)?;
        let add = match &self.options.tidy {
            // While loading goes on, roots are only ever added, so that it ends.
            Some(_) => self.tidy_roots(&before)?.roots().to_vec(),
            None => Vec::new(),
        };
        let providers = self.providers();
        let change = RootChange { direct, providers, add };
        let after = self.world.update_roots(&before, change)?;
        let mut is_changed = false;
        if after.go_version(self.world) != before.go_version(self.world) {
            is_changed = true;
        } else if !Arc::ptr_eq(&after, &before) && after.roots() != before.roots() {
            is_changed = self.changes_a_package(&after)?;
        }
        self.requirements = after;
        Ok(is_changed)
    }

    /// The modules that main modules import from; those that can't be required are errors of the importing package.
    fn direct_modules(&mut self, requirements: &Requirements) -> Result<BTreeSet<PathId>, Halt> {
        let mut direct = match self.options.sees_all_imports() {
            true => BTreeSet::new(),
            false => requirements.direct().clone(),
        };
        let mut newest: Option<TooNew> = None;
        let packages = Arc::clone(&self.packages);
        for &id in packages.order() {
            let package = packages.get(id);
            if let Some(error) = package.error.as_ref().and_then(|error| error.too_new()) {
                let is_newer = |newest: &TooNew| go_version::compare(&error.version, &newest.version).is_gt();
                if newest.as_ref().is_none_or(is_newer) {
                    newest = Some(error.clone());
                }
            }
            let is_main = |module: &NodeId| self.world.main.find(module.path()) == Some(*module);
            if !package.module.as_ref().is_some_and(is_main) {
                continue;
            }
            let mut error = None;
            for &import in &package.imports {
                let imported = packages.get(import);
                let Some(module) = self.world.external(imported) else { continue };
                if self.world.main.is_workspace() {
                    if matches!(self.world.mode, Mode::Vendor(..)) {
                        continue;
                    }
                    if requirements.whole_graph(self.world)?.required_by(module).is_none() {
                        error = Some(self.implicit(package, imported, module));
                    }
                } else if package.error.is_none()
                    && error.is_none()
                    && !self.world.is_mod()
                    && requirements.root(self.world, module.path()) != Some(module)
                {
                    error = Some(self.implicit(package, imported, module));
                    continue;
                }
                direct.insert(module.path());
            }
            if let Some(error) = error {
                let packages = Arc::make_mut(&mut self.packages);
                packages.get_mut(id).error = Some(Box::new(error.into()));
            }
        }
        match newest {
            Some(newest) => Err(Error::TooNew(newest).into()),
            None => Ok(direct),
        }
    }

    fn implicit(&self, package: &Package, imported: &Package, module: NodeId) -> ImportError {
        ImportError::Implicit {
            importer: package.path.clone(),
            path: imported.path.clone(),
            module: self.world.nodes().node(module).clone(),
        }
    }

    /// The modules that have to be roots for the packages that they provide.
    fn providers(&self) -> Vec<NodeId> {
        let mut seen = HashSet::new();
        let packages = self.packages.order().iter().map(|id| self.packages.get(*id));
        let matters = packages.filter(|package| {
            let is_behind = self.options.assumes_roots_imported && package.is_from_root;
            package.is_in_all || package.is_root || is_behind
        });
        let modules = matters.filter_map(|package| self.world.external(package));
        modules.filter(|module| seen.insert(*module)).collect()
    }

    fn changes_a_package(&mut self, requirements: &Requirements) -> Result<bool, Halt> {
        let graph = requirements.whole_graph(self.world)?;
        let packages = Arc::clone(&self.packages);
        let mut is_missing = false;
        for &id in packages.order() {
            let package = packages.get(id);
            if self
                .world
                .external(package)
                .is_some_and(|module| graph.selected(module.path()) != Some(module))
            {
                return Ok(true);
            }
            if package.error.is_some() {
                let found =
                    self.world.find_import(&package.path, requirements, None, self.rules.skips_go_mods);
                match found {
                    Ok(_) => return Ok(true),
                    Err(Halt::Need(needs)) => {
                        self.world.known.put_back(needs);
                        is_missing = true;
                    }
                    Err(Halt::Error(_)) => {}
                }
            }
        }
        if is_missing { Err(self.world.known.halt()) } else { Ok(false) }
    }

    /// The modules to add for missing packages, each with the first package that it would provide.
    pub(super) fn resolve_missing(&mut self) -> Result<BTreeMap<NodeId, PackageId>, Halt> {
        let packages = Arc::clone(&self.packages);
        let requirements = Arc::clone(&self.requirements);
        let is_missing = |id: &&PackageId| {
            let package = packages.get(**id);
            let error = package.error.as_deref();
            !package.is_test() && matches!(error, Some(Error::Import(ImportError::Missing(_))))
        };
        let mut answers = Vec::new();
        let mut is_unknown = false;
        for &id in packages.order().iter().filter(is_missing) {
            match self.world.query_import(&packages.get(id).path, &requirements) {
                Ok(module) => answers.push((id, module)),
                Err(Halt::Need(needs)) => {
                    self.world.known.put_back(needs);
                    is_unknown = true;
                }
                Err(Halt::Error(error)) => {
                    let error = self.with_importing_main(&packages, id, *error);
                    Arc::make_mut(&mut self.packages).get_mut(id).error = Some(Box::new(error));
                }
            }
        }
        if is_unknown {
            return Err(self.world.known.halt());
        }
        self.stop_if_too_new(&packages)?;
        let mut added_by = BTreeMap::new();
        for (id, module) in answers {
            let node = self.world.nodes().node(module);
            let note = format!("found {} in {} {}", packages.get(id).path, node.path, node.version);
            self.world.notes.push(note);
            added_by.entry(module).or_insert(id);
        }
        Ok(added_by)
    }

    fn stop_if_too_new(&mut self, before: &Packages) -> Result<(), Halt> {
        let mut newest: Option<(TooNew, String)> = None;
        for &id in before.order() {
            let package = self.packages.get(id);
            let Some(error) = package.error.as_ref().and_then(|error| error.too_new()) else { continue };
            let is_newer =
                |(newest, _): &(TooNew, String)| go_version::compare(&error.version, &newest.version).is_gt();
            if newest.as_ref().is_none_or(is_newer) {
                newest = Some((error.clone(), package.path.clone()));
            }
        }
        match newest {
            Some((newest, path)) => {
                self.world.notes.push(format!("toolchain upgrade needed to resolve {path}"));
                Err(Error::TooNew(newest).into())
            }
            None => Ok(()),
        }
    }

    /// Says in which main module the package could be added, if that is not the one at hand.
    fn with_importing_main(&self, packages: &Packages, id: PackageId, mut error: Error) -> Error {
        let Error::Import(ImportError::Missing(missing)) = &mut error else { return error };
        let modules = packages.stack(id).into_iter().rev().filter_map(|id| packages.get(id).module);
        let main = modules.into_iter().find(|module| self.world.main.find(module.path()).is_some());
        if main.is_some() && main != self.world.here {
            let module = main.and_then(|main| self.world.main.module(main));
            missing.elsewhere = module.map(|module| module.directory.clone());
        }
        error
    }
}
