//! An SVG of a module graph that stays readable for hundreds of modules.
//!
//! Each node stands once, in the column of its distance from the main modules, beside whoever requires it first; those
//! lines are drawn strong. All other requirements are faint, and a node tells in its tooltip who requires it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Write;

use modkeep_resolver::module_graph::ModuleGraph;
use modkeep_resolver::node::NodeId;
use modkeep_resolver::world::World;

/// Pixels from one row to the next.
const ROW: usize = 24;
/// Pixels of a box's height.
const BOX: usize = 18;
/// Pixels that a character of the font takes, rounded up.
const CHARACTER: usize = 7;
/// Pixels between columns.
const GAP: usize = 80;
/// Pixels around everything.
const MARGIN: usize = 12;

/// Where a node stands: its column, and its row in half rows.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    row: usize,
}

/// The picture.
pub(in crate::modcmd) fn svg(world: &World, graph: &ModuleGraph, edges: &[(NodeId, NodeId)]) -> String {
    let nodes = world.nodes();
    let mains = world.main.ids();
    let (order, first) = breadth_first(&mains, edges);
    let places = places(&mains, &order, &first);
    let label = |node: NodeId| nodes.node(node).to_string();
    let mut widths: Vec<usize> = Vec::new();
    for node in &order {
        let column = places[node].column;
        widths.resize(widths.len().max(column + 1), 0);
        widths[column] = widths[column].max(label(*node).len() * CHARACTER + 10);
    }
    let lefts: Vec<usize> = widths
        .iter()
        .scan(MARGIN, |left, width| {
            let this = *left;
            *left += width + GAP;
            Some(this)
        })
        .collect();
    let left = |node: NodeId| lefts[places[&node].column];
    let right = |node: NodeId| left(node) + label(node).len() * CHARACTER + 10;
    let middle = |node: NodeId| MARGIN + BOX / 2 + places[&node].row * ROW / 2;
    let width = order.iter().map(|node| right(*node)).max().unwrap_or_default() + MARGIN;
    let height = order.iter().map(|node| middle(*node)).max().unwrap_or_default() + BOX / 2 + MARGIN;

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"11\">\n<style>rect{{fill:#fff;stroke:#456}}.other rect{{stroke-dasharray:3 2}}\
         path{{fill:none;stroke:#456}}.more{{stroke:#89a;stroke-opacity:.2}}</style>\n"
    );
    let mut draw = |class: &str, from: NodeId, to: NodeId| {
        let (x1, y1, x2, y2) = (right(from), middle(from), left(to), middle(to));
        let bend = x1.abs_diff(x2) / 2 + GAP / 4;
        let line = format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2.saturating_sub(bend));
        writeln!(text, "<path{class} d=\"{line}\"/>").expect("a String takes all text");
    };
    let is_first = |(from, to): &(NodeId, NodeId)| first.get(to) == Some(from);
    edges.iter().filter(|edge| !is_first(edge)).for_each(|(from, to)| draw(" class=\"more\"", *from, *to));
    edges.iter().filter(|edge| is_first(edge)).for_each(|(from, to)| draw("", *from, *to));
    let mut required_by: HashMap<NodeId, Vec<String>> = HashMap::new();
    for (from, to) in edges {
        required_by.entry(*to).or_default().push(label(*from));
    }
    for node in &order {
        let class = if graph.selected(node.path()) == Some(*node) { "" } else { " class=\"other\"" };
        let title = required_by.get(node).map(|by| format!("required by\n{}", by.join("\n")));
        let title = title.map(|title| format!("<title>{}</title>", escaped(&title))).unwrap_or_default();
        let (x, y, name) = (left(*node), middle(*node), label(*node));
        writeln!(
            text,
            "<g{class}>{title}<rect x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{BOX}\" rx=\"3\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            y - BOX / 2,
            right(*node) - x,
            x + 5,
            y + 4,
            escaped(&name)
        )
        .expect("a String takes all text");
    }
    text + "</svg>\n"
}

/// All nodes in order of their distance, and who led to each.
fn breadth_first(mains: &[NodeId], edges: &[(NodeId, NodeId)]) -> (Vec<NodeId>, HashMap<NodeId, NodeId>) {
    let mut below: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (from, to) in edges {
        below.entry(*from).or_default().push(*to);
    }
    let mut seen: HashSet<NodeId> = mains.iter().copied().collect();
    let (mut order, mut first) = (mains.to_vec(), HashMap::new());
    let mut waiting: VecDeque<NodeId> = mains.iter().copied().collect();
    while let Some(node) = waiting.pop_front() {
        for &next in below.get(&node).into_iter().flatten() {
            if seen.insert(next) {
                order.push(next);
                first.insert(next, node);
                waiting.push_back(next);
            }
        }
    }
    (order, first)
}

/// Leaves stand in a row each, from top to bottom; whoever leads to others stands in the middle of them.
fn places(mains: &[NodeId], order: &[NodeId], first: &HashMap<NodeId, NodeId>) -> HashMap<NodeId, Place> {
    let mut led: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    for node in order {
        if let Some(from) = first.get(node) {
            led.entry(*from).or_default().push(*node);
        }
    }
    let mut places = HashMap::new();
    let mut rows = 0;
    // Each is met twice: before those that it leads to, and after them.
    let mut waiting: Vec<(NodeId, usize, bool)> = mains.iter().rev().map(|main| (*main, 0, false)).collect();
    while let Some((node, column, is_done)) = waiting.pop() {
        let below = led.get(&node).map_or(&[][..], Vec::as_slice);
        let row = match (below, is_done) {
            ([], _) => {
                rows += 2;
                rows - 2
            }
            ([top, .., bottom], true) => {
                let row_of = |node: &NodeId| places.get(node).map_or(0, |place: &Place| place.row);
                usize::midpoint(row_of(top), row_of(bottom))
            }
            ([only], true) => places.get(only).map_or(0, |place: &Place| place.row),
            (_, false) => {
                waiting.push((node, column, true));
                waiting.extend(below.iter().rev().map(|next| (*next, column + 1, false)));
                continue;
            }
        };
        places.insert(node, Place { column, row });
    }
    places
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
