//! `go get`: versions for packages and modules that are named, and requirements in which they are selected.
//!
//! An argument is a package before it is a module; each is answered by sets of alternatives, of which one is chosen when
//! nothing else is left to learn. Every change of the build list can bring new matches, so all is asked again until
//! nothing changes; versions that are decided on stay, so it ends. Source of the rules:
//! `cmd/go/internal/modget/get.go:runGet`.

mod changes;
mod check;
mod perform;
mod query;
mod select;
mod upgrade;

use std::collections::HashMap;
use std::sync::Arc;

use modkeep_module::GoSum;

pub use self::check::{Check, Checked};
use self::query::Query;
use crate::error::{Error, Halt};
use crate::node::{NodeId, PathId};
use crate::packages::{PackageOptions, Pattern, Silence, Tags};
use crate::requirements::{Expanded, Load, Requirements};
use crate::world::World;
use crate::written::{Change, Written};

/// What `get` was asked for.
#[derive(Clone, Debug, Default)]
pub struct GetOptions {
    /// The arguments, cleaned (`search.CleanPatterns`); without any, `.` alone.
    pub arguments: Vec<Argument>,
    /// `-u`, and `-u=patch`.
    pub update: Option<Update>,
    /// Whether tests count (`-t`).
    pub with_tests: bool,
    /// Whether the packages become tools (`-tool`).
    pub are_tools: bool,
    /// Whether each step is told (`-v`).
    pub is_verbose: bool,
    /// The path and the absolute directory of each module of the workspace around the main module.
    pub workspace: Vec<(String, String)>,
    /// The lines of go.sum as they were found.
    pub go_sum: Arc<GoSum>,
    /// Whether only the arguments count, and not yet what their packages import (`install path@version`).
    pub ignores_imports: bool,
}

/// An argument of `get`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// As written, cleaned; empty if there are no arguments at all, where `.` is meant.
    pub text: String,
    /// If it names a directory or begins with one: the same as an absolute path.
    pub absolute: Option<String>,
}

/// How far `-u` raises what nobody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// To the latest version.
    Upgrade,
    /// To the latest patch.
    Patch,
}

impl Update {
    fn query(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Patch => "patch",
        }
    }
}

/// What `get` came to. Before anything is written, [`World::check_packages`] has to be asked.
#[derive(Clone, Debug)]
pub struct Got {
    /// The requirements.
    pub requirements: Arc<Requirements>,
    /// What changes in go.mod beside them.
    pub change: Change,
    /// The go.mod that is left behind.
    pub written: Option<Written>,
    /// What has to be looked at before.
    pub check: Check,
    /// The lines about changes, without `go: `, to be printed when all is written.
    pub changes: Vec<String>,
}

/// A version that was decided on, and the query that wanted it.
#[derive(Clone, Copy, Debug)]
struct Reason {
    version: NodeId,
    query: usize,
}

/// Alternatives for one path: one of them has to be chosen.
#[derive(Clone, Debug, Default)]
struct PathSet {
    path: String,
    /// Modules with the package, of which only one can be in the build list.
    providers: Vec<NodeId>,
    /// A module whose path matches, but which has no package that does.
    module: Option<NodeId>,
    error: Option<Error>,
}

impl PathSet {
    fn failed(error: Error) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// The state of a `get`.
struct Getter<'a> {
    options: &'a GetOptions,
    queries: Vec<Query>,
    requirements: Arc<Requirements>,
    build_list: Vec<NodeId>,
    selected: HashMap<PathId, NodeId>,
    initial: HashMap<PathId, NodeId>,
    resolved: HashMap<PathId, Reason>,
    errors: Vec<Error>,
}

impl World {
    /// Finds requirements in which the arguments are selected.
    ///
    /// # Errors
    /// When something isn't known yet, and where go would fail.
    pub fn get(&mut self, options: &GetOptions) -> Result<Got, Halt> {
        let initial = self.load(&Load::default())?;
        let (drops_toolchain, queries) = query::parse_all(options)?;
        let mut getter = Getter::new(self, options, queries, &initial)?;
        getter.run(self)?;
        let mut change =
            Change { sets_go: true, is_get: true, drop_toolchain: drops_toolchain, ..Change::default() };
        change.explicit_toolchain = getter.queries.iter().any(|query| query.pattern == "toolchain");
        if options.are_tools {
            getter.update_tools(self, &mut change)?;
        }
        let written = self.written(&getter.requirements, &change);
        let written = written.map_err(|error| match error {
            crate::written::WriteError::TooNew(error) => Error::TooNew(error),
            error => Error::Text(error.to_string()),
        })?;
        let changes = getter.changes(self, written.as_ref());
        let check = getter.check(self)?;
        Ok(Got { requirements: getter.requirements, change, written, check, changes })
    }
}

impl<'a> Getter<'a> {
    fn new(
        world: &mut World,
        options: &'a GetOptions,
        queries: Vec<Query>,
        requirements: &Arc<Requirements>,
    ) -> Result<Self, Halt> {
        let mut getter = Self {
            options,
            queries,
            requirements: Arc::clone(requirements),
            build_list: Vec::new(),
            selected: HashMap::new(),
            initial: HashMap::new(),
            resolved: HashMap::new(),
            errors: Vec::new(),
        };
        getter.read_build_list(world)?;
        getter.initial = getter.selected.clone();
        Ok(getter)
    }

    /// The build list of the requirements at hand (`LoadModGraph`).
    fn read_build_list(&mut self, world: &mut World) -> Result<(), Halt> {
        let Expanded { requirements, graph, error } = world.expand(&self.requirements)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        self.requirements = requirements;
        self.build_list = graph.build_list(world.nodes()).to_vec();
        self.selected = self.build_list.iter().map(|node| (node.path(), *node)).collect();
        Ok(())
    }

    fn run(&mut self, world: &mut World) -> Result<(), Halt> {
        self.perform_local(world)?;
        self.perform_paths(world)?;
        self.perform_tools(world)?;
        self.perform_work(world)?;
        let all: Vec<usize> = (0..self.queries.len()).collect();
        let wildcards: Vec<usize> =
            all.iter().copied().filter(|query| self.queries[*query].is_wildcard_path()).collect();
        loop {
            self.perform_wildcards(world)?;
            self.perform_all(world)?;
            if self.resolve_queries(world, &all)? {
                continue;
            }
            if self.options.ignores_imports {
                break;
            }
            let upgrades = self.find_upgrades(world)?;
            if self.apply_upgrades(world, upgrades)? {
                continue;
            }
            self.find_missing_wildcards(world)?;
            if !self.resolve_queries(world, &wildcards)? {
                break;
            }
        }
        self.check_wildcards(world)
    }

    /// Fails if anything was reported.
    fn exit_if_errors(&mut self) -> Result<(), Halt> {
        match self.errors.len() {
            0 => Ok(()),
            1 => Err(self.errors.remove(0).into()),
            _ => Err(Error::Several(std::mem::take(&mut self.errors)).into()),
        }
    }

    fn is_main(world: &World, path: PathId) -> bool {
        world.main.find(path).is_some()
    }

    /// Does something for several queries, and asks for all that is needed for them together.
    fn each<T>(
        &mut self,
        world: &mut World,
        items: Vec<T>,
        mut act: impl FnMut(&mut Self, &mut World, T) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut is_missing = false;
        for item in items {
            match act(self, world, item) {
                Ok(()) => {}
                Err(Halt::Need(needs)) => {
                    world.known.put_back(needs);
                    is_missing = true;
                }
                Err(error) => return Err(error),
            }
        }
        if is_missing { Err(world.known.halt()) } else { Ok(()) }
    }

    /// The alternatives for a path of a query, once; nothing is kept of a path that matches nothing.
    fn path_once(
        &mut self,
        world: &mut World,
        query: usize,
        path: &str,
        find: impl FnOnce(&mut Self, &mut World) -> Result<PathSet, Halt>,
    ) -> Result<(), Halt> {
        if self.queries[query].seen.contains(path) {
            return Ok(());
        }
        let mut set = find(self, world)?;
        self.queries[query].seen.insert(path.to_owned());
        if !set.providers.is_empty() || set.module.is_some() || set.error.is_some() {
            path.clone_into(&mut set.path);
            self.queries[query].candidates.push(set);
        }
        Ok(())
    }

    /// Makes the named packages tools, or drops them.
    fn update_tools(&mut self, world: &mut World, change: &mut Change) -> Result<(), Halt> {
        let mut patterns = Vec::new();
        for query in &self.queries {
            if query.pattern == "toolchain" || crate::packages::is_meta_package(&query.pattern) {
                let text = format!("go get -tool does not work with \"{}\".", query.pattern);
                return Err(Error::Text(text).into());
            }
            patterns.push(query.to_pattern(world)?);
        }
        let options = PackageOptions {
            patterns,
            tags: Tags::Target,
            loads_tests: self.options.with_tests,
            allows_errors: true,
            silence: Silence { no_go: true, ..Silence::default() },
            ..PackageOptions::default()
        };
        let loaded = world.load_packages(&self.requirements, &options)?;
        self.requirements = Arc::clone(&loaded.requirements);
        for (query, found) in self.queries.iter().zip(loaded.matches) {
            match query.version.as_str() {
                "none" => change.drop_tools.extend(found.packages),
                _ => change.add_tools.extend(found.packages),
            }
        }
        self.read_build_list(world)
    }

    /// The patterns of the queries that match packages.
    fn package_patterns(&self, world: &mut World) -> Result<Vec<Pattern>, Halt> {
        let queries = self.queries.iter().filter(|query| query.matches_packages);
        queries.map(|query| query.to_pattern(world)).collect()
    }
}
