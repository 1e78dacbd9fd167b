//! Pictures of a module graph: a tree in text, Graphviz, and SVG.

mod svg;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::NodeId;
use modkeep_resolver::world::World;

pub(super) use svg::svg;

/// The edges, each once; with `only_selected` between the versions that are selected alone.
pub(super) fn edges(world: &World, graph: &ModuleGraph, only_selected: bool) -> Vec<(NodeId, NodeId)> {
    let selected = |node: NodeId| graph.selected(node.path()).unwrap_or(node);
    let mut seen = HashSet::new();
    let edges = graph.edges(world.nodes()).into_iter();
    let edges = edges.filter(|(from, _)| !only_selected || selected(*from) == *from);
    let edges = edges.map(|(from, to)| if only_selected { (from, selected(to)) } else { (from, to) });
    edges.filter(|edge| edge.0 != edge.1 && seen.insert(*edge)).collect()
}

/// For Graphviz; what is selected is drawn solid.
pub(super) fn dot(world: &World, graph: &ModuleGraph, edges: &[(NodeId, NodeId)]) -> String {
    let nodes = world.nodes();
    let mut text = String::from("digraph {\n\trankdir=LR;\n\tnode [shape=box];\n");
    let all: BTreeSet<NodeId> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let mut lines: Vec<String> = Vec::new();
    for node in all {
        let style = if graph.selected(node.path()) == Some(node) { "solid" } else { "dotted" };
        lines.push(format!("\t\"{}\" [style={style}];\n", nodes.node(node)));
    }
    lines.sort_unstable();
    text.extend(lines);
    for (from, to) in edges {
        writeln!(text, "\t\"{}\" -> \"{}\";", nodes.node(*from), nodes.node(*to))
            .expect("a String takes all text");
    }
    text + "}\n"
}

/// For the eye: each node is unfolded where it is met first.
pub(super) fn tree(world: &World, edges: &[(NodeId, NodeId)]) -> String {
    let mut below: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (from, to) in edges {
        below.entry(*from).or_default().push(*to);
    }
    let mut text = String::new();
    let mut unfolded = HashSet::new();
    let mut waiting: Vec<(NodeId, usize)> =
        world.main.ids().into_iter().rev().map(|main| (main, 0)).collect();
    while let Some((node, depth)) = waiting.pop() {
        let children = below.get(&node).map_or(&[][..], Vec::as_slice);
        let is_new = unfolded.insert(node);
        let mark = if is_new || children.is_empty() { "" } else { " …" };
        writeln!(text, "{}{}{mark}", "  ".repeat(depth), world.nodes().node(node))
            .expect("a String takes all text");
        if is_new {
            waiting.extend(children.iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    text
}
