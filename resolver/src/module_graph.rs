//! The graph of modules behind a set of roots, pruned as the roots and each module on the way ask for.
//!
//! A node counts for selection as soon as anything requires it, but what it requires itself is only looked at if the
//! node is reached where the graph is not pruned. So the walk remembers pairs of node and pruning. A walk that meets
//! nodes whose go.mod is not known asks for all of them, waits, and goes on where it stopped.
//! Source of the rules: `cmd/go/internal/modload/buildlist.go:readModGraph`.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

use crate::error::{Halt, ModuleError};
use crate::mvs::{BuildListError, Graph, Step, Stop};
use crate::node::{NodeId, Nodes, PathId};
use crate::order;
use crate::world::{Pruning, World};

/// A graph, complete but for what can't be had.
#[derive(Debug)]
pub struct ModuleGraph {
    graph: Graph,
    /// How each node that was looked at is pruned, or why it can't be looked at.
    looked_at: HashMap<NodeId, Result<Pruning, ModuleError>>,
    error: Option<BuildListError<ModuleError>>,
    build_list: OnceLock<Vec<NodeId>>,
}

impl ModuleGraph {
    /// A graph that nobody walked: that of vendor mode.
    pub(crate) fn told(graph: Graph) -> Self {
        Self { graph, looked_at: HashMap::new(), error: None, build_list: OnceLock::new() }
    }

    /// The first error on a shortest way from the roots, if a go.mod could not be had.
    pub fn error(&self) -> Option<&BuildListError<ModuleError>> {
        self.error.as_ref()
    }

    /// The selected node of a path; `None` when nothing requires it.
    pub fn selected(&self, path: PathId) -> Option<NodeId> {
        self.graph.selected(path)
    }

    /// The main modules, then all other selected nodes, sorted; `go` and `toolchain` are among them.
    pub fn build_list(&self, nodes: &Nodes) -> &[NodeId] {
        self.build_list.get_or_init(|| self.graph.build_list(nodes))
    }

    /// What a node requires; `None` when its go.mod was not looked at.
    pub fn required_by(&self, node: NodeId) -> Option<&Arc<[NodeId]>> {
        self.graph.required_by(node)
    }

    /// All nodes, selected or not, breadth first from the main modules.
    pub fn breadth_first(&self, nodes: &Nodes) -> Vec<NodeId> {
        self.graph.breadth_first(nodes)
    }

    /// All edges in the order of `go mod graph`.
    pub fn edges(&self, nodes: &Nodes) -> Vec<(NodeId, NodeId)> {
        let order = self.breadth_first(nodes).into_iter();
        let required = order.filter_map(|node| Some((node, self.required_by(node)?)));
        required.flat_map(|(node, required)| required.iter().map(move |other| (node, *other))).collect()
    }

    /// A shortest way from a main module to a node for which `is_end` holds.
    pub fn find_path(&self, is_end: impl FnMut(NodeId) -> bool) -> Option<Vec<NodeId>> {
        self.graph.find_path(is_end)
    }

    pub(crate) fn look(&self, node: NodeId) -> Option<&Result<Pruning, ModuleError>> {
        self.looked_at.get(&node)
    }
}

/// What decides what a graph looks like, in one world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pruning: Pruning,
    roots: Vec<NodeId>,
    unpruned: Vec<NodeId>,
}

/// A graph, or the way to it.
#[derive(Debug)]
pub(crate) enum Memo {
    Walking(Box<Walk>),
    Done(Arc<ModuleGraph>),
}

impl World {
    /// The graph behind roots. Requirements of the nodes in `unpruned` are in it even if they would be pruned away.
    ///
    /// # Errors
    /// Only for what isn't known yet; other errors are in the graph.
    pub(crate) fn read_graph(
        &mut self,
        pruning: Pruning,
        roots: &[NodeId],
        unpruned: &HashSet<NodeId>,
    ) -> Result<Arc<ModuleGraph>, Halt> {
        let mut unpruned_list: Vec<_> = unpruned.iter().copied().collect();
        unpruned_list.sort_unstable();
        let key = Key { pruning, roots: roots.to_vec(), unpruned: unpruned_list };
        let mut walk = match self.graphs.remove(&key) {
            Some(Memo::Done(graph)) => {
                self.graphs.insert(key, Memo::Done(Arc::clone(&graph)));
                return Ok(graph);
            }
            Some(Memo::Walking(walk)) => walk,
            None => Box::new(Walk::new(self, pruning, roots)),
        };
        if walk.go_on(self, pruning, unpruned) {
            let graph = Arc::new(walk.finish(self));
            self.graphs.insert(key, Memo::Done(Arc::clone(&graph)));
            return Ok(graph);
        }
        self.graphs.insert(key, Memo::Walking(walk));
        Err(self.known.halt())
    }
}

/// A walk through modules whose go.mod may not be known yet.
#[derive(Debug)]
pub(crate) struct Walk {
    graph: Graph,
    looked_at: HashMap<NodeId, Result<Pruning, ModuleError>>,
    /// For each node a bit for each pruning that it was met with.
    seen: Vec<u8>,
    waiting: Vec<(NodeId, Pruning)>,
    reload: Reload,
}

/// Which modules of a workspace, and which of their dependencies, have to be looked at again at the version that is
/// selected, because their requirements say what packages of the workspace really use.
#[derive(Debug, Default)]
struct Reload {
    paths: HashSet<PathId>,
    seen: HashSet<NodeId>,
}

impl Walk {
    fn new(world: &World, pruning: Pruning, roots: &[NodeId]) -> Self {
        let nodes = world.nodes();
        let graph = if world.main.is_workspace() {
            Graph::new(nodes, Nodes::compare, roots.to_vec())
        } else {
            let mut graph = Graph::new(nodes, Nodes::compare, world.main.ids());
            graph.require(nodes, world.main.first(), roots.into());
            graph
        };
        let reload = Reload { paths: roots.iter().map(|root| root.path()).collect(), seen: HashSet::new() };
        let mut walk =
            Self { graph, looked_at: HashMap::new(), seen: Vec::new(), waiting: Vec::new(), reload };
        for &root in roots {
            walk.enqueue(nodes, root, pruning);
        }
        walk
    }

    fn enqueue(&mut self, nodes: &Nodes, node: NodeId, pruning: Pruning) {
        let bit = match pruning {
            Pruning::Pruned => 1,
            Pruning::Unpruned => 2,
            Pruning::Workspace => 4,
        };
        if node.index() >= self.seen.len() {
            self.seen.resize(node.index() + 1, 0);
        }
        let seen = &mut self.seen[node.index()];
        if *seen & bit == 0 && !nodes.is_none(node) {
            *seen |= bit;
            self.waiting.push((node, pruning));
        }
    }

    /// Walks as far as it can; false when something has to be learned first.
    fn go_on(&mut self, world: &mut World, pruning: Pruning, unpruned: &HashSet<NodeId>) -> bool {
        loop {
            let mut stuck = Vec::new();
            while let Some((node, context)) = self.waiting.pop() {
                if !self.visit(world, node, context, unpruned) {
                    stuck.push((node, context));
                }
            }
            self.waiting = stuck;
            if !self.waiting.is_empty() {
                return false;
            }
            if pruning != Pruning::Workspace || !self.reload_selected(world) {
                return true;
            }
        }
    }

    fn visit(
        &mut self,
        world: &mut World,
        node: NodeId,
        context: Pruning,
        unpruned: &HashSet<NodeId>,
    ) -> bool {
        let summary = match world.summary(node) {
            Ok(summary) => summary,
            Err(Stop::Missing) => return false,
            Err(Stop::Failed(error)) => {
                self.looked_at.insert(node, Err(error));
                return true;
            }
        };
        if self.looked_at.insert(node, Ok(summary.pruning)).is_none() {
            self.graph.require(world.nodes(), node, Arc::clone(&summary.required));
        }
        let next = if context == Pruning::Unpruned { Pruning::Unpruned } else { summary.pruning };
        let goes_on = context != Pruning::Pruned || summary.pruning == Pruning::Unpruned;
        for &required in summary.required.iter() {
            if goes_on || unpruned.contains(&required) {
                self.enqueue(world.nodes(), required, next);
            }
        }
        true
    }

    /// Sends the walk to selected versions that matter in a workspace; false when it was at all of them.
    fn reload_selected(&mut self, world: &World) -> bool {
        let nodes = world.nodes();
        let mut fresh = HashSet::new();
        for &path in &self.reload.paths {
            // What nothing requires was never looked at, so Go looks at its absence: once, to no effect.
            let Some(node) = self.graph.selected(path) else { continue };
            if !self.reload.seen.contains(&node) {
                fresh.insert(node);
                continue;
            }
            for &required in self.graph.required_by(node).into_iter().flat_map(|required| required.iter()) {
                let Some(selected) = self.graph.selected(required.path()) else { continue };
                let path = nodes.path(required.path());
                let is_higher =
                    order::compare(path, nodes.version(selected), nodes.version(required)).is_gt();
                if is_higher && !self.reload.seen.contains(&selected) {
                    fresh.insert(selected);
                }
            }
        }
        for &node in &fresh {
            self.enqueue(nodes, node, Pruning::Workspace);
            self.reload.seen.insert(node);
            self.reload.paths.insert(node.path());
        }
        !fresh.is_empty()
    }

    fn finish(self, world: &World) -> ModuleGraph {
        let Self { graph, looked_at, .. } = self;
        let failed = |node| looked_at.get(&node).is_some_and(Result::is_err);
        let path = if looked_at.values().any(Result::is_err) { graph.find_path(failed) } else { None };
        let error = path.and_then(|path| {
            let cause = looked_at.get(path.last()?)?.clone().err()?;
            let node = |&id| Step { node: world.nodes().node(id).clone(), is_change: false };
            Some(BuildListError { cause, path: path.iter().map(node).collect() })
        });
        ModuleGraph { graph, looked_at, error, build_list: OnceLock::new() }
    }
}
