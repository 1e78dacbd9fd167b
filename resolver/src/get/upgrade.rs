//! What the packages of a `get` import: what is missing, and with `-u` what can be raised.
//!
//! Source of the rules: `cmd/go/internal/modget/get.go` (`loadPackages`, `findAndUpgradeImports`, `applyUpgrades`).

use std::sync::Arc;

use modkeep_module::path::check_path;

use super::perform::is_no_package;
use super::{Getter, PathSet, Update};
use crate::error::{Error, Halt};
use crate::import::ImportError;
use crate::known::Need;
use crate::node::{Node, NodeId};
use crate::packages::{PackageOptions, Packages, Pattern, Silence, Tags};
use crate::query::{Allowed, PatternQuery};
use crate::wildcard::is_path_prefix;
use crate::world::World;

/// Called for each package from a module, and for each that no module has; false if its version has to change.
type Find<'f, 'g> = dyn FnMut(&mut Getter<'g>, &mut World, &str, Option<NodeId>) -> Result<bool, Halt> + 'f;

impl<'g> Getter<'g> {
    /// Loads packages and tells of those whose module may have to change.
    pub(super) fn load(
        &mut self,
        world: &mut World,
        patterns: Vec<Pattern>,
        find: &mut Find<'_, 'g>,
    ) -> Result<(), Halt> {
        let options = PackageOptions {
            patterns,
            tags: Tags::Any,
            loads_tests: self.options.with_tests,
            assumes_roots_imported: true,
            silence: Silence { package_errors: true, ..Silence::default() },
            ..PackageOptions::default()
        };
        let requirements = Arc::clone(&self.requirements);
        let mut allow = |world: &mut World, path: &str, module: NodeId| find(self, world, path, Some(module));
        let loaded = world.load_allowed_packages(&requirements, &options, Some(&mut allow))?;
        self.requirements = loaded.requirements;
        let missing = self.missing(world, &loaded.packages)?;
        self.each(world, missing, |getter, world, path| find(getter, world, &path, None).map(|_| ()))
    }

    /// The packages that another version or another module could provide.
    fn missing(&self, world: &mut World, packages: &Packages) -> Result<Vec<String>, Halt> {
        let mut missing = Vec::new();
        for path in packages.paths() {
            let Some(id) = packages.find(path) else { continue };
            let error = packages.get(id).error.as_deref();
            let can_be_mended =
                matches!(error, Some(Error::Import(ImportError::Missing(_) | ImportError::Ambiguous { .. })));
            if can_be_mended && !self.is_in_workspace(world, path)? {
                missing.push(path.to_owned());
            }
        }
        Ok(missing)
    }

    /// Whether a module of the workspace around the main module has a package.
    fn is_in_workspace(&self, world: &mut World, path: &str) -> Result<bool, Halt> {
        for (module, directory) in &self.options.workspace {
            if !is_path_prefix(path, module) {
                continue;
            }
            let below = path[module.len()..].trim_start_matches('/');
            let id = world.id(directory, "");
            let told = world.known.folder(id, below);
            if told.is_none() {
                let module = Node::new(directory.as_str(), "");
                world.known.need(Need::Folder { module, directory: below.to_owned() });
            }
            if world.known.or_halt(told)?.is_ok_and(|folder| folder.has_go_files) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The alternatives for packages that are missing or can be raised.
    pub(super) fn find_upgrades(&mut self, world: &mut World) -> Result<Vec<PathSet>, Halt> {
        let patterns = self.package_patterns(world)?;
        if patterns.is_empty() {
            return Ok(Vec::new());
        }
        let mut upgrades: Vec<PathSet> = Vec::new();
        self.load(world, patterns, &mut |getter, world, path, module| {
            getter.find_upgrade(world, path, module, &mut upgrades)
        })?;
        upgrades.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(upgrades)
    }

    fn find_upgrade(
        &self,
        world: &mut World,
        path: &str,
        module: Option<NodeId>,
        upgrades: &mut Vec<PathSet>,
    ) -> Result<bool, Halt> {
        let version = match module {
            None => "latest",
            Some(module) => match self.options.update.map(Update::query) {
                // What an argument decided on is not raised by the way.
                Some(version) if !self.resolved.contains_key(&module.path()) => version,
                _ => return Ok(true),
            },
        };
        // Unlike arguments, -u raises what was found so far, for it never contradicts an argument.
        let query = PatternQuery { pattern: path, query: version, allowed: Allowed::AsRequested };
        let found = world.query_packages(query, &|world, path| self.currently(world, path));
        let (providers, error) = match found {
            Ok(found) => (found.providers, None),
            Err(Halt::Error(error)) => (Vec::new(), Some(*error)),
            Err(need) => return Err(need),
        };
        if module.is_some_and(|module| providers.contains(&module)) {
            return Ok(true);
        }
        // No change of version helps; it is reported in the end, with the way that leads to it.
        let is_hopeless =
            |error: &Error| is_no_package(error) || (module.is_none() && check_path(path).is_err());
        if error.as_ref().is_some_and(is_hopeless) {
            return Ok(true);
        }
        if upgrades.iter().all(|before| before.path != path) {
            upgrades.push(PathSet { path: path.to_owned(), providers, module: None, error });
        }
        Ok(false)
    }

    /// Raises what can be raised without contradicting an argument; whether the build list changed.
    pub(super) fn apply_upgrades(&mut self, world: &mut World, upgrades: Vec<PathSet>) -> Result<bool, Halt> {
        let mut tentative = Vec::new();
        for set in upgrades {
            if let Some(error) = set.error {
                self.errors.push(error);
                continue;
            }
            let chosen = match self.disambiguate(world, &set) {
                Ok((_, module)) => module,
                Err(filtered) => self.choose(world, &filtered).1,
            };
            tentative.extend(chosen);
        }
        self.exit_if_errors()?;
        self.update_build_list(world, tentative)
    }
}
