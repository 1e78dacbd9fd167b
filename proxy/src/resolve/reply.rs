//! The answer, from what the resolver says.

use std::collections::BTreeMap;

use modkeep_resolver::error::Halt;
use modkeep_resolver::explain::Reasons;
use modkeep_resolver::gather::Gather;
use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::order;
use modkeep_resolver::requirements::Requirements;
use modkeep_resolver::retraction::Retraction;
use modkeep_resolver::world::World;

use super::Refusal;
use super::document::{Module, Reason, Replacement, Resolution};

/// Ways that are told of each kind; a module of a large graph may have thousands.
const MOST_WAYS: usize = 16;
/// Names in all ways together; behind them none is told any more.
const MOST_NAMES: usize = 1_000_000;
/// Edges of a graph that is told.
const MOST_EDGES: usize = 1_000_000;

/// The build list with what authors say about each module.
pub(super) fn modules(
    world: &mut World,
    requirements: &Requirements,
    graph: &ModuleGraph,
) -> Result<Vec<Module>, Halt> {
    let list = graph.build_list(world.nodes()).to_vec();
    let mut gather = Gather::default();
    let modules = list.into_iter().filter_map(|node| {
        let is_shown = !order::is_toolchain(world.nodes().path(node.path()));
        is_shown.then(|| module(world, requirements, node, &mut gather))
    });
    let modules = modules.collect();
    gather.finish()?;
    Ok(modules)
}

fn module(world: &mut World, requirements: &Requirements, node: NodeId, gather: &mut Gather) -> Module {
    let Node { path, version } = world.nodes().node(node).clone();
    let is_main = world.main.ids().contains(&node);
    let mut module = Module {
        path: path.to_string(),
        version: version.to_string(),
        replace: None,
        indirect: !is_main && !requirements.direct().contains(&node.path()),
        retracted: None,
        deprecated: String::new(),
        unknown: None,
    };
    if is_main {
        return module;
    }
    let replacement = world.main.replacement(&Node::new(path, version));
    module.replace = replacement
        .map(|Node { path, version }| Replacement { path: path.to_string(), version: version.to_string() });
    match gather.take(world.retraction(node)) {
        Some(Ok(Retraction::Retracted(reasons))) => module.retracted = Some(reasons),
        Some(Ok(Retraction::Unknown(error))) => module.unknown = Some(error.to_string()),
        Some(Err(error)) => module.unknown = Some(error.to_string()),
        Some(Ok(Retraction::None)) | None => {}
    }
    match gather.take(world.deprecation(node)) {
        Some(Ok(Ok(deprecated))) => module.deprecated = deprecated,
        Some(Ok(Err(error))) => module.unknown = Some(error.to_string()),
        Some(Err(error)) => module.unknown = Some(error.to_string()),
        None => {}
    }
    module
}

/// All of it.
///
/// # Errors
/// When there is too much of it.
pub(super) fn resolution(
    world: &World,
    graph: &ModuleGraph,
    build_list: Vec<Module>,
    go_sum: String,
) -> Result<Resolution, Refusal> {
    let nodes = world.nodes();
    let count = |node: &NodeId| graph.required_by(*node).map_or(0, |required| required.len());
    if graph.breadth_first(nodes).iter().map(count).sum::<usize>() > MOST_EDGES {
        return Err(Refusal::Unresolvable(format!("the graph has more than {MOST_EDGES} edges")));
    }
    let name = |node: NodeId| nodes.node(node).to_string();
    let edges = graph.edges(nodes).into_iter().map(|(from, to)| [name(from), name(to)]).collect();
    let reasons = world.reasons(graph);
    let mut why = BTreeMap::new();
    let mut room = MOST_NAMES;
    for module in build_list.iter().filter(|module| !module.version.is_empty()) {
        if let Some(node) = nodes.find(&module.path, &module.version) {
            why.insert(module.path.clone(), reason(&reasons, world, node, &mut room));
        }
    }
    Ok(Resolution { build_list, edges, reasons: why, go_sum })
}

fn reason(reasons: &Reasons<'_>, world: &World, node: NodeId, room: &mut usize) -> Reason {
    let nodes = world.nodes();
    let mut ways = |node| -> Vec<Vec<String>> {
        let ways = reasons.ways(node).take(MOST_WAYS);
        let ways = ways.map_while(|way| {
            *room = room.checked_sub(way.len())?;
            Some(way.iter().map(Node::to_string).collect())
        });
        ways.collect()
    };
    let next = reasons.next_below(node);
    Reason {
        raised_by: ways(node),
        next: next.map(|next| nodes.version(next).to_owned()),
        next_held_by: next.map(ways).unwrap_or_default(),
    }
}
