//! The rounds of loading: walk, correct the requirements, add what is missing, until nothing changes.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go` (`LoadPackages`, `loadFromRoots`, `preloadRootModules`).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::walk::{Allow, Rules};
use super::{Loaded, Match, PackageId, PackageOptions, Packages, Tags};
use crate::error::{Error, Halt};
use crate::go_version;
use crate::import::ImportError;
use crate::node::NodeId;
use crate::requirements::{Expanded, Requirements, RootChange};
use crate::world::{Pruning, World};

/// A bound on rounds, each of which raises a root or adds one: more than any module has.
const MOST_ROUNDS: usize = 100_000;

/// The state of loading.
pub(super) struct Loading<'a> {
    pub(super) world: &'a mut World,
    pub(super) options: &'a PackageOptions,
    pub(super) requirements: Arc<Requirements>,
    pub(super) packages: Arc<Packages>,
    pub(super) rules: Rules,
    pub(super) errors: Vec<Error>,
}

impl World {
    /// Loads packages and corrects the requirements by what they need (`LoadPackages`).
    ///
    /// # Errors
    /// When something isn't known yet, or loading can't go on. Errors that are reported at the end are in the answer.
    pub fn load_packages(
        &mut self,
        initial: &Arc<Requirements>,
        options: &PackageOptions,
    ) -> Result<Loaded, Halt> {
        self.load_allowed_packages(initial, options, None)
    }

    /// As [`World::load_packages`]; `allow` may refuse the version of a module that packages come from.
    pub(crate) fn load_allowed_packages(
        &mut self,
        initial: &Arc<Requirements>,
        options: &PackageOptions,
        mut allow: Option<&mut Allow<'_>>,
    ) -> Result<Loaded, Halt> {
        let rules = Rules {
            tags: options.tags,
            loads_tests: options.loads_tests,
            all_is_root: options.patterns.iter().any(super::Pattern::is_all),
            all_closes_over_tests: false,
            skips_go_mods: false,
        };
        let mut loading = Loading {
            world: self,
            options,
            requirements: Arc::clone(initial),
            packages: Arc::default(),
            rules,
            errors: Vec::new(),
        };
        let first_matches = loading.run(&mut allow)?;
        loading.exit_if_errors()?;
        if let Some(tidy) = &options.tidy {
            loading.make_tidy(tidy)?;
            loading.exit_if_errors()?;
        }
        loading.report_packages();
        loading.check_multiple_paths();
        let matches = loading.match_finally(first_matches)?;
        loading.finish(initial, matches)
    }
}

impl Loading<'_> {
    /// Notes an error that does not stop loading at once.
    pub(super) fn report(&mut self, error: Error) {
        match self.options.allows_errors {
            true => self.world.notes.push(error.to_string()),
            false => self.errors.push(error),
        }
    }

    pub(super) fn exit_if_errors(&mut self) -> Result<(), Halt> {
        match self.errors.len() {
            0 => Ok(()),
            1 => Err(self.errors.remove(0).into()),
            _ => Err(Error::Several(std::mem::take(&mut self.errors)).into()),
        }
    }

    /// The error of a step, if it failed for good.
    pub(super) fn tried<T>(step: Result<T, Halt>) -> Result<Result<T, Error>, Halt> {
        match step {
            Ok(value) => Ok(Ok(value)),
            Err(Halt::Error(error)) => Ok(Err(*error)),
            Err(need) => Err(need),
        }
    }

    fn run(&mut self, allow: &mut Option<&mut Allow<'_>>) -> Result<Vec<Match>, Halt> {
        if self.requirements.pruning() == Pruning::Unpruned {
            let Expanded { requirements, error, .. } = self.world.expand(&self.requirements)?;
            self.requirements = requirements;
            error.into_iter().for_each(|error| self.report(error));
        }
        self.exit_if_errors()?;
        let mut matches = Vec::new();
        for _ in 0..MOST_ROUNDS {
            self.update_rules()?;
            matches = self.match_patterns(None)?;
            let mut paths: Vec<String> = Vec::new();
            let mut seen = HashSet::new();
            for path in matches.iter().flat_map(|found| &found.packages) {
                if seen.insert(path) {
                    paths.push(path.clone());
                }
            }
            if self.requirements.pruning() == Pruning::Pruned
                && self.world.is_mod()
                && self.preload_roots(&paths)?
            {
                continue;
            }
            let walked = self.world.walk(&self.requirements, &self.rules, &paths, allow.as_deref_mut());
            self.packages = walked?;
            match Self::tried(self.update_requirements())? {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    self.report(error);
                    break;
                }
            }
            let may_add = self.world.has_main() || self.world.allows_missing_imports;
            if !self.options.resolves_missing || !may_add || !self.add_missing()? {
                break;
            }
        }
        Ok(matches)
    }

    fn match_patterns(&mut self, loaded: Option<&Packages>) -> Result<Vec<Match>, Halt> {
        let PackageOptions { patterns, tags, main_module, .. } = self.options;
        self.world.match_patterns(patterns, *tags, *main_module, &self.requirements, loaded)
    }

    /// The Go version whose rules hold for this round, and what follows from it.
    fn update_rules(&mut self) -> Result<(), Halt> {
        let wanted = self.options.tidy.as_ref().and_then(|tidy| tidy.go_version.clone());
        let go = wanted.unwrap_or_else(|| self.requirements.go_version(self.world).to_owned());
        if self.requirements.pruning() != Pruning::Workspace {
            let converted = self.world.convert_pruning(&self.requirements, Pruning::of(&go));
            match Self::tried(converted)? {
                Ok(requirements) => self.requirements = requirements,
                Err(error) => {
                    self.report(error);
                    self.exit_if_errors()?;
                }
            }
        }
        let is_before = |version| go_version::compare(&go, version).is_lt();
        self.rules.skips_go_mods = self.options.tidy.is_some() && is_before(go_version::TIDY_KEEPS_GO_MOD);
        self.rules.all_closes_over_tests = is_before(go_version::NARROW_ALL) && !self.options.uses_vendor_all;
        Ok(())
    }

    /// Makes the modules of the packages that are asked for roots, before anything behind them is looked at; whether
    /// the roots changed.
    fn preload_roots(&mut self, paths: &[String]) -> Result<bool, Halt> {
        let mut needed = Vec::new();
        let mut is_missing = false;
        let requirements = Arc::clone(&self.requirements);
        for path in paths {
            let module = match self.module_for_root(path, &requirements) {
                Ok(module) => module,
                Err(Halt::Need(needs)) => {
                    self.world.known.put_back(needs);
                    is_missing = true;
                    continue;
                }
                // It is reported when the package is loaded.
                Err(Halt::Error(_)) => continue,
            };
            let Some(module) = module else { continue };
            let root = requirements.root(self.world, module.path());
            if root != Some(module) && !needed.contains(&module) {
                needed.push(module);
            }
        }
        if is_missing {
            return Err(self.world.known.halt());
        }
        if needed.is_empty() {
            return Ok(false);
        }
        self.world.nodes().sort(&mut needed);
        let direct = requirements.direct().clone();
        let change = RootChange { direct, add: needed, ..RootChange::default() };
        match Self::tried(self.world.update_roots(&requirements, change))? {
            Ok(updated) if updated.roots() != requirements.roots() => {
                self.requirements = updated;
                Ok(true)
            }
            // Adding changed nothing: what was found is reported, or found again, when the package is loaded.
            Ok(_) => Ok(false),
            Err(error) => {
                self.report(error);
                self.exit_if_errors()?;
                Ok(false)
            }
        }
    }

    fn module_for_root(&mut self, path: &str, requirements: &Requirements) -> Result<Option<NodeId>, Halt> {
        let found = self.world.find_import(path, requirements, None, self.rules.skips_go_mods);
        match found {
            Ok(import) => Ok(import.module),
            Err(Halt::Error(error))
                if matches!(*error, Error::Import(ImportError::Missing(_)))
                    && self.options.resolves_missing =>
            {
                self.world.query_import(path, requirements).map(Some)
            }
            Err(halt) => Err(halt),
        }
    }

    /// Adds modules for the packages that none provides; whether any was added.
    fn add_missing(&mut self) -> Result<bool, Halt> {
        let added_by = match Self::tried(self.resolve_missing())? {
            Ok(added_by) => added_by,
            Err(error) => {
                self.report(error);
                return Ok(false);
            }
        };
        if added_by.is_empty() {
            return Ok(false);
        }
        let mut add: Vec<_> = added_by.keys().copied().collect();
        self.world.nodes().sort(&mut add);
        let direct = self.requirements.direct().clone();
        let change = RootChange { direct, add, ..RootChange::default() };
        match Self::tried(self.world.update_roots(&self.requirements, change))? {
            Ok(updated) if updated.roots() != self.requirements.roots() => {
                self.requirements = updated;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => {
                let error = self.told_by_package(error, &added_by);
                self.report(error);
                Ok(false)
            }
        }
    }

    /// An error about a module that was added for a package, told with the way to the package.
    fn told_by_package(&mut self, error: Error, added_by: &BTreeMap<NodeId, PackageId>) -> Error {
        let Error::BuildList(error) = error else { return error };
        let node = error.node().cloned();
        let id = node.and_then(|node| self.world.nodes().find(&node.path, &node.version));
        match id.and_then(|id| added_by.get(&id)) {
            Some(&package) => Error::Package {
                stack: self.packages.stack_text(package),
                error: Box::new(Error::Module(error.cause)),
            },
            None => Error::BuildList(error),
        }
    }

    fn match_finally(&mut self, first: Vec<Match>) -> Result<Vec<Match>, Halt> {
        let packages = Arc::clone(&self.packages);
        let mut matches = self.match_patterns(Some(&packages))?;
        for (found, first) in matches.iter_mut().zip(first) {
            if found.pattern == "all" {
                found.errors = first.errors;
            }
        }
        if !self.options.silence.package_errors {
            for error in matches.iter().flat_map(|found| &found.errors) {
                self.report(Error::Text(error.clone()));
            }
        }
        self.exit_if_errors()?;
        if !self.options.silence.unmatched {
            let unmatched = |found: &&Match| found.packages.is_empty() && found.errors.is_empty();
            for found in matches.iter().filter(unmatched) {
                self.world.notes.push(format!("warning: {:?} matched no packages", found.pattern));
            }
        }
        Ok(matches)
    }

    fn finish(mut self, initial: &Requirements, matches: Vec<Match>) -> Result<Loaded, Halt> {
        let unused = self.unused(initial)?;
        let sums = self.loaded_sums();
        let mut kept_sums = None;
        let mut kept_for_diff = None;
        let mut advice = String::new();
        if let Some(tidy) = &self.options.tidy {
            let requirements = Arc::clone(&self.requirements);
            let mut kept = self.world.kept_sums(&requirements, Some(&sums), false)?;
            let compatible = self.compatible_version(tidy);
            if Pruning::of(&compatible) != requirements.pruning() {
                let (older, told) = self.check_compatible(&compatible)?;
                advice = told;
                kept.extend(self.world.kept_sums(&older, Some(&sums), false)?);
            }
            kept_for_diff = Some(match go_version::compare(&compatible, "1.16").is_gt() {
                true => self.world.kept_sums(&requirements, Some(&sums), true)?,
                false => kept.clone(),
            });
            kept_sums = Some(kept);
        }
        let Self { requirements, packages, errors, .. } = self;
        Ok(Loaded { requirements, packages, matches, errors, sums, kept_sums, kept_for_diff, unused, advice })
    }
}

/// Whether build constraints of the platform count.
impl PackageOptions {
    pub(super) fn sees_all_imports(&self) -> bool {
        self.tags == Tags::Any && self.patterns.iter().any(super::Pattern::is_all)
    }
}
