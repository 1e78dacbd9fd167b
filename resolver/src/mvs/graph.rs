//! Which node requires which, and what is selected so far; whoever walks tells the requirements as they come.
//!
//! Source of the rules: `cmd/go/internal/mvs/graph.go`.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;

use super::Order;
use crate::node::{NodeId, Nodes, PathId};

/// A requirement graph.
#[derive(Clone, Debug)]
pub struct Graph {
    order: Order,
    roots: Vec<NodeId>,
    required: HashMap<NodeId, Arc<[NodeId]>>,
    /// The selected node of each path.
    selected: Vec<Option<NodeId>>,
}

impl Graph {
    /// A graph of roots whose requirements nobody has told.
    pub fn new(nodes: &Nodes, order: Order, roots: Vec<NodeId>) -> Self {
        let mut graph = Self { order, roots: Vec::new(), required: HashMap::new(), selected: Vec::new() };
        for &root in &roots {
            graph.select(nodes, root);
        }
        graph.roots = roots;
        graph
    }

    /// Tells what a node requires; that of a node that was told before stays.
    pub fn require(&mut self, nodes: &Nodes, node: NodeId, required: Arc<[NodeId]>) {
        for &requirement in required.iter() {
            self.select(nodes, requirement);
        }
        self.required.entry(node).or_insert(required);
    }

    fn select(&mut self, nodes: &Nodes, node: NodeId) {
        let index = node.path().index();
        if index >= self.selected.len() {
            self.selected.resize(index + 1, None);
        }
        match &mut self.selected[index] {
            Some(selected) if *selected == node => {}
            Some(selected) if (self.order)(nodes, *selected, node).is_ge() => {}
            // A requirement on the absence of a module selects nothing.
            None if nodes.is_none(node) => {}
            selected => *selected = Some(node),
        }
    }

    /// Where the graph begins.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// What a node requires, as far as it was told.
    pub fn required_by(&self, node: NodeId) -> Option<&Arc<[NodeId]>> {
        self.required.get(&node)
    }

    /// The selected node of a path; `None` when nothing requires it.
    pub fn selected(&self, path: PathId) -> Option<NodeId> {
        self.selected.get(path.index()).copied().flatten()
    }

    /// The selected nodes: those of the roots' paths in the order of the roots, then all others, sorted.
    pub fn build_list(&self, nodes: &Nodes) -> Vec<NodeId> {
        let mut seen = HashSet::new();
        let mut list: Vec<_> = self
            .roots
            .iter()
            .filter(|root| seen.insert(root.path()))
            .filter_map(|root| self.selected(root.path()))
            .collect();
        let unique_roots = list.len();
        list.extend(self.selected.iter().flatten().filter(|node| !seen.contains(&node.path())));
        nodes.sort(&mut list[unique_roots..]);
        list
    }

    /// All nodes of present modules, selected or not, breadth first.
    pub fn breadth_first(&self, nodes: &Nodes) -> Vec<NodeId> {
        let mut seen = vec![false; nodes.len()];
        let is_new = |node: &NodeId, seen: &mut Vec<bool>| {
            !nodes.is_none(*node) && !std::mem::replace(&mut seen[node.index()], true)
        };
        let mut order: Vec<_> = self.roots.iter().copied().filter(|root| !nodes.is_none(*root)).collect();
        order.iter().for_each(|root| seen[root.index()] = true);
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            let required = self.required_by(node).into_iter().flat_map(|required| required.iter());
            order.extend(required.copied().filter(|node| is_new(node, &mut seen)));
        }
        order
    }

    /// A shortest way from a root to a node for which `is_end` holds.
    pub fn find_path(&self, mut is_end: impl FnMut(NodeId) -> bool) -> Option<Vec<NodeId>> {
        let mut required_first_by: HashMap<NodeId, Option<NodeId>> = HashMap::new();
        let mut queue: VecDeque<NodeId> = self.roots.iter().copied().collect();
        required_first_by.extend(self.roots.iter().map(|&root| (root, None)));
        while let Some(node) = queue.pop_front() {
            if is_end(node) {
                let mut path = vec![node];
                let mut last = node;
                while let Some(&Some(before)) = required_first_by.get(&last) {
                    path.push(before);
                    last = before;
                }
                path.reverse();
                return Some(path);
            }
            for &required in self.required_by(node).into_iter().flat_map(|required| required.iter()) {
                required_first_by.entry(required).or_insert_with(|| {
                    queue.push_back(required);
                    Some(node)
                });
            }
        }
        None
    }
}
