//! Which modules arguments mean: paths, patterns and queries (`modload/list.go:listModules`).

use std::collections::HashSet;
use std::sync::Arc;

use modkeep_module::quote::quote;
use modkeep_resolver::error::{Error, Halt, ModuleError};
use modkeep_resolver::gather::Gather;
use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::order;
use modkeep_resolver::query::{Allowed, Query, QueryError, is_revision_query};
use modkeep_resolver::requirements::Requirements;
use modkeep_resolver::wildcard::Wildcard;
use modkeep_resolver::world::{Pruning, World};

use super::Mode;
use crate::report::Failure;
use crate::session::Session;

/// One thing that an argument means.
#[derive(Clone, Debug)]
pub(crate) enum Selected {
    /// A module of the build list.
    Module(NodeId),
    /// What a query found, whatever the build list says.
    Queried {
        /// The version that was found.
        node: Node,
        /// As asked, if that is something else.
        query: String,
        /// Whether the answer tells where it came from: of a search among versions it doesn't.
        has_origin: bool,
    },
    /// A module without a version, for its versions.
    Bare(String),
    /// A module that can't be told of.
    Failed { path: String, version: String, error: String },
}

/// What all arguments mean.
pub(crate) struct Selection {
    pub(super) selected: Vec<Selected>,
    pub(super) error: Option<Error>,
    pub(super) requirements: Arc<Requirements>,
}

/// The arguments, under examination.
pub(super) struct Selector<'a> {
    pub(super) arguments: &'a [String],
    pub(super) mode: &'a Mode,
    pub(super) needs_graph: bool,
    pub(super) is_vendored: bool,
}

/// `path@query`, or a path alone (`modload.ParsePathVersion`).
pub(crate) fn split_query(argument: &str) -> Result<(&str, Option<&str>), String> {
    match argument.split_once('@') {
        Some((_, version)) if version.starts_with(['-', '/']) => {
            Err(format!("invalid module version {}", quote(version)))
        }
        Some((path, version)) => Ok((path, Some(version))),
        None => Ok((argument, None)),
    }
}

impl Session<'_> {
    /// Whether the verb leaves a missing go line missing.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self.verb(), "mod graph" | "mod why")
    }

    /// Whether the arguments ask for the whole graph; refuses those that can't be meant.
    pub(super) fn needs_graph(
        &mut self,
        requirements: &Arc<Requirements>,
        arguments: &[String],
        mode: &Mode,
    ) -> Result<bool, Failure> {
        let mut needs_graph = false;
        let has_root = self.has_main();
        let no_match = |argument: &str, without: &str| {
            let none = self.ground.no_main_module();
            Err(Failure::go(format!("cannot match {}{without}: {none}", quote(argument))))
        };
        for argument in arguments {
            if argument.contains('\\') {
                return Err(Failure::go("module paths never use backslash"));
            }
            let is_relative = argument.starts_with("./") || argument.starts_with("../");
            if is_relative || matches!(argument.as_str(), "." | "..") {
                return Err(Failure::go(format!("cannot use relative path {argument} to specify module")));
            }
            if argument == "all" || argument.contains("...") {
                needs_graph = true;
                if !has_root {
                    return no_match(argument, "");
                }
                continue;
            }
            let (path, query) = split_query(argument).map_err(Failure::go)?;
            let id = self.world.nodes().find_path(path);
            let is_root = id.is_some_and(|id| requirements.root(&self.world, id).is_some());
            if is_root && requirements.pruning() != Pruning::Unpruned {
                continue;
            }
            match query {
                Some("upgrade" | "patch") => {
                    needs_graph = true;
                    if !has_root {
                        return no_match(argument, "");
                    }
                }
                Some(_) => {}
                None => {
                    needs_graph = true;
                    if !mode.versions && !has_root {
                        return no_match(argument, " without -versions or an explicit version");
                    }
                }
            }
        }
        Ok(needs_graph)
    }
}

impl Selector<'_> {
    /// What the arguments mean, and the warnings about those that mean nothing.
    pub(super) fn select(
        &self,
        world: &mut World,
        requirements: &Arc<Requirements>,
    ) -> Result<(Selection, Vec<String>), Halt> {
        let mut selection =
            Selection { selected: Vec::new(), error: None, requirements: Arc::clone(requirements) };
        if self.arguments.is_empty() {
            selection.selected = world.main.ids().into_iter().map(Selected::Module).collect();
            return Ok((selection, Vec::new()));
        }
        let mut graph = None;
        if self.needs_graph {
            let expanded = world.expand(requirements)?;
            selection.requirements = expanded.requirements;
            selection.error = expanded.error;
            graph = Some(expanded.graph);
        }
        let mut gather = Gather::default();
        let mut warnings = Vec::new();
        let mut matched = HashSet::new();
        for argument in self.arguments {
            let (path, query) = split_query(argument).unwrap_or((argument, None));
            if let Some(query) = query {
                self.query(world, &mut selection, graph.as_deref(), path, query, &mut gather);
                continue;
            }
            if argument != "all" && !argument.contains("...") {
                self.path(world, &mut selection, graph.as_deref(), path);
                continue;
            }
            let Some(graph) = &graph else { continue };
            let mut is_empty = true;
            let wildcard = Wildcard::new(argument);
            for &node in graph.build_list(world.nodes()) {
                let path = &world.nodes().node(node).path;
                let fits = argument == "all" || wildcard.matches(path);
                if fits && !order::is_toolchain(path) && matched.insert(node) {
                    is_empty = false;
                    selection.selected.push(Selected::Module(node));
                }
            }
            if is_empty {
                warnings.push(format!("warning: pattern {} matched no module dependencies", quote(argument)));
            }
        }
        gather.finish()?;
        Ok((selection, warnings))
    }

    fn query(
        &self,
        world: &mut World,
        selection: &mut Selection,
        graph: Option<&ModuleGraph>,
        path: &str,
        query: &str,
        gather: &mut Gather,
    ) {
        let current = selected(world, &selection.requirements, graph, path);
        let current = current.map(|node| world.nodes().version(node).to_owned());
        let current = current.unwrap_or_else(|| if graph.is_some() { "none".into() } else { String::new() });
        if current == "none" && selection.error.is_some() && matches!(query, "upgrade" | "patch") {
            return;
        }
        let is_revision = is_revision_query(path, query);
        let allowed = match is_revision || self.mode.retracted {
            true => Allowed::Everything,
            false => Allowed::NotRetracted,
        };
        let asked = Query { path, query, current: &current, allowed };
        let Some(answer) = gather.take(world.query(&asked)) else { return };
        selection.selected.push(match answer {
            Ok(revision) => Selected::Queried {
                node: Node::new(path, revision.version.as_str()),
                query: if revision.version == query { String::new() } else { query.to_owned() },
                has_origin: is_revision,
            },
            Err(error) => Selected::Failed {
                path: path.to_owned(),
                version: query.to_owned(),
                error: about(path, query, &error),
            },
        });
    }

    fn path(&self, world: &World, selection: &mut Selection, graph: Option<&ModuleGraph>, path: &str) {
        let found = selected(world, &selection.requirements, graph, path);
        let found = found.filter(|node| !world.nodes().is_none(*node));
        if found.is_none() && selection.error.is_some() {
            return;
        }
        let failed = |text: &str| Selected::Failed {
            path: path.to_owned(),
            version: String::new(),
            error: format!("module {path}: {text}"),
        };
        selection.selected.push(match found {
            Some(node) => Selected::Module(node),
            None if self.is_vendored => failed(
                "can't resolve module using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)",
            ),
            None if self.mode.versions => Selected::Bare(path.to_owned()),
            None => failed("not a known dependency"),
        });
    }
}

/// What is selected of a path: in the graph, or among the roots where nobody looked further.
fn selected(
    world: &World,
    requirements: &Requirements,
    graph: Option<&ModuleGraph>,
    path: &str,
) -> Option<NodeId> {
    let id = world.nodes().find_path(path)?;
    match graph {
        Some(graph) => graph.selected(id),
        None => requirements.root(world, id),
    }
}

/// An error with the module that it is about, once (`modinfoError`).
pub(super) fn about(path: &str, version: &str, error: &Error) -> String {
    let node = match error {
        Error::Module(ModuleError { module: Some(_), .. }) | Error::BuildList(_) => return error.to_string(),
        Error::Query(QueryError::NoMatch { .. }) => Node::new(path, ""),
        _ => Node::new(path, version),
    };
    ModuleError::about(node, error.to_string()).to_string()
}
