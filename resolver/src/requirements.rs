//! Requirements: the roots of the module graph, which stand in go.mod when the command is done.
//!
//! A set is never changed; another one is made. Its graph is read when it is first asked for, and whether it was is
//! part of the answer: go is lazy where it can be, and that can be seen.
//! Source of the rules: `cmd/go/internal/modload/buildlist.go`.

mod expand;
mod load;
mod update;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

pub use self::expand::Expanded;
pub use self::load::Load;
pub(crate) use self::update::RootChange;
use crate::error::{Error, Halt, ModuleError};
use crate::module_graph::ModuleGraph;
use crate::mvs::{BuildListError, Stop};
use crate::node::{NodeId, Nodes, PathId};
use crate::world::{Pruning, World};

/// A set of roots.
#[derive(Debug)]
pub struct Requirements {
    pruning: Pruning,
    /// Sorted; a path may stand here more than once.
    roots: Vec<NodeId>,
    highest: HashMap<PathId, NodeId>,
    direct: BTreeSet<PathId>,
    graph: OnceLock<Arc<ModuleGraph>>,
}

impl Requirements {
    pub(crate) fn new(
        nodes: &Nodes,
        pruning: Pruning,
        roots: Vec<NodeId>,
        direct: BTreeSet<PathId>,
    ) -> Arc<Self> {
        let mut highest: HashMap<PathId, NodeId> = HashMap::new();
        for &root in &roots {
            let before = highest.entry(root.path()).or_insert(root);
            if compare(nodes, *before, root).is_lt() {
                *before = root;
            }
        }
        Arc::new(Self { pruning, roots, highest, direct, graph: OnceLock::new() })
    }

    /// How the graph behind the roots is pruned.
    pub fn pruning(&self) -> Pruning {
        self.pruning
    }

    /// The roots, sorted; `go`, and maybe `toolchain`, are among them.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// The modules that a main module is believed to import from.
    pub fn direct(&self) -> &BTreeSet<PathId> {
        &self.direct
    }

    /// The graph behind the roots, as far as it can be had; its own error says what can't.
    ///
    /// # Errors
    /// Only for what isn't known yet.
    pub fn graph(&self, world: &mut World) -> Result<Arc<ModuleGraph>, Halt> {
        if let Some(graph) = self.graph.get() {
            return Ok(Arc::clone(graph));
        }
        let graph = world.read_graph(self.pruning, &self.roots, &HashSet::new())?;
        Ok(Arc::clone(self.graph.get_or_init(|| graph)))
    }

    /// The graph behind the roots, whole.
    ///
    /// # Errors
    /// When a go.mod can't be had.
    pub fn whole_graph(&self, world: &mut World) -> Result<Arc<ModuleGraph>, Halt> {
        let graph = self.graph(world)?;
        match graph.error() {
            Some(error) => Err(Error::from(error.clone()).into()),
            None => Ok(graph),
        }
    }

    /// The graph, if someone has asked for it.
    pub fn loaded_graph(&self) -> Option<&Arc<ModuleGraph>> {
        self.graph.get()
    }

    /// The root with that path: the main module itself, or the highest one.
    pub fn root(&self, world: &World, path: PathId) -> Option<NodeId> {
        world.main.find(path).or_else(|| self.highest.get(&path).copied())
    }

    /// The Go version of the roots.
    pub fn go_version<'a>(&self, world: &'a World) -> &'a str {
        let go = world.nodes().find_path("go").and_then(|path| self.highest.get(&path));
        go.map_or("", |go| world.nodes().version(*go))
    }

    /// Whether a path stands among the roots twice, or is a main module's.
    fn has_redundant_root(&self, world: &World) -> bool {
        self.roots.iter().any(|root| world.main.find(root.path()).is_some())
            || self.roots.windows(2).any(|pair| pair[0].path() == pair[1].path())
    }
}

/// How two versions of one path stand to each other where a main module is no special case.
pub(crate) fn compare(nodes: &Nodes, a: NodeId, b: NodeId) -> std::cmp::Ordering {
    crate::order::compare(nodes.path(a.path()), nodes.version(a), nodes.version(b))
}

impl World {
    /// What stopped minimal version selection.
    pub(crate) fn stopped(&mut self, stop: Stop<BuildListError<ModuleError>>) -> Halt {
        match stop {
            Stop::Missing => self.known.halt(),
            Stop::Failed(error) => Error::from(error).into(),
        }
    }
}
