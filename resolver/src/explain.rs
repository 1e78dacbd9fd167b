//! Why a module is there, and at this version: what go knows but doesn't say.
//!
//! Selection takes the highest version that anything requires, so the reason for a version is whoever requires exactly
//! it, and the next lower version is what the others require at most. A module goes away when every root goes from which
//! it can be reached.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::module_graph::ModuleGraph;
use crate::node::{Node, NodeId, PathId};
use crate::requirements::compare;
use crate::world::World;

/// Why a module is at its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The module at the version that is selected.
    pub selected: Node,
    /// Shortest ways from a main module to each node that requires exactly this version; the module stands last.
    pub raised_by: Vec<Vec<Node>>,
    /// What would be selected without them.
    pub next: Option<Lower>,
    /// The roots from which some version of the module can be reached: to drop it, all of them have to stop requiring
    /// what leads to it, or go.
    pub reached_from: Vec<Node>,
}

/// A version below the selected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lower {
    /// The module at that version.
    pub version: Node,
    /// Shortest ways to each node that requires exactly it.
    pub held_by: Vec<Vec<Node>>,
}

/// How a module differs between two build lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It was not there before.
    Added(Node),
    /// It is there no more.
    Removed(Node),
    /// Its version rose.
    Raised(Node, Node),
    /// Its version fell.
    Lowered(Node, Node),
}

/// A graph seen from its modules towards the roots.
#[derive(Debug)]
pub struct Reasons<'a> {
    world: &'a World,
    graph: &'a ModuleGraph,
    /// Whoever requires a node first is on a shortest way to it.
    required_by: HashMap<NodeId, Vec<NodeId>>,
    versions: HashMap<PathId, Vec<NodeId>>,
}

impl World {
    /// Why the modules of a graph are at their versions.
    pub fn reasons<'a>(&'a self, graph: &'a ModuleGraph) -> Reasons<'a> {
        let mut reasons =
            Reasons { world: self, graph, required_by: HashMap::new(), versions: HashMap::new() };
        for node in graph.breadth_first(self.nodes()) {
            reasons.versions.entry(node.path()).or_default().push(node);
            for &required in graph.required_by(node).into_iter().flat_map(|required| required.iter()) {
                reasons.required_by.entry(required).or_default().push(node);
            }
        }
        reasons
    }

    /// Why a module is in a graph at its version; `None` when it isn't there.
    pub fn explain(&self, graph: &ModuleGraph, path: PathId) -> Option<Explanation> {
        self.reasons(graph).explain(path)
    }
}

impl Reasons<'_> {
    /// Why a module is at its version; `None` when it isn't there.
    pub fn explain(&self, path: PathId) -> Option<Explanation> {
        let (world, graph) = (self.world, self.graph);
        let nodes = world.nodes();
        let selected = graph.selected(path)?;
        let next = self.next_below(selected);
        let reaching = reaching(self.versions(path), &self.required_by);
        let mains = world.main.ids();
        let roots = mains.iter().filter_map(|main| graph.required_by(*main)).flat_map(|roots| roots.iter());
        let mut reached_from: Vec<_> = roots.copied().filter(|root| reaching.contains(root)).collect();
        nodes.sort(&mut reached_from);
        reached_from.dedup();
        Some(Explanation {
            selected: nodes.node(selected).clone(),
            raised_by: self.ways(selected).collect(),
            next: next
                .map(|next| Lower { version: nodes.node(next).clone(), held_by: self.ways(next).collect() }),
            reached_from: nodes.texts(&reached_from),
        })
    }

    /// The highest version below that node which anybody requires.
    pub fn next_below(&self, node: NodeId) -> Option<NodeId> {
        let nodes = self.world.nodes();
        let lower = self.versions(node.path()).filter(|other| compare(nodes, *other, node).is_lt());
        lower.max_by(|a, b| compare(nodes, *a, *b))
    }

    fn versions(&self, path: PathId) -> impl Iterator<Item = NodeId> {
        self.versions.get(&path).into_iter().flatten().copied()
    }

    /// Shortest ways from a main module to each node that requires exactly this one, which stands last.
    pub fn ways(&self, node: NodeId) -> impl Iterator<Item = Vec<Node>> {
        let requirers = self.required_by.get(&node).into_iter().flatten();
        requirers
            .map(move |requirer| self.world.nodes().texts(&[self.way_to(*requirer), vec![node]].concat()))
    }

    fn way_to(&self, node: NodeId) -> Vec<NodeId> {
        let mains = self.world.main.ids();
        let mut way = vec![node];
        let mut last = node;
        while !mains.contains(&last)
            && let Some(&before) = self.required_by.get(&last).and_then(|by| by.first())
        {
            way.push(before);
            last = before;
        }
        way.reverse();
        way
    }
}

/// The nodes from which one of `ends` can be reached, the ends among them.
fn reaching(
    ends: impl Iterator<Item = NodeId>,
    required_by: &HashMap<NodeId, Vec<NodeId>>,
) -> HashSet<NodeId> {
    let mut waiting: Vec<_> = ends.collect();
    let mut reaching = HashSet::new();
    while let Some(node) = waiting.pop() {
        if reaching.insert(node) {
            waiting.extend(required_by.get(&node).into_iter().flatten());
        }
    }
    reaching
}

/// What changed from one build list to another, by path.
pub fn differences(before: &[Node], after: &[Node]) -> Vec<Difference> {
    let mut modules: BTreeMap<&str, [Option<&Node>; 2]> = BTreeMap::new();
    for (at, list) in [before, after].into_iter().enumerate() {
        for node in list {
            modules.entry(&node.path).or_default()[at] = Some(node);
        }
    }
    let difference = |(path, pair): (&str, [Option<&Node>; 2])| match pair {
        [None, Some(new)] => Some(Difference::Added(new.clone())),
        [Some(old), None] => Some(Difference::Removed(old.clone())),
        [Some(old), Some(new)] if old != new => {
            let rises = crate::order::compare_with_main(path, &old.version, &new.version).is_lt();
            let (old, new) = (old.clone(), new.clone());
            Some(if rises { Difference::Raised(old, new) } else { Difference::Lowered(old, new) })
        }
        _ => None,
    };
    modules.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_lists_differ_by_path() {
        let list = |text: &str| -> Vec<Node> {
            let pair = |node: &str| node.split_once('@').map(|(path, version)| Node::new(path, version));
            text.split_whitespace().filter_map(pair).collect()
        };
        let (before, after) =
            (list("a@v1.0.0 b@v1.0.0 c@v1.9.0 d@v1.1.0"), list("a@v1.0.0 c@v1.10.0 d@v1.0.0 e@v1.0.0"));
        let changes = differences(&before, &after);
        let want = [
            Difference::Removed(before[1].clone()),
            Difference::Raised(before[2].clone(), after[1].clone()),
            Difference::Lowered(before[3].clone(), after[2].clone()),
            Difference::Added(after[3].clone()),
        ];
        assert_eq!(changes, want);
    }
}
