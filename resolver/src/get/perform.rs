//! The alternatives that each argument of `get` leaves.
//!
//! Source of the rules: `cmd/go/internal/modget/get.go` (`perform…Queries`, `query…`, `findMissingWildcards`,
//! `checkWildcardVersions`).

use super::query::{Query, is_for_main};
use super::{Getter, PathSet};
use crate::error::{Error, Halt};
use crate::import::is_standard_path;
use crate::node::{NodeId, PathId};
use crate::packages::Tags;
use crate::query::{Allowed, Found, MainPackages, PatternQuery, Query as VersionQuery, QueryError};
use crate::world::World;

impl Getter<'_> {
    fn indices(&self, holds: impl Fn(&Query) -> bool) -> Vec<usize> {
        (0..self.queries.len()).filter(|query| holds(&self.queries[*query])).collect()
    }

    /// Arguments that are directories stand for packages of the main module.
    pub(super) fn perform_local(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self.indices(Query::is_local);
        self.each(world, queries, |getter, world, query| {
            let pattern = getter.queries[query].pattern.clone();
            getter.path_once(world, query, &pattern, |getter, world| getter.local(world, query))
        })
    }

    fn local(&self, world: &mut World, at: usize) -> Result<PathSet, Halt> {
        let query = &self.queries[at];
        let absolute = query.absolute.clone().unwrap_or_default();
        let place = if query.pattern.starts_with('/') { String::new() } else { format!(" ({absolute})") };
        let main = world.main.first();
        let root = world.main.module(main).map(|module| module.directory.clone()).unwrap_or_default();
        let failed = |text: String| Ok(PathSet::failed(Error::Text(text)));
        let Some((path, main)) = query.local_path(world) else {
            return failed(format!("{}{place} is not within module rooted at {root}", query.pattern));
        };
        let packages = match world.match_in_module(&path, Some(main), Tags::Any)? {
            Ok(packages) => packages,
            Err(error) => return failed(error),
        };
        if !packages.is_empty() {
            return Ok(PathSet { providers: vec![main], ..PathSet::default() });
        }
        if matches!(query.raw.as_str(), "" | ".") {
            return failed("no package to get in current directory".to_owned());
        }
        if !query.is_wildcard() {
            return failed(format!("{}{place} is not a package in module rooted at {root}", query.pattern));
        }
        world.notes.push(format!("warning: {path:?} matched no packages"));
        Ok(PathSet::default())
    }

    /// Arguments that are one path each.
    pub(super) fn perform_paths(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self.indices(|query| {
            !query.is_local()
                && !query.is_wildcard()
                && !matches!(query.pattern.as_str(), "all" | "work" | "tool")
        });
        self.each(world, queries, |getter, world, query| match getter.queries[query].version.as_str() {
            "none" => getter.none(world, query),
            _ => {
                let pattern = getter.queries[query].pattern.clone();
                getter.path_once(world, query, &pattern, |getter, world| getter.path(world, query))
            }
        })
    }

    fn path(&mut self, world: &mut World, at: usize) -> Result<PathSet, Halt> {
        let Query { pattern, version, raw_version, .. } = self.queries[at].clone();
        let is_standard = is_standard_path(&pattern) && world.standard.packages.contains(&pattern);
        if is_standard || matches!(pattern.as_str(), "std" | "cmd") {
            if !raw_version.is_empty() {
                let text = format!(
                    "can't request explicit version {version:?} of standard library package {pattern}"
                );
                return Ok(PathSet::failed(Error::Text(text)));
            }
            self.queries[at].matches_packages = true;
            return Ok(PathSet::default());
        }
        self.pattern_set(world, &pattern, &version)
    }

    fn pattern_set(&self, world: &mut World, pattern: &str, version: &str) -> Result<PathSet, Halt> {
        let query = PatternQuery { pattern, query: version, allowed: Allowed::AsRequested };
        match world.query_pattern(query, &|world, path| self.initially(world, path)) {
            Ok(Found { providers, module_only }) => {
                Ok(PathSet { providers, module: module_only, ..PathSet::default() })
            }
            Err(Halt::Error(error)) => Ok(PathSet::failed(*error)),
            Err(need) => Err(need),
        }
    }

    /// The version that was selected at the beginning.
    pub(super) fn initially(&self, world: &World, path: &str) -> String {
        version_in(world, &self.initial, path)
    }

    /// The version that is selected now.
    pub(super) fn currently(&self, world: &World, path: &str) -> String {
        version_in(world, &self.selected, path)
    }

    /// Queries for the absence of modules.
    fn none(&mut self, world: &mut World, at: usize) -> Result<(), Halt> {
        let query = &self.queries[at];
        let mut paths = Vec::new();
        if !query.is_wildcard() {
            paths.push(query.pattern.clone());
        }
        let listed = self.build_list.iter().map(|node| world.nodes().node(*node).path.to_string());
        paths.extend(listed.filter(|path| query.matches(path)));
        for path in paths {
            self.path_once(world, at, &path, |getter, world| {
                let id = world.path(&path);
                if Self::is_main(world, id) {
                    return Ok(PathSet::failed(getter.of_main(world, at, &path)));
                }
                let module = Some(world.id(&path, "none"));
                Ok(PathSet { module, ..PathSet::default() })
            })?;
        }
        Ok(())
    }

    /// The error about a version of a main module.
    pub(super) fn of_main(&self, world: &World, at: usize, path: &str) -> Error {
        let Query { pattern, version, .. } = &self.queries[at];
        let is_module = world.nodes().find_path(pattern).is_some_and(|path| Self::is_main(world, path));
        let mains = vec![path.to_owned()];
        QueryError::MainModules { pattern: pattern.clone(), query: version.clone(), mains, is_module }.into()
    }

    /// `tool`: the tools of the main module.
    pub(super) fn perform_tools(&mut self, world: &mut World) -> Result<(), Halt> {
        let tools: Vec<String> = world.main.tools().into_iter().map(str::to_owned).collect();
        let queries = self.indices(|query| query.pattern == "tool");
        let pairs: Vec<_> =
            queries.iter().flat_map(|query| tools.iter().map(|tool| (*query, tool.clone()))).collect();
        self.each(world, pairs, |getter, world, (query, tool)| {
            getter.path_once(world, query, &tool, |getter, world| getter.packages_set(world, &tool, query))
        })
    }

    /// The modules with a package, at the version of a query.
    fn packages_set(&self, world: &mut World, path: &str, at: usize) -> Result<PathSet, Halt> {
        let version = self.queries[at].version.clone();
        let query = PatternQuery { pattern: path, query: &version, allowed: Allowed::AsRequested };
        match world.query_packages(query, &|world, path| self.initially(world, path)) {
            Ok(found) => Ok(PathSet { providers: found.providers, ..PathSet::default() }),
            Err(Halt::Error(error)) => Ok(PathSet::failed(*error)),
            Err(need) => Err(need),
        }
    }

    /// `work`: the main module, if it has packages.
    pub(super) fn perform_work(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self.indices(|query| query.pattern == "work");
        self.each(world, queries, |getter, world, query| {
            getter.path_once(world, query, "work", |_, world| {
                let main = world.main.first();
                match world.match_in_module("work", Some(main), Tags::Any)? {
                    Err(error) => Ok(PathSet::failed(Error::Text(error))),
                    Ok(packages) if packages.is_empty() => {
                        world.notes.push("warning: \"work\" matched no packages".to_owned());
                        Ok(PathSet::default())
                    }
                    Ok(_) => Ok(PathSet { providers: vec![main], ..PathSet::default() }),
                }
            })
        })
    }

    /// Wildcards stand for what the build list has; new matches come with new modules.
    pub(super) fn perform_wildcards(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self.indices(Query::is_wildcard_path);
        self.each(world, queries, |getter, world, query| match getter.queries[query].version.as_str() {
            "none" => getter.none(world, query),
            _ => {
                let modules = getter.build_list.clone();
                getter.each(world, modules, |getter, world, module| getter.wildcard(world, query, module))
            }
        })
    }

    fn wildcard(&mut self, world: &mut World, at: usize, module: NodeId) -> Result<(), Halt> {
        let path = world.nodes().node(module).path.to_string();
        if !self.queries[at].can_match_in(&path) {
            return Ok(());
        }
        self.path_once(world, at, &path.clone(), |getter, world| {
            if getter.none_for(&path).is_some() {
                // It is being removed, so it will match nothing.
                return Ok(PathSet::default());
            }
            let Query { pattern, version, .. } = getter.queries[at].clone();
            if Self::is_main(world, module.path()) && !is_for_main(&version) {
                if getter.queries[at].matches(&path) {
                    return Ok(PathSet::failed(getter.of_main(world, at, &path)));
                }
                return match world.match_in_module(&pattern, Some(module), Tags::Any)? {
                    Err(error) => Ok(PathSet::failed(Error::Text(error))),
                    Ok(packages) if !packages.is_empty() => {
                        let error = MainPackages { pattern, query: version, packages };
                        Ok(PathSet::failed(QueryError::from(error).into()))
                    }
                    Ok(_) => getter.try_wildcard(world, at, module),
                };
            }
            match getter.module_version(world, &path, &version)? {
                Ok(module) => getter.try_wildcard(world, at, module),
                // It may go away, or match at another version yet.
                Err(error) if is_no_version(&error) => Ok(PathSet::default()),
                Err(error) => Ok(PathSet::failed(error)),
            }
        })
    }

    fn try_wildcard(&mut self, world: &mut World, at: usize, module: NodeId) -> Result<PathSet, Halt> {
        let pattern = self.queries[at].pattern.clone();
        match world.match_in_module(&pattern, Some(module), Tags::Any)? {
            Err(error) => Ok(PathSet::failed(Error::Text(error))),
            Ok(packages) if !packages.is_empty() => {
                Ok(PathSet { providers: vec![module], ..PathSet::default() })
            }
            Ok(_) => {
                let is_match = self.queries[at].matches(&world.nodes().node(module).path);
                Ok(PathSet { module: is_match.then_some(module), ..PathSet::default() })
            }
        }
    }

    /// The version of a module that a query stands for, seen from the beginning.
    fn module_version(
        &self,
        world: &mut World,
        path: &str,
        version: &str,
    ) -> Result<Result<NodeId, Error>, Halt> {
        let current = self.initially(world, path);
        let query = VersionQuery { path, query: version, current: &current, allowed: Allowed::AsRequested };
        match world.query(&query) {
            Ok(revision) => Ok(Ok(world.id(path, &revision.version))),
            Err(Halt::Error(error)) => Ok(Err(*error)),
            Err(need) => Err(need),
        }
    }

    /// The query that wants a module to be absent.
    pub(super) fn none_for(&self, path: &str) -> Option<usize> {
        let is_none = |query: &&Query| query.version == "none" && !query.is_local();
        let nones = || self.queries.iter().enumerate().filter(|(_, query)| is_none(query));
        let exact = nones().rfind(|(_, query)| !query.is_wildcard() && query.pattern == path);
        let found = exact.or_else(|| nones().find(|(_, query)| query.is_wildcard() && query.matches(path)));
        found.map(|(at, _)| at)
    }

    /// Wildcards that the build list has no packages for are looked for outside.
    pub(super) fn find_missing_wildcards(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self
            .indices(|query| query.is_wildcard_path() && query.version != "none" && !query.matches_packages);
        self.each(world, queries, |getter, world, at| {
            let Query { pattern, version, has_resolved, .. } = getter.queries[at].clone();
            getter.path_once(world, at, &pattern, |getter, world| {
                let set = getter.pattern_set(world, &pattern, &version)?;
                match &set.error {
                    // The pattern is one for modules, and they were found.
                    Some(error) if has_resolved && is_no_package(error) => Ok(PathSet::default()),
                    _ => Ok(set),
                }
            })
        })
    }

    /// Reports modules that match a wildcard, but at another version than it stands for.
    pub(super) fn check_wildcards(&mut self, world: &mut World) -> Result<(), Halt> {
        for at in self.indices(Query::is_wildcard_path) {
            for module in self.build_list.clone() {
                if let Some(error) = self.check_wildcard(world, at, module)? {
                    let error = self.queries[at].told(error);
                    self.errors.push(error);
                }
            }
        }
        self.exit_if_errors()
    }

    fn check_wildcard(&self, world: &mut World, at: usize, module: NodeId) -> Result<Option<Error>, Halt> {
        let query = &self.queries[at];
        let node = world.nodes().node(module).clone();
        if !query.can_match_in(&node.path) {
            return Ok(None);
        }
        let is_match = query.matches(&node.path);
        if !is_match {
            match world.match_in_module(&query.pattern, Some(module), Tags::Any)? {
                Err(error) => return Ok(Some(Error::Text(error))),
                Ok(packages) if packages.is_empty() => return Ok(None),
                Ok(_) => {}
            }
        }
        let wanted = match self.module_version(world, &node.path, &query.version)? {
            Ok(wanted) if wanted == module => return Ok(None),
            Ok(wanted) => wanted,
            Err(error) => return Ok(Some(error)),
        };
        let version = world.nodes().version(wanted).to_owned();
        if !is_match {
            match world.match_in_module(&query.pattern, Some(wanted), Tags::Any)? {
                Err(error) => return Ok(Some(Error::Text(error))),
                Ok(packages) if packages.is_empty() => {
                    let path = &node.path;
                    let other = match version == query.version {
                        true => format!("{path}@{version}"),
                        false => format!("{path}@{} ({version})", query.version),
                    };
                    return Ok(Some(Error::Text(format!(
                        "{} matches packages in {node} but not {other}: specify a different version for module {path}",
                        query.raw
                    ))));
                }
                Ok(_) => {}
            }
        }
        Ok(Some(Error::Text(format!("internal error: selected {node} instead of {version}"))))
    }

    /// `all`: each package that the main module needs, with the modules that could provide it.
    pub(super) fn perform_all(&mut self, world: &mut World) -> Result<(), Halt> {
        let queries = self.indices(|query| query.pattern == "all");
        if queries.is_empty() {
            return Ok(());
        }
        let patterns = vec![crate::packages::Pattern::Path("all".to_owned())];
        let asked = queries.clone();
        self.load(world, patterns, &mut |getter, world, path, module| {
            let mut may_stay = true;
            for &query in &asked {
                getter.path_once(world, query, path, |getter, world| {
                    let set = getter.packages_set(world, path, query)?;
                    // Another module might provide it in the end, so what it imports may not matter.
                    may_stay &= set.providers.len() == 1 && module == Some(set.providers[0]);
                    Ok(set)
                })?;
            }
            Ok(may_stay)
        })?;
        for query in queries {
            self.queries[query].candidates.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(())
    }
}

fn version_in(world: &World, versions: &std::collections::HashMap<PathId, NodeId>, path: &str) -> String {
    let node = world.nodes().find_path(path).and_then(|path| versions.get(&path));
    node.map_or("none", |node| world.nodes().version(*node)).to_owned()
}

/// Whether there is no such version, or no such module (`isNoSuchModuleVersion`).
pub(super) fn is_no_version(error: &Error) -> bool {
    error.is_absence() || matches!(error, Error::Query(QueryError::NoMatch { .. }))
}

/// Whether no module has the package (`isNoSuchPackageVersion`).
pub(super) fn is_no_package(error: &Error) -> bool {
    use crate::import::ImportError;
    is_no_version(error) || matches!(error, Error::Import(ImportError::NotInModule(_)))
}
