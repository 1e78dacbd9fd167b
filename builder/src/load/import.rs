//! One import: the package that a path means, loaded if it isn't yet, and whether the importer may have it.

use modkeep_module::file_path;

use super::data::Importer;
use super::error::{is_shorter, step};
use super::one::first_error_of;
use super::{Loader, Match, MatchError, Mode, PackageError, Problem};
use crate::package::{Package, PackageId};
use crate::select::Place;

impl Loader<'_> {
    /// Loads the package that a path means where `parent` imports it, and says why it may not (`loadImport`).
    pub(super) fn import(
        &mut self,
        path: &str,
        parent: Option<PackageId>,
        places: &[Place],
        mode: Mode,
    ) -> (PackageId, Option<PackageError>) {
        let parent_dir = parent.map_or_else(String::new, |id| self.graph[id].dir.clone());
        if let Some(problem) = refused(path) {
            return (self.add_broken(path, places, problem), None);
        }
        let importer = parent.map_or_else(Importer::default, |id| Importer::of(&self.graph[id]));
        let resolved = self.source.resolve(path, &importer, mode.resolves);
        let id = match self.by_path.get(&resolved) {
            Some(&id) => {
                self.stack.push(step(path, places));
                self.reuse(id);
                self.stack.pop();
                id
            }
            None => {
                let data = self.source.data(&resolved, &importer);
                let local_prefix = self.source.local_prefix(path, &data);
                let id =
                    self.add(Package { import_path: resolved.clone(), local_prefix, ..Package::default() });
                self.by_path.insert(resolved, id);
                self.name_on_command_line(id, mode);
                self.load_one(id, path, places, &data, &parent_dir);
                id
            }
        };
        self.name_on_command_line(id, mode);
        let problem = self.refusal(id, path, parent, mode);
        (id, problem.map(|error| self.with_position(error, &parent_dir, places)))
    }

    pub(super) fn add(&mut self, package: Package) -> PackageId {
        self.finished.push(false);
        self.graph.add(package)
    }

    fn name_on_command_line(&mut self, id: PackageId, mode: Mode) {
        let package = &mut self.graph[id];
        package.cmdline_package |= mode.cmdline_package;
        package.cmdline_literal |= mode.cmdline_literal;
    }

    /// A package that can't even be looked for.
    fn add_broken(&mut self, path: &str, places: &[Place], problem: Problem) -> PackageId {
        self.stack.push(step(path, places));
        let error = PackageError::new(problem, &self.stack);
        self.stack.pop();
        let id = self.add(Package {
            import_path: path.to_owned(),
            incomplete: true,
            error: Some(error),
            ..Package::default()
        });
        self.finished[id.index()] = true;
        id
    }

    /// A package that stands for what a pattern couldn't be matched for.
    pub(super) fn add_unmatched(&mut self, found: &Match, error: &MatchError) -> PackageId {
        let mut package = Package {
            import_path: found.pattern.clone(),
            matches: vec![found.pattern.clone()],
            cmdline_package: true,
            cmdline_literal: found.is_literal(),
            incomplete: true,
            ..Package::default()
        };
        let problem = match error {
            MatchError::NoGoFiles(dir) => {
                package.dir.clone_from(dir);
                Problem::NoGoFiles { dir: dir.clone() }
            }
            MatchError::Text(text) | MatchError::Outside(text) if found.is_literal() => {
                Problem::Pattern(text.clone())
            }
            MatchError::Text(text) | MatchError::Outside(text) => {
                Problem::Pattern(format!("pattern {}: {text}", found.pattern))
            }
        };
        package.error = Some(PackageError::new(problem, &Vec::new()));
        let id = self.add(package);
        self.finished[id.index()] = true;
        id
    }

    /// Notices a cycle, and a shorter way to an error (`reusePackage`).
    fn reuse(&mut self, id: PackageId) {
        let is_loading = !self.finished[id.index()];
        let package = &mut self.graph[id];
        if is_loading {
            package.incomplete = true;
            let error = package.error.get_or_insert_with(|| PackageError::new(Problem::Cycle, &self.stack));
            error.is_cycle = true;
        }
        if let Some(error) = &mut package.error
            && !error.is_cycle
            && !error.import_stack.is_empty()
            && is_shorter(&self.stack, &error.import_stack)
        {
            error.import_stack.clone_from(&self.stack);
        }
    }

    /// The error at the place where the importer in `dir` imports.
    pub(super) fn with_position(&self, mut error: PackageError, dir: &str, places: &[Place]) -> PackageError {
        if let Some(position) = self.position(dir, places) {
            error.position = position;
        }
        error
    }

    /// The first place, as errors show it: relative to the current folder if that is shorter.
    pub(super) fn position(&self, dir: &str, places: &[Place]) -> Option<String> {
        let place = places.first()?;
        let file = self.short(&format!("{dir}/{}", place.file));
        Some(format!("{file}:{}:{}", place.position.line, place.position.column))
    }

    /// `base.ShortPath`
    pub(super) fn short(&self, path: &str) -> String {
        match file_path::relative(&self.source.build.folder, path) {
            Some(relative) if relative.len() < path.len() => relative,
            _ => path.to_owned(),
        }
    }

    /// Makes an error that stands for the first of several.
    pub(super) fn set_error(&mut self, id: PackageId, error: PackageError) {
        first_error_of(&mut self.graph[id], error);
    }
}

/// Paths that nothing is ever found at (`loadPackageData`).
fn refused(path: &str) -> Option<Problem> {
    if path.starts_with("mod/") {
        Some(Problem::Disallowed(path.to_owned()))
    } else if path.contains('@') {
        Some(Problem::Version)
    } else {
        None
    }
}
