//! Roots that agree with the graph behind them.
//!
//! Raising a root can bring requirements into a pruned graph that were cut off before, and those can raise other roots:
//! so it goes on until nothing rises. Source of the rules: `cmd/go/internal/modload/buildlist.go` (`updateRoots` and
//! what it calls, `convertPruning`).

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use super::{Requirements, compare};
use crate::error::Halt;
use crate::module_graph::ModuleGraph;
use crate::mvs::{Stop, minimal_requirements};
use crate::node::{NodeId, PathId};
use crate::world::{Pruning, WithRoots, World};

/// What has become known about the roots.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootChange {
    /// The modules that a main module imports from.
    pub(crate) direct: BTreeSet<PathId>,
    /// The modules that provide packages which matter to the main module; in a pruned graph they must be roots.
    pub(crate) providers: Vec<NodeId>,
    /// What has to be selected, at these versions or higher.
    pub(crate) add: Vec<NodeId>,
}

impl World {
    /// Requirements whose roots are consistent, with a change applied.
    pub(crate) fn update_roots(
        &mut self,
        requirements: &Arc<Requirements>,
        change: RootChange,
    ) -> Result<Arc<Requirements>, Halt> {
        match requirements.pruning {
            Pruning::Unpruned => self.update_unpruned(requirements, &change),
            Pruning::Pruned => self.update_pruned(requirements, &change),
            Pruning::Workspace => {
                let roots = requirements.roots.clone();
                let updated = Requirements::new(self.nodes(), Pruning::Workspace, roots, change.direct);
                if let Some(graph) = requirements.loaded_graph() {
                    let _: &Arc<ModuleGraph> = OnceLock::get_or_init(&updated.graph, || Arc::clone(graph));
                }
                Ok(updated)
            }
        }
    }

    /// The same requirements, pruned otherwise.
    pub(crate) fn convert_pruning(
        &mut self,
        requirements: &Arc<Requirements>,
        pruning: Pruning,
    ) -> Result<Arc<Requirements>, Halt> {
        if requirements.pruning == pruning {
            return Ok(Arc::clone(requirements));
        }
        let direct = requirements.direct.clone();
        if pruning == Pruning::Unpruned {
            return self.update_unpruned(requirements, &RootChange { direct, ..RootChange::default() });
        }
        // With every module of the build list as a root, a pruned graph has all that the unpruned one has.
        let graph = requirements.whole_graph(self)?;
        let roots = self.without_main(&graph);
        Ok(Requirements::new(self.nodes(), pruning, roots, direct))
    }

    pub(crate) fn without_main(&self, graph: &ModuleGraph) -> Vec<NodeId> {
        graph.build_list(self.nodes())[self.main.ids().len()..].to_vec()
    }

    fn update_unpruned(
        &mut self,
        requirements: &Arc<Requirements>,
        change: &RootChange,
    ) -> Result<Arc<Requirements>, Halt> {
        let graph = requirements.whole_graph(self)?;
        let is_selected = |node: &NodeId| graph.selected(node.path()) == Some(*node);
        if self.must_be_complete() {
            let is_right = requirements.roots.iter().chain(&change.add).all(is_selected)
                && change.direct.iter().all(|path| requirements.root(self, *path).is_some());
            return if is_right { Ok(Arc::clone(requirements)) } else { Err(self.dirty()) };
        }
        let mut keep = self.without_main(&graph);
        keep.extend(&change.add);
        // Roots stay roots as long as their versions stay, even where something else implies them.
        let kept_roots = requirements.roots.iter().filter(|root| is_selected(root));
        let direct = keep.iter().filter(|node| change.direct.contains(&node.path()));
        let mut seen = HashSet::new();
        let paths: Vec<_> =
            kept_roots.chain(direct).map(|node| node.path()).filter(|path| seen.insert(*path)).collect();
        let main = self.main.first();
        let roots = minimal_requirements(&mut WithRoots { world: self, roots: keep.into() }, main, &paths);
        let roots = roots.map_err(|stop| self.stopped(stop))?;
        if requirements.pruning == Pruning::Unpruned && requirements.is(&roots, &change.direct) {
            return Ok(Arc::clone(requirements));
        }
        Ok(Requirements::new(self.nodes(), Pruning::Unpruned, roots, change.direct.clone()))
    }

    fn update_pruned(
        &mut self,
        requirements: &Arc<Requirements>,
        change: &RootChange,
    ) -> Result<Arc<Requirements>, Halt> {
        let mut requirements = Arc::clone(requirements);
        let mut spot_checked = Vec::new();
        let mut roots = requirements.roots.clone();
        for &provider in &change.providers {
            match requirements.root(self, provider.path()) {
                Some(_) => spot_checked.push(provider),
                None => roots.push(provider),
            }
        }
        for &added in &change.add {
            let root = requirements.root(self, added.path());
            if root.is_none_or(|root| compare(self.nodes(), root, added).is_lt()) {
                roots.push(added);
            }
        }
        let mut has_risen = roots.len() > requirements.roots.len();
        self.nodes().sort(&mut roots);
        loop {
            let mut graph = None;
            if has_risen {
                if self.must_be_complete() {
                    return Err(self.dirty());
                }
                requirements = Requirements::new(self.nodes(), Pruning::Pruned, roots, change.direct.clone());
                graph = Some(requirements.whole_graph(self)?);
            } else if requirements.loaded_graph().is_some() {
                graph = Some(requirements.graph(self)?);
            } else if !self.spot_check(&requirements, &spot_checked)? {
                graph = Some(requirements.whole_graph(self)?);
            }
            (roots, has_risen) = self.select_roots(&requirements, graph.as_deref());
            if !has_risen {
                break;
            }
        }
        if !self.is_mod() || requirements.is(&roots, &change.direct) {
            return Ok(requirements);
        }
        Ok(Requirements::new(self.nodes(), Pruning::Pruned, roots, change.direct.clone()))
    }

    /// Each path of the roots once, at what is selected; and whether a version changed.
    fn select_roots(&self, requirements: &Requirements, graph: Option<&ModuleGraph>) -> (Vec<NodeId>, bool) {
        let mut seen: HashSet<PathId> = self.main.ids().iter().map(|main| main.path()).collect();
        let mut has_risen = false;
        let mut roots = Vec::new();
        for &root in requirements.roots.iter().filter(|root| seen.insert(root.path())) {
            let selected = match graph {
                Some(graph) => graph.selected(root.path()),
                None => requirements.root(self, root.path()),
            };
            let selected = selected.unwrap_or(root);
            has_risen |= selected != root;
            roots.push(selected);
        }
        (roots, has_risen)
    }

    /// Whether no root is below what some modules require themselves.
    fn spot_check(&mut self, requirements: &Requirements, modules: &[NodeId]) -> Result<bool, Halt> {
        let mut is_missing = false;
        for &module in modules {
            let summary = match self.summary(module) {
                Ok(summary) => summary,
                Err(Stop::Failed(_)) => return Ok(false),
                Err(Stop::Missing) => {
                    is_missing = true;
                    continue;
                }
            };
            let is_below = |required: &NodeId| {
                let root = requirements.root(self, required.path());
                root.is_some_and(|root| compare(self.nodes(), root, *required).is_lt())
            };
            if summary.required.iter().any(is_below) {
                return Ok(false);
            }
        }
        if is_missing { Err(self.known.halt()) } else { Ok(true) }
    }
}

impl Requirements {
    /// Whether nothing would change.
    pub(super) fn is(&self, roots: &[NodeId], direct: &BTreeSet<PathId>) -> bool {
        self.roots == roots && self.direct == *direct
    }
}
