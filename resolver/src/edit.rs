//! Requirements with other versions: some must be selected exactly, some are raised as far as that allows.
//!
//! The roots are changed step by step: the graph of the changed roots is read, every root that leads to something above
//! a wanted version is lowered to the next version that doesn't, and only when nothing has to be lowered any more are
//! roots raised to what the graph selects. No search for an optimum: whoever asks for versions that fit each other gets
//! them, and each other change has one reason. Source of the rules: `cmd/go/internal/modload/edit.go`.

mod conflict;
mod lower;
mod previous;
mod tracker;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::conflict::{Conflict, ConstraintError};
use self::tracker::{Reason, Tracker};
use crate::error::{Error, Fault, Halt};
use crate::go_version;
use crate::module_graph::ModuleGraph;
use crate::mvs::minimal_requirements;
use crate::node::{NodeId, PathId};
use crate::requirements::{Requirements, compare};
use crate::world::{Pruning, WithRoots, World};

/// What to change.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Raised towards these versions, as far as the others allow.
    pub upgrade: Vec<NodeId>,
    /// Selected at exactly these versions; absent if the version is `none`.
    pub select: Vec<NodeId>,
    /// Whether to note each step (`get -v`).
    pub is_verbose: bool,
}

/// The state of an edit.
struct Editor<'a> {
    world: &'a mut World,
    original: Arc<Requirements>,
    pruning: Pruning,
    is_verbose: bool,
    /// The version each root is to have; maybe its absence.
    roots: BTreeMap<PathId, NodeId>,
    /// The versions that must be selected.
    wanted: HashMap<PathId, NodeId>,
    /// What a root may not be any more. It only grows, so the edit ends.
    rejected: HashSet<NodeId>,
    conflicts: Vec<Conflict>,
}

impl World {
    /// Requirements in which an edit is made, and whether they differ (`editRequirements`).
    ///
    /// # Errors
    /// [`ConstraintError`] when the wanted versions exclude each other, and where something can't be had.
    pub fn edit(
        &mut self,
        original: &Arc<Requirements>,
        edit: &Edit,
    ) -> Result<(Arc<Requirements>, bool), Halt> {
        let pruning = self.pruning_after(original, &edit.select);
        let requirements = self.convert_pruning(original, pruning)?;
        let roots = if pruning == Pruning::Pruned {
            requirements.roots().iter().filter_map(|root| requirements.root(self, root.path())).collect()
        } else {
            // What is implied may be imported from as well, so its version matters as that of a root.
            let graph = requirements.whole_graph(self)?;
            self.without_main(&graph)
        };
        let mut editor = Editor {
            world: self,
            original: Arc::clone(original),
            pruning,
            is_verbose: edit.is_verbose,
            roots: roots.into_iter().map(|root| (root.path(), root)).collect(),
            wanted: HashMap::new(),
            rejected: HashSet::new(),
            conflicts: Vec::new(),
        };
        editor.begin(edit);
        let roots = editor.run()?;
        if !editor.conflicts.is_empty() {
            return Err(Error::from(ConstraintError { conflicts: editor.conflicts }).into());
        }
        self.finish_edit(original, &requirements, edit, roots)
    }

    /// How the graph is pruned when the wanted go version, or the one a wanted toolchain admits, holds.
    fn pruning_after(&self, original: &Requirements, select: &[NodeId]) -> Pruning {
        for &wanted in select {
            let node = self.nodes().node(wanted);
            match &*node.path {
                "go" => return Pruning::of(&node.version),
                "toolchain" if Pruning::of(go_version::of_toolchain(&node.version)) == Pruning::Unpruned => {
                    return Pruning::Unpruned;
                }
                _ => {}
            }
        }
        original.pruning()
    }

    fn finish_edit(
        &mut self,
        original: &Arc<Requirements>,
        requirements: &Requirements,
        edit: &Edit,
        mut roots: Vec<NodeId>,
    ) -> Result<(Arc<Requirements>, bool), Halt> {
        let pruning = requirements.pruning();
        if pruning == Pruning::Unpruned {
            let is_present =
                |node: &&NodeId| !self.nodes().is_none(**node) && self.main.find(node.path()).is_none();
            let wanted = edit.select.iter().filter(is_present);
            // A root whose version did not change, or that is imported from, is taken to matter still.
            let is_kept = |node: &&NodeId| {
                let before = requirements.root(self, node.path());
                before.is_some_and(|before| before == **node || requirements.direct().contains(&node.path()))
            };
            let paths: Vec<_> = wanted.chain(roots.iter().filter(is_kept)).map(|node| node.path()).collect();
            let main = self.main.first();
            let source = &mut WithRoots { world: self, roots: roots.into() };
            roots = minimal_requirements(source, main, &paths).map_err(|stop| self.stopped(stop))?;
        }
        if pruning == original.pruning() && roots == original.roots() {
            return Ok((Arc::clone(original), false));
        }
        let direct: BTreeSet<_> = roots.iter().map(|root| root.path()).collect();
        let direct = direct.intersection(requirements.direct()).copied().collect();
        let edited = Requirements::new(self.nodes(), pruning, roots, direct);
        let becomes_pruned = Pruning::of(edited.go_version(self)) == Pruning::Pruned;
        if pruning == Pruning::Unpruned && becomes_pruned {
            return Ok((self.convert_pruning(&edited, Pruning::Pruned)?, true));
        }
        Ok((edited, true))
    }
}

impl Editor<'_> {
    fn compare(&self, a: NodeId, b: NodeId) -> std::cmp::Ordering {
        compare(self.world.nodes(), a, b)
    }

    fn note_if_verbose(&mut self, note: impl FnOnce(&World) -> String) {
        if self.is_verbose {
            let note = note(self.world);
            self.world.notes.push(note);
        }
    }

    fn begin(&mut self, edit: &Edit) {
        for &upgrade in &edit.upgrade {
            let root = self.roots.get(&upgrade.path());
            if root.is_some_and(|&root| self.compare(root, upgrade).is_ge()) {
                continue;
            }
            self.note_if_verbose(|world| format!("trying upgrade to {}", world.nodes().node(upgrade)));
            self.roots.insert(upgrade.path(), upgrade);
        }
        for &wanted in &edit.select {
            match self.wanted.get(&wanted.path()) {
                Some(&before) if before != wanted => {
                    let (higher, lower) = if self.compare(before, wanted).is_gt() {
                        (before, wanted)
                    } else {
                        (wanted, before)
                    };
                    let conflict = self.conflict(&[higher], Some(lower));
                    self.conflicts.push(conflict);
                }
                _ => {
                    self.wanted.insert(wanted.path(), wanted);
                    self.roots.insert(wanted.path(), wanted);
                }
            }
        }
    }

    /// Changes roots until all is well, or there are conflicts; the roots, sorted.
    fn run(&mut self) -> Result<Vec<NodeId>, Halt> {
        let mut roots = Vec::new();
        while self.conflicts.is_empty() {
            roots = self.roots.values().copied().filter(|root| !self.world.nodes().is_none(*root)).collect();
            self.world.nodes().sort(&mut roots);
            let (graph, raised) = self.extend_graph(&roots)?;
            if let Some(error) = graph.error()
                && matches!(error.cause.kind, Fault::TooNew(_))
            {
                return Err(Error::from(error.clone()).into());
            }
            let tracker = self.judge(&graph, &roots, &raised);
            let has_lowered = self.lower_roots(&graph, &tracker, &roots)?;
            if !has_lowered && (!self.conflicts.is_empty() || !self.accept_upgrades(&graph)) {
                break;
            }
        }
        Ok(roots)
    }

    /// The graph, with what the selected version of every root requires in it: a root that rises brings that along.
    fn extend_graph(&mut self, roots: &[NodeId]) -> Result<(Arc<ModuleGraph>, HashSet<NodeId>), Halt> {
        let mut raised = HashSet::new();
        loop {
            let graph = self.world.read_graph(self.pruning, roots, &raised)?;
            let before = raised.len();
            if self.pruning == Pruning::Pruned {
                let selected = self.roots.keys().filter_map(|path| graph.selected(*path));
                raised.extend(selected.filter(|node| graph.required_by(*node).is_none()));
            }
            if raised.len() == before {
                return Ok((graph, raised));
            }
        }
    }

    /// Finds every node that can't stay, and why.
    fn judge(&self, graph: &ModuleGraph, roots: &[NodeId], raised: &HashSet<NodeId>) -> Tracker {
        let pruning_of = |node: &NodeId| match graph.look(*node) {
            Some(Ok(Pruning::Unpruned)) => Pruning::Unpruned,
            _ => self.pruning,
        };
        let extended = roots.iter().chain(raised).map(|root| (*root, pruning_of(root))).collect();
        let mut tracker = Tracker::new(extended);
        let is_too_high =
            |node: NodeId| self.wanted.get(&node.path()).is_some_and(|max| self.compare(node, *max).is_gt());
        for node in graph.breadth_first(self.world.nodes()) {
            if is_too_high(node) {
                tracker.disqualify(node, Pruning::Pruned, Reason::Through(node));
                continue;
            }
            match graph.look(node) {
                // A main module, or one whose requirements are pruned away.
                None => continue,
                Some(Err(error)) => {
                    tracker.disqualify(node, Pruning::Pruned, Reason::Error(error.clone()));
                    continue;
                }
                Some(Ok(_)) => {}
            }
            let Some(required) = graph.required_by(node) else { continue };
            if let Some(&high) = required.iter().find(|required| is_too_high(**required)) {
                tracker.disqualify(node, Pruning::Pruned, Reason::Through(high));
                continue;
            }
            for &required in required.iter() {
                if !tracker.require(node, required) {
                    break;
                }
            }
        }
        tracker
    }

    /// Takes over what the graph selects for roots that nobody asked for; whether a root changed.
    fn accept_upgrades(&mut self, graph: &ModuleGraph) -> bool {
        let mut upgrades = Vec::new();
        for (path, &root) in &self.roots {
            if self.wanted.contains_key(path) {
                continue;
            }
            let nodes = &mut self.world.known.nodes;
            let selected = graph.selected(*path).unwrap_or_else(|| nodes.at(*path, "none"));
            if selected != root {
                upgrades.push((root, selected));
            }
        }
        upgrades.sort_by_key(|(root, _)| self.world.nodes().node(*root).clone());
        for &(root, selected) in &upgrades {
            self.note_if_verbose(|world| {
                let (root, version) = (world.nodes().node(root), world.nodes().version(selected));
                format!("accepting indirect upgrade from {root} to {version}")
            });
            self.roots.insert(root.path(), selected);
        }
        !upgrades.is_empty()
    }

    fn conflict(&self, path: &[NodeId], constraint: Option<NodeId>) -> Conflict {
        let node = |node: NodeId| self.world.nodes().node(node).clone();
        Conflict { path: self.world.nodes().texts(path), constraint: constraint.map(node), error: None }
    }
}
