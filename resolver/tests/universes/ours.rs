//! Our side of a universe.

use modkeep_resolver::edit::Edit;
use modkeep_resolver::error::{DirtyReason, Error, ModuleError};
use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::query::{Allowed, Query, QueryError, is_revision_query};
use modkeep_resolver::requirements::{Expanded, Load};
use modkeep_resolver::world::{Mode, Pruning, World};
use modkeep_resolver::written::Change;

use crate::generate::{REGISTRY, Universe};
use crate::{Outcome, tell, without_names};

/// What we say and leave.
pub(crate) fn outcome(universe: &Universe, folder: &str) -> Outcome {
    let mut outcome = Outcome { go_mod: universe.files["m0/go.mod"].clone(), ..Outcome::default() };
    let message = |error: &dyn std::fmt::Display| format!("go: {error}\n");
    let mut world = match tell::world(universe, folder, Mode::Mod) {
        Ok(world) => world,
        Err(error) => {
            outcome.errors = [message(&error), message(&error)];
            return outcome;
        }
    };
    match tell::resolve(universe, folder, &mut world, |world| world.module_graph(None)) {
        Ok(graph) => {
            let nodes = world.nodes();
            let edges = graph.edges(nodes).into_iter();
            outcome.graph = edges.map(|(a, b)| format!("{} {}\n", nodes.node(a), nodes.node(b))).collect();
        }
        Err(error) => outcome.errors[0] = message(&error),
    }
    let fault = |world: &World| world.faults.last().map(|fault| without_names(fault)).unwrap_or_default();
    if outcome.errors[0].is_empty() {
        outcome.errors[0] = fault(&world);
    }
    let mode = if universe.is_workspace { Mode::Readonly(DirtyReason::default()) } else { Mode::Mod };
    let mut world = tell::world(universe, folder, mode.clone()).expect("it was read before");
    let expanded = tell::resolve(universe, folder, &mut world, |world| {
        let requirements = world.load(&Load::default())?;
        world.expand(&requirements)
    });
    match expanded {
        Ok(Expanded { error: Some(error), .. }) => outcome.errors[1] = message(&error),
        Ok(Expanded { requirements, graph, error: None }) => {
            let list = graph.build_list(world.nodes()).iter();
            outcome.list = list.filter_map(|node| line(&mut world, *node)).collect();
            let kept = world.kept_sums(&requirements, None, true).expect("the graph is known");
            if !universe.is_workspace {
                // Only what was read has a hash: no zip, no go.mod that can't be had.
                let unread = unread(&mut world, &graph);
                let is_read = |node: &&Node| {
                    let version = node.version.strip_suffix("/go.mod");
                    let file = version.map(|version| format!("{REGISTRY}/{}/@v/{version}.mod", node.path));
                    file.is_some_and(|file| universe.files.contains_key(&file)) && !unread.contains(node)
                };
                let kept = kept.iter().filter(is_read).map(|node| format!("{} {}", node.path, node.version));
                outcome.sums = kept.collect();
                outcome.sums.sort();
            }
            match world.written(&requirements, &Change::default()) {
                Ok(Some(written)) if written.is_dirty => {
                    outcome.go_mod = String::from_utf8(written.after).expect("go.mod is text");
                }
                Ok(_) => {}
                Err(error) => outcome.errors[1] = message(&error),
            }
        }
        Err(error) => outcome.errors[1] = message(&error),
    }
    if outcome.errors[1].is_empty() {
        outcome.errors[1] = fault(&world);
    }
    if !outcome.errors[1].is_empty() {
        outcome.list.clear();
    }
    if universe.is_workspace {
        // Another command meets other contradictions.
        world = tell::world(universe, folder, mode).expect("it was read before");
    }
    outcome.answers = answers(universe, folder, &mut world);
    if !world.faults.is_empty() {
        outcome.answers.clear();
    }
    if !universe.is_workspace && !universe.wanted.is_empty() {
        outcome.got = got(universe, folder);
    }
    outcome
}

/// What `list -m -e` answers; nothing if the graph that it needs can't be had.
fn answers(universe: &Universe, folder: &str, world: &mut World) -> Vec<String> {
    let Ok(loaded) = tell::resolve(universe, folder, world, |world| world.load(&Load::default())) else {
        return Vec::new();
    };
    let needs_graph = universe.questions.iter().any(|(path, query)| {
        let path = world.path(path);
        let is_root = loaded.root(world, path).is_some();
        matches!(query.as_str(), "upgrade" | "patch") && (!is_root || loaded.pruning() == Pruning::Unpruned)
    });
    let expanded = needs_graph.then(|| {
        tell::resolve(universe, folder, world, |world| world.expand(&loaded)).expect("needs are met")
    });
    let questions = universe.questions.iter().filter_map(|(path, text)| {
        let id = world.path(path);
        let current = match &expanded {
            Some(expanded) => expanded.graph.selected(id).map_or("none", |node| world.nodes().version(node)),
            None => loaded.root(world, id).map_or("", |node| world.nodes().version(node)),
        };
        let current = current.to_owned();
        let is_broken = expanded.as_ref().is_some_and(|expanded| expanded.error.is_some());
        if current == "none" && is_broken && matches!(text.as_str(), "upgrade" | "patch") {
            // Nobody knows what it would be an upgrade from.
            return None;
        }
        let is_free = is_revision_query(path, text);
        let allowed = if is_free { Allowed::Everything } else { Allowed::NotRetracted };
        let query = Query { path, query: text, current: &current, allowed };
        Some(match tell::resolve(universe, folder, world, |world| world.query(&query)) {
            Ok(revision) => format!("{path} {} ", revision.version),
            Err(error) => match *error {
                Error::Query(error @ QueryError::NoMatch { .. }) => {
                    format!("{path} {text} module {path}: {error}")
                }
                Error::Module(error @ ModuleError { module: Some(_), .. }) => {
                    format!("{path} {text} {error}")
                }
                error => format!("{path} {text} {path}@{text}: {error}"),
            },
        })
    });
    let answers = questions.collect();
    // What is kept of go.sum is looked for in the end.
    let requirements = expanded.as_ref().map_or(&loaded, |expanded| &expanded.requirements);
    if expanded.as_ref().is_none_or(|expanded| expanded.error.is_none()) {
        drop(world.kept_sums(requirements, None, true));
    }
    answers
}

/// The go.mod that `get` leaves behind.
fn got(universe: &Universe, folder: &str) -> Option<String> {
    let mut world = tell::world(universe, folder, Mode::Mod).ok()?;
    let edited = tell::resolve(universe, folder, &mut world, |world| {
        let loaded = world.load(&Load::default())?;
        let Expanded { requirements, error, .. } = world.expand(&loaded)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        let mut select = Vec::new();
        for (path, version) in &universe.wanted {
            let query = Query { path, query: version, current: "", allowed: Allowed::NotExcluded };
            if version != "none" {
                world.query(&query)?;
            }
            select.push(world.id(path, version));
        }
        world.edit(&requirements, &Edit { select, ..Edit::default() })
    });
    let (edited, _) = edited.ok()?;
    let change = Change { sets_go: true, is_get: true, ..Change::default() };
    let written = world.written(&edited, &change).ok()??;
    let before = || universe.files["m0/go.mod"].clone().into_bytes();
    let after = if written.is_dirty { written.after } else { before() };
    String::from_utf8(after).ok()
}

/// The lines of go.sum of what replaces a module whose own go.mod was read for another: its go line is known.
fn unread(world: &mut World, graph: &ModuleGraph) -> Vec<Node> {
    let mut lines = Vec::new();
    for node in graph.build_list(world.nodes()).to_vec() {
        let actual = world.actual(node);
        let has_go_line = matches!(world.known.facts(node), Some(Ok(facts)) if facts.go.is_some());
        if actual != node && has_go_line && world.known.facts(actual).is_none() {
            let Node { path, version } = world.nodes().node(actual);
            lines.push(Node::new(path.clone(), format!("{version}/go.mod")));
        }
    }
    lines
}

/// A line of `list -m all`; `go` and `toolchain` have none.
fn line(world: &mut World, node: NodeId) -> Option<String> {
    let node = world.nodes().node(node).clone();
    if modkeep_resolver::order::is_toolchain(&node.path) {
        return None;
    }
    let words = |node: &Node| node.to_string().replace('@', " ");
    let replacement = world.replacement(&node).map(|new| format!(" => {}", words(&new)));
    Some(format!("{}{}\n", words(&node), replacement.unwrap_or_default()))
}
